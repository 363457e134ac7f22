"""The command line: thin commands over functions that explain themselves."""
