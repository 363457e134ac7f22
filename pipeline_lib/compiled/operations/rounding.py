"""Numbers rounded to decimals, as NumPy and as Python do it.

NumPy, and with it pandas, multiplies by a power of ten, rounds to an integer and divides again: fast, and for some
numbers one ULP or one decimal off. Python's `round` rounds the exact decimal value of a double.

    number   2 decimals, NumPy's   Python's
    2.675    2.68                  2.67
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from pipeline_lib.compiled.operations.arithmetic import divide, rint
from pipeline_lib.compiled.operations.refusals import refuse
from pipeline_lib.compiled.operations.registry import Settings, operation
from pipeline_lib.compiled.operations.setting_types import INTEGER, SettingType
from pipeline_lib.errors import InputError

MOST_DECIMALS = 22
"""The largest power of ten that a double holds exactly."""
_DECIMALS = SettingType(
    "int",
    f"an integer from -{MOST_DECIMALS} to {MOST_DECIMALS}",
    lambda value: INTEGER.accepts(value) and abs(value) <= MOST_DECIMALS,
)
_TOO_LARGE = "found a number that rounds to one beyond the largest double; correct the row"


def _bind_numpy(settings: Settings) -> Callable[[Any], Any]:
    decimals, power = settings["decimals"], 10.0 ** abs(settings["decimals"])
    if decimals == 0:
        return np.rint
    if decimals > 0:
        return lambda value: np.rint(value * power) / power
    return lambda value: np.rint(np.true_divide(value, power)) * power


def _bind_numpy_row(settings: Settings) -> Callable[[float], Any]:
    decimals, power = settings["decimals"], 10.0 ** abs(settings["decimals"])
    if decimals >= 0:
        return lambda value: divide(rint(value * power), power)
    return lambda value: rint(value / power) * power


def _abs_max(settings: Settings, largest: float) -> float:
    power: float = 10.0 ** settings["decimals"]
    if not math.isfinite(largest * max(power, 1.0)):
        return math.inf  # the product may be infinite
    return largest + 1.0 / power


operation(
    "round_decimals",
    ("float64",),
    "float64",
    doc="The number rounded to `decimals`, by multiplying and dividing, as numpy.round and pandas.",
    settings={"decimals": _DECIMALS},
    column=_bind_numpy,
    row=_bind_numpy_row,
    abs_max=lambda settings, maxima: _abs_max(settings, maxima[0]),
)


def _python(value: float, decimals: int) -> float | None:
    """`round(value, decimals)`; None where the result is beyond the largest double."""
    try:
        return round(value, decimals)
    except OverflowError:
        return None


def _bind_python(settings: Settings) -> Callable[[Any], Any]:
    decimals = settings["decimals"]

    def rounded(value: Any) -> Any:
        value = np.atleast_1d(np.asarray(value, dtype=np.float64))
        results = [_python(number, decimals) for number in value.tolist()]
        refuse(value, [result is not None for result in results], lambda number: _TOO_LARGE)
        return np.array(results, dtype=np.float64)

    return rounded


def _bind_python_row(settings: Settings) -> Callable[[float], float]:
    decimals = settings["decimals"]

    def rounded(value: float) -> float:
        result = _python(value, decimals)
        if result is None:
            raise InputError(_TOO_LARGE)
        return result

    return rounded


operation(
    "round_python",
    ("float64",),
    "float64",
    doc="The number rounded to `decimals` by its exact decimal value, as Python's `round`.",
    settings={"decimals": _DECIMALS},
    column=_bind_python,
    row=_bind_python_row,
    abs_max=lambda settings, maxima: maxima[0] + 10.0 ** -settings["decimals"],
)
