"""Fitted objects taken apart: values, items, attributes. Classes are known by name, nothing is imported."""

import functools
import json
import types
from collections.abc import Mapping, Set
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from pathlib import PurePath
from typing import Any

import numpy as np

_VALUES = (bool, int, float, str, bytes)
_SHOWN_BY_REPR = (date, time, timedelta, Decimal, Fraction, Enum, PurePath, range, slice, np.dtype, complex)
_CALLABLE = (types.FunctionType, types.BuiltinFunctionType, types.ModuleType, np.ufunc)
_PANDAS_MISSING = ("NaTType", "NAType")


def value_of(value: Any) -> tuple[str, Any] | None:
    """Type and value of an object without parts; None for an object with parts."""
    if value is None:
        return "None", ""
    if isinstance(value, np.generic) and not isinstance(value, np.void):
        return str(value.dtype), value if value.dtype.kind in "biufSU" else repr(value)
    if isinstance(value, _SHOWN_BY_REPR) or type(value).__name__ in _PANDAS_MISSING:
        return qualified(type(value)), repr(value)
    if isinstance(value, _VALUES):
        base: type = next(kind for kind in _VALUES if isinstance(value, kind))
        return qualified(type(value)), base(value)
    if isinstance(value, bytearray):
        return "bytearray", bytes(value)
    if isinstance(value, type):
        return "class", qualified(value)
    return ("function", qualified(value)) if isinstance(value, _CALLABLE) else None


def attributes(value: Any) -> dict[str, Any] | None:
    """An object's attributes, and what it would hand to a copy of itself where it hides them.

    None for an object that shows neither.
    """
    own = dict(getattr(value, "__dict__", {}))
    if isinstance(value, functools.partial):
        return {"func": value.func, "args": value.args, "keywords": value.keywords}
    if isinstance(value, types.MethodType):
        return {"function": value.__func__, "of": value.__self__}
    if hasattr(value, "get_params"):
        return own
    random = getattr(value, "bit_generator", getattr(value, "_bit_generator", None))
    if random is not None:  # what it hands to a copy repeats this state
        return {"state": random.state}
    try:
        reduced = value.__reduce_ex__(4)
    except Exception:  # whatever a foreign object raises: its attributes must do
        return own or None
    return {"name": reduced} if isinstance(reduced, str) else _reduced(type(value), *reduced) | own


def _reduced(
    kind: type, _: Any, arguments: Any, state: Any = None, items: Any = None, pairs: Any = None, *more: Any
) -> dict[str, Any]:
    """The parts of what `__reduce_ex__` returns; slots come with the attributes."""
    taken = [part for part in arguments if part is not kind]
    parts: dict[str, Any] = {"args": taken} if taken else {}
    if isinstance(state, tuple) and len(state) == 2 and isinstance(state[1], dict):
        parts |= state[1]
        state = state[0]
    if isinstance(state, dict) and all(isinstance(name, str) for name in state):
        parts |= state
    elif state is not None:
        parts["state"] = state
    return parts | ({"items": list(items)} if items else {}) | ({"pairs": list(pairs)} if pairs else {})


def pandas_parts(value: Any) -> dict[str, Any] | None:
    """The parts of a frame (column by column), series, index or extension array; None for anything else.

    Their attributes include caches, which come and go.
    """
    if type(value).__module__.partition(".")[0] != "pandas":
        return None
    if hasattr(value, "columns") and hasattr(value, "iloc"):
        columns = {f"column_{index}": value.iloc[:, index].array for index in range(value.shape[1])}
        return {"index": value.index, "columns": value.columns, **columns}
    if not (hasattr(value, "dtype") and hasattr(value, "to_numpy")):
        return None
    parts: dict[str, Any] = {"dtype": str(value.dtype), "values": value.to_numpy()}
    return parts | {name: getattr(value, name) for name in ("name", "index") if hasattr(value, name)}


def is_named_list(value: Any) -> bool:
    """Whether a list holds scikit-learn's named parts: tuples of a name, an estimator, and its further settings."""
    if not (isinstance(value, list) and value and all(isinstance(part, tuple) and len(part) > 1 for part in value)):
        return False
    names = [part[0] for part in value]
    parts = [part[1] for part in value]
    unique = all(isinstance(name, str) for name in names) and len(set(names)) == len(names)
    return unique and all(hasattr(part, "get_params") or isinstance(part, str | None) for part in parts)


def key_texts(keys: Mapping[Any, Any] | Set[Any]) -> list[str]:
    """Keys as source text; of equal texts the second is marked with `#2`, and so on."""
    seen: dict[str, int] = {}
    texts = []
    for key in keys:
        text = key_text(key)
        seen[text] = seen.get(text, 0) + 1
        texts.append(f"{text}#{seen[text]}" if seen[text] > 1 else text)
    return texts


def key_text(key: Any) -> str:
    """One key as source text; of an object with parts, its type."""
    value = key.item() if isinstance(key, np.generic) else key
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, tuple):
        return f"({', '.join(map(key_text, value))})"
    found = value_of(value)
    return repr(value) if isinstance(value, (*_VALUES, types.NoneType)) else str(found[1] if found else type(value))


_PUBLIC = {"pathlib._local": "pathlib"}
"""Modules of the standard library whose classes one version of Python alone (3.13) says are elsewhere."""


def qualified(value: Any) -> str:
    """The name that code could import a class or function by."""
    module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", getattr(value, "__name__", ""))
    if isinstance(value, np.ufunc) and getattr(np, str(name), None) is value:
        return f"numpy.{name}"  # older versions of NumPy do not say so
    return f"{_PUBLIC.get(module, module)}.{name}" if module not in (None, "builtins") else str(name)
