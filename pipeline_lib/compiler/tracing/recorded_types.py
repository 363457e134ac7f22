"""Which class of recorded objects belongs to which class of the library."""

from collections.abc import Callable
from typing import Any

_TYPES: list[tuple[Callable[[Any], bool], type[Any]]] = []


def records(test: Callable[[Any], bool]) -> Callable[[type[Any]], type[Any]]:
    """Register the class of recorded objects for the library's objects that pass `test`."""

    def register(kind: type[Any]) -> type[Any]:
        _TYPES.append((test, kind))
        return kind

    return register


def recorded_type(real: Any) -> type[Any] | None:
    """The class of recorded objects for a library's object; None where there is none."""
    return next((kind for test, kind in _TYPES if test(real)), None)
