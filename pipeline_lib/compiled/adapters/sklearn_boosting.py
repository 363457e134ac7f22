"""Boosted trees of scikit-learn."""
