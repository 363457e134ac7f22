"""The native core: plans carried out by machine code with the bits of the NumPy executor."""
