"""The stand-in for a step's `self` and for other own objects: a copy of its state, copies of its methods, no writes."""

import copy
import functools
from collections.abc import Mapping
from types import FunctionType
from typing import Any

from pipeline_lib.compiler.tracing.arguments import unwrap
from pipeline_lib.compiler.tracing.own_code.functions import OwnFunction, Substitution, is_own
from pipeline_lib.compiler.tracing.own_code.guards import STATE
from pipeline_lib.compiler.tracing.own_code.state import refuse_learning
from pipeline_lib.compiler.tracing.recorded import recorded_in


class StandInSelf:
    """An own object as its own methods see it while they are recorded."""

    __slots__ = ("_stand_in_by", "_stand_in_for", "_stand_in_members")
    _stand_in_by: Substitution
    _stand_in_for: Any
    _stand_in_members: Mapping[str, Any]

    def __init__(self, substitution: Substitution, step: Any, members: Mapping[str, Any] | None = None) -> None:
        put = object.__setattr__
        put(self, "_stand_in_by", substitution)
        put(self, "_stand_in_for", step)
        put(self, "_stand_in_members", _members(step) if members is None else members)

    _original = property(lambda self: self._stand_in_for)

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return self._stand_in_by.of(type(self._stand_in_for))

    @property
    def __dict__(self) -> Any:  # type: ignore[override]
        return self._stand_in_by.of(self._stand_in_members)

    def __getattr__(self, name: str) -> Any:
        members = self._stand_in_members
        if name in members:
            return self._stand_in_by.of(members[name])
        return inherited(self, name, type(self._stand_in_for).__mro__)

    def __setattr__(self, name: str, value: Any) -> None:
        shown = type(self._stand_in_for).__name__
        self._stand_in_by.refuse(f"`self.{name}` written in `{shown}`", *STATE)

    def __delattr__(self, name: str) -> None:
        self.__setattr__(name, None)

    def __call__(self, *args: Any, **options: Any) -> Any:
        return inherited(self, "__call__", type(self._stand_in_for).__mro__)(*args, **options)

    def _special(self, name: str, *args: Any) -> Any:
        """What a special method gives; TypeError where the class has none."""
        kind = type(self._stand_in_for)
        if not hasattr(kind, name):
            raise TypeError(f"{kind.__name__!r} object has no {name}")
        return inherited(self, name, kind.__mro__)(*args)

    def __len__(self) -> Any:
        return self._special("__len__")

    def __iter__(self) -> Any:
        return self._special("__iter__")

    def __getitem__(self, key: Any) -> Any:
        return self._special("__getitem__", key)

    def __contains__(self, item: object) -> bool:
        return bool(self._special("__contains__", item))

    def __bool__(self) -> bool:
        name = next((each for each in ("__bool__", "__len__") if hasattr(type(self._stand_in_for), each)), None)
        return True if name is None else bool(self._special(name))

    def __repr__(self) -> str:
        return str(self._special("__repr__"))

    def __str__(self) -> str:
        return str(self._special("__str__"))

    def __eq__(self, other: object) -> Any:
        return unwrap(other) == self._stand_in_for

    def __hash__(self) -> int:
        return hash(self._stand_in_for)


def stand_in_for_step(substitution: Substitution, step: Any) -> StandInSelf:
    """The stand-in for a fitted step; its state is copied, so that own code cannot change it."""
    members = _members(step)
    try:
        members = copy.deepcopy(members)
    except Exception:  # an object that cannot be copied, such as a module
        members = dict(members)
    return StandInSelf(substitution, step, members)


def _members(thing: Any) -> dict[str, Any]:
    """The attributes of an object, with those in slots."""
    slots = [name for kind in type(thing).__mro__ for name in _slots(kind) if hasattr(thing, name)]
    return {name: getattr(thing, name) for name in slots} | getattr(thing, "__dict__", {})


