"""Columns become no Python values, refusals cannot be swallowed, no module is patched, and wrong rules are seen."""

import builtins
import contextlib
import datetime
import json
import linecache
import operator
import os
import pickle
import random
import re
import sys
import time
from typing import Any

import numpy as np
import pandas as pd
import pytest
from own_refusals import X, assert_refused, line_of
from tracing import own_step, record_step, refusal

from pipeline_lib.compiler.tracing import recorded
from pipeline_lib.compiler.tracing.recording import Recording

SEEN: list[Any] = []


def global_list(self, X):
    SEEN.append(1)
    return X.assign(z=len(SEEN))


# A column never becomes a bool, number, string, list, array or iterator, and no library runs on it


def as_bool(self, X):
    return X[["a"]] if X["a"] > 0 else X[["b"]]


def as_bool_of_frame(self, X):
    return X if X else None


def negated(self, X):
    return X if not X["flag"] else None


def either(self, X):
    return X.assign(z=X["a"] or 0)


def chained(self, X):
    return X.assign(z=0 < X["a"] < 3)


def maximum(self, X):
    return X.assign(z=max(X["a"], 0))


def maximum_of_two(self, X):
    return X.assign(z=max(X["a"], X["b"]))


def any_of_columns(self, X):
    return X.assign(z=any(X[name] > 0 for name in ("a", "b")))


def as_float(self, X):
    return X.assign(z=float(X["a"]))


def as_index(self, X):
    return X.assign(z=[1, 2, 3][X["a"]])


def as_range(self, X):
    return X.assign(z=sum(range(X["a"])))


def as_text(self, X):
    return X.assign(z=f"{X['a']}")


def as_formatted(self, X):
    return X.assign(z="{}".format(X["a"]))


def as_percent(self, X):
    return X.assign(z="%s" % X["a"])  # noqa: UP031


def as_repr(self, X):
    return X.assign(z=repr(X["a"]))


def as_joined(self, X):
    return X.assign(z="-".join(X["t"]))


def as_list(self, X):
    return X.assign(z=list(X["a"]))


def count_as_text(self, X):
    return X.assign(z=f"{len(X)}")


def shape_as_text(self, X):
    z = f"{X.shape}"
    print(z)
    return X.assign(z=z)


def count_in_list(self, X):
    texts = []
    texts.append(f"{len(X)}")
    return X.assign(z=texts[0])


def count_divided(self, X):
    return X.assign(z=X["a"] / len(X))


def count_of_shape(self, X):
    return X.assign(z=X.shape[0] * 2)


def count_as_range(self, X):
    return X.assign(z=[2 * number for number in range(len(X))])


@pytest.mark.parametrize(
    "function", [count_as_text, shape_as_text, count_in_list, count_divided, count_of_shape, count_as_range]
)
def test_the_number_of_rows_becomes_no_value(function: Any) -> None:
    line = {"shape_as_text": "z = f", "count_in_list": "append"}.get(function.__name__, "z=")
    assert_refused(function, line, "for one row it would answer otherwise than for many")


def as_sorted(self, X):
    return X.assign(z=sorted(X["a"]))


def as_sum(self, X):
    return X.assign(z=sum(X["a"]))


def as_loop(self, X):
    return X.assign(z=[value + 1 for value in X["a"]])


def as_loop_of_values(self, X):
    return X.assign(z=[value + 1 for value in X["a"].values])


def as_enumerated(self, X):
    return X.assign(z=[i * value for i, value in enumerate(X["a"])])


def as_zipped(self, X):
    return X.assign(z=[a + b for a, b in zip(X["a"], X["b"], strict=True)])


def as_reversed(self, X):
    return X.assign(z=list(reversed(X["a"])))


def as_key(self, X):
    return X.assign(z={1: 2}[X["a"]])


def as_member(self, X):
    return X if 3 in X["a"] else None


def as_member_of_values(self, X):
    return X if 3 in X["a"].values else None


def as_json(self, X):
    return X.assign(z=json.dumps(X["t"]))


def as_pickle(self, X):
    return X.assign(z=len(pickle.dumps(X["a"])))


