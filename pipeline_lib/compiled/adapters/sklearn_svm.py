"""Support vector machines of scikit-learn."""
