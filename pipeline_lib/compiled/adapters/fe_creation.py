"""Feature creation of feature-engine."""
