"""Adapters of scikit-learn's classes, one module per subject."""
