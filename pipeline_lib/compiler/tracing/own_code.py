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
import sys
from collections.abc import Callable
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any, NoReturn

import numpy as np

from pipeline_lib.compiler.tracing.forbidden import ENVIRONMENT, forbidden_reason
from pipeline_lib.compiler.tracing.recorded import RULES, Entry, call_function, recorded_in, unwrap
from pipeline_lib.compiler.tracing.recording import Recording
from pipeline_lib.compiler.tracing.refusals import TraceRefusedError, line_of, refuse
from pipeline_lib.compiler.tracing.scan import check_code, frozen_constants, identity_tests
from pipeline_lib.compiler.tracing.state import substitute_state, unchanged
from pipeline_lib.errors import InputError

LIBRARIES = frozenset(
    {"numpy", "pandas", "scipy", "sklearn", "feature_engine", "lightgbm", "xgboost", "catboost", "imblearn", "skrub"}
    | {"category_encoders", "statsmodels", "torch", "tensorflow", "keras", "polars", "pyarrow", "joblib", "nltk"}
    | {"spacy", "transformers", "matplotlib", "seaborn", "plotly", "requests", "sqlalchemy", "holidays", "dateutil"}
    | {"mlxtend", "sklego", "skops", "optuna", "shap", "dask", "numba", "pytz", "pydantic", "IPython", "ipykernel"}
)
"""Packages whose code is never own code; those of the standard library are added."""
_PURE = frozenset(
    {
        "numpy",
        "pandas",
        "math",
        "cmath",
        "re",
        "datetime",
        "operator",
        "functools",
        "itertools",
        "collections",
        "string",
    }
    | {"builtins", "decimal", "fractions", "statistics", "calendar", "copy", "typing", "enum", "dataclasses", "scipy"}
    | {"sklearn", "unicodedata", "bisect", "heapq", "json", "numbers", "types", "abc", "textwrap", "difflib"}
)
"""Libraries whose functions may run on plain values while code is recorded; `forbidden` lists the exceptions."""
_SILENT = frozenset({"warnings", "logging"})
"""Libraries whose functions have no effect on the result: they are not called."""
_TRANSPARENT = frozenset({"operator", "itertools", "functools", "copy", "typing"})
"""Libraries that only hand recorded objects on; the operators of recorded objects decide."""


def is_own(thing: Any) -> bool:
    """Whether a function, class or module is own code: of the project, a notebook, or a team's package."""
    module = thing.__name__ if isinstance(thing, ModuleType) else getattr(thing, "__module__", None) or ""
    top = module.split(".")[0]
    if top in LIBRARIES or top in sys.stdlib_module_names - {"__main__"}:
        return False
    if top == "pipeline_lib":
        return module.startswith(("pipeline_lib.steps", "pipeline_lib.pipelines"))
    return bool(top)


class Substitution:
    """The substitutes of one recording, each made once."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self._made: dict[int, tuple[Any, Any]] = {}  # the original is kept, so that its id stays its own
        self.builtins: dict[str, Any] = dict(vars(builtins))
        self.call_fitted: Callable[..., Any] = _no_fitted
        self._guarded: list[tuple[Any, Any]] = []

    def guarded(self, original: Any, substitute: Any) -> Any:
        """A substitute of a container, which own code must leave as it is; `check_unchanged` sees to it."""
        self._guarded.append((original, substitute))
        return substitute

    def check_unchanged(self) -> None:
        """Refuse own code that changed a container of its state or globals: it would run otherwise the next time."""
        for original, substitute in self._guarded:
            if not unchanged(original, substitute):
                self.refuse(
                    f"a {type(original).__name__} changed that outlives the call, on `self` or among the globals",
                    "the result of a row would depend on the calls before",
                    "change a copy of it, or learn it in `fit`",
                )

    def function(self, original: FunctionType) -> "OwnFunction":
        """A copy of a function of own code, which calls substitutes."""
        made = self._made.get(id(original))
        if made is None:
            made = self._made[id(original)] = (original, OwnFunction(self, original))
        return made[1]

    def of(self, value: Any) -> Any:
        """The substitute of a global, a default, or a module's attribute; plain values as they are."""
        if isinstance(value, FunctionType):
            return self.function(value) if is_own(value) else LibraryFunction(self, value)
        if isinstance(value, ModuleType):
            return StandInModule(self, value)
        if isinstance(value, np.ufunc | BuiltinFunctionType) or type(value).__name__ in _FUNCTION_TYPES:
            return LibraryFunction(self, value)
        if isinstance(value, MethodType):
            bound = value.__self__
            return LibraryFunction(self, value) if isinstance(bound, type) else value
        if isinstance(value, type):
            return self._type(value)
        return substitute_state(self, value)

    def _type(self, value: type) -> Any:
        if value.__module__ == "builtins":
            return self.builtins.get(value.__name__, value)
        return value if issubclass(value, BaseException) else StandInType(self, value)

    def globals_of(self, original: FunctionType) -> dict[str, Any]:
        """The globals of a copy: substitutes of the names that its code mentions."""
        names = {name for code in codes_of(original.__code__) for name in code.co_names}
        found = {name: self.of(original.__globals__[name]) for name in names if name in original.__globals__}
        return found | {"__builtins__": self.builtins, "__name__": original.__module__}

    def refuse(self, found: str, why: str, remedy: str) -> NoReturn:
        """Refuse with the line of own code that is running."""
        try:
            refuse(found, why, remedy)
        except InputError as error:
            self.recording.refused(error)


