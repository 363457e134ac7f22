"""The stand-in for a step's `self`: a copy of its fitted state, its methods as copies, writes refused."""

import copy
from types import FunctionType
from typing import Any

from pipeline_lib.compiler.tracing.own_code import OwnFunction, Substitution, is_own
from pipeline_lib.compiler.tracing.recorded import recorded_in, unwrap
from pipeline_lib.compiler.tracing.state import STATE, substitute_state


class StandInSelf:
    """A step as its own methods see it while they are recorded."""

    def __init__(self, substitution: Substitution, step: Any) -> None:
        put = object.__setattr__
        put(self, "_substitution", substitution)
        put(self, "_step", step)
        put(self, "_state", {name: substitute_state(substitution, value) for name, value in _copied(step).items()})

    _original = property(lambda self: object.__getattribute__(self, "_step"))

    @property
    def __class__(self) -> type:
        return type(self._step)  # type: ignore[no-any-return]

    @property
    def __dict__(self) -> dict[str, Any]:  # type: ignore[override]
        return dict(self._state)

    def __getattr__(self, name: str) -> Any:
        state = object.__getattribute__(self, "_state")
        if name in state:
            return state[name]
        return inherited(self, name, type(object.__getattribute__(self, "_step")).__mro__)

    def __setattr__(self, name: str, value: Any) -> None:
        self._substitution.refuse(f"`self.{name}` written in `{type(self._step).__name__}`", *STATE)

    __delattr__ = __setattr__  # type: ignore[assignment]

    def __call__(self, *args: Any, **options: Any) -> Any:
        return inherited(self, "__call__", type(self._step).__mro__)(*args, **options)


def _copied(step: Any) -> dict[str, Any]:
    """A deep copy of a step's state, so that own code cannot change the fitted step."""
    try:
        return copy.deepcopy(vars(step))
    except Exception:  # an object that cannot be copied, such as a module
        return dict(vars(step))


def inherited(owner: StandInSelf, name: str, classes: Any) -> Any:
    """An attribute that a class of the step defines: own methods as copies, a library's by its rule."""
    substitution, step = owner._substitution, owner._step
    for kind in classes:
        if name not in vars(kind):
            continue
        found = vars(kind)[name]
        if isinstance(found, staticmethod):
            return substitution.of(found.__func__)
        if isinstance(found, classmethod):
            return (
                _library_method(owner, name, kind)
                if not is_own(found.__func__)
                else substitution.function(found.__func__).bound(type(step))
            )
        if isinstance(found, property) and found.fget is not None:
            own = is_own(found.fget)
            return substitution.function(found.fget).bound(owner)() if own else substitution.of(getattr(step, name))
        own_method = own_function(found)
        if own_method is not None:
            return substitution.function(own_method).bound(owner)
        if callable(found):
            return _library_method(owner, name, kind)
        return substitution.of(found)
    raise AttributeError(f"{type(step).__name__!r} object has no attribute {name!r}")


def own_function(found: Any) -> FunctionType | None:
    """The own function inside what libraries wrapped around it (`set_output`); None for a library's method."""
    while isinstance(found, FunctionType):
        wrapped = getattr(found, "__wrapped__", None)
        if is_own_code(found):
            return found
        if not isinstance(wrapped, FunctionType):
            return None
        found = wrapped
    return None


def own_method(kind: type, name: str) -> FunctionType | None:
    """The own function behind a method of a class; None where a library defines it."""
    for each in kind.__mro__:
        if name in vars(each):
            return own_function(vars(each)[name])
    return None


def is_own_code(function: FunctionType) -> bool:
    """Whether the code itself is own code: a wrapper takes over the name of the module that it wraps."""
    module = function.__globals__.get("__name__", "")
    return is_own(type("Module", (), {"__module__": module}))


def _library_method(owner: StandInSelf, name: str, kind: type) -> Any:
    """A library's method of the step: run on plain values; with recorded ones the plan of the library's own class."""
    substitution, step = owner._substitution, owner._step

    def call(*args: Any, **options: Any) -> Any:
        args, options = unwrap(args), unwrap(options)
        if not recorded_in((args, options)):
            return substitution.of(getattr(kind, name).__get__(step)(*args, **options))
        return substitution.call_fitted(substitution, step, name, args, options, of_class=kind)

    return call


class Super:
    """`super()` in a method of the step."""

    def __init__(self, owner: StandInSelf, after: type) -> None:
        self._owner = owner
        self._after = after

    def __getattr__(self, name: str) -> Any:
        classes = type(self._owner._step).__mro__
        return inherited(self._owner, name, classes[classes.index(self._after) + 1 :])


__all__ = ["OwnFunction", "StandInSelf", "Super", "inherited", "own_function", "own_method"]
