"""Projections of scikit-learn."""
