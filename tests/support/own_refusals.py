"""Steps of own code that are refused, and the check of the message: file, line, source text, reason, remedy."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tracing import refusal

X = pd.DataFrame(
    {
        "a": [3, -2, 0, 8, 5, 3],
        "b": [1.5, np.nan, -0.5, 2.25, 0.0, np.nan],
        "t": pd.Series(["x", "y", None, "zed", "x", "y"], dtype="str"),
        "flag": [True, False, True, True, False, False],
        "when": pd.to_datetime(["2020-01-05", "2021-06-30", None, "2022-02-28", "2020-12-31", "2019-07-01"]),
    }
)


def line_of(function: Callable[..., Any], words: str) -> str:
    """The first line of a function's body that holds some words, as messages name it."""
    lines, first = inspect.getsourcelines(function)
    at = next(number for number, line in enumerate(lines) if words in line and not line.strip().startswith("def "))
    return f"{'/'.join(Path(inspect.getfile(function)).parts[-2:])}, line {first + at}: {lines[at].strip()}"


def assert_refused(function: Callable[..., Any], line: str, *says: str, **state: Any) -> str:
    """Assert that own code is refused at the line that holds `line`, and that the message holds each of `says`."""
    message = refusal(function, X, state=state)
    assert f"{line_of(function, line)}: found " in message, message
    for each in says:
        assert each in message, message
    return message
