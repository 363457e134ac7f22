"""Text features of feature-engine."""
