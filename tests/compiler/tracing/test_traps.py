"""Nasty but plausible own steps: each is recorded right, by rows and in a batch, or refused with a useful message."""

from typing import Any

import pytest
from own_parts.traps import NEW, REFUSED, RIGHT, STATE, X
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.dummy import DummyRegressor
from sklearn.pipeline import Pipeline
from tracing import check, refusal

from pipeline_lib.compiler.compile import compile_pipeline

pytestmark = pytest.mark.filterwarnings("ignore::pandas.errors.ChainedAssignmentError", "ignore:.*encountered in")


@pytest.mark.parametrize("function", RIGHT, ids=lambda function: function.__name__)
def test_a_trap_is_recorded_right(function: Any) -> None:
    check(function, X, NEW, state=STATE, bounded=True, may_refuse=True)


class Step(TransformerMixin, BaseEstimator):
    def fit(self, X, y=None):
        return self


COMPILED = [pytest.param(each, marks=[pytest.mark.slow] if index % 4 else []) for index, each in enumerate(RIGHT)]


@pytest.mark.parametrize("function", COMPILED, ids=[function.__name__ for function in RIGHT])
def test_a_trap_compiles_with_all_checks(function: Any) -> None:
    step = type("Trap", (Step,), {"transform": function})()
    vars(step).update(STATE)
    fitted = Pipeline([("trap", step), ("last", DummyRegressor())]).fit(X.copy(), X["c"])
    report = compile_pipeline(fitted, like=X, library="own_parts").report
    assert report.exact
    assert report.steps[0].edge_differs == 0


@pytest.mark.parametrize(("function", "says"), REFUSED, ids=[function.__name__ for function, _ in REFUSED])
def test_a_trap_is_refused(function: Any, says: str) -> None:
    message = refusal(function, X, state=STATE)
    assert says in message, message
    assert "found " in message
    assert "own_parts/traps.py, line " in message or " returned: " in message


def test_there_are_more_than_forty_traps() -> None:
    assert len({function.__name__ for function in [*RIGHT, *(each for each, _ in REFUSED)]}) > 100
