"""Adapters of scikit-learn."""
