"""Operators of recorded objects: `+`, `<`, `&` and others, as the library makes them and as the plan writes them."""

from typing import Any

import numpy as np

from pipeline_lib.compiler.builder import Value
from pipeline_lib.compiler.tracing.arguments import unwrap
from pipeline_lib.compiler.tracing.recorded import Call, Recorded, of_shadow, perform
from pipeline_lib.compiler.tracing.refusals import refuse
from pipeline_lib.compiler.tracing.registry import RULES
from pipeline_lib.compiler.tracing.selection import Rows
from pipeline_lib.compiler.tracing.series.arithmetic import inverted, magnitude, negated
from pipeline_lib.compiler.tracing.series.dtype_rules import SYMBOLS, is_object, refuse_overflow


def binary(owner: Recorded, name: str, other: Any, *, swapped: bool = False, inplace: bool = False) -> Any:
    """`owner OPERATOR other`, or swapped, as the library makes it and as the plan writes it.

    With `inplace` it is `owner OPERATOR= other`, which changes the object itself.
    """
    other, recording = unwrap(other), owner._recording
    if type(other) is np.ndarray and other.ndim == 0:  # how NumPy hands on the scalar in np.int64(3) < column
        other = other[()]
    if owner._kind == "value":
        return owner._of_row(name, other, swapped=swapped)
    if isinstance(other, Recorded) and other._kind == "value":
        owner._stop(
            f"one row's value beside a {owner._title}",
            "each row has another value",
            "loop over values that `fit` kept, for word in self.words_, or write it with two columns",
        )
    if isinstance(other, Recorded) and _rank(other) > _rank(owner):
        if inplace:
            owner._stop(
                f"`{SYMBOLS[name]}=` of a {owner._title} and a {other._title}",
                "the library writes into the first one",
                f"write a = a {SYMBOLS[name]} b",
            )
        return binary(other, name, owner, swapped=not swapped)
    method = f"__{'r' if swapped and name not in _MIRRORED else ''}{_MIRRORED.get(name, name) if swapped else name}__"
    if inplace:
        method = f"__i{name}__"

    def real(number: int) -> Any:
        mine = owner._reals[number].copy() if inplace else owner._reals[number]
        result = getattr(mine, method)(of_shadow(other, number))
        if result is NotImplemented:
            raise TypeError(f"unsupported operand types for {SYMBOLS[name]}")
        return result

    def write(reals: list[Any]) -> Any:
        call = Call(recording, owner, f"`{SYMBOLS[name]}`", reals)
        written = owner._operate(call, name, other, swapped=swapped)
        if owner._kind == "array":
            _refuse_overflow(owner, name, reals, written)
        return written

    return recording.perform(f"`{SYMBOLS[name]}`", real, write, rows_of(owner, other))


_MIRRORED = {"eq": "eq", "ne": "ne", "lt": "gt", "le": "ge", "gt": "lt", "ge": "le"}


def _refuse_overflow(owner: Recorded, name: str, reals: list[Any], written: Any) -> None:
    """Refuse results of an array in narrow integers that need not fit in them."""
    dtypes = [reals[number].dtype for number in owner._recording.living()]
    if name in ("add", "sub", "mul", "pow", "floordiv", "mod", "neg", "abs"):
        for value in written if isinstance(written, list) else [written]:
            refuse_overflow(owner._recording, SYMBOLS.get(name, name), dtypes, value)


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


def _in_place(name: str) -> Any:
    """`owner OPERATOR= other`: other names of the same object see the change, and so do views of an array."""

    def method(self: Any, other: Any) -> Any:
        if self._kind == "value":
            return binary(self, name, other)
        if getattr(self, "_shared", False):
            self._stop(
                f"`{SYMBOLS[name]}=` of an array that others may share (a slice, .values, reshape)",
                "NumPy would write into all of them",
                f"write a = a {SYMBOLS[name]} b, or make it one's own with .copy()",
            )
        self._replace(binary(self, name, other, inplace=True))
        return self

    return method


class Operators(Recorded):
    """Operators of recorded objects; `_operate` writes the plan's columns of one of them."""

    __slots__ = ()
    __add__, __radd__, __iadd__ = _operator("add"), _operator("add", swapped=True), _in_place("add")
    __sub__, __rsub__, __isub__ = _operator("sub"), _operator("sub", swapped=True), _in_place("sub")
    __mul__, __rmul__, __imul__ = _operator("mul"), _operator("mul", swapped=True), _in_place("mul")
    __truediv__, __rtruediv__ = _operator("truediv"), _operator("truediv", swapped=True)
    __floordiv__, __rfloordiv__ = _operator("floordiv"), _operator("floordiv", swapped=True)
    __mod__, __rmod__, __imod__ = _operator("mod"), _operator("mod", swapped=True), _in_place("mod")
    __pow__, __rpow__, __ipow__ = _operator("pow"), _operator("pow", swapped=True), _in_place("pow")
    __and__, __rand__, __iand__ = _operator("and"), _operator("and", swapped=True), _in_place("and")
    __or__, __ror__, __ior__ = _operator("or"), _operator("or", swapped=True), _in_place("or")
    __xor__, __rxor__, __ixor__ = _operator("xor"), _operator("xor", swapped=True), _in_place("xor")
    __itruediv__, __ifloordiv__ = _in_place("truediv"), _in_place("floordiv")
    __eq__, __ne__ = _operator("eq"), _operator("ne")
    __lt__, __le__, __gt__, __ge__ = _operator("lt"), _operator("le"), _operator("gt"), _operator("ge")
    __hash__ = Recorded.__hash__

    def __neg__(self) -> Any:
        pandas = self._kind in ("series", "frame")
        return self._unary("__neg__", lambda value: negated(self._recording.build, value, pandas=pandas))

    def __pos__(self) -> Any:
        return self._unary("__pos__", lambda value: value)

    def __abs__(self) -> Any:
        return self._unary("__abs__", lambda value: magnitude(self._recording.build, value))

    def __invert__(self) -> Any:
        return self._unary("__invert__", lambda value: inverted(self._recording.build, value))

    def __round__(self, decimals: int = 0) -> Any:
        """`round(column, 2)`, as its method `round`."""
        entry = RULES.get((self._kind, "round"))
        if entry is None:
            self._stop(f"round() of a {self._title}", "the recorder has no rule for it", "write np.round(column, 2)")
        return perform(self, "round", entry, (decimals,), {})

    def _unary(self, name: str, write: Any) -> Any:
        def written(reals: list[Any]) -> list[Value]:
            _refuse_objects(self, name)
            values = [write(value) for value in self._values]
            if self._kind in ("series", "array") and name in ("__neg__", "__abs__"):
                _refuse_overflow(self, name.strip("_"), reals, values)
            return values

        return self._recording.perform(name, lambda number: getattr(self._reals[number], name)(), written, self._rows)


def _refuse_objects(owner: Recorded, name: str) -> None:
    """Refuse `-` and `~` of Python's objects: `~True` is -2 there."""
    if owner._kind == "series" and is_object(owner):
        refuse(
            f"`{name}` of a column of Python objects",
            "Python's own operators answer otherwise",
            "cast it with astype(bool) or astype(float), after fillna",
        )
