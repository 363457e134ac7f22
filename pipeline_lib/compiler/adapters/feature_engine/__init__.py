"""Adapters of feature-engine's classes, one module per subject."""
