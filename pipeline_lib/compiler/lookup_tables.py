"""Tables of look-ups while a plan is written: keys and results as the settings of an operation."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from pipeline_lib.compiled.operations.refusals import NAT
from pipeline_lib.compiler.times import TIMES, microseconds


def table_settings(
    table: Mapping[Any, Any], kind: str, gives: str, missing: Any, unseen: Any, mode: str
) -> dict[str, Any]:
    """The settings of a look-up of values of a dtype `kind`; dates and durations become microseconds.

    A missing date is a key of the table, as numbers do not tell it from others.
    """
    if kind in TIMES:
        table = {microseconds(key, kind): result for key, result in table.items()}
        if mode != "refuse" or missing is not None:
            table = {**table, NAT: missing}
    elif kind == "bool":
        table = {int(key): result for key, result in table.items()}
    results = {python_scalar(key): _result(result, gives) for key, result in table.items()}
    return {
        "keys": list(results),
        "values": list(results.values()),
        "gives": gives,
        "missing": _result(missing, gives),
        "unseen": _result(unseen, gives),
    }


def python_scalar(value: Any) -> Any:
    """A NumPy scalar as Python's; other values unchanged."""
    return value.item() if isinstance(value, np.generic) else value


def _result(value: Any, gives: str) -> Any:
    return microseconds(value, gives) if gives in TIMES and value is not None else python_scalar(value)
