"""LightGBM and XGBoost models."""
