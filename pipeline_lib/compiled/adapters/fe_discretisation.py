"""Discretisers of feature-engine."""
