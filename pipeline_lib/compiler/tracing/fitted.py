"""Fitted transformers and estimators inside a step: `self.scaler_.transform(X[cols])`, `super().transform(X)`.

A library's object is written by its adapter; one of own code is recorded in its turn.
"""

import inspect
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from pipeline_lib.compiler.adapters.registry import Outputs, predict, transform
from pipeline_lib.compiler.builder import Value
from pipeline_lib.compiler.tracing.own_code.functions import Substitution, is_own
from pipeline_lib.compiler.tracing.own_code.own_self import own_method
from pipeline_lib.compiler.tracing.recorded import Recorded
from pipeline_lib.compiler.tracing.refusals import PLAN, refuse
from pipeline_lib.errors import InputError

_OUTPUTS = {"predict": "prediction", "predict_proba": "probability", "decision_function": "decision"}


def call_fitted(
    substitution: Substitution,
    fitted: Any,
    name: str,
    args: Any,
    options: Mapping[str, Any],
    of_class: type | None = None,
) -> Any:
    """What a fitted object's method makes of recorded columns; `of_class` is the library's class behind `super()`."""
    recording = substitution.recording
    if of_class is None and own_method(type(fitted), name) is not None:
        return getattr(substitution.of(fitted), name)(*args, **options)
    try:
        view = fitted if of_class is None else as_library(fitted)
        options = {key: value for key, value in options.items() if not _is_default(getattr(view, name), key, value)}
        if len(args) != 1 or set(options) - {"copy"} or not isinstance(args[0], Recorded):
            refuse(f"{type(view).__name__}.{name} with other arguments than columns", "the recorder has no rule", PLAN)
        if name not in ("transform", *_OUTPUTS):
            refuse(
                f"{type(view).__name__}.{name} inside `transform`",
                "what it learns from the rows at hand is another thing for one row" if "fit" in name else "no rule",
                "call fit in `fit`, and transform or predict here",
            )
    except InputError as error:
        recording.refused(error)
    table: Recorded = args[0]

    def write(reals: list[Any]) -> list[Value]:
        columns = dict(zip(_names(table._reals[0]), table._values, strict=True))
        if name == "transform":
            written = transform(view, columns, recording.build).values()
            return [each for value in written for each in _single(value)]
        outputs: Outputs = predict(view, list(columns.values()), recording.build)
        return list(getattr(outputs, _OUTPUTS[name]))

    return recording.perform(
        f"{type(view).__name__}.{name}",
        lambda number: getattr(view, name)(table._reals[number].copy(), **options),
        write,
        table._rows,
    )


def _single(value: Value) -> list[Value]:
    return value.build.items(value) if value.dtype == "vector" else [value]


def _is_default(method: Any, name: str, value: Any) -> bool:
    """Whether an argument is what the method takes without it."""
    parameter = inspect.signature(method).parameters.get(name)
    return parameter is not None and parameter.default is value


def as_library(step: Any) -> Any:
    """A step of an own subclass as an object of the library's class that it extends."""
    kind = next(each for each in type(step).__mro__ if not is_own(each))
    view: Any = object.__new__(kind)
    names = set(kind._get_param_names()) if hasattr(kind, "_get_param_names") else set()
    own = set(type(step)._get_param_names()) - names if names and hasattr(type(step), "_get_param_names") else set()
    view.__dict__.update({name: value for name, value in vars(step).items() if name not in own})
    return view


def _names(real: Any) -> list[str]:
    if isinstance(real, pd.DataFrame):
        return [str(name) for name in real.columns]
    return [f"x{index}" for index in range(np.shape(real)[1] if np.ndim(real) == 2 else 1)]
