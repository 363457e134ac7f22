"""Values of one row among constants: `value in ("a", "b")`, keys of dicts."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from pipeline_lib.compiler.builder import Builder, Value
from pipeline_lib.compiler.tracing.constants import is_missing
from pipeline_lib.compiler.tracing.refusals import PLAN, refuse
from pipeline_lib.compiler.tracing.rows.operands import operand_of

_ENDS = (np.inf, -np.inf)


def one_of(build: Builder, column: Value, choices: Iterable[Any]) -> Value:
    """Whether a value equals one of some constants; missing text and NaN equal none."""
    keys = keys_of(column, choices)
    if column.kind == "datetime":
        found = build.value(False)
        for key in keys:
            found = build.logical_or(found, column == operand_of(build, key).value)
        return found
    if not keys:
        return build.value(False)
    return build.lookup(column, dict.fromkeys(keys, True), "bool", missing=False, unseen=False)


def keys_of(column: Value, choices: Iterable[Any]) -> list[Any]:
    """Those of some constants that a value of a column may equal, as the column's dtype."""
    kept = [each.item() if isinstance(each, np.generic) else each for each in choices]
    if any(isinstance(each, float) and is_missing(each) for each in kept) and not _present(column):
        refuse("NaN among values to look up", "Python finds it by identity, not by value", "write pd.isna(value)")
    kept = [each for each in kept if not is_missing(each)]
    if column.kind == "str":
        return [each for each in kept if isinstance(each, str)]
    if column.kind == "datetime":
        return [each for each in kept if isinstance(each, pd.Timestamp) or type(each).__name__ == "datetime"]
    if column.kind not in ("int64", "float64", "bool"):
        refuse(f"a value of {column.kind} looked up", "the recorder has no rule for it", PLAN)
    numbers = [each for each in kept if isinstance(each, int | float) and (abs(each) < 2.0**63 or each in _ENDS)]
    if column.kind == "float64":
        return [float(each) for each in numbers]
    whole = [int(each) for each in numbers if each not in _ENDS and each == int(each)]
    return [bool(each) for each in whole if each in (0, 1)] if column.kind == "bool" else whole


def _present(column: Value) -> bool:
    return bool(np.isfinite(column.abs_max)) or column.kind in ("int64", "bool")
