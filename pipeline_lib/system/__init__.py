"""The machine: files, locks, signals, the fingerprint of packages and CPU."""
