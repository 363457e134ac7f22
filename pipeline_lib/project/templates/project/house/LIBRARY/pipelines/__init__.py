"""Pipeline modules exported from nbs/pipelines."""
