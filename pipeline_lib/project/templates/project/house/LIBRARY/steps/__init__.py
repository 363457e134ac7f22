"""Transformers exported from nbs/steps."""
