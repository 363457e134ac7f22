"""Types of settings: each operation names its settings with these, and the compiler checks a plan against them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np


@dataclass(frozen=True)
class SettingType:
    """The type of one setting.

    `annotation` is the type in Python source, `expected` in words. `accepts` checks a value; only the compiler calls
    it. An `optional` setting may be left out.
    """

    annotation: str
    expected: str
    accepts: Callable[[Any], bool]
    optional: bool = False


def _is_scalar(value: Any) -> bool:
    return isinstance(value, bool | int | float | str)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _list_of(accepts: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list | tuple) and all(map(accepts, value))


def _list_or_array(accepts: Callable[[Any], bool], kinds: str, dimensions: int = 1) -> Callable[[Any], bool]:
    """Checks lists, nested for more dimensions, and arrays by the letter of their dtype's kind."""
    is_list = accepts
    for _ in range(dimensions):
        is_list = _list_of(is_list)

    def is_list_or_array(value: Any) -> bool:
        if isinstance(value, np.ndarray):
            return value.ndim == dimensions and value.dtype.kind in kinds
        return is_list(value)

    return is_list_or_array


TEXT = SettingType("str", "text", lambda value: isinstance(value, str))
TEXTS = SettingType("Sequence[str]", "a list of texts", _list_of(TEXT.accepts))
FLAG = SettingType("bool", "True or False", lambda value: isinstance(value, bool))
INTEGER = SettingType("int", "an integer", _is_integer)
NUMBER = SettingType("float", "a number", _is_number)
NUMBERS = SettingType("Sequence[float] | NDArray[Any]", "a list or array of numbers", _list_or_array(_is_number, "iuf"))
INTEGERS = SettingType("Sequence[int] | NDArray[Any]", "a list or array of integers", _list_or_array(_is_integer, "iu"))
FLAGS = SettingType("Sequence[bool] | NDArray[Any]", "a list or array of bool", _list_or_array(FLAG.accepts, "b"))
MATRIX = SettingType(
    "Sequence[Sequence[float]] | NDArray[Any]", "a matrix of numbers", _list_or_array(_is_number, "iuf", 2)
)
INTEGER_MATRIX = SettingType(
    "Sequence[Sequence[int]] | NDArray[Any]", "a matrix of integers", _list_or_array(_is_integer, "iu", 2)
)
FLAG_MATRIX = SettingType(
    "Sequence[Sequence[bool]] | NDArray[Any]", "a matrix of bool", _list_or_array(FLAG.accepts, "b", 2)
)
INTEGER_LISTS = SettingType(
    "Sequence[Sequence[int] | NDArray[Any]]", "a list of lists of integers", _list_of(INTEGERS.accepts)
)
TEXT_LISTS = SettingType("Sequence[Sequence[str]]", "a list of lists of texts", _list_of(TEXTS.accepts))
SCALAR = SettingType("Scalar", "a number, bool or text", _is_scalar)
SCALARS_OR_NONE = SettingType(
    "Sequence[Scalar | None]",
    "a list of numbers, bools, texts or None",
    _list_of(lambda value: value is None or _is_scalar(value)),
)


def one_of(choices: Sequence[str]) -> SettingType:
    """Text that is one of several."""
    literals, shown = ", ".join(f'"{choice}"' for choice in choices), ", ".join(map(repr, choices))
    return SettingType(
        f"Literal[{literals}]", f"one of {shown}", lambda value: isinstance(value, str) and value in choices
    )


def or_none(kind: SettingType) -> SettingType:
    """The same type, or None."""
    return replace(
        kind,
        annotation=f"{kind.annotation} | None",
        expected=f"{kind.expected}, or None",
        accepts=lambda value: value is None or kind.accepts(value),
    )


def optional(kind: SettingType) -> SettingType:
    """The same type; the setting may be left out."""
    return replace(kind, optional=True)
