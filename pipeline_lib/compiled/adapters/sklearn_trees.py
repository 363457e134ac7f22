"""Trees and forests of scikit-learn."""
