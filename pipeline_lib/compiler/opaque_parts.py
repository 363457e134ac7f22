"""The opaque steps of one compilation, also inside other steps: only what has no plan runs through its library.

A ColumnTransformer, a Pipeline or a VotingClassifier whose inner step has no plan keeps its other parts exact. What the
inner step receives is seen while the fitted step is called on the training rows, with a watcher on each step inside:

    columns.transform(X) -> encode.transform(X[["city"]])    encode has no plan: it becomes the step `columns__encode`
                         -> scale.transform(X[["size"]])     scale has one
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import wraps
from typing import Any

import numpy as np

from pipeline_lib.compiled.library_columns import pandas_frame
from pipeline_lib.compiled.plan import Node
from pipeline_lib.compiler.adapters.registry import Columns, NoPlanError, Outputs, RefusedStepError
from pipeline_lib.compiler.builder import Builder, Value
from pipeline_lib.compiler.opaque_step import METHODS, Loading, OpaqueStep
from pipeline_lib.errors import InputError

_DEEPEST = 12
_LONGEST = 1000  # items of a list that is searched for steps


class OpaqueParts:
    """The opaque steps of a compilation by name, made when a plan asks for them."""

    def __init__(self, loading: Loading) -> None:
        self.loading = loading
        self.steps: dict[str, OpaqueStep] = {}
        self.why: dict[str, NoPlanError] = {}
        self.failure: InputError | None = None  # why the last step could not be stored
        self._made: dict[tuple[int, str], OpaqueStep | InputError] = {}
        self._received: dict[int, Any] = {}
        self._names: dict[int, str] = {}
        self._forced: dict[int, InputError] = {}
        self._kept: list[Any] = []  # so that no other object gets their ids

    def watch(self, name: str, step: Any, data: Any, call: Callable[[], object]) -> None:
        """Note what the steps inside a fitted step receive during a call, and what it receives itself."""
        import joblib  # type: ignore[import-untyped]

        self.failure = None
        inner = {id(each): (path, each) for path, each in inner_steps(name, step) if each is not step}
        self._kept += [step, *(each for _, each in inner.values())]
        self._names |= {id(step): name} | {key: path for key, (path, _) in inner.items()}
        self._received[id(step)] = data
        with self._watching([each for _, each in inner.values()]), joblib.parallel_config("sequential"):
            call()

    def force(self, step: Any, why: InputError) -> None:
        """Run a step through its library though it has a plan, which differs from it."""
        self._forced[id(step)] = why

    def check_plan(self, step: Any) -> None:
        """Raise NoPlanError for a step whose plan must not be used."""
        if id(step) in self._forced:
            raise NoPlanError(str(self._forced[id(step)]))

    def inside(self, name: str) -> list[OpaqueStep]:
        """The opaque steps inside a step of this name, and itself."""
        whole = self.steps.get(name)
        return [whole] if whole else [part for key, part in self.steps.items() if key.startswith(f"{name}__")]

    def transform(self, step: Any, columns: Columns, build: Builder, error: NoPlanError) -> Columns:
        """The columns of a transformer that has no plan. Raises `error` where its library cannot run it either."""
        return self._opaque(step, METHODS[:1], error).write("transform", columns, build)

    def predict(self, step: Any, values: Sequence[Value], build: Builder, error: NoPlanError) -> Outputs:
        """The outputs of an estimator that has no plan. Raises `error` where its library cannot run it either."""
        opaque = self._opaque(step, METHODS[1:], error)
        columns = {str(index): value for index, value in enumerate(values)}
        written = {
            method: list(opaque.write(method, columns, build).values()) if method in opaque.results else []
            for method in METHODS[1:]
        }
        return Outputs(*written.values())

    def nodes(self, nodes: Sequence[Node]) -> list[Node]:
        """The nodes of a plan, where those of opaque steps can be evaluated."""
        return [
            replace(node, settings={**node.settings, "runner": self._runner(node, nodes)})
            if node.operation == "opaque"
            else node
            for node in nodes
        ]

    def _runner(self, node: Node, nodes: Sequence[Node]) -> Any:
        dtypes = [nodes[taken].dtype for taken in node.inputs]
        return self.steps[node.settings["step"]].runner(node.settings, dtypes)

    def _opaque(self, step: Any, methods: Sequence[str], error: NoPlanError) -> OpaqueStep:
        if id(step) not in self._received:
            raise error
        key = (id(step), methods[0])  # a step such as KMeans may be a transformer or the last step
        if key not in self._made:
            name, data = self._free_name(id(step)), self._received[id(step)]
            try:
                self._made[key] = OpaqueStep.of(name, step, data, self.loading, methods)
            except RefusedStepError:
                raise
            except InputError as failure:
                self._made[key] = failure
            except Exception as failure:  # the library's own code
                self._made[key] = InputError(f"{type(step).__name__}: found {type(failure).__name__}: {failure}")
        made = self._made[key]
        if isinstance(made, InputError):
            self.failure = self.failure or made  # that of the innermost step says most
            raise error
        self.steps[made.name] = made
        self.why.setdefault(made.name, error)
        return made

    def _free_name(self, key: int) -> str:
        name = self._names[key]
        while name in self.steps:
            name += "_"
        return name

    @contextmanager
    def _watching(self, steps: Sequence[Any]) -> Iterator[None]:
        watched = [(each, method) for each in steps for method in METHODS if callable(getattr(each, method, None))]
        before = [vars(each).get(method) for each, method in watched]
        try:
            for each, method in watched:
                vars(each)[method] = self._watcher(each, getattr(each, method))
            yield
        finally:
            for (each, method), old in zip(watched, before, strict=True):
                if old is None:
                    vars(each).pop(method, None)
                else:
                    vars(each)[method] = old

    def _watcher(self, step: Any, method: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(method)  # scikit-learn asks methods for their names
        def watched(X: Any, *args: Any, **options: Any) -> Any:
            if hasattr(X, "shape"):
                self._received.setdefault(id(step), pandas_frame(X).copy())
            elif isinstance(X, list):
                self._received.setdefault(id(step), np.array(X, dtype=object))
            return method(X, *args, **options)

        return watched


def inner_steps(name: str, step: Any) -> Iterator[tuple[str, Any]]:
    """The fitted objects inside a step, and itself, each with its path: `columns__encode`, `vote__estimators_0`."""
    seen: set[int] = set()

    def visit(path: str, thing: Any, depth: int) -> Iterator[tuple[str, Any]]:
        if id(thing) in seen or depth > _DEEPEST:
            return
        seen.add(id(thing))
        if isinstance(thing, Mapping):
            for key, each in thing.items() if len(thing) <= _LONGEST else ():
                yield from visit(f"{path}__{key}", each, depth + 1)
        elif isinstance(thing, list | tuple) or (isinstance(thing, np.ndarray) and thing.dtype == object):
            for index, each in enumerate(thing) if len(thing) <= _LONGEST else ():
                named = isinstance(each, tuple) and len(each) > 1 and isinstance(each[0], str)
                inside = f"{path.rpartition('__')[0]}__{each[0]}" if named else f"{path}_{index}"
                yield from visit(inside, each[1] if named else each, depth + 1)
        elif hasattr(thing, "fit") and hasattr(thing, "__dict__") and not isinstance(thing, type):
            yield path, thing
            for key, each in list(vars(thing).items()):
                yield from visit(f"{path}__{key}", each, depth + 1)

    yield from visit(name, step, 0)
