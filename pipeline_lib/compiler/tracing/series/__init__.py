"""Series of own code: one column, its operators, methods and dates."""
