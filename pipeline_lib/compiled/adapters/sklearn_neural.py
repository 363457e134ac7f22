"""Multi-layer perceptrons of scikit-learn."""
