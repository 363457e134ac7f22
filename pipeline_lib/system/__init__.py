"""The machine: files, locks, signals, the environment and its fingerprint."""
