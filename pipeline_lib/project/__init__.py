"""The checkout: settings, parameters, notebooks, export, code digests, templates."""
