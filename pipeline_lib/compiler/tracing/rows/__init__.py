"""Functions of one row's values, and the paths through them."""
