"""Decision trees: walked over columns, generated as Python for one row."""
