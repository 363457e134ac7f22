"""Feature selectors of scikit-learn."""
