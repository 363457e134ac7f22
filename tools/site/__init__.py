"""The documentation site: pages of docs/, the generated reference, the notebooks with their outputs."""