def _slots(kind: type) -> tuple[str, ...]:
    slots = vars(kind).get("__slots__", ())
    return (slots,) if isinstance(slots, str) else tuple(name for name in slots if not name.startswith("__"))


def inherited(owner: StandInSelf, name: str, classes: Any) -> Any:
    """An attribute that a class of the object defines: own methods as copies, a library's by its rule."""
    substitution, step = owner._stand_in_by, owner._stand_in_for
    for kind in classes:
        if name in vars(kind):
            return _bound(owner, name, kind, vars(kind)[name])
    if any("__getattribute__" in vars(kind) and is_own(kind) for kind in classes):
        substitution.refuse("a class with `__getattribute__`", "what it answers cannot be seen", "write a property")
    fallback = next((vars(kind)["__getattr__"] for kind in classes if "__getattr__" in vars(kind)), None)
    if fallback is not None and name != "__getattr__":
        own = own_function(fallback)
        return substitution.of(fallback(step, name)) if own is None else substitution.function(own).bound(owner)(name)
    raise AttributeError(f"{type(step).__name__!r} object has no attribute {name!r}")


def _bound(owner: StandInSelf, name: str, kind: type, found: Any) -> Any:
    """An attribute of a class as the object has it."""
    substitution, step = owner._stand_in_by, owner._stand_in_for
    own = own_function(found)
    if own is not None:
        return substitution.function(own).bound(owner)
    if isinstance(found, staticmethod):
        return substitution.of(found.__func__)
    if isinstance(found, classmethod):
        own = own_function(found.__func__)
        if own is not None:
            return substitution.function(own).bound(substitution.of(type(step)))
        return _library_method(owner, name, kind)
    if isinstance(found, property | functools.cached_property):
        getter = found.fget if isinstance(found, property) else found.func
        own = own_function(getter)
        return substitution.of(getattr(step, name)) if own is None else substitution.function(own).bound(owner)()
    if isinstance(found, functools.partialmethod):
        method = _bound(owner, name, kind, found.func)
        return functools.partial(method, *map(substitution.of, found.args), **found.keywords)
    if isinstance(found, FunctionType) or type(found).__name__ in ("method_descriptor", "wrapper_descriptor"):
        return _library_method(owner, name, kind)
    if hasattr(type(found), "__get__") and not isinstance(found, type):  # another descriptor, such as `available_if`
        return substitution.of(getattr(step, name))
    return substitution.of(found)


def own_function(found: Any) -> FunctionType | None:
    """The own function inside what libraries wrapped around it (`set_output`, `cache`); None for a library's method."""
    while found is not None and not isinstance(found, staticmethod | classmethod):
        if isinstance(found, FunctionType) and is_own(found):
            return found
        found = getattr(found, "__wrapped__", None)
    return None


def own_method(kind: type, name: str) -> FunctionType | None:
    """The own function behind a method of a class; None where a library defines it."""
    for each in kind.__mro__:
        if name in vars(each):
            return own_function(vars(each)[name])
    return None


def _library_method(owner: StandInSelf, name: str, kind: type) -> Any:
    """A library's method of the step: run on plain values; with recorded ones the plan of the library's own class."""
    substitution, step = owner._stand_in_by, owner._stand_in_for

    def call(*args: Any, **options: Any) -> Any:
        args, options = unwrap(args), unwrap(options)
        if not recorded_in((args, options)):
            refuse_learning(substitution, step, name)
            return substitution.result(getattr(kind, name).__get__(step)(*args, **options))
        return substitution.call_fitted(substitution, step, name, args, options, of_class=kind)

    return call


class Super:
    """`super()` in a method of the step."""

    def __init__(self, owner: StandInSelf, after: type) -> None:
        self._owner = owner
        self._after = after

    def __getattr__(self, name: str) -> Any:
        classes = type(self._owner._stand_in_for).__mro__
        return inherited(self._owner, name, classes[classes.index(self._after) + 1 :])


__all__ = ["OwnFunction", "StandInSelf", "Super", "inherited", "own_function", "own_method", "stand_in_for_step"]
