"""Outlier cappers of feature-engine."""
