"""What is known of the values of one row: the column of the plan, the Python type, the largest magnitude."""

import datetime
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pipeline_lib.compiler.builder import Builder, Value
from pipeline_lib.compiler.tracing.constants import constant
from pipeline_lib.compiler.tracing.refusals import PLAN, refuse
from pipeline_lib.compiler.tracing.rows.paths import Scope

OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "truediv": operator.truediv,
    "floordiv": operator.floordiv,
    "mod": operator.mod,
    "pow": operator.pow,
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
    "and": operator.and_,
    "or": operator.or_,
    "xor": operator.xor,
}
COMPARISONS = ("eq", "ne", "lt", "le", "gt", "ge")
LOGIC = ("and", "or", "xor")
EXACT = 2.0**53 - 1
"""Integers up to this magnitude are exact in float64, and no other integer becomes the same number."""
SUMMED = 2.0**60
"""Integers up to this magnitude may be added and subtracted without leaving 64 bits."""
MOST = 9.2e18
"""The magnitude, a little below 2**63, beyond which an integer result is refused."""


@dataclass(frozen=True, eq=False)
class Operand:
    """A value of any row: a column of the plan, a sample of its Python type, and what is known of it.

    `bound` is the largest magnitude of an integer. An unstable value is an integer in some batches, in others a float.
    """

    value: Value
    sample: Any
    bound: float = np.inf
    stable: bool = True

    @property
    def kind(self) -> str:
        """The dtype of the column."""
        return self.value.kind


SAMPLES: dict[type, Any] = {
    int: 1,
    float: 1.0,
    bool: True,
    str: "a",
    np.int64: np.int64(1),
    np.float64: np.float64(1.0),
    np.bool_: np.True_,
    pd.Timestamp: pd.Timestamp(2000, 1, 1),
    pd.Timedelta: pd.Timedelta(1, "D"),
    datetime.date: datetime.date(2000, 1, 1),
    datetime.timedelta: datetime.timedelta(1),
    datetime.datetime: pd.Timestamp(2000, 1, 1),
    np.str_: "a",
}
"""A sample of each type that a row's value may have."""
PYTHON: dict[str, Any] = {
    "int64": 1,
    "float64": 1.0,
    "bool": True,
    "str": "a",
    "datetime": SAMPLES[pd.Timestamp],
    "duration": SAMPLES[pd.Timedelta],
}
"""Samples of Python's own types, by dtype of the plan."""
NUMPY = PYTHON | {"int64": np.int64(1), "float64": np.float64(1.0), "bool": np.True_}


_KINDS = {"int": "int64", "float": "float64", "bool": "bool", "str": "str", "Timestamp": "datetime"} | {
    "date": "datetime",
    "Timedelta": "duration",
    "timedelta": "duration",
}


def kind_of(sample: Any) -> str:
    """The dtype of the plan for a sample."""
    name = type(sample.item() if isinstance(sample, np.generic) else sample).__name__
    return _KINDS[name]


KIND_OF_TYPE = {kind: kind_of(sample) for kind, sample in SAMPLES.items() if kind is not datetime.date}
"""The dtype of a result, by its type; pandas keeps dates without time as Python objects."""


def sample_of(found: Any, name: str) -> Any:
    """The sample of a result's type. Raises TraceRefusedError for other types."""
    sample = SAMPLES.get(type(found))
    if sample is None:
        refuse(f"{name} of a row's values, which gives {type(found).__name__}", "the recorder has no rule for it", PLAN)
    return sample


def operand_of(build: Builder, thing: Any) -> Operand:
    """A constant as an operand."""
    kind = thing.item() if isinstance(thing, np.generic) else thing
    bound = float(abs(kind)) if isinstance(kind, int) else np.inf
    return Operand(constant(build, thing), thing, bound)


def settle(scope: Scope, thing: Any) -> Any:
    """An operand, or NaN or NaT on the path on which it is missing text, date or duration."""
    if not isinstance(thing, Operand) or thing.kind not in ("str", "datetime", "duration"):
        return thing
    if not scope.decide(thing.value.missing()):
        return thing
    return np.nan if thing.kind == "str" else pd.NaT


def guard(scope: Scope, operand: Operand, limit: float) -> None:
    """Refuse rows in which an integer is larger than `limit`."""
    if min(operand.bound, operand.value.abs_max) > limit:
        scope.guard(scope.build.absolute(scope.build.number(operand.value)) > limit)


def known_number(build: Builder, value: Value) -> Any:
    """The number of a constant, also of one that is cast; None for a column."""
    node = build.nodes[value.node]
    if node.operation in ("to_float", "to_int"):
        node = build.nodes[node.inputs[0]]
    return node.settings["value"] if node.operation == "constant" else None
