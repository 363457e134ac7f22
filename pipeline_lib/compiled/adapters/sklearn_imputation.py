"""Imputers of scikit-learn."""