def as_power(self, X):
    return X.assign(z=pow(2, X["a"], 5))


def as_identity(self, X):
    return X.assign(z=[value is None for value in X["t"]])


def as_set(self, X):
    return X.assign(z=len({*X["t"]}))


def as_rounded(self, X):
    return X.assign(z=operator.index(X["a"]))


COLUMNS = [as_bool, as_bool_of_frame, negated, either, chained, maximum, maximum_of_two, any_of_columns, as_float]
COLUMNS += [as_index, as_range, as_text, as_formatted, as_percent, as_repr, as_joined, as_list, as_sorted, as_sum]
COLUMNS += [as_loop, as_loop_of_values, as_enumerated, as_zipped, as_reversed, as_key, as_member, as_member_of_values]
COLUMNS += [as_json, as_pickle, as_power, as_identity, as_set, as_rounded]
FORMATTED = (as_text, as_formatted, as_percent, as_repr)
BRANCHES = (as_bool, as_bool_of_frame, negated, either, chained, maximum, maximum_of_two, any_of_columns)
LOOPS = (as_joined, as_list, as_sorted, as_sum, as_loop, as_enumerated, as_zipped, as_member, as_identity, as_set)


@pytest.mark.parametrize("function", COLUMNS)
def test_a_column_becomes_no_python_value(function: Any) -> None:
    message = assert_refused(function, "return ")
    if function in FORMATTED:
        assert "written into a text" in message
        assert "column.astype(str)" in message
    if function in BRANCHES:
        assert "each row may take another branch" in message
        assert "np.where(condition, then, other)" in message
    if function in LOOPS:
        assert "a loop over a Series" in message
        assert "methods of the column" in message


def unknown_method(self, X):
    return X.assign(z=X["a"].autocorr())


def unknown_function(self, X):
    return X.assign(z=np.convolve(X["a"], [1, 2]))


def unknown_argument(self, X):
    return X.assign(z=X["b"].fillna(0, limit=1))


def unknown_accessor(self, X):
    return X.assign(z=X["a"].list.len())


@pytest.mark.parametrize("function", [unknown_method, unknown_function, unknown_argument])
def test_what_has_no_rule_is_refused_by_name(function: Any) -> None:
    name = {"unknown_method": "autocorr", "unknown_function": "numpy.convolve", "unknown_argument": "fillna"}
    assert_refused(function, "z=", name[function.__name__])


# A refusal is latched


def swallowed_by_exception(self, X):
    try:
        mean = X["a"].mean()
    except Exception:
        mean = 0
    return X.assign(z=mean)


def swallowed_by_everything(self, X):
    try:
        mean = X["a"].mean()
    except:  # noqa: E722
        mean = 0
    return X.assign(z=mean)


def swallowed_by_suppress(self, X):
    mean = 0
    with contextlib.suppress(Exception):
        mean = X["a"].mean()
    return X.assign(z=mean)


def swallowed_by_finally(self, X):
    try:
        X["a"].mean()
    finally:
        return X.assign(z=0)  # noqa: B012


def swallowed_by_helper(self, X):
    def attempt(function):
        try:
            return function()
        except ValueError:
            return 0

    mean = attempt(lambda: X["a"].mean())
    return X.assign(z=mean)


LATCHED = [swallowed_by_exception, swallowed_by_everything, swallowed_by_suppress, swallowed_by_finally]


@pytest.mark.parametrize("function", [*LATCHED, swallowed_by_helper])
def test_a_refusal_cannot_be_swallowed(function: Any) -> None:
    assert_refused(function, "mean()", "`mean` of a Series")


def caught_type_error(self, X):
    try:
        z = "a".join([X["t"], X["t"]])
    except TypeError:
        z = "none"
    return X.assign(z=z)


def caught_in_text(self, X):
    try:
        z = X["t"] in "abc"
    except TypeError:
        z = False
    return X.assign(z=z)


def caught_replace(self, X):
    try:
        z = "abc".replace("b", X["t"])
    except Exception:
        z = "abc"
    return X.assign(z=z)


def caught_order(self, X):
    def code(value):
        try:
            return ord(value)
        except TypeError:
            return -1

    return X.assign(z=code(X["t"]))


