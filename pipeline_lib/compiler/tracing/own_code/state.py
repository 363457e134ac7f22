"""Fitted state, globals and plain values of own code, with substitutes of what recorded values can be used with.

    dict, set              a copy, in which the value of one row can be looked up
    list, array, frame     a copy
    fitted object          a stand-in, whose plan is written; own objects are recorded in their turn
    numbers, text, dates   as they are
    anything else          a stand-in that is refused when it is used, unless a library is known

Copies are guarded: own code must leave them as they are, since they outlive the call.
"""

import copy
import enum
import logging
import re
from collections.abc import Callable, KeysView
from typing import Any

import numpy as np
import pandas as pd

from pipeline_lib.compiler.tracing.arguments import unwrap
from pipeline_lib.compiler.tracing.arrays.lookup_arrays import LookupArray
from pipeline_lib.compiler.tracing.own_code.forbidden import forbidden_reason
from pipeline_lib.compiler.tracing.own_code.guards import STATE
from pipeline_lib.compiler.tracing.own_code.library_calls import SILENT, RefusedObject, StandIn, StandInObject
from pipeline_lib.compiler.tracing.own_code.scan import ConstantSet, LookupSet
from pipeline_lib.compiler.tracing.recorded import Call, Recorded, raw_call, recorded_in
from pipeline_lib.compiler.tracing.refusals import refuse
from pipeline_lib.compiler.tracing.registry import RULES
from pipeline_lib.errors import InputError

_PLAIN = (type(None), bool, int, float, complex, str, bytes, range, slice, type(...), type(NotImplemented))
_VALUES = ("datetime", "decimal", "fractions", "zoneinfo")
_DICTS = ("dict", "defaultdict", "OrderedDict", "Counter", "Bunch")


def is_plain(value: Any) -> bool:
    """Whether a value is a number, text or date, which needs no substitute."""
    kind = type(value)
    return kind in _PLAIN or (isinstance(value, np.generic | np.dtype)) or kind.__module__ in _VALUES


def substitute_state(substitution: Any, value: Any, *, own: bool = False) -> Any:
    """The substitute of what outlives a call, on `self` or among the globals; `own` objects belong to own code."""
    kind, guard, of = type(value), substitution.guards.add, substitution.of
    if kind.__name__ in _DICTS and isinstance(value, dict):
        return guard(value, LookupDict(substitution, value, of, guarded=True))
    if kind is set:
        return guard(value, LookupSet(value))
    if kind is frozenset:
        return ConstantSet(value)
    if kind is list:
        return guard(value, [of(each) for each in value])
    if isinstance(value, tuple):
        return value._make(map(of, value)) if hasattr(value, "_make") else tuple(map(of, value))
    if kind is pd.Series:
        return guard(value, LookupSeries.of(substitution, value.copy()))
    if kind is np.ndarray:
        return guard(value, LookupArray.of(value.copy()))
    if kind is pd.DataFrame:
        return guard(value, value.copy())
    if kind is re.Pattern:
        return StandInPattern(substitution, value)
    if isinstance(value, enum.Enum):
        return value
    return _substitute_object(substitution, value, own)


def _substitute_object(substitution: Any, value: Any, own: bool) -> Any:
    module = type(value).__module__
    if own:
        return substitution.own_object(value)
    if isinstance(value, logging.Logger | logging.LoggerAdapter):
        return SILENT
    if reason := forbidden_reason(f"{module}.{type(value).__qualname__}"):
        return RefusedObject(substitution, value, reason)
    if is_fitted_object(value):
        return StandInFitted(substitution, value)
    if module.split(".")[0] in ("pandas", "numpy"):  # an Index, a Timestamp
        return value
    return substitution.guards.add(value, StandInObject(substitution, value))


def substitute_result(substitution: Any, value: Any) -> Any:
    """The substitute of what own code has just made: it may change it."""
    kind = type(value)
    if kind.__name__ in _DICTS and isinstance(value, dict):
        return LookupDict(substitution, value, lambda each: substitute_result(substitution, each))
    if kind in (set, frozenset):
        return LookupSet(value) if kind is set else ConstantSet(value)
    if kind is pd.Series:
        return LookupSeries.of(substitution, value)
    if kind is np.ndarray:
        return LookupArray.of(value)
    if kind is re.Pattern:
        return StandInPattern(substitution, value)
    if is_fitted_object(value) and not isinstance(value, type):
        return StandInFitted(substitution, value)
    return value


def is_fitted_object(value: Any) -> bool:
    """Whether a value is a transformer or estimator."""
    return hasattr(value, "get_params") and (hasattr(value, "transform") or hasattr(value, "predict"))


