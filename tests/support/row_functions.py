"""Functions of one row's values, written as text, so that tables of tests name them by what they do."""

import math
import re
from typing import Any

import numpy as np
import pandas as pd


def _own(source: str) -> Any:
    names = {"__name__": __name__, "math": math, "np": np, "pd": pd, "re": re, "Timestamp": pd.Timestamp}
    return eval(source, names)  # noqa: S307


def of_values(column: str, body: str) -> Any:
    """A `transform` that maps a function of each value `x` of a column."""
    return _own(f"lambda self, X: X[{column!r}].map(lambda x: {body})")


def of_rows(body: str) -> Any:
    """A `transform` that applies a function of each row `r`."""
    return _own(f"lambda self, X: X.apply(lambda r: {body}, axis=1)")
