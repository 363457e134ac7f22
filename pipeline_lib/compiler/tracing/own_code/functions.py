"""Own code as copies that run on recorded objects: their globals and builtins are substituted, no module is patched.

    transform  ---- a copy of its code with other globals
      pd, np   ->   a stand-in for the module: each function that it gives out is substituted, too
      helper   ->   a copy, if it is own code
      len, float, isinstance, super, open, ... ->   stand-ins from `builtin_calls`
      self     ->   a stand-in that holds a copy of the fitted state and copies of the methods

Own code is what belongs to neither Python nor a library; `is_own` says which. What is not substituted and not known is
refused when it is called.
"""

import builtins
import functools
import sys
from collections.abc import Callable
from types import BuiltinFunctionType, CellType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any, NoReturn

import numpy as np

from pipeline_lib import rule_model
from pipeline_lib.compiler.tracing.own_code.caught_errors import catches_errors, latching_errors
from pipeline_lib.compiler.tracing.own_code.guards import OWN_MARK, STATE, Guards
from pipeline_lib.compiler.tracing.own_code.library_calls import LIBRARIES, LibraryFunction, StandInModule, StandInType
from pipeline_lib.compiler.tracing.own_code.names import public_name
from pipeline_lib.compiler.tracing.own_code.scan import check_code, frozen_constants, identity_tests
from pipeline_lib.compiler.tracing.own_code.state import is_plain, substitute_result, substitute_state
from pipeline_lib.compiler.tracing.recorded import recorded_in
from pipeline_lib.compiler.tracing.recording import Recording
from pipeline_lib.compiler.tracing.refusals import line_of, located, refuse
from pipeline_lib.errors import InputError

__all__ = ["OwnFunction", "Substitution", "codes_of", "is_own", "public_name"]


def is_own(thing: Any) -> bool:
    """Whether a function, class or module is own code: of the project, a notebook, or a team's package."""
    if isinstance(thing, FunctionType):
        name = thing.__globals__.get("__name__")
        if name is None:  # run by `exec`, as documentation is
            return True
        if not is_own_module(name):  # a library's wrapper, which takes over the name of the module that it wraps
            return False
    if isinstance(thing, type) and thing.__module__ == "builtins":
        return getattr(builtins, thing.__name__, None) is not thing
    module = thing.__name__ if isinstance(thing, ModuleType) else getattr(thing, "__module__", None) or ""
    return is_own_module(module)


def is_own_module(module: str) -> bool:
    """Whether a module of this name is own code."""
    top = module.split(".")[0]
    if top in LIBRARIES or top in sys.stdlib_module_names - {"__main__"}:
        return False
    if top == "pipeline_lib":
        return module.startswith(("pipeline_lib.steps", "pipeline_lib.pipelines", rule_model.__name__))
    return bool(top)


class Substitution:
    """The substitutes of one recording, each made once."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        recording.substitution = self
        self.guards = Guards()
        self.builtins: dict[str, Any] = dict(vars(builtins)) | {OWN_MARK: True}
        self.call_fitted: Callable[..., Any] = _not_given
        self.own_object: Callable[[Any], Any] = _not_given
        self._made: dict[int, tuple[Any, Any]] = {}  # the original is kept, so that its id stays its own

    def once(self, original: Any, make: Callable[[], Any]) -> Any:
        """The substitute of an object, made when it is first met."""
        made = self._made.get(id(original))
        if made is None:
            made = self._made[id(original)] = (original, make())
        return made[1]

    def function(self, original: FunctionType) -> "OwnFunction":
        """A copy of a function of own code, which calls substitutes."""
        return self.once(original, lambda: OwnFunction(self, original))  # type: ignore[no-any-return]

    def of(self, value: Any) -> Any:
        """The substitute of a global, a default, an attribute of `self` or of a module; plain values as they are."""
        return value if is_plain(value) else self.once(value, lambda: self._substitute(value))

    def result(self, value: Any) -> Any:
        """The substitute of what a library's function made of plain values."""
        return substitute_result(self, value)

    def _substitute(self, value: Any) -> Any:
        if isinstance(value, FunctionType):
            return self.function(value) if is_own(value) else LibraryFunction(self, value)
        if isinstance(value, ModuleType):
            return StandInModule(self, value)
        if isinstance(wrapped := getattr(value, "__wrapped__", None), FunctionType) and is_own(wrapped):
            return self.function(wrapped)  # functools.cache of own code
        if isinstance(value, np.ufunc | BuiltinFunctionType) or type(value).__name__ in _FUNCTION_TYPES:
            return LibraryFunction(self, value)
        if isinstance(value, MethodType):
            return self._method(value)
        if isinstance(value, functools.partial):
            keywords = {name: self.of(each) for name, each in value.keywords.items()}
            return functools.partial(self.of(value.func), *map(self.of, value.args), **keywords)
        if isinstance(value, type):
            return self._type(value)
        return substitute_state(self, value, own=is_own(type(value)))

    def _method(self, value: MethodType) -> Any:
        if isinstance(value.__func__, FunctionType) and is_own(value.__func__):
            return self.function(value.__func__).bound(self.of(value.__self__))
        return LibraryFunction(self, value)

    def _type(self, value: type) -> Any:
        if value.__module__ == "builtins":
            return self.builtins.get(value.__name__, value)
        return value if issubclass(value, BaseException) else StandInType(self, value)

    def globals_of(self, original: FunctionType) -> dict[str, Any]:
        """The globals of a copy: substitutes of the names that its code mentions."""
        names = {name for code in codes_of(original.__code__) for name in code.co_names}
        found = {name: self.of(original.__globals__[name]) for name in names if name in original.__globals__}
        package = original.__globals__.get("__package__")
        return found | {"__builtins__": self.builtins, "__name__": original.__module__, "__package__": package}

    def refuse(self, found: str, why: str, remedy: str) -> NoReturn:
        """Refuse with the line of own code that is running."""
        try:
            refuse(found, why, remedy)
        except InputError as error:
            self.recording.refused(error)


