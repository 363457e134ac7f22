"""Fitted state and plain values of own code: containers in which recorded values can be looked up, fitted objects."""

import re
from typing import Any

import numpy as np
import pandas as pd

from pipeline_lib.compiler.tracing.recorded import RULES, Call, Recorded, raw_call, recorded_in, unwrap
from pipeline_lib.compiler.tracing.refusals import refuse
from pipeline_lib.compiler.tracing.scan import ConstantSet
from pipeline_lib.errors import InputError


def substitute_state(substitution: Any, value: Any) -> Any:
    """A plain value, with containers that recorded values can be looked up in, and stand-ins of fitted objects."""
    kind = type(value)
    if kind is dict or kind.__name__ in ("defaultdict", "OrderedDict", "Counter"):
        return substitution.guarded(value, LookupDict(substitution, value))
    if kind in (set, frozenset):
        return ConstantSet(value)
    if kind in (list, tuple):
        substitutes = kind(substitution.of(each) for each in value)
        return substitutes if kind is tuple else substitution.guarded(value, substitutes)
    if kind in (np.ndarray, pd.Series, pd.DataFrame):
        return substitution.guarded(value, value.copy())
    if kind is re.Pattern:
        return StandInPattern(substitution, value)
    if not isinstance(value, type) and is_fitted_object(value):
        return StandInFitted(substitution, value)
    return value


def unchanged(original: Any, substitute: Any) -> bool:
    """Whether own code has left a container of its state or globals as it was."""
    if type(substitute) is LookupDict:
        return dict.__len__(substitute) == len(original) and all(
            key in original and dict.__getitem__(substitute, key) is value for key, value in original.items()
        )
    if type(substitute) is list:
        pairs = zip(original, substitute, strict=False)
        return len(original) == len(substitute) and all(
            unwrap(new) is old or type(new) is type(old) for old, new in pairs
        )
    if type(substitute) is np.ndarray:
        return bool(np.array_equal(original, substitute, equal_nan=original.dtype.kind == "f"))
    return bool(original.equals(substitute))


def is_fitted_object(value: Any) -> bool:
    """Whether a value is a transformer or estimator."""
    return hasattr(value, "get_params") and (hasattr(value, "transform") or hasattr(value, "predict"))


class LookupDict(dict[Any, Any]):
    """A dict of own code: the value of one row can be looked up in it, as in the library's own call for each row."""

    _original = property(lambda self: self.source)

    def __init__(self, substitution: Any, source: dict[Any, Any]) -> None:
        super().__init__(source)
        self.substitution = substitution
        self.recording = substitution.recording
        self.source = source

    def __missing__(self, key: Any) -> Any:
        factory = getattr(self.source, "default_factory", None)  # of a defaultdict; a Counter has 0
        if factory is None and type(self.source).__name__ != "Counter":
            raise KeyError(key)
        return factory() if factory is not None else 0

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, Recorded):
            return self._look_up("__getitem__", key)
        return self.substitution.of(super().__getitem__(key))

    def values(self) -> Any:
        """The values, with substitutes of their own."""
        return [self.substitution.of(value) for value in super().values()]

    def items(self) -> Any:
        """The pairs, the values with substitutes of their own."""
        return [(key, self.substitution.of(value)) for key, value in super().items()]

    def get(self, key: Any, default: Any = None) -> Any:
        """The value of a key, or the default."""
        if isinstance(key, Recorded):
            return self._look_up("get", key, default)
        return self[key] if dict.__contains__(self, key) else default

    def __contains__(self, key: object) -> bool:
        if isinstance(key, Recorded):
            return bool(self._look_up("__contains__", key))
        return super().__contains__(key)

    def __setitem__(self, key: Any, value: Any) -> None:
        if recorded_in((key, value)):
            try:
                refuse("a recorded value kept in a dict of the step", *STATE)
            except InputError as error:
                self.recording.refused(error)
        super().__setitem__(key, value)

    def _look_up(self, name: str, key: Recorded, *args: Any) -> Any:
        entry = RULES["dict", name]
        return raw_call(self.recording, Call(self.recording, self, f"dict.{name}", []), entry, (key, *args), {})


STATE = (
    "the result of a row would depend on the calls before",
    "keep it in a local variable, or learn it in `fit`",
)


class StandInPattern:
    """A compiled regular expression of own code."""

    _original = property(lambda self: self.pattern)

    def __init__(self, substitution: Any, pattern: re.Pattern[str]) -> None:
        self._substitution = substitution
        self.pattern = pattern

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.pattern, name)
        if not callable(method):
            return method

        def call(*args: Any, **options: Any) -> Any:
            if not recorded_in((args, options)):
                return method(*args, **options)
            function = self._substitution.of(getattr(re, name))
            return function(self.pattern, *args, **options)

        return call


class StandInFitted:
    """A fitted transformer or estimator that a step holds: with recorded columns its own plan is written."""

    _original = property(lambda self: self.fitted)

    def __init__(self, substitution: Any, fitted: Any) -> None:
        self._substitution = substitution
        self.fitted = fitted

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self.fitted, name)
        if not callable(attribute):
            return substitute_state(self._substitution, attribute)

        def call(*args: Any, **options: Any) -> Any:
            args, options = unwrap(args), unwrap(options)
            found = recorded_in((args, options))
            if not found:
                return attribute(*args, **options)
            return self._substitution.call_fitted(self._substitution, self.fitted, name, args, options)

        return call
