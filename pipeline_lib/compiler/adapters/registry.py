"""The registry of adapters: which function writes the plan of which fitted class.

An adapter is registered under the qualified name of a class, so that no library is imported to register it:

    @transformer("sklearn.preprocessing._data.StandardScaler", options="copy with_mean with_std")
    def standard(step, columns, build): ...          # columns in, columns out

`transform` and `predict` look a fitted step up and call its adapter; own steps bring a `plan` method instead.
"""

import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline_lib.compiler.builder import Builder, Value
from pipeline_lib.compiler.float32_values import kept_float32
from pipeline_lib.errors import InputError

Columns = dict[str, Value]
TransformerAdapter = Callable[[Any, Columns, Builder], Columns]
EstimatorAdapter = Callable[[Any, Sequence[Value], Builder], "Outputs"]


class RefusedStepError(InputError):
    """A step that must not serve production: its rows affect each other, it drops rows, or it draws random numbers."""


class NoPlanError(InputError):
    """A step or option without an adapter; it could still run through its library."""


@dataclass(frozen=True)
class Outputs:
    """The outputs of a final estimator: one `prediction` for each target, and optional others.

    `probability` has one value for each class. `decision` has one for each class, a single one for the second of
    two classes, or one for each pair of classes. `classes` are the labels, in the order of both.
    """

    prediction: Sequence[Value]
    probability: Sequence[Value] = ()
    decision: Sequence[Value] = ()
    classes: Sequence[Any] = ()


@dataclass(frozen=True)
class _Adapter:
    write: Callable[..., Any]
    options: frozenset[str] = field(default_factory=frozenset)


_TRANSFORMERS: dict[str, _Adapter] = {}
_ESTIMATORS: dict[str, _Adapter] = {}


def transformer(*names: str, options: str) -> Callable[[TransformerAdapter], TransformerAdapter]:
    """Register the adapter of transformer classes by qualified name.

    `options` lists, separated by blanks, all constructor parameters that the adapter honours or that do not affect
    a fitted step; a step with any other parameter is refused. With "*" the fitted model holds all that matters.
    """

    def register(write: TransformerAdapter) -> TransformerAdapter:
        _register(_TRANSFORMERS, names, write, options)
        return write

    return register


def estimator(*names: str, options: str) -> Callable[[EstimatorAdapter], EstimatorAdapter]:
    """Register the adapter of estimator classes by qualified name; `options` as for `transformer`."""

    def register(write: EstimatorAdapter) -> EstimatorAdapter:
        _register(_ESTIMATORS, names, write, options)
        return write

    return register


def _register(adapters: dict[str, _Adapter], names: Sequence[str], write: Callable[..., Any], options: str) -> None:
    for name in names:
        if name in adapters:
            raise ValueError(f"found two adapters of {name}, expected one")
        adapters[name] = _Adapter(write, frozenset(options.split()))


def transform(step: Any, columns: Columns, build: Builder) -> Columns:
    """Write the plan of a fitted transformer: its output columns for the input `columns`, in order.

    Where the builder runs what has no plan as `opaque` steps, such a step becomes one. Raises NoPlanError for a class
    or option without an adapter, RefusedStepError for a step that cannot serve rows.
    """
    if build.opaque is None:
        return _transform(step, columns, build)
    try:
        build.opaque.check_plan(step)
        return _transform(step, columns, build)
    except NoPlanError as error:
        opaque: Columns = build.opaque.transform(step, columns, build, error)
        return opaque


def _transform(step: Any, columns: Columns, build: Builder) -> Columns:
    if step is None or (isinstance(step, str) and step == "passthrough"):
        return columns
    own = getattr(type(step), "plan", None)
    several = any(value.table for value in columns.values())
    if several and not callable(own):
        raise RefusedStepError(
            f"{type(step).__name__}: found a step without a plan of its own over several raw tables, expected an "
            "exported step that makes one row of features for each main row; put one first in the pipeline"
        )
    if callable(own):
        result = _call(own, step, _by_table(columns, build) if several else dict(columns), build)
        if not isinstance(result, dict):
            raise _not_values(step, result)
        wrong = {name: value for name, value in result.items() if not isinstance(value, Value)}
        if wrong:
            raise _not_values(step, wrong)
        columns_out: Columns = result
        return columns_out
    if build.traces is not None and build.traces.takes(step, "transform"):
        recorded: Columns = build.traces.transform(step, columns, build)
        return recorded
    before = dict(columns)  # adapters may write into theirs
    written: Columns = _find_adapter(_TRANSFORMERS, step, "transformer").write(step, columns, build)
    return kept_float32(step, before, written, build)