def _no_fitted(*args: Any, **options: Any) -> NoReturn:
    raise TypeError("found a substitution without the rules of fitted objects, expected one of `trace`")


_FUNCTION_TYPES = {"_ArrayFunctionDispatcher", "cython_function_or_method", "method_descriptor", "wrapper_descriptor"}


def codes_of(code: CodeType) -> list[CodeType]:
    """A code object and those of the functions, lambdas and comprehensions inside it."""
    return [code, *(each for inner in code.co_consts if isinstance(inner, CodeType) for each in codes_of(inner))]


class OwnFunction:
    """A function of own code that runs on recorded objects; with a `owner` it is a method."""

    def __init__(self, substitution: Substitution, original: FunctionType, owner: Any = None) -> None:
        self._substitution = substitution
        self.original = original
        self._owner = owner
        self._copied: Any = None
        self.__name__ = original.__name__

    @property
    def copied(self) -> Any:
        """The copy, made when it is first called."""
        if self._copied is None:
            original, substitution = self.original, self._substitution
            check_code(substitution, original.__code__)
            code = frozen_constants(original.__code__)
            substitution.recording.codes.update(codes_of(code))
            made = {"__builtins__": substitution.builtins}  # those at its making are the ones that it keeps
            copied = FunctionType(code, made, original.__name__, None, original.__closure__)
            copied.__defaults__ = substitution_of(substitution, original.__defaults__)
            copied.__kwdefaults__ = substitution_of(substitution, original.__kwdefaults__)
            copied = with_closure(substitution, copied, original)
            copied.__globals__.update(substitution.globals_of(original))
            self._copied = copied
        return self._copied

    def bound(self, owner: Any) -> "OwnFunction":
        """The function as a method of `owner`."""
        method = OwnFunction(self._substitution, self.original, owner)
        method._copied = self.copied
        return method

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else self.bound(instance)

    def __call__(self, *args: Any, **options: Any) -> Any:
        if self._owner is not None:
            args = (self._owner, *args)
        if any(thing._kind == "value" for thing in recorded_in((args, options))):
            self._refuse_identity()
        return self.copied(*args, **options)

    def _refuse_identity(self) -> None:
        """Refuse `is` in a function of one row's values: it cannot be recorded, and is never true of a value."""
        for line in identity_tests(self.original.__code__):
            error = TraceRefusedError(
                f"{line_of(self.original.__code__, line)}: found `is` in a function of one row's values: it compares "
                "objects, not values, so it cannot be recorded; write pd.isna(value), or =="
            )
            self._substitution.recording.refused(error)


def substitution_of(substitution: Substitution, values: Any) -> Any:
    """Defaults of a function with their substitutes."""
    if isinstance(values, tuple):
        return tuple(map(substitution.of, values))
    return None if values is None else {key: substitution.of(value) for key, value in values.items()}


def with_closure(substitution: Substitution, copied: FunctionType, original: FunctionType) -> FunctionType:
    """A copy whose captured variables are substituted, except the class that `super()` needs."""
    from types import CellType

    if not original.__closure__:
        return copied
    cells = []
    for name, cell in zip(original.__code__.co_freevars, original.__closure__, strict=True):
        try:
            content = cell.cell_contents
        except ValueError:  # an empty cell
            cells.append(cell)
            continue
        cells.append(cell if name == "__class__" else CellType(substitution.of(content)))
    result = FunctionType(copied.__code__, copied.__globals__, copied.__name__, copied.__defaults__, tuple(cells))
    result.__kwdefaults__ = copied.__kwdefaults__
    return result


