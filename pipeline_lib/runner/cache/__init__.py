"""The run cache: which finished run is reused in place of a new one. Loaded raw data are cached here, too."""
