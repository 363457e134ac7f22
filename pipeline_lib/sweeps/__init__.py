"""One parameters file, many runs."""
