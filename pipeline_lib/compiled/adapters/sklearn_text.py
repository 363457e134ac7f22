"""Text vectorizers of scikit-learn."""
