"""Two frames with a column of each dtype that a pipeline gets: rows to record on, and edge rows."""

import numpy as np
import pandas as pd


def frame(**columns: list) -> pd.DataFrame:
    """The columns of a row, as a pipeline gets them."""
    dates = pd.Series(pd.to_datetime(columns["d"], format="ISO8601")).astype("datetime64[us]")
    ends = pd.Series(pd.to_datetime(columns["e"], format="ISO8601")).astype("datetime64[us]")
    return pd.DataFrame(
        {
            "i": columns["i"],
            "j": columns["j"],
            "x": np.array(columns["x"], dtype=float),
            "y": np.array(columns["y"], dtype=float),
            "b": columns["b"],
            "c": pd.Series(columns["c"], dtype=object),
            "t": pd.Series(columns["t"], dtype="str"),
            "u": pd.Series(columns["u"], dtype="str"),
            "d": dates,
            "e": ends,
        }
    )


TRAINING = frame(
    i=[3, -7, 12, 0, 5, 8],
    j=[2, 3, 1, 4, 2, 7],
    x=[1.5, -2.25, 0.1, np.nan, 4.0, 100.0],
    y=[0.5, 2.0, np.nan, -3.0, 0.25, 7.0],
    b=[True, False, True, True, False, False],
    c=[True, np.nan, False, True, False, True],
    t=["a", "b", None, "", "Ünï", "a"],
    u=["a", None, "b", "", "x", "b"],
    d=["2020-01-01", "2019-12-31T23:59:59.5", None, "2000-02-29", "1969-12-31T23:59:59.999999", "2021-07-01T12:30"],
    e=["2020-01-03", "2019-12-31", "2001-01-01", None, "1970-01-01", "2021-07-01T12:30"],
)
EDGES = frame(
    i=[0, 2**53, -(2**53), 2**31, 1, -1, 2**40 + 1, 9],
    j=[1, 5, 2, 3, 1, 6, 1, 2],
    x=[-0.0, 0.0, np.nan, np.inf, -np.inf, 1e300, 5e-324, -1.0],
    y=[0.0, -0.0, 1.0, np.inf, 2.0, 1e300, 3.0, np.nan],
    b=[False, True, False, True, False, True, False, True],
    c=[np.nan, False, True, np.nan, False, True, True, np.nan],
    t=[None, "", "unseen", "A", "b", "ß", "a" * 50, "Σ"],
    u=[None, "z", "unseen", "a", "b", "ss", "", "a"],
    d=[
        None,
        "1900-03-01",
        "2100-12-31T12:00:00.5",
        "1970-01-01",
        "2024-02-29",
        "0001-01-01",
        "9999-12-31",
        "2020-01-01",
    ],
    e=["2020-01-01", None, "2100-12-31", "1970-01-01", "2023-02-28", "1999-01-01", "2001-01-01", "2020-01-01"],
)
