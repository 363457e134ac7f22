"""Naive Bayes of scikit-learn."""
