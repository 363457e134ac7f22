"""A research run from start to seal, and what the notebook calls."""