def _not_given(*args: Any, **options: Any) -> NoReturn:
    raise TypeError("found a substitution without the rules of own and fitted objects, expected one of `trace`")


_FUNCTION_TYPES = {
    *("_ArrayFunctionDispatcher", "cython_function_or_method", "method_descriptor", "wrapper_descriptor"),
    *("method-wrapper", "classmethod_descriptor"),
}


def codes_of(code: CodeType) -> list[CodeType]:
    """A code object and those of the functions, lambdas and comprehensions inside it."""
    return [code, *(each for inner in code.co_consts if isinstance(inner, CodeType) for each in codes_of(inner))]


class OwnFunction:
    """A function of own code that runs on recorded objects; with a `owner` it is a method."""

    def __init__(self, substitution: Substitution, original: FunctionType, owner: Any = None) -> None:
        made = {"_substitution": substitution, "original": original, "_owner": owner, "__name__": original.__name__}
        self.__dict__.update(made, _copied=None)

    @property
    def copied(self) -> Any:
        """The copy, made when it is first called."""
        if self._copied is None:
            self.__dict__["_copied"] = copy_of(self._substitution, self.original)
        return self._copied

    def bound(self, owner: Any) -> "OwnFunction":
        """The function as a method of `owner`."""
        method = OwnFunction(self._substitution, self.original, owner)
        method.__dict__["_copied"] = self.copied
        return method

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else self.bound(instance)

    def __getattr__(self, name: str) -> Any:
        return self._substitution.of(getattr(self.original, name))

    def __setattr__(self, name: str, value: Any) -> None:
        self._substitution.refuse(f"`{self.original.__name__}.{name}` written", *STATE)

    def __call__(self, *args: Any, **options: Any) -> Any:
        if self._owner is not None:
            args = (self._owner, *args)
        if any(thing._kind in ("value", "row") for thing in recorded_in((args, options))):
            self._refuse_identity()
        if not catches_errors(self.original.__code__):
            return self.copied(*args, **options)
        with latching_errors(self._substitution.recording):
            return self.copied(*args, **options)

    def _refuse_identity(self) -> None:
        """Refuse `is` in a function of one row's values: it cannot be recorded, and is never true of a value."""
        for line in identity_tests(self.original.__code__):
            error = located(
                line_of(self.original.__code__, line),
                "found `is` in a function of one row's values: it compares objects, not values, so it cannot be "
                "recorded; write pd.isna(value), or ==",
            )
            self._substitution.recording.refused(error)


def copy_of(substitution: Substitution, original: FunctionType) -> FunctionType:
    """A copy of a function of own code; its globals, builtins, defaults and captured variables are substituted."""
    check_code(substitution.recording, original.__code__)
    code = frozen_constants(original.__code__)
    substitution.recording.codes.update(codes_of(code))
    made = {"__builtins__": substitution.builtins}  # those at its making are the ones that it keeps
    defaults = tuple(map(substitution.of, original.__defaults__ or ()))
    copied = FunctionType(code, made, original.__name__, defaults, cells_of(substitution, original))
    copied.__kwdefaults__ = {name: substitution.of(value) for name, value in (original.__kwdefaults__ or {}).items()}
    made.update(substitution.globals_of(original))
    return copied


def cells_of(substitution: Substitution, original: FunctionType) -> tuple[CellType, ...]:
    """The captured variables of a copy, substituted, except the class that `super()` needs."""
    cells = []
    for name, cell in zip(original.__code__.co_freevars, original.__closure__ or (), strict=True):
        try:
            content = cell.cell_contents
        except ValueError:  # an empty cell
            cells.append(cell)
            continue
        cells.append(cell if name == "__class__" else CellType(substitution.of(content)))
    return tuple(cells)
