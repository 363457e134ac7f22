"""Operators of recorded objects: `+`, `<`, `&` and the others, as the library makes them and as the plan writes them."""

from typing import Any

from pipeline_lib.compiler.tracing.arithmetic import SYMBOLS
from pipeline_lib.compiler.tracing.recorded import Call, Recorded, of_shadow, unwrap
from pipeline_lib.compiler.tracing.recording import Rows
from pipeline_lib.errors import InputError


def binary(owner: Recorded, name: str, other: Any, *, swapped: bool = False) -> Any:
    """`owner OPERATOR other`, or swapped, as the library makes it and as the plan writes it."""
    other, recording = unwrap(other), owner._recording
    if owner._kind == "value":
        return owner._of_row(name, other, swapped=swapped)  # type: ignore[attr-defined]
    if isinstance(other, Recorded) and _rank(other) > _rank(owner):
        return binary(other, name, owner, swapped=not swapped)
    method = f"__{'r' if swapped and name not in _MIRRORED else ''}{_MIRRORED.get(name, name) if swapped else name}__"

    def real(number: int) -> Any:
        result = getattr(owner._reals[number], method)(of_shadow(other, number))
        if result is NotImplemented:
            raise TypeError(f"unsupported operand types for {SYMBOLS[name]}")
        return result

    def write(reals: list[Any]) -> Any:
        call = Call(recording, owner, f"`{SYMBOLS[name]}`", reals)
        return owner._operate(call, name, other, swapped=swapped)  # type: ignore[attr-defined]

    return recording.perform(f"`{SYMBOLS[name]}`", real, write, rows_of(owner, other))


_MIRRORED = {"eq": "eq", "ne": "ne", "lt": "gt", "le": "ge", "gt": "lt", "ge": "le"}


def rows_of(owner: Recorded, other: Any) -> Rows:
    """The rows of the result of two objects: the labels of the one that has an index."""
    if owner._kind == "array" and isinstance(other, Recorded) and other._kind != "array":
        return other._rows
    return owner._rows


def _rank(thing: Recorded) -> int:
    return ("value", "array", "series", "frame").index(thing._kind) if thing._kind in _RANKED else -1


_RANKED = ("value", "array", "series", "frame")


def _operator(name: str, *, swapped: bool = False) -> Any:
    def method(self: Any, other: Any) -> Any:
        return binary(self, name, other, swapped=swapped)

    return method


class Operators(Recorded):
    """Operators of recorded objects; `_operate` writes the plan's columns of one of them."""

    __slots__ = ()
    __add__, __radd__ = _operator("add"), _operator("add", swapped=True)
    __sub__, __rsub__ = _operator("sub"), _operator("sub", swapped=True)
    __mul__, __rmul__ = _operator("mul"), _operator("mul", swapped=True)
    __truediv__, __rtruediv__ = _operator("truediv"), _operator("truediv", swapped=True)
    __floordiv__, __rfloordiv__ = _operator("floordiv"), _operator("floordiv", swapped=True)
    __mod__, __rmod__ = _operator("mod"), _operator("mod", swapped=True)
    __pow__, __rpow__ = _operator("pow"), _operator("pow", swapped=True)
    __and__, __rand__ = _operator("and"), _operator("and", swapped=True)
    __or__, __ror__ = _operator("or"), _operator("or", swapped=True)
    __xor__, __rxor__ = _operator("xor"), _operator("xor", swapped=True)
    __eq__, __ne__ = _operator("eq"), _operator("ne")
    __lt__, __le__, __gt__, __ge__ = _operator("lt"), _operator("le"), _operator("gt"), _operator("ge")
    __hash__ = Recorded.__hash__  # type: ignore[assignment]

    def __neg__(self) -> Any:
        return self._unary("__neg__", lambda value: -value)

    def __pos__(self) -> Any:
        return self._unary("__pos__", lambda value: value)

    def __abs__(self) -> Any:
        return self._unary("__abs__", abs)

    def __invert__(self) -> Any:
        return self._unary("__invert__", self._inverted)

    def _inverted(self, value: Any) -> Any:
        if value.kind != "bool":
            raise InputError("found `~` of a column that is not bool, expected a condition; cast it with astype(bool)")
        return ~value

    def _unary(self, name: str, write: Any) -> Any:
        return self._recording.perform(
            name,
            lambda number: getattr(self._reals[number], name)(),
            lambda reals: [write(value) for value in self._values],
            self._rows,
        )
