"""Stand-ins of libraries in own code: modules, functions, classes, and the objects that they make.

On plain values a library's function runs, unless `forbidden` names it; with recorded columns the table of rules
decides. What belongs to a library that is not known here is refused when it is called.
"""

import enum
from types import ModuleType
from typing import Any

from pipeline_lib.compiler.tracing.arguments import unwrap
from pipeline_lib.compiler.tracing.own_code.forbidden import CLOCK, ENVIRONMENT, forbidden_reason
from pipeline_lib.compiler.tracing.own_code.guards import STATE
from pipeline_lib.compiler.tracing.own_code.names import public_name
from pipeline_lib.compiler.tracing.recorded import call_function, recorded_in
from pipeline_lib.compiler.tracing.recording import Recording
from pipeline_lib.compiler.tracing.registry import REFUSED, RULES, Entry

LIBRARIES = frozenset(
    {"numpy", "pandas", "scipy", "sklearn", "feature_engine", "lightgbm", "xgboost", "catboost", "imblearn", "skrub"}
    | {"category_encoders", "statsmodels", "torch", "tensorflow", "keras", "polars", "pyarrow", "joblib", "nltk"}
    | {"spacy", "transformers", "matplotlib", "seaborn", "plotly", "requests", "sqlalchemy", "holidays", "dateutil"}
    | {"mlxtend", "sklego", "skops", "optuna", "shap", "dask", "numba", "pytz", "pydantic", "IPython", "ipykernel"}
)
"""Packages whose code is never own code; those of the standard library are added."""
_PURE = frozenset(
    {"numpy", "pandas", "math", "cmath", "re", "datetime", "operator", "functools", "itertools", "collections"}
    | {"string", "builtins", "decimal", "fractions", "statistics", "calendar", "copy", "typing", "enum", "dataclasses"}
    | {"scipy", "sklearn", "unicodedata", "bisect", "heapq", "json", "numbers", "types", "abc", "textwrap", "difflib"}
    | {"contextlib", "inspect", "zoneinfo"}
)
"""Libraries whose functions may run on plain values while code is recorded; `forbidden` lists the exceptions."""
_SILENT = frozenset({"warnings", "logging"})
"""Libraries whose functions have no effect on the result: they are not called."""
_TRANSPARENT = frozenset({"operator", "itertools", "functools", "typing", "contextlib"})
"""Libraries that only hand recorded objects on; the operators of recorded objects decide."""
_CONSTANTS = {"sys": {"maxsize", "float_info"}}
"""Attributes of modules that are no part of the environment."""
_DATES = ("pandas.", "numpy.datetime64", "datetime.")


class Silent:
    """A logger, or what a function gives that only warns or logs: it does nothing."""

    _is_silent = True

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *args: Any, **options: Any) -> "Silent":
        return self

    def __enter__(self) -> "Silent":
        return self

    def __exit__(self, *error: object) -> None:
        return None


SILENT = Silent()


class StandIn:
    """The base of stand-ins: attributes are substituted, and none can be set."""

    _substitution: Any
    _stand_in_for: Any
    _original = property(lambda self: self._stand_in_for)

    def __init__(self, substitution: Any, original: Any) -> None:
        object.__setattr__(self, "_substitution", substitution)
        object.__setattr__(self, "_stand_in_for", original)

    def __getattr__(self, name: str) -> Any:
        return self._substitution.of(getattr(self._stand_in_for, name))

    def __setattr__(self, name: str, value: Any, *more: Any) -> None:  # more: `object.__setattr__(self, name, value)`
        shown = getattr(self._stand_in_for, "__name__", type(self._stand_in_for).__name__)
        self._substitution.refuse(f"`{shown}.{name}` written in `transform`", *STATE)

    def __delattr__(self, name: str) -> None:
        self.__setattr__(name, None)


class LibraryFunction(StandIn):
    """A library's function: on plain values it runs, with recorded ones the table of rules decides."""

    _is_silent = property(lambda self: public_name(self._stand_in_for).split(".")[0] in _SILENT)

    def __call__(self, *args: Any, **options: Any) -> Any:
        function, name = self._stand_in_for, public_name(self._stand_in_for)
        return called(self._substitution, function, name, args, options)


def called(substitution: Any, function: Any, name: str, args: Any, options: Any) -> Any:
    """What a library's function or class makes of arguments of own code."""
    top = name.split(".")[0]
    if top in _SILENT:
        return SILENT
    if top in _TRANSPARENT and ("function", name) not in RULES | REFUSED:
        return function(*args, **options)
    args, options = unwrap(args), unwrap(options)
    refuse_forbidden(substitution, name, args, options)
    if recorded_in((args, options)):
        return call_function(substitution.recording, function, name, args, options)
    if ("function", f"{name}!") in RULES:  # a rule that is needed without recorded arguments, too
        return call_function(substitution.recording, function, f"{name}!", args, options)
    if top not in _PURE:
        substitution.refuse(
            f"{name}()", "what it reads or changes cannot be seen", "call it in `fit` and keep its result on `self`"
        )
    return substitution.result(function(*args, **options))


