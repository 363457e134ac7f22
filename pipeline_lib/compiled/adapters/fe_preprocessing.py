"""Matching of categories and variables, and scaling, of feature-engine."""
