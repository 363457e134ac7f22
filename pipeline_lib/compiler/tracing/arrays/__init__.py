"""NumPy's arrays and functions in own code."""
