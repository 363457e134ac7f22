"""Adapters of feature-engine."""
