"""Lags and windows of feature-engine."""
