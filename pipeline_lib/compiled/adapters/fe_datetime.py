"""Date and time features of feature-engine."""
