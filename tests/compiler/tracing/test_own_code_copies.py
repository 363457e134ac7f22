"""Own code in all the shapes that Python has, recorded as it is: it gives what it gives without the recorder."""

import contextlib
import functools
import itertools
import logging
import math
import operator
import warnings
from collections import defaultdict, namedtuple
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property, partial, partialmethod, reduce
from typing import Any, ClassVar

import numpy as np
import own_parts.formulas as f
import pandas as pd
import pytest
from own_parts.bases import Step
from own_parts.formulas import halved as halve
from own_parts.formulas import logged, total
from own_parts.stars import *  # noqa: F403
from pandas import DataFrame as Table
from pandas import concat
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_array, check_is_fitted, validate_data
from tracing import check, own_step, record_step, refusal

from pipeline_lib.compiler.tracing.refusals import TraceRefusedError

X = pd.DataFrame(
    {
        "a": [1.0, -2.0, 3.5, 0.0, 7.25],
        "b": [4, 5, -6, 0, 9],
        "word": pd.Series(["x", "y", "zed", "", "x"], dtype="str"),
    }
)
OTHER = pd.DataFrame(
    {"a": [-0.0, 1e9, np.nan], "b": [2**40, -1, 3], "word": pd.Series(["zed", "new", "y"], dtype="str")}
)
LOG = logging.getLogger(__name__)
FACTOR = 2.5
LABELS = {"x": 1, "y": 2}
NUMBERS = (1, 2, 3)


def doubled(column, factor=2):
    return column * factor


def announced(function):
    @functools.wraps(function)
    def call(*args, **options):
        print("calling", function.__name__)
        return function(*args, **options)

    return call


def times(factor):
    def decorate(function):
        @functools.wraps(function)
        def call(self, X):
            return function(self, X) * factor

        return call

    return decorate


def parts(X, names):
    for name in names:
        yield X[name] + 1


@functools.cache
def threshold(name):
    return {"a": 1.5}.get(name, 0.0)


def factorial(n):
    return 1 if n < 2 else n * factorial(n - 1)


class Kind(Enum):
    LOW = "low"
    HIGH = "high"


Limits = namedtuple("Limits", "low high")


@dataclass
class Settings:
    factor: float = 3.0
    names: list = field(default_factory=lambda: ["a"])

    def scaled(self, column):
        return column * self.factor


SETTINGS = Settings()
tenfold = partial(doubled, factor=10)


def module_alias(self, X):
    return X[["a"]].assign(a=f.shifted(X["a"]))


def name_alias(self, X):
    return halve(X[["a", "b"]], ["a"])


def star_import(self, X):
    return X[["b"]].assign(b=tripled(X["b"]) + TRIPLE)  # noqa: F405


def pandas_aliases(self, X):
    return concat([Table({"n": X["a"]}), X[["b"]]], axis=1)


def recursion(self, X):
    return X[["a"]].assign(s=total([X["a"], X["b"], X["a"]]), n=factorial(5))


def logs(self, X):
    return X[["b"]].assign(b=logged(X["b"]))


def nested_functions(self, X):
    offset = 4

    def inner(column):
        def innermost(c):
            return c + offset

        return innermost(column) * FACTOR

    return X[["a"]].assign(a=inner(X["a"]))


def loop_of_closures(self, X):
    functions = []
    for power in (1, 2, 3):
        functions.append(lambda c, p=power: c * p)
    late = [lambda c: c * power for _ in range(2)]
    return X[["a"]].assign(**{f"p{i}": g(X["a"]) for i, g in enumerate(functions + late)})


def keywords(self, X, *extra, names=("a", "b"), **options):
    return X[list(names)]


def partials(self, X):
    local = partial(doubled, factor=7)
    return X[["a"]].assign(ten=tenfold(X["a"]), seven=local(X["a"]), fixed=partial(doubled, X["b"])())


def builtin_names(self, X):
    sum = X["a"] + X["b"]
    max = lambda c: c * 2  # noqa: E731
    return X[["a"]].assign(sum=sum, max=max(X["a"]))


def walrus(self, X):
    if (n := len(X.columns)) > 2:
        X = X.assign(n=n)
    return X[["a", "n"]]


def matched(self, X):
    match self.mode_:
        case "log":
            X = X.assign(a=np.log1p(X["b"].clip(lower=0)))
        case {"factor": factor}:
            X = X.assign(a=X["a"] * factor)
        case _:
            X = X.assign(a=0.0)
    return X[["a"]]


def names_made(self, X):
    X = X[["a", "b"]].copy()
    for name in ("a", "b"):
        X[f"{name}_{len(name)}x{2:02d}"] = X[name] + 1
        X["%s_percent" % name] = X[name]  # noqa: UP031  as own code has it
        X["{}.format".format(name)] = X[name]  # noqa: UP032
        X["_".join([name, "joined"])] = X[name]
    return X


def try_plain(self, X):
    try:
        factor = self.table_["missing"]
    except KeyError:
        factor = 3
    try:
        number = int(self.text_)
    except ValueError:
        number = -1
    finally:
        number += 1
    with contextlib.suppress(ZeroDivisionError):
        number /= 0
    return X[["a"]].assign(a=X["a"] * factor + number)


