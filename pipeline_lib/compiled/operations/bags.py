"""Sparse vectors: few of many numbers a row."""
