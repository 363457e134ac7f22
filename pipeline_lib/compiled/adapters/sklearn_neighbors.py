"""Nearest neighbours of scikit-learn."""
