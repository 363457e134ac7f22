"""Adapters of category_encoders."""
