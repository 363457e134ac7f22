"""What production must repeat: rows, outputs, fitted state, and the comparison of bits."""
