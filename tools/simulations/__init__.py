"""Simulated pairs of models of known difference: how often intervals hold it, and how often a verdict is wrong."""