def prints_and_warns(self, X):
    print("rows", self.names_, X.shape, f"{len(X)} rows of {X['a']}", str(len(X)))
    warnings.warn(f"be careful with {len(X)} rows", stacklevel=2)
    LOG.info("transforming %s", X)
    LOG.info(f"transforming {X.shape}")
    self.log_.debug("rows {}".format(X.shape[0]))  # noqa: UP032
    logging.getLogger("x").debug("done")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return X[["a"]] * 2


def with_contexts(self, X):
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = X["a"] / X["b"]
    with pd.option_context("display.max_rows", 5):
        return X[["a"]].assign(ratio=ratio)


def generators(self, X):
    first, second = parts(X, ["a", "b"])
    return X[["a"]].assign(first=first, second=second, total=sum(parts(X, ["a", "b"])))


def comprehensions(self, X):
    new = {name.upper(): column * 2 for name, column in ((n, X[n]) for n in X.columns if n != "word")}
    return pd.DataFrame(new)


def cached(self, X):
    return X[["a"]].assign(a=X["a"] > threshold("a"))


def helpers_of_python(self, X):
    added = reduce(lambda left, right: left + right, [X["a"], X["b"], X["a"]])
    pick = operator.itemgetter("a")
    product = reduce(operator.mul, [X["a"], X["b"]])
    pairs = [X[m] * X[n] for m, n in itertools.combinations(["a", "b"], 2)]
    columns = list(map(X.__getitem__, ["a", "b"]))
    chained = list(itertools.chain(columns, [X["b"]]))
    zipped = dict(zip(["u", "v", "w"], chained, strict=True))
    return X[["a"]].assign(added=added, picked=pick(X), product=product, pair=pairs[0], **zipped)


def plain_values(self, X):
    table = defaultdict(int, {"k": 1})
    table["seen"] += 2
    names = sorted({"a", "b"} | set(self.names_))
    low, high = Limits(1, 2)
    flags = [any(n > 2 for n in NUMBERS), all(NUMBERS), max(NUMBERS), round(math.pi, 3)]
    return X[names].assign(k=table["k"] + table["seen"], low=low, high=high, pi=flags[3], kind=Kind("low").value)


def helper_objects(self, X):
    return X[["a"]].assign(a=self.settings_.scaled(X["a"]), g=SETTINGS.scaled(X["a"]), f=SETTINGS.factor)


def held_functions(self, X):
    return X[["a"]].assign(a=self.function_(X["a"]), c=self.lambda_(X["a"]), d=self.functions_["b"](X["b"]))


def held_scalers(self, X):
    scaled = self.scalers_["a"].transform(X[["a"]])
    return pd.DataFrame(scaled, columns=["a"], index=X.index)


def types_of_things(self, X):
    assert isinstance(X, pd.DataFrame)
    assert type(X) is pd.DataFrame
    assert type(X) == pd.DataFrame  # noqa: E721  as own code has it
    assert X.__class__.__name__ == "DataFrame"
    assert isinstance(X["a"], (pd.Series, list))
    assert issubclass(type(X), pd.DataFrame)
    assert not isinstance(X, np.ndarray)
    assert hasattr(X, "mean")
    assert not hasattr(X, "nonsense")
    assert callable(X.copy)
    kinds = {float: "real", int: "whole"}
    return type(X)({"a": X["a"]}).assign(kind=kinds[float], size=np.dtype(float).itemsize)


def copies(self, X):
    table = self.table_.copy()
    table["new"] = 5
    names = list(self.names_)
    names.append("b")
    return X[names].assign(new=table["new"], n=len(table))


SHAPES = {
    function.__name__: (function, state)
    for function, state in [
        *[(each, {}) for each in (module_alias, name_alias, star_import, pandas_aliases, recursion, logs)],
        *[(each, {}) for each in (nested_functions, loop_of_closures, keywords, partials, builtin_names, walrus)],
        *[(each, {}) for each in (names_made, with_contexts, generators, comprehensions, cached, types_of_things)],
        (matched, {"mode_": "log"}),
        (matched, {"mode_": {"factor": 3}}),
        (try_plain, {"table_": {"k": 1}, "text_": "none"}),
        (prints_and_warns, {"names_": ["a"], "log_": LOG}),
        (helpers_of_python, {}),
        (plain_values, {"names_": ["a"]}),
        (helper_objects, {"settings_": Settings(4.0)}),
        (
            held_functions,
            {"function_": np.negative, "lambda_": lambda c: np.where(c > 0, c, 0.0), "functions_": {"b": doubled}},
        ),
        (held_scalers, {"scalers_": {"a": StandardScaler().fit(X[["a"]])}}),
        (copies, {"table_": {"k": 1}, "names_": ["a"]}),
    ]
}


@pytest.mark.parametrize("name", SHAPES)
def test_a_shape_of_code_is_recorded_as_it_is(name: str) -> None:
    function, state = SHAPES[name]
    check(function, X, OTHER, state=state, bounded=True)


