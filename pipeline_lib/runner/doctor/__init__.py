"""What may be wrong with an environment or a checkout, and what to do about it."""