class LibraryFunction:
    """A library's function: on plain values it runs, with recorded ones the table of rules decides."""

    _original = property(lambda self: self.function)

    def __init__(self, substitution: Substitution, function: Any) -> None:
        self._substitution = substitution
        self.function = function

    def __getattr__(self, name: str) -> Any:
        return self._substitution.of(getattr(self.function, name))

    def __call__(self, *args: Any, **options: Any) -> Any:
        function, substitution = self.function, self._substitution
        name = public_name(function)
        if reason := forbidden_reason(name):
            substitution.refuse(f"{name}()", *reason)
        top = name.split(".")[0]
        if top in _SILENT:
            return None
        if top in _TRANSPARENT and ("function", name) not in RULES:
            return function(*args, **options)
        args, options = unwrap(args), unwrap(options)
        if recorded_in((args, options)):
            return call_function(substitution.recording, function, name, args, options)
        if ("function", f"{name}!") in RULES:  # a rule that is needed without recorded arguments, too
            return call_function(substitution.recording, function, f"{name}!", args, options)
        if top not in _PURE:
            substitution.refuse(
                f"{name}()", "what it reads or changes cannot be seen", "call it in `fit` and keep its result"
            )
        return substitute_state(substitution, function(*args, **options))


def public_name(function: Any) -> str:
    """A function's name as own code writes it: package and name, `numpy.random.normal` with its submodule."""
    module = getattr(function, "__module__", None) or ""
    bound = getattr(function, "__self__", None)
    if isinstance(function, np.ufunc):
        return f"{'scipy.special' if not hasattr(np, function.__name__) else 'numpy'}.{function.__name__}"
    if isinstance(bound, type):
        return f"{bound.__module__.split('.')[0]}.{bound.__name__}.{function.__name__}"
    if bound is not None and not isinstance(bound, ModuleType):
        return f"{type(bound).__module__}.{type(bound).__name__}.{function.__name__}"
    name = getattr(function, "__qualname__", getattr(function, "__name__", type(function).__name__))
    top = module.split(".")[0]
    if module.startswith(("numpy.random", "scipy.special", "sklearn.utils")):
        return f"{'.'.join(module.split('.')[:2])}.{name}"
    return f"{top or 'builtins'}.{name}"


class StandInModule:
    """A module in own code's globals: what it gives out is substituted."""

    _original = property(lambda self: self.module)

    def __init__(self, substitution: Substitution, module: ModuleType) -> None:
        self._substitution = substitution
        self.module = module

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.module, name)
        if self.module.__name__ == "os" and name in ("environ", "environb"):
            self._substitution.refuse(f"os.{name}", *ENVIRONMENT)
        special = RULES.get(("function", f"{self.module.__name__}.{name}"))
        if special is not None and not callable(value):  # np.c_, np.r_
            return Indexed(self._substitution.recording, f"{self.module.__name__}.{name}", special, value)
        return self._substitution.of(value)


class StandInType:
    """A class in own code's globals: `pd.Series`, `datetime`. Calls go by the rules; as a value it is the class."""

    _original = property(lambda self: self.type)

    def __init__(self, substitution: Substitution, kind: type) -> None:
        self._substitution = substitution
        self.type = kind

    def __getattr__(self, name: str) -> Any:
        return self._substitution.of(getattr(self.type, name))

    def __eq__(self, other: object) -> bool:
        return unwrap(other) is self.type

    def __hash__(self) -> int:
        return hash(self.type)

    def __or__(self, other: Any) -> Any:
        return self.type | unwrap(other)

    def __mro_entries__(self, bases: Any) -> tuple[type, ...]:
        return (self.type,)

    def __call__(self, *args: Any, **options: Any) -> Any:
        kind, substitution = self.type, self._substitution
        top = kind.__module__.split(".")[0]
        name = f"{top}.{kind.__qualname__}"
        if reason := forbidden_reason(name):
            substitution.refuse(f"{name}()", *reason)
        args, options = unwrap(args), unwrap(options)
        if recorded_in((args, options)):
            return call_function(substitution.recording, kind, name, args, options)
        if top not in _PURE:
            substitution.refuse(
                f"an object of the class {kind.__qualname__} made in `transform`",
                "what its methods read or change cannot be seen",
                "write functions, or make the object in `fit`",
            )
        return substitute_state(substitution, kind(*args, **options))


class Indexed:
    """`np.c_` and `np.r_`: a function that is called with square brackets."""

    def __init__(self, recording: Recording, name: str, entry: Entry, original: Any) -> None:
        self._recording, self._name, self._entry, self._indexed = recording, name, entry, original

    def __getitem__(self, key: Any) -> Any:
        parts = key if isinstance(key, tuple) else (key,)
        if not recorded_in(parts):
            return self._indexed[unwrap(key)]
        return call_function(self._recording, lambda *each: self._indexed[each], self._name, parts, {})
