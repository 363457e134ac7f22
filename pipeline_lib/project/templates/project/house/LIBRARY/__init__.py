"""Pipelines of DISTRIBUTION: steps and pipelines are exported from the notebooks in nbs."""
