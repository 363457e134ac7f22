"""Rows for boosters: a number with missing values, a whole number, a number that is often 0."""

import numpy as np
import pandas as pd

ROWS = 90


def booster_rows(draw: np.random.Generator) -> pd.DataFrame:
    """`ROWS` rows, drawn."""
    frame = pd.DataFrame(
        {
            "a": draw.normal(size=ROWS) * 3,
            "b": draw.integers(0, 6, ROWS),
            "zeros": np.where(draw.random(ROWS) < 0.5, 0.0, draw.normal(size=ROWS)),
        }
    )
    frame.loc[::7, "a"] = np.nan
    return frame
