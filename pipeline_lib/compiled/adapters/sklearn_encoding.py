"""Encoders of scikit-learn."""
