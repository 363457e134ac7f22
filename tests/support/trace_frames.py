"""Frames and arrays that own code is recorded on in tests of arrays and of NumPy's functions, and rows at the edges."""

from typing import Any

import numpy as np
import pandas as pd

_DRAWS = np.random.RandomState(7)
NUMBERS = pd.DataFrame(
    {
        "a": _DRAWS.randint(-9, 9, 20),
        "b": np.where(_DRAWS.rand(20) < 0.2, np.nan, _DRAWS.randn(20) * 10),
        "c": _DRAWS.rand(20),
        "d": _DRAWS.randn(20) > 0,
        "t": pd.Series(list("abcde") * 4, dtype="str"),
        "w": pd.to_datetime("2020-01-31") + pd.to_timedelta(_DRAWS.randint(0, 10**6, 20), unit="m"),
    }
)
"""Integers, floats with missing values, floats from 0 to 1, bools, words and dates."""
EDGES = pd.DataFrame(
    {
        "a": [0, 1, -1, 2**40, -(2**20), 7],
        "b": [0.0, -0.0, np.nan, np.inf, -np.inf, 2.5],
        "c": [0.5, -0.5, 1.0, -1.0, 1e300, 5e-324],
        "d": [True, False, True, True, False, False],
        "t": pd.Series(["a", "", "x", "ß", None, "e"], dtype="str"),
        "w": pd.to_datetime(
            ["1969-12-31 23:59:59", "2000-02-29", None, "2100-01-01", "1970-01-01", "2020-01-31"], format="ISO8601"
        ),
    }
)
"""Zeros, signs, missing and infinite numbers, unseen words, the ends of years."""
ARRAY: Any = np.column_stack([NUMBERS["a"], NUMBERS["b"], NUMBERS["c"]]).astype(float)
"""Three columns of floats, as a scaler gives them."""
ARRAY_EDGES: Any = np.array(
    [[0.0, -0.0, np.inf], [np.nan, 1.0, 2.0], [-1.0, np.nan, -np.inf], [3.0, 3.0, 3.0], [-2.5, 0.5, 1e300]]
)
"""The same columns at the edges."""
