"""A module whose names are imported by `from ... import *`."""

__all__ = ["TRIPLE", "tripled"]

TRIPLE = 3


def tripled(column):
    return column * TRIPLE
