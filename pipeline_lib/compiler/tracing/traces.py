"""The traces of one compilation: which own code a pipeline holds, what it receives, and its recording, made once.

Own steps may stand inside a ColumnTransformer, a FeatureUnion or another pipeline. What each of them receives is seen
while the fitted pipeline transforms the training rows: `watching` puts a watcher on the objects that hold own code.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import wraps
from types import FunctionType, MethodType
from typing import Any

from sklearn.utils.validation import check_array

from pipeline_lib.compiler.adapters.registry import NoPlanError, RefusedStepError
from pipeline_lib.compiler.builder import Builder, Value
from pipeline_lib.compiler.tracing.own_code.functions import Substitution, is_own
from pipeline_lib.compiler.tracing.own_code.own_self import own_method
from pipeline_lib.compiler.tracing.refusals import TraceRefusedError
from pipeline_lib.compiler.tracing.repeat import Repeats, plan_digest
from pipeline_lib.compiler.tracing.shadows import sample
from pipeline_lib.compiler.tracing.trace import ONE_AT_A_TIME, Run, Trace, record, run_method
from pipeline_lib.rule_model import RuleModel

OUTPUTS = {"predict": "prediction", "predict_proba": "probability", "decision_function": "decision"}
METHODS = ("transform", "inverse_transform", *OUTPUTS)


class Traces:
    """The traces of a compilation, by fitted object and method."""

    def __init__(self) -> None:
        self._received: dict[tuple[int, str], Any] = {}
        self._kept: list[Any] = []  # so that no other object gets their ids
        self._traces: dict[tuple[Any, ...], Trace] = {}
        self.repeats = Repeats()

    @contextmanager
    def watching(self, step: Any) -> Iterator[None]:
        """Note what the own code inside a fitted step receives while the library calls it."""
        watched = [
            (each, name) for each in own_objects(step) for name in METHODS if callable(getattr(each, name, None))
        ]
        if watched:
            self.repeats.start()
        with ONE_AT_A_TIME:
            try:
                for each, name in watched:
                    self._watch(each, name)
                yield
            finally:
                for each, name in watched:
                    vars(each).pop(name, None)

    def _watch(self, step: Any, name: str) -> None:
        method, received = getattr(step, name), self._received
        self._kept.append(step)

        @wraps(method)  # scikit-learn reads the name of the method that it calls
        def watched(X: Any, *args: Any, **options: Any) -> Any:
            if not isinstance(X, Mapping):  # several raw tables, for which a step has a plan
                received[id(step), name] = sample(X)
            return method(X, *args, **options)

        vars(step)[name] = watched

    def note(self, step: Any, name: str, data: Any) -> None:
        """Note what a step receives."""
        self._kept.append(step)
        self._received[id(step), name] = sample(data)

    def takes(self, step: Any, name: str) -> bool:
        """Whether a method of a fitted object is own code, or calls an own function."""
        return own_method(type(step), name) is not None or is_own_function(_function(step, name))

    def transform(self, step: Any, columns: Mapping[str, Value], build: Builder) -> dict[str, Value]:
        """The columns that own code makes of others, written with a builder. Raises NoPlanError."""
        return self.trace(step, "transform", columns).write(columns, build)

    def inverse(self, step: Any, values: Sequence[Value], build: Builder) -> list[Value]:
        """What an own `inverse_func` makes of columns."""
        columns = {f"x{index}": value for index, value in enumerate(values)}
        return list(self.trace(step, "inverse_transform", columns).write(columns, build).values())

    def predict(self, step: Any, values: Sequence[Value], build: Builder) -> dict[str, list[Value]]:
        """The outputs of an own estimator, by the names of `Outputs`."""
        columns = dict(zip(self._names(step, len(values)), values, strict=True))
        return {
            kind: list(self.trace(step, name, columns).write(columns, build).values())
            for name, kind in OUTPUTS.items()
            if callable(getattr(step, name, None))
        }

    def _names(self, step: Any, count: int) -> list[str]:
        """The names of the columns that an estimator receives; those of an array are x0, x1, …"""
        names = list(map(str, getattr(self._given(step, "predict"), "columns", ())))
        return names if len(set(names)) == count else [f"x{index}" for index in range(count)]

    def _given(self, step: Any, name: str) -> Any:
        """What a step's method received; of an estimator, what another method did, since they get the same columns.

        FixedThresholdClassifier calls predict_proba alone. None where nothing was called.
        """
        called = (id(step), name)
        others = [(id(step), other) for other in OUTPUTS] if name in OUTPUTS else []
        return next((self._received[key] for key in (called, *others) if key in self._received), None)

    def trace(self, step: Any, name: str, columns: Mapping[str, Value]) -> Trace:
        """The trace of a step's method on these columns. Raises NoPlanError for code that has no exact plan."""
        properties = tuple((value.dtype, value.abs_max, value.width) for value in columns.values())
        key = (id(step), name, tuple(columns), properties)
        if key not in self._traces:
            if self._given(step, name) is None:
                raise NoPlanError(
                    f"{type(step).__name__}: found own code that was not called on the training rows, expected a call "
                    f"of `{name}`; give it a `plan` method"
                )
            with ONE_AT_A_TIME:  # no other compilation watches the step meanwhile
                self._traces[key] = self._record(step, name, columns)
        return self._traces[key]

    def _record(self, step: Any, name: str, columns: Mapping[str, Value]) -> Trace:
        """Record a method, and ask for its second recording."""
        where, data = f"{type(step).__name__}.{name}", self._given(step, name)
        try:
            trace = record(where, _run_of(step, name), data, columns)
        except TraceRefusedError as error:
            raise refused_rule(error) if isinstance(step, RuleModel) else error from None
        described = [(column, value.dtype, value.abs_max, value.width) for column, value in columns.items()]
        context = max((value.build.lookback.context for value in columns.values()), default=0)
        self.repeats.request(where, (step, name, data, described, context), plan_digest(trace.nodes, trace.outputs))
        return trace


