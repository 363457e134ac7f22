"""Adapters of gradient boosting libraries."""
