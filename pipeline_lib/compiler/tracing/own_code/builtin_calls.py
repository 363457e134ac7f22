"""Stand-ins of Python's builtins in own code: `len`, `float`, `isinstance`, `super` and those that are refused."""

import builtins
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from pipeline_lib.compiler.tracing.arguments import unwrap
from pipeline_lib.compiler.tracing.arrays.row_counts import RowCount
from pipeline_lib.compiler.tracing.batch import Unique, UniqueSet
from pipeline_lib.compiler.tracing.own_code.forbidden import forbidden_reason
from pipeline_lib.compiler.tracing.own_code.library_calls import StandInType
from pipeline_lib.compiler.tracing.own_code.own_self import StandInSelf, Super
from pipeline_lib.compiler.tracing.own_code.scan import ConstantSet, LookupSet
from pipeline_lib.compiler.tracing.recorded import Call, Recorded, raw_call
from pipeline_lib.compiler.tracing.refusals import ONE_ROW
from pipeline_lib.compiler.tracing.registry import RULES


def _print(*args: Any, **options: Any) -> None:
    """`print` in own code: it says nothing."""


_print._is_silent = True  # type: ignore[attr-defined]
_REFUSED = (
    *("open", "input", "eval", "exec", "compile", "id", "hash", "globals"),
    *("exit", "quit", "breakpoint"),
)


def builtin_stand_ins(substitution: Any) -> dict[str, Any]:
    """The builtins of own code that differ from Python's, by name."""
    stand_ins: dict[str, Any] = {name: _refuser(substitution, name) for name in _REFUSED}
    stand_ins |= {kind.__name__: StandInBuiltinType(substitution, kind) for kind in (float, int, str, bool)}
    stand_ins |= {
        "len": _length(substitution),
        "isinstance": _isinstance(substitution),
        "issubclass": lambda kind, kinds: issubclass(unwrap(kind), unwrap(kinds)),
        "type": _type(substitution),
        "callable": lambda thing: builtins.callable(unwrap(thing)),
        "hasattr": _hasattr,
        "super": _super(substitution),
        "print": _print,
        "__import__": _import(substitution),
        "set": _set(set),
        "frozenset": _set(frozenset),
        "object": StandInType(substitution, object),
        "__build_class__": builtins.__build_class__,
    }
    return stand_ins


def _refuser(substitution: Any, name: str) -> Callable[..., Any]:
    reason = forbidden_reason(f"builtins.{name}")
    if reason is None:
        raise ValueError(f"found no reason to refuse {name}, expected one in `forbidden`")

    def refused(*args: Any, **options: Any) -> Any:
        substitution.refuse(f"{name}()", *reason)

    return refused


def _set(kind: type) -> Callable[..., Any]:
    def make(values: Any = ()) -> Any:
        if type(values) is Unique or (isinstance(values, Recorded) and values._kind == "series"):
            return UniqueSet(values.owner if isinstance(values, Unique) else values)
        return ConstantSet(values) if kind is frozenset else LookupSet(values)

    make._original = kind  # type: ignore[attr-defined]
    return make


def _length(substitution: Any) -> Callable[[Any], Any]:
    def length(thing: Any) -> Any:
        if not isinstance(thing, Recorded):
            return len(thing)
        entry = RULES.get((thing._kind, "__len__"))
        if entry is None:
            return RowCount(thing)
        return raw_call(substitution.recording, Call(substitution.recording, thing, "len", []), entry, (), {})

    return length


def _isinstance(substitution: Any) -> Callable[[Any, Any], Any]:
    def is_instance(thing: Any, kinds: Any) -> Any:
        kinds = unwrap(kinds)
        if not isinstance(thing, Recorded):
            return isinstance(unwrap(thing), kinds)
        entry = RULES.get((thing._kind, "isinstance"))
        if entry is None:
            return isinstance(thing._reals[0], kinds)
        call = Call(substitution.recording, thing, "isinstance", [])
        return raw_call(substitution.recording, call, entry, (kinds,), {})

    return is_instance


def _hasattr(thing: Any, name: str) -> bool:
    """Whether the library's object has an attribute, with or without a rule."""
    return hasattr(thing._reals[0] if isinstance(thing, Recorded) else thing, name)


def _type(substitution: Any) -> Callable[..., Any]:
    def type_(*args: Any) -> Any:
        if len(args) != 1:
            return type(*args)
        thing = args[0]
        if isinstance(thing, Recorded) and thing._kind == "value":
            call = Call(substitution.recording, thing, "type", [])
            return substitution.of(raw_call(substitution.recording, call, RULES["value", "type"], (), {}))
        kind = type(thing._reals[0]) if isinstance(thing, Recorded) else type(unwrap(thing))
        return substitution.of(kind)

    type_._original = type  # type: ignore[attr-defined]
    return type_


def _super(substitution: Any) -> Callable[..., Any]:
    def super_(*args: Any) -> Any:
        if not args:
            frame = sys._getframe(1)
            owner = frame.f_locals.get(frame.f_code.co_varnames[0]) if frame.f_code.co_argcount else None
            after = frame.f_locals.get("__class__")
        else:
            after, owner = unwrap(args[0]), args[1]
        if type(owner) is StandInSelf and isinstance(after, type):
            return Super(owner, after)
        return substitution.refuse("super() outside a method", "the recorder has no rule for it", "name the class")

    return super_


def _import(substitution: Any) -> Callable[..., Any]:
    def import_(name: str, globals_: Any = None, locals_: Any = None, fromlist: Any = (), level: int = 0) -> Any:
        return substitution.of(__import__(name, globals_, locals_, fromlist, level))

    return import_


class StandInBuiltinType:
    """float, int, str or bool in own code: as a value it is the type, with a recorded value a rule is called."""

    _original = property(lambda self: self.type)

    def __init__(self, substitution: Any, kind: type) -> None:
        self._substitution = substitution
        self.type = kind
        if kind is not str:
            self.dtype = np.dtype(kind)

    def __getattr__(self, name: str) -> Any:
        return self._substitution.of(getattr(self.type, name))

    def __eq__(self, other: object) -> bool:
        return unwrap(other) is self.type

    def __hash__(self) -> int:
        return hash(self.type)

    def __or__(self, other: Any) -> Any:
        return self.type | unwrap(other)

    __ror__ = __or__

    def __call__(self, *args: Any, **options: Any) -> Any:
        thing = args[0] if args else None
        recording = self._substitution.recording
        if isinstance(thing, Recorded):
            entry = RULES.get((thing._kind, self.type.__name__))
            if entry is not None:
                call = Call(recording, thing, self.type.__name__, [])
                return raw_call(recording, call, entry, args[1:], options)
        elif type(thing) is RowCount and self.type is not str:
            self._substitution.refuse("the number of rows as a number", ONE_ROW, "leave it out")
        return self.type(*args, **options)