class LookupDict(dict[Any, Any]):
    """A dict of own code: the value of one row can be looked up in it, as in the library's own call for each row."""

    def __init__(
        self, substitution: Any, source: dict[Any, Any], of: Callable[[Any], Any], *, guarded: bool = False
    ) -> None:
        super().__init__({key: of(value) for key, value in source.items()})
        self.substitution = substitution
        self.recording = substitution.recording
        self.source = source
        self._guarded = guarded
        self._held = list(super().items())

    @property
    def _original(self) -> dict[Any, Any]:
        """The library's own dict, with the changes that own code made."""
        now = list(super().items())
        if len(now) == len(self._held) and all(
            new[0] is old[0] and new[1] is old[1] for new, old in zip(now, self._held, strict=True)
        ):
            return self.source
        changed = copy.copy(self.source)
        changed.clear()
        changed.update({key: unwrap(value) for key, value in now})
        return changed

    def __getattr__(self, name: str) -> Any:
        if name in self and type(self.source).__name__ == "Bunch":  # scikit-learn's named_steps.scaler
            return self[name]
        raise AttributeError(name)

    def __missing__(self, key: Any) -> Any:
        factory = getattr(self.source, "default_factory", None)  # of a defaultdict; a Counter has 0
        if factory is None and type(self.source).__name__ != "Counter":
            raise KeyError(key)
        return factory() if factory is not None else 0

    def __getitem__(self, key: Any) -> Any:
        return self._look_up("__getitem__", key) if _is_recorded(key) else super().__getitem__(key)

    def get(self, key: Any, default: Any = None) -> Any:
        """The value of a key, or the default."""
        return self._look_up("get", key, default) if _is_recorded(key) else super().get(key, default)

    def __contains__(self, key: object) -> bool:
        return bool(self._look_up("__contains__", key)) if _is_recorded(key) else super().__contains__(key)

    def __setitem__(self, key: Any, value: Any) -> None:
        if self._guarded and recorded_in((key, value)):
            try:
                refuse("a recorded value kept in a dict of the step", *STATE)
            except InputError as error:
                self.recording.refused(error)
        super().__setitem__(key, value)

    def keys(self) -> Any:
        """The keys, among which a recorded value can be looked up."""
        return KeysView(self)

    def copy(self) -> "LookupDict":
        """A dict of own code's own, which it may change."""
        return LookupDict(self.substitution, self, lambda value: value)

    def _look_up(self, name: str, key: Any, *args: Any) -> Any:
        entry = RULES["dict", name]
        return raw_call(self.recording, Call(self.recording, self, f"dict.{name}", []), entry, (key, *args), {})


def _is_recorded(key: Any) -> bool:
    """Whether a key is a recorded value, or several: `d[a, b]`."""
    return isinstance(key, Recorded) or (type(key) is tuple and bool(recorded_in(key)))


class LookupSeries(pd.Series):
    """A Series of own code, such as medians by town: the value of one row can be looked up in it by label."""

    @classmethod
    def of(cls, substitution: Any, series: Any) -> "LookupSeries":
        """A Series of the same values; what is computed with it is a plain Series again."""
        made = cls(series)
        object.__setattr__(made, "_substitution", substitution)
        return made

    @property
    def _original(self) -> Any:
        return pd.Series(self)

    def __getitem__(self, key: Any) -> Any:
        return self._table()[key] if _is_recorded(key) else super().__getitem__(key)

    def get(self, key: Any, default: Any = None) -> Any:
        """The value of a label, or the default."""
        return self._table().get(key, default) if _is_recorded(key) else super().get(key, default)

    def __contains__(self, key: Any) -> bool:  # type: ignore[misc]  # final in pandas-stubs only
        return key in self._table() if _is_recorded(key) else super().__contains__(key)

    @property
    def loc(self) -> Any:
        """The values by label."""
        return _Location(self, super().loc)

    def _table(self) -> LookupDict:
        substitution = object.__getattribute__(self, "_substitution")
        if not self.index.is_unique or self.index.hasnans:
            substitution.refuse(
                "a Series with equal or missing labels looked up by a row's value",
                "it gives several values",
                "keep a dict in `fit`: series.to_dict()",
            )
        return LookupDict(substitution, dict(zip(self.index, list(self.array), strict=True)), lambda value: value)


class _Location:
    """`series.loc` of a Series of own code."""

    def __init__(self, series: LookupSeries, location: Any) -> None:
        self._series = series
        self._location = location

    def __getitem__(self, key: Any) -> Any:
        return self._series[key] if _is_recorded(key) else self._location[key]

    def __setitem__(self, key: Any, value: Any) -> None:
        self._location[key] = value

    def __getattr__(self, name: str) -> Any:
        return getattr(self._location, name)


class StandInPattern(StandIn):
    """A compiled regular expression of own code."""

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._stand_in_for, name)
        if not callable(method):
            return method

        def call(*args: Any, **options: Any) -> Any:
            if not recorded_in((args, options)):
                return method(*args, **options)
            function = self._substitution.of(getattr(re, name))
            return function(self._stand_in_for, *args, **options)

        return call


class StandInFitted(StandIn):
    """A fitted transformer or estimator that a step holds: with recorded columns its own plan is written."""

    def __getitem__(self, key: Any) -> Any:  # a step of a pipeline
        return self._substitution.of(self._stand_in_for[key])

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._stand_in_for, name)
        if not callable(attribute) or isinstance(attribute, type):
            return self._substitution.of(attribute)

        def call(*args: Any, **options: Any) -> Any:
            args, options = unwrap(args), unwrap(options)
            if not recorded_in((args, options)):
                refuse_learning(self._substitution, self._stand_in_for, name)
                return substitute_result(self._substitution, attribute(*args, **options))
            return self._substitution.call_fitted(self._substitution, self._stand_in_for, name, args, options)

        return call


def refuse_learning(substitution: Any, fitted: Any, name: str) -> None:
    """Refuse methods that change a fitted object: `fit`, `partial_fit`, `set_params`."""
    if name.startswith(("fit", "partial_fit", "set_", "__setattr__")):
        substitution.refuse(f"{type(fitted).__name__}.{name} called in `transform`", *STATE)