def _not_values(step: Any, found: object) -> InputError:
    return InputError(
        f"{type(step).__name__}.plan: found {found!r:.80}, expected a dict of column names to values that `build` or "
        "their operators make; build.value(1.0) makes a constant"
    )


def _call(method: Callable[..., Any], step: Any, columns: Any, build: Builder) -> Any:
    """Call a step's own `plan` or `plan_outputs`; an error names the class, the method and the line of code."""
    where = f"{type(step).__name__}.{method.__name__}"
    try:
        return method(step, columns, build)
    except (NoPlanError, RefusedStepError):
        raise
    except InputError as error:
        raise InputError(f"{where}{_line(error, method)}: {error}") from error
    except Exception as error:  # the step's own code
        names = f" among the columns {', '.join(columns)}" if isinstance(error, KeyError) and columns else ""
        raise InputError(
            f"{where}{_line(error, method)}: found {type(error).__name__}: {error}{names}, expected a plan; "
            "correct the method"
        ) from error


def _line(error: Exception, method: Callable[..., Any]) -> str:
    """The last line of the method's own file that an error came through, with its number."""
    file = method.__code__.co_filename if hasattr(method, "__code__") else ""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    return f", line {frames[-1].lineno} ({frames[-1].line})" if frames else ""


def _by_table(columns: Columns, build: Builder) -> dict[str, Columns]:
    """Raw columns of several tables, by table name and column name."""
    tables: dict[str, Columns] = {}
    for name, value in columns.items():
        table = build.nodes[value.node].settings["table"]
        tables.setdefault(table, {})[name.removeprefix(f"{table}.") if value.table else name] = value
    return tables


def predict(fitted: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """Write the plan of a fitted estimator over its input columns, in order; opaque as by `transform`."""
    if build.opaque is None:
        return _predict(fitted, values, build)
    try:
        build.opaque.check_plan(fitted)
        return _predict(fitted, values, build)
    except NoPlanError as error:
        opaque: Outputs = build.opaque.predict(fitted, values, build, error)
        return opaque


def _predict(fitted: Any, values: Sequence[Value], build: Builder) -> Outputs:
    own = getattr(type(fitted), "plan_outputs", None)
    if callable(own):
        outputs = _call(own, fitted, list(values), build)
        return outputs if isinstance(outputs, Outputs) else Outputs(**outputs)
    if build.traces is not None and build.traces.takes(fitted, "predict"):
        return Outputs(**build.traces.predict(fitted, values, build))
    written: Outputs = _find_adapter(_ESTIMATORS, fitted, "estimator").write(fitted, values, build)
    return written


def qualified_name(kind: type) -> str:
    """A class's module and name."""
    return f"{kind.__module__}.{kind.__qualname__}"


def _find_adapter(adapters: dict[str, _Adapter], step: Any, role: str) -> _Adapter:
    name = qualified_name(type(step))
    adapter = adapters.get(name)
    if adapter is None:
        raise NoPlanError(
            f"{type(step).__name__}: found {role} class {name} without an exact plan, expected one with an adapter"
        )
    unknown = sorted(_option_names(step) - adapter.options)
    if unknown and adapter.options != {"*"}:
        raise NoPlanError(
            f"{type(step).__name__}: found options {', '.join(unknown)} that its adapter does not know, expected "
            f"{', '.join(sorted(adapter.options))}; use the locked version"
        )
    return adapter


def _option_names(step: Any) -> set[str]:
    if not hasattr(step, "get_params"):
        return set()
    try:
        return set(step.get_params(deep=False))
    except AttributeError:  # feature-engine's DatetimeOrdinal does not keep an option under its name
        return set(type(step)._get_param_names())


def option_error(step: Any, option: str, expected: str) -> NoPlanError:
    """The error for the value of an option that an adapter does not support."""
    return NoPlanError(
        f"{type(step).__name__}: found {option}={getattr(step, option, None)!r}, expected {expected}; change the option"
    )


def state_error(step: Any, found: str, expected: str) -> NoPlanError:
    """The error for fitted state that an adapter does not support."""
    return NoPlanError(f"{type(step).__name__}: found {found}, expected {expected}")


def use_fitted_names(step: Any, columns: Columns) -> Columns:
    """The columns under the names, and in the order, that a step was fitted with; those of an array are x0, x1, …

    Where both sets of names are equal, columns are matched by name, as by the libraries; else by position.
    """
    names = getattr(step, "feature_names_in_", None)
    if names is None:
        return columns
    if len(names) != len(columns):
        raise NoPlanError(
            f"{type(step).__name__}: found {len(columns)} columns, expected the {len(names)} it was fitted with"
        )
    fitted = list(map(str, names))
    if set(fitted) == set(columns):
        return {name: columns[name] for name in fitted}
    return dict(zip(fitted, columns.values(), strict=True))
