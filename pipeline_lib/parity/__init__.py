"""Parity: production repeats the evidence bit for bit, or the first difference is named with its causes."""
