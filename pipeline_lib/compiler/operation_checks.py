"""Checks of an operation's inputs and settings, made once when a plan is written, never when it predicts.

Messages have the names that an author writes: those of Builder's methods and of their parameters.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline_lib.compiled.operations.registry import Operation
from pipeline_lib.compiler.python_names import dtype_name, method_name, parameter_name
from pipeline_lib.errors import InputError

_LONGEST = 60  # characters of a value in a message


def check_dtypes(operation: Operation, dtypes: Sequence[str]) -> None:
    """Check the dtypes of an operation's inputs. Raises InputError."""
    takes = operation.takes
    if takes is None:
        return
    expected = takes
    if takes[-1] == "...":
        expected = takes[:-2] + (takes[-2],) * (len(dtypes) - len(takes) + 2)
    pairs = set(zip(expected, dtypes, strict=False))  # of hundreds of inputs few are different
    if len(expected) != len(dtypes) or any(dtype not in choices.split("|") for choices, dtype in pairs):
        found, wanted = ", ".join(map(dtype_name, dtypes)), ", ".join(map(dtype_name, takes))
        raise InputError(f"{method_name(operation.name)}: found values of {found}, expected {wanted}")


def child_table(operation: str, tables: Sequence[str]) -> str:
    """The child table whose rows are an operation's inputs, "" where all inputs are main rows. Raises InputError."""
    names = sorted({table for table in tables if table})
    if len(names) > 1:
        raise InputError(
            f"{method_name(operation)}: found values of the tables {', '.join(names)}, expected those of one; "
            "bring each to the main rows first, with build.count, build.total or build.extreme"
        )
    return names[0] if names else ""


def check_settings(operation: Operation, settings: Mapping[str, Any]) -> None:
    """Check an operation's settings: none unknown, none left out, each of its type. Raises InputError.

    Only `Builder.apply` can get unknown settings or leave some out, so those messages have the names on disk.
    """
    for name in settings:
        if name not in operation.settings:
            expected = ", ".join(operation.settings) or "none"
            raise InputError(f"{operation.name}: found setting {name!r}, expected {expected}; remove it")
    for name, kind in operation.settings.items():
        if name not in settings:
            if not kind.optional:
                raise InputError(f"{operation.name}: found no setting {name!r}, expected {kind.expected}; add it")
        elif not kind.accepts(settings[name]):
            method, parameter = method_name(operation.name), parameter_name(operation.name, name)
            found = f"{parameter}={_short(settings[name])} ({type(settings[name]).__name__})"
            raise InputError(f"{method}: found {found}, expected {kind.expected}; convert it")


def _short(value: Any) -> str:
    shown = " ".join(repr(value).split())
    return shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 1]}…"