def refused_rule(error: TraceRefusedError) -> RefusedStepError:
    """The refusal of a rule: it has no other way into production, and learns in a function of its own."""
    text = str(error).replace(", or give the step a `plan` method", "")
    if "`fit`" in text:
        text += (
            '; a rule has `learn` for that: return {"name": value} from learn(X, y), and read learned["name"] in '
            "rule(X, learned)"
        )
    return RefusedStepError(text)


def holds_own_code(step: Any) -> bool:
    """Whether a step's class, or a function that it holds, is own code that is recorded, since it has no plan."""
    if callable(getattr(type(step), "plan", None)):
        return False
    return any(own_method(type(step), name) or is_own_function(_function(step, name)) for name in METHODS)


def _function(step: Any, name: str) -> Any:
    """The function that a FunctionTransformer calls in a method; None for other steps."""
    if type(step).__name__ != "FunctionTransformer":
        return None
    return {"transform": step.func, "inverse_transform": step.inverse_func}.get(name)


def _run_of(step: Any, name: str) -> Run:
    function = _function(step, name)
    return _run_function(step, function, name) if is_own_function(function) else run_method(step, name)


def repeat_trace(
    step: Any, name: str, data: Any, columns: Sequence[tuple[str, str, float, int]], context: int
) -> Trace:
    """The trace of a copy of a step, in another process; `columns` as `Builder.input` takes them."""
    build = Builder(context=context)
    inputs = {column: build.input(column, dtype, abs_max, width=width) for column, dtype, abs_max, width in columns}
    return record(f"{type(step).__name__}.{name}", _run_of(step, name), data, inputs)


def _run_function(step: Any, function: Any, name: str) -> Run:
    """A run of the function of a FunctionTransformer, after its `validate`."""
    options = (step.kw_args if name == "transform" else step.inv_kw_args) or {}

    def run(substitution: Substitution, X: Any) -> Any:
        if step.validate:
            X = substitution.of(check_array)(X, accept_sparse=step.accept_sparse)
        return substitution.of(function)(X, **{key: substitution.of(value) for key, value in options.items()})

    return run


def is_own_function(thing: Any) -> bool:
    """Whether a value is a function of own code."""
    return isinstance(thing, FunctionType | MethodType) and is_own(thing)


def own_objects(step: Any) -> list[Any]:
    """The fitted objects inside a step, and itself, that hold own code."""
    found: dict[int, Any] = {}
    seen: set[int] = set()

    def visit(thing: Any, depth: int) -> None:
        if id(thing) in seen or depth > _DEEPEST:
            return
        seen.add(id(thing))
        if isinstance(thing, list | tuple):
            for each in thing if len(thing) <= _LONGEST else ():
                visit(each, depth + 1)
        elif isinstance(thing, dict):
            for each in thing.values() if len(thing) <= _LONGEST else ():
                visit(each, depth + 1)
        elif (hasattr(thing, "get_params") or type(thing).__name__ in _HOLDERS) and not isinstance(thing, type):
            if holds_own_code(thing):
                found[id(thing)] = thing
            for each in list(vars(thing).values()):
                visit(each, depth + 1)

    visit(step, 0)
    return list(found.values())


_HOLDERS = ("_CalibratedClassifier",)
"""Classes of libraries that are no estimators and hold some."""
_DEEPEST = 12
_LONGEST = 1000
