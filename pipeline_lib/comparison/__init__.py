"""Is the new model truly better: paired differences, their intervals and tests, and the verdict."""
