"""Digests of functions, classes and values by what they do: equal code has equal digests wherever it is defined."""

import dis
import types
from collections.abc import Iterable, Iterator
from typing import Any

from pipeline_lib.system.files import sha256_bytes

_LITERALS = (str, int, float, complex, bool, bytes, type(None), type(...))
_HAS_DOCSTRING = 0x4000000  # a flag of code objects from Python 3.13 on
_CLASS_ITEMS = {
    "__annotations__",
    "__dataclass_fields__",
    "__dataclass_params__",
    "__pydantic_decorators__",
    "__pydantic_fields__",
    "__slots__",
}  # items of a class with double underscores that its author wrote; the others follow from where it is defined


def same_code(left: Any, right: Any) -> bool:
    """Whether two functions or classes do the same.

    Compared are instructions, constants, defaults, closures, class items, fields, and the values of the module that a
    function reads. Line numbers, comments, docstrings of functions and the module's name may differ.
    """
    return CodeDigests(left.__module__).of(left) == CodeDigests(right.__module__).of(right)


class CodeDigests:
    """Digests of values as one module sees them: its own code by content, other modules' code by name."""

    def __init__(self, home: str) -> None:
        self._home = home
        self._known: dict[int, tuple[Any, str]] = {}  # holds the values too: a freed one would pass on its id

    def of(self, value: Any) -> str:
        """A digest that is equal for two values that do the same."""
        if isinstance(value, _LITERALS):
            return f"{type(value).__name__} {value!r}"
        if id(value) not in self._known:
            self._known[id(value)] = (value, "itself")  # for a value that contains itself
            kind = type(value).__qualname__
            self._known[id(value)] = (value, sha256_bytes("\n".join([kind, *self._parts(value)]).encode()))
        return self._known[id(value)][1]

    def _parts(self, value: Any) -> Iterable[str]:
        if isinstance(value, types.ModuleType):
            return [value.__name__]
        if isinstance(value, types.FunctionType | type):
            if value.__module__ != self._home:
                return [str(value.__module__), value.__qualname__]
            return self._class(value) if isinstance(value, type) else self._function(value)
        if isinstance(value, types.CodeType):
            return self._code(value)
        if isinstance(value, set | frozenset):
            return sorted(self.of(part) for part in value)
        return [self.of(part) for part in _contents(value)]

    def _function(self, function: types.FunctionType) -> Iterator[str]:
        yield self.of(function.__code__)
        yield self.of(function.__defaults__)
        yield self.of(function.__kwdefaults__)
        for cell in function.__closure__ or ():
            yield self.of(cell)
        for name in sorted(set(_global_names(function.__code__)) & set(function.__globals__)):
            yield f"{name} {self.of(function.__globals__[name])}"

    def _class(self, value: type) -> Iterator[str]:
        yield value.__qualname__
        for base in (type(value), *value.__bases__):
            yield self.of(base)
        for name, item in sorted(vars(value).items()):
            code = isinstance(item, types.FunctionType | classmethod | staticmethod | property)
            if code or name in _CLASS_ITEMS or not name.startswith("__"):
                yield f"{name} {self.of(item)}"

    def _code(self, code: types.CodeType) -> Iterator[str]:
        counts = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags & ~_HAS_DOCSTRING)
        yield f"{code.co_qualname} {counts} {code.co_varnames} {code.co_exceptiontable!r}"
        for instruction in dis.get_instructions(code):  # with the constants that it loads; a docstring is never loaded
            yield f"{instruction.opname} {self.of(instruction.argval)}"


def _contents(value: Any) -> list[Any]:
    """The parts of a value; of an object, what pickle would keep of it."""
    if isinstance(value, list | tuple):
        return list(value)
    if isinstance(value, dict):
        return [part for pair in value.items() for part in pair]
    if isinstance(value, property):
        return [value.fget, value.fset, value.fdel]
    if isinstance(value, classmethod | staticmethod):
        return [value.__func__]
    if isinstance(value, types.CellType):
        try:
            return [value.cell_contents]
        except ValueError:  # not filled yet
            return []
    if hasattr(value, "cls_ref"):  # a pydantic validator: its reference to its class holds an address
        return [value.cls_var_name, value.info]
    if hasattr(value, "__wrapped__") and callable(value):  # a functools.cache pickles by name only
        return [value.__wrapped__]
    try:
        reduced = value.__reduce_ex__(4)
    except Exception:  # a lock, an open file: only its type is compared
        return []
    return [reduced] if isinstance(reduced, str) else [list(part) if _is_iterator(part) else part for part in reduced]


def _is_iterator(value: Any) -> bool:
    return isinstance(value, Iterator)


def _global_names(code: types.CodeType) -> Iterator[str]:
    """Names that a function, or code nested in it, looks up in its module."""
    for instruction in dis.get_instructions(code):
        if instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            yield str(instruction.argval)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _global_names(constant)
