"""Estimators of scikit-learn that wrap others."""
