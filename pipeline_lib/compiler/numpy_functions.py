"""NumPy's functions of a plan's values: what each writes, by its name.

A ufunc of `METHODS` is the operation of the same name; one of `UFUNCS` or a function of `FUNCTIONS` is written here.
"""

from collections.abc import Callable
from typing import Any

METHODS = frozenset(
    {"arccos", "arcsin", "arctan", "arctan2", "cbrt", "ceil", "cos", "exp", "expm1", "floor"}
    | {"log", "log10", "log1p", "log2", "rint", "sin", "sqrt", "tan", "tanh", "trunc"}
)
"""NumPy functions whose operation has the same name."""


def _extreme(build: Any, left: Any, right: Any, *, largest: bool, keep_missing: bool) -> Any:
    """np.maximum and np.minimum, in which a missing number wins, or np.fmax and np.fmin, which ignore it."""
    if {left.kind, right.kind} <= {"int64", "bool"}:
        left, right = build.integer(left), build.integer(right)
        return build.where(right > left if largest else right < left, right, left)
    left, right = build.number(left), build.number(right)
    chosen = (build.larger if largest else build.smaller)(left, right)
    return build.where(right.missing(), right, chosen) if keep_missing else build.where(left.missing(), right, chosen)


def _clip(build: Any, value: Any, low: Any, high: Any) -> Any:
    """np.clip: the larger of value and `low`, then the smaller of that and `high`; a missing bound makes it missing."""
    value = build.value(value)
    if low is not None:
        value = _extreme(build, value, build.value(low), largest=True, keep_missing=True)
    return value if high is None else _extreme(build, value, build.value(high), largest=False, keep_missing=True)


def _select(build: Any, conditions: Any, choices: Any, default: Any = 0) -> Any:
    result = build.value(default)
    for condition, choice in zip(reversed(list(conditions)), reversed(list(choices)), strict=True):
        result = build.where(condition, choice, result)
    return result


UFUNCS: dict[str, Callable[..., Any]] = {
    "absolute": lambda build, value: abs(value),
    "add": lambda build, left, right: left + right,
    "bitwise_and": lambda build, left, right: left & right,
    "bitwise_or": lambda build, left, right: left | right,
    "bitwise_xor": lambda build, left, right: left ^ right,
    "divide": lambda build, left, right: left / right,
    "equal": lambda build, left, right: left == right,
    "floor_divide": lambda build, left, right: left // right,
    "fmax": lambda build, left, right: _extreme(build, left, right, largest=True, keep_missing=False),
    "fmin": lambda build, left, right: _extreme(build, left, right, largest=False, keep_missing=False),
    "greater": lambda build, left, right: left > right,
    "greater_equal": lambda build, left, right: left >= right,
    "invert": lambda build, value: ~value,
    "isnan": lambda build, value: value.missing(),
    "less": lambda build, left, right: left < right,
    "less_equal": lambda build, left, right: left <= right,
    "logical_and": lambda build, left, right: left & right,
    "logical_not": lambda build, value: ~value,
    "logical_or": lambda build, left, right: left | right,
    "logical_xor": lambda build, left, right: left ^ right,
    "maximum": lambda build, left, right: _extreme(build, left, right, largest=True, keep_missing=True),
    "minimum": lambda build, left, right: _extreme(build, left, right, largest=False, keep_missing=True),
    "multiply": lambda build, left, right: left * right,
    "negative": lambda build, value: -value,
    "not_equal": lambda build, left, right: left != right,
    "power": lambda build, left, right: left**right,
    "remainder": lambda build, left, right: left % right,
    "square": lambda build, value: value * value,
    "subtract": lambda build, left, right: left - right,
}
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "clip": _clip,
    "select": _select,
    "where": lambda build, *inputs: build.where(*inputs),
}
