"""The checkout: settings, parameters, notebooks, export, digests of code, templates."""