def refuse_forbidden(substitution: Any, name: str, args: Any, options: Any) -> None:
    """Refuse functions that no replay can see: clocks, draws, files; also `pd.Timestamp("now")`."""
    if reason := forbidden_reason(name):
        substitution.refuse(f"{name}()", *reason)
    if name.startswith(_DATES):
        for word in _texts([*args, *options.values()]):
            if word.strip().lower() in ("now", "today"):
                substitution.refuse(f"{name} with {word!r}", *CLOCK)


def _texts(values: Any) -> list[str]:
    texts = [each for each in values if isinstance(each, str)]
    return texts + [word for each in values if type(each) in (list, tuple) for word in _texts(each)]


class StandInModule(StandIn):
    """A module in own code's globals: what it gives out is substituted."""

    _is_silent = property(lambda self: self._stand_in_for.__name__ in _SILENT)

    def __getattr__(self, name: str) -> Any:
        module, substitution = self._stand_in_for.__name__, self._substitution
        value = getattr(self._stand_in_for, name)
        if isinstance(value, ModuleType):
            return substitution.of(value)
        special = RULES.get(("function", f"{module}.{name}"))
        if special is not None and not callable(value):  # np.c_, np.r_
            return Indexed(substitution.recording, f"{module}.{name}", special, value)
        reason = ENVIRONMENT if module == "os" else forbidden_reason(module)
        if reason and not callable(value) and name not in _CONSTANTS.get(module, ()) and not name.startswith("__"):
            substitution.refuse(f"{module}.{name}", *reason)
        return substitution.of(value)


class StandInType(StandIn):
    """A class in own code's globals: `pd.Series`, `datetime`. Calls go by the rules; as a value it is the class."""

    def __eq__(self, other: object) -> bool:
        return unwrap(other) is self._stand_in_for

    def __hash__(self) -> int:
        return hash(self._stand_in_for)

    def __or__(self, other: Any) -> Any:
        return self._stand_in_for | unwrap(other)

    def __getitem__(self, key: Any) -> Any:
        return self._substitution.of(self._stand_in_for[unwrap(key)])

    def __iter__(self) -> Any:  # of an Enum
        return map(self._substitution.of, iter(self._stand_in_for))

    def __mro_entries__(self, bases: Any) -> tuple[type, ...]:
        return (self._stand_in_for,)

    def __call__(self, *args: Any, **options: Any) -> Any:
        kind, substitution = self._stand_in_for, self._substitution
        if issubclass(kind, enum.Enum) or hasattr(kind, "_fields"):  # a named tuple: both only hold values
            return kind(*args, **options)
        top = kind.__module__.split(".")[0].lstrip("_")
        name = f"{'numpy.random' if kind.__module__.startswith('numpy.random') else top}.{kind.__qualname__}"
        if top not in _PURE | _SILENT and not recorded_in((args, options)):
            substitution.refuse(
                f"an object of the class {kind.__qualname__} made in `transform`",
                *(
                    forbidden_reason(name)
                    or ("what its methods read or change cannot be seen", "write functions, or make it in `fit`")
                ),
            )
        return called(substitution, kind, name, args, options)


class StandInObject(StandIn):
    """An object of a library that own code holds: its methods are called as the library's functions are."""

    def __call__(self, *args: Any, **options: Any) -> Any:
        kind = type(self._stand_in_for)
        return called(
            self._substitution, self._stand_in_for, f"{kind.__module__.split('.')[0]}.{kind.__name__}()", args, options
        )


class RefusedObject:
    """An object that own code must not use while it is recorded: a generator of random numbers, a file."""

    _original = property(lambda self: object.__getattribute__(self, "_stand_in_for"))

    def __init__(self, substitution: Any, original: Any, reason: tuple[str, str]) -> None:
        object.__setattr__(self, "_stand_in_for", original)
        object.__setattr__(self, "_reason", (substitution, reason))

    def _stop(self, *args: Any, **options: Any) -> Any:
        kept = object.__getattribute__(self, "_stand_in_for")
        substitution, reason = object.__getattribute__(self, "_reason")
        substitution.refuse(f"an object of the class {type(kept).__qualname__} used in `transform`", *reason)

    __getattr__ = __setattr__ = __call__ = __iter__ = __next__ = __enter__ = __len__ = __bool__ = _stop
    __getitem__ = __eq__ = __contains__ = __str__ = __fspath__ = __truediv__ = __add__ = _stop
    __hash__ = object.__hash__


class Indexed:
    """`np.c_` and `np.r_`: a function that is called with square brackets."""

    def __init__(self, recording: Recording, name: str, entry: Entry, original: Any) -> None:
        self._recording, self._name, self._entry, self._indexed = recording, name, entry, original

    def __getitem__(self, key: Any) -> Any:
        parts = key if isinstance(key, tuple) else (key,)
        if not recorded_in(parts):
            return self._indexed[unwrap(key)]
        return call_function(self._recording, lambda *each: self._indexed[each], self._name, parts, {})