@pytest.mark.parametrize("function", [caught_type_error, caught_in_text, caught_replace, caught_order])
def test_an_error_that_only_the_recording_causes_is_latched(function: Any) -> None:
    line = {"caught_order": "ord(value)"}.get(function.__name__, "z = ")
    assert_refused(function, line, "TypeError", "which only the recording raises")


def raised_in_code(self, X):
    return X.assign(z={"a": 1}["missing"])


def raised_in_helper(self, X):
    def helper():
        raise ValueError("no such thing")

    return helper()


@pytest.mark.parametrize(
    ("function", "line", "error"),
    [(raised_in_code, '["missing"]', "KeyError: 'missing'"), (raised_in_helper, "raise", "ValueError: no such thing")],
)
def test_an_error_of_own_code_is_a_refusal(function: Any, line: str, error: str) -> None:
    assert_refused(function, line, error)


def test_a_trace_function_of_others_is_left_as_it_was() -> None:
    before = sys.gettrace()
    refusal(swallowed_by_helper, X)
    refusal(global_list, X)
    assert sys.gettrace() is before


# No module is patched


def _snapshot() -> list[int]:
    modules = [builtins, pd, np, datetime, random, time, os, json]
    return [id(vars(module)[name]) for module in modules for name in sorted(vars(module)) if not name.startswith("__")]


def test_no_module_is_patched_while_own_code_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    before, during = _snapshot(), []
    perform = Recording.perform

    def watched(self: Any, *args: Any, **options: Any) -> Any:
        during.append(_snapshot())
        return perform(self, *args, **options)

    monkeypatch.setattr(Recording, "perform", watched)
    record_step(own_step(lambda self, X: np.log1p(X[["a"]].clip(lower=0)).astype(float) * len([1])).fit(X), X)
    assert len(during) > 3
    assert all(each == before for each in during)


def by_another_path(self, X):
    return X.assign(z=sys.modules["pandas"].concat([X["a"]]).mean())


def test_a_module_by_another_path_is_still_closed() -> None:
    assert_refused(by_another_path, "z=", "found sys.modules: production has another environment")


# Shadows and rules


def unstable_dtype(self, X):
    return X.assign(z=X["t"].map({"x": 1, "y": 2}).astype(str))


def test_a_dtype_that_depends_on_the_batch_is_refused_where_it_matters() -> None:
    assert_refused(unstable_dtype, "z=", "'1' in one batch is '1.0' in another")


def absolute(self, X):
    X = X.copy()
    X["z"] = X["a"].abs()
    return X


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda call: call.value, "where the recorder's rule gives -2 and the library 2"),
        (lambda call: [call.value, call.value], "gives 1 columns for some rows and 2 for others"),
        (lambda call: call.build.value(7), "where the recorder's rule gives 7 and the library 3"),
    ],
)
def test_a_wrong_rule_is_named_with_the_line(wrong: Any, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(recorded.RULES, ("series", "abs"), recorded.Entry(wrong))
    assert_refused(absolute, "abs()", says)


def test_a_rule_that_raises_is_an_error_of_the_recorder_not_a_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(recorded.RULES, ("series", "abs"), recorded.Entry(lambda call: 1 / 0))
    assert_refused(absolute, "abs()", "ZeroDivisionError")


# The message


def test_the_message_names_a_notebook_cell() -> None:
    source = "def transform(self, X):\n    return X.assign(z=X['a'].rank())\n"
    name = "ipykernel_1/123.py"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    space: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(source, name, "exec"), space)  # noqa: S102  as a notebook does
    try:
        message = refusal(space["transform"], X)
        assert "ipykernel_1/123.py, line 2: return X.assign(z=X['a'].rank()): found `rank`" in message
    finally:
        del linecache.cache[name]


def test_the_message_names_the_line_in_the_innermost_own_function() -> None:
    def centre(column):
        return column - column.median()

    def transform(self, X):
        return X.assign(z=centre(X["a"]))

    message = refusal(transform, X)
    assert f"{line_of(centre, 'median')}: found `median` of a Series" in message
    assert re.search(r"found .*: .*; .*", message)