class Child(Step):
    names: ClassVar[tuple[str, ...]] = ("b", "a")

    def transform(self, X):
        X = super().transform(X)
        X = X.assign(twice=self.twice(X["b"]), square=self.squared(X["b"]), mean=self.doubled_mean)
        return self.named(X, "twice").assign(cached=self.constant, times=Step.squared(X["a"]), kind=type(self).__name__)

    def changed(self, column):
        return super().changed(column) + 1

    def scaled_by(self, column, factor):
        return column * factor

    twice = partialmethod(scaled_by, factor=2)

    @cached_property
    def constant(self):
        return self.mean_ + 1


class Decorated(Step):
    @announced
    @times(3)
    def transform(self, X):
        return self.chosen(X)


@dataclass
class DataStep(TransformerMixin, BaseEstimator):
    factor: float = 2.0

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return X[["a"]] * self.factor


class Slotted(Step):
    def __init__(self, factor=2):
        self.factor = factor

    def __getattr__(self, name):
        if name == "dynamic":
            return self.factor * 10
        raise AttributeError(name)

    def transform(self, X):
        return X[["a"]] * self.dynamic + (5 if hasattr(self, "unknown") else 0)


class Called(Step):
    def __call__(self, X):
        return X[["a"]] * 2

    def transform(self, X):
        return self(X)


class Checked(Step):
    def transform(self, X):
        check_is_fitted(self, "mean_")
        check_is_fitted(self)
        values = check_array(X[["a", "b"]], ensure_all_finite=False)
        made = np.zeros((len(X), 3))
        made[:, 0] = values[:, 0]
        made[:, 1] = np.ones(len(X))
        made[:, 2] = np.full(X.shape[0], self.mean_)
        return pd.DataFrame(made, columns=["p", "q", "r"], index=X.index)


class Validated(Step):
    def fit(self, X, y=None):
        validate_data(self, X, skip_check_array=True)
        return super().fit(X)

    def transform(self, X):
        return validate_data(self, X, reset=False, skip_check_array=True)[["a", "b"]]


class Constants(Step):
    FACTORS: ClassVar[list[float]] = [2.0, 3.0]
    FUNCTION = staticmethod(np.log1p)

    class Options:
        offset = 5

    def transform(self, X):
        logged = self.FUNCTION(X["b"].clip(lower=0))
        return X[["a"]].assign(a=X["a"] * Constants.FACTORS[0] + self.Options.offset, b=logged * type(self).FACTORS[1])


class Held(Step):
    def fit(self, X, y=None):
        self.numpy_, self.change_ = np, lambda column: column + 1
        return super().fit(X)

    def transform(self, X):
        return X[["a"]].assign(z=self.numpy_.log1p(X["b"].clip(lower=0)), y=self.change_(X["a"]))


class Special(Step):
    def __len__(self):
        return 0

    def __getitem__(self, name):
        return {"k": 7}[name]

    def __str__(self):
        return "special"

    def transform(self, X):
        return X[["a"]].assign(z=len(self), y=self["k"], w=f"{self}", v=1 if self else 2, u=repr(self.mean_))


KINDS = [Step, Child, Decorated, DataStep, Slotted, Called, Checked, Validated, Constants, Held, Special]


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_of_class_is_recorded_as_it_is(kind: Any) -> None:
    step = kind().fit(X)
    check(lambda self, data: self.step_.transform(data), X, OTHER, state={"step_": step})
    assert list(record_step(step, X).outputs) == list(map(str, step.transform(X).columns))


def test_the_state_of_the_step_is_left_alone() -> None:
    def transform(self, data):
        names = self.names_
        names = [*names, "b"]
        return data[names] * self.array_

    state = {"names_": ["a"], "array_": np.array([2.0, 3.0])}
    check(transform, X, OTHER, state=state)
    assert state["names_"] == ["a"]
    assert state["array_"].tolist() == [2.0, 3.0]


def test_a_single_dispatch_function_is_refused_by_name() -> None:
    @functools.singledispatch
    def general(thing):
        return thing

    @general.register(pd.DataFrame)
    def special(thing):
        return thing * 2

    assert "general() " in refusal(lambda self, data: self.general_(data[["a"]]), X, state={"general_": general}) + " "


class Answering(Step):
    def __getattribute__(self, name):
        return 5 if name == "magic" else super().__getattribute__(name)

    def transform(self, X):
        return X[["a"]] * getattr(self, "magic", 1)


def test_a_class_that_answers_for_each_attribute_is_refused() -> None:
    with pytest.raises(TraceRefusedError, match=r"a class with `__getattribute__`: .*; write a property"):
        record_step(Answering().fit(X), X)


def test_a_method_set_on_the_object_is_recorded() -> None:
    step = Step().fit(X)
    step.changed = lambda column: column * 7
    check(lambda self, data: self.step_.transform(data), X, OTHER, state={"step_": step})


def test_each_recording_makes_its_own_copies() -> None:
    step = own_step(module_alias).fit(X)
    first, second = record_step(step, X), record_step(step, X)
    assert first.nodes == second.nodes
    assert f.shifted(1) == 4
