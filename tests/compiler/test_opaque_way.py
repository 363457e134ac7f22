"""What a refusal offers has been tried on this very step; what did not work is named with its reason."""

import re
import sys
import types
from typing import Any

import category_encoders
import numpy as np
import pandas as pd
import pytest
from opaque_models import assert_same_for_any_batch, labels, numbers, opaque, without_plan, words
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import VotingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, SplineTransformer, StandardScaler
from sklearn.tree import DecisionTreeClassifier
from xgboost import XGBRegressor

from pipeline_lib import InputError, compile_pipeline
from pipeline_lib.compiler.adapters.registry import NoPlanError, RefusedStepError

pytestmark = pytest.mark.filterwarnings("ignore:'future.no_silent_downcasting' is deprecated")
OWN = """
import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin

class Renamed(TransformerMixin, BaseEstimator):
    def __init__(self, by=2.0, n_jobs=None):
        self.factor = by

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return np.nextafter(X * self.factor, np.inf)
"""


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A class that keeps an argument under another name, exported by a package `savings`."""
    modules = {name: types.ModuleType(name) for name in ("savings", "savings.steps", "savings.steps.own")}
    exec(OWN, vars(modules["savings.steps.own"]))  # noqa: S102 (the text above)
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    return modules["savings.steps.own"].Renamed


def offered(fitted: Any, like: Any) -> dict[str, Any]:
    """The arguments that the refusal offers."""
    with pytest.raises(NoPlanError) as caught:
        compile_pipeline(fitted, like=like)
    found = re.search(r"compile with (.*?) to run ", str(caught.value))
    assert found, str(caught.value)
    return dict(eval(f"dict({found[1]})"))  # noqa: S307  the message's own words


class Mean(TransformerMixin, BaseEstimator):
    """Subtracts the batch's own mean, so that rows affect each other."""

    def fit(self, X: Any, y: Any = None) -> "Mean":
        return self

    def transform(self, X: Any) -> Any:
        return X - X.mean()


class Next(TransformerMixin, BaseEstimator):
    """Cannot be recorded, and no production can import it."""

    def fit(self, X: Any, y: Any = None) -> "Next":
        return self

    def transform(self, X: Any) -> Any:
        return np.nextafter(X, np.inf)


Next.__module__ = "__main__"


@pytest.mark.parametrize("without", ["DecisionTreeClassifier", "HashingEncoder"])
def test_what_a_refusal_offers_works(without: str, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = words() if without == "HashingEncoder" else numbers()
    first = category_encoders.HashingEncoder() if without == "HashingEncoder" else StandardScaler()
    fitted = make_pipeline(first, DecisionTreeClassifier(max_depth=3)).fit(frame, labels(classes=2))
    without_plan(monkeypatch, without)
    arguments = offered(fitted, frame)
    assert arguments.get("trust", ()) == (("category_encoders",) if without == "HashingEncoder" else ())
    model = compile_pipeline(fitted, like=frame, **arguments)
    assert model.predict(frame).tolist() == fitted.predict(frame).tolist()


def test_an_own_class_of_another_package_names_the_library(own: Any) -> None:
    """It keeps an argument under another name, so its parameters cannot be read."""
    frame = numbers()
    fitted = make_pipeline(own(3.0), LinearRegression()).fit(frame, frame["a"])
    with pytest.raises(AttributeError):
        fitted[0].get_params()
    arguments = offered(fitted, frame)
    assert arguments == {"allow_opaque": True, "library": "savings"}
    model = compile_pipeline(fitted, like=frame, **arguments)
    np.testing.assert_allclose(model.predict(frame), fitted.predict(frame), rtol=1e-12)
    assert_same_for_any_batch(model, frame)


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        (Mean(), "found other values for the same rows in a smaller batch"),
        (Next(), r"nor can next run as an opaque step, since __main__\.Next is not exported.*run `make export`"),
    ],
)
@pytest.mark.parametrize("options", [{}, {"allow_opaque": True, "trust": ("tests",)}])
def test_what_does_not_work_is_not_offered(step: Any, reason: str, options: dict[str, Any]) -> None:
    frame = numbers()
    fitted = make_pipeline(step, LinearRegression()).fit(frame, frame["a"])
    with pytest.raises(InputError, match=reason) as caught:
        compile_pipeline(fitted, like=frame, **options)
    assert "allow_opaque" not in str(caught.value)
    assert isinstance(caught.value, NoPlanError | RefusedStepError)


def test_the_innermost_step_gives_the_reason() -> None:
    """A ColumnTransformer holds an own step that no production can import, and an imputer that has a plan."""
    frame = numbers()
    columns = ColumnTransformer([("own", Next(), ["a"]), ("fill", SimpleImputer(), ["b"])])
    fitted = Pipeline([("columns", columns), ("model", LinearRegression())]).fit(frame, frame["a"])
    with pytest.raises(
        NoPlanError, match=r"nor can columns__own run as an opaque step, since __main__\.Next .*put `#\| export`"
    ):
        compile_pipeline(fitted, like=frame)


def test_one_branch_without_a_plan_leaves_the_others_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = words()
    columns = ColumnTransformer(
        [
            ("hash", category_encoders.HashingEncoder(n_components=4), ["city"]),
            ("fill", Pipeline([("impute", SimpleImputer()), ("scale", StandardScaler())]), ["a", "b"]),
            ("hot", OneHotEncoder(), ["kind"]),
        ]
    )
    fitted = Pipeline([("columns", columns), ("model", LogisticRegression())]).fit(frame, labels(classes=2))
    without_plan(monkeypatch, "HashingEncoder")
    assert offered(fitted, frame) == {"allow_opaque": True, "trust": ("category_encoders",)}
    with pytest.raises(NoPlanError, match="to run columns__hash through its library"):
        compile_pipeline(fitted, like=frame)
    model = opaque(fitted, frame, trust=("category_encoders",))
    assert model.report
    assert [(step.name, step.exact) for step in model.report.steps] == [
        ("columns", True),
        ("columns__hash", False),
        ("model", True),
    ]
    assert [node.settings["step"] for node in model.plan.nodes if node.operation == "opaque"] == ["columns__hash"]
    assert model.predict(frame).tolist() == fitted.predict(frame).tolist()
    assert_same_for_any_batch(model, frame)


def test_inner_steps_of_any_composite_may_be_opaque(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = numbers()
    union = FeatureUnion([("near", MinMaxScaler()), ("far", Pipeline([("scale", StandardScaler())]))])
    vote = VotingClassifier(
        [("line", LogisticRegression()), ("tree", DecisionTreeClassifier(max_depth=3))], voting="soft"
    )
    fitted = Pipeline([("union", union), ("vote", vote)]).fit(frame, labels())
    without_plan(monkeypatch, "StandardScaler", "DecisionTreeClassifier")
    model = opaque(fitted, frame)
    assert model.report
    assert [step.name for step in model.report.steps if not step.exact] == ["union__far__scale", "vote__estimators__1"]
    np.testing.assert_allclose(model.predict_proba(frame), fitted.predict_proba(frame), rtol=1e-12)
    assert_same_for_any_batch(model, frame)


def test_a_plan_that_differs_from_its_library_may_run_through_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library's plan is wrong, not the person's: there is nothing to correct in it."""
    from pipeline_lib.compiler.adapters import registry

    frame = numbers()
    fitted = make_pipeline(MinMaxScaler(), LinearRegression()).fit(frame, frame["a"])
    name = "sklearn.preprocessing._data.MinMaxScaler"
    known = registry._TRANSFORMERS[name]

    def wrong(step: Any, columns: Any, build: Any) -> Any:
        return {column: value * 2.0 for column, value in columns.items()}

    monkeypatch.setitem(registry._TRANSFORMERS, name, type(known)(wrong, known.options))
    assert offered(fitted, frame) == {"allow_opaque": True}
    model = opaque(fitted, frame)
    np.testing.assert_allclose(model.predict(frame), fitted.predict(frame), rtol=1e-12)


CONVERSIONS = {
    "half": (lambda frame: frame.assign(a=frame["a"].astype(np.float16)), "X['a'].astype(float)", "a"),
    "bytes": (lambda frame: frame.assign(kind=frame["kind"].map(str.encode)), "X['kind'].astype(str)", "kind"),
}


@pytest.mark.parametrize("name", CONVERSIONS)
def test_a_library_is_not_offered_for_columns_that_raw_rows_do_not_hold(name: str) -> None:
    change, remedy, column = CONVERSIONS[name]
    frame = change(words())
    parts = [("numbers", SimpleImputer(), ["a", "b"]), ("kinds", OneHotEncoder(), ["kind"])]
    fitted = make_pipeline(ColumnTransformer(parts), LogisticRegression())
    for allowed in (False, True):
        with pytest.raises(InputError) as refused:
            compile_pipeline(fitted.fit(frame, labels()), like=frame, allow_opaque=allowed)
        assert "allow_opaque" not in str(refused.value)
        assert f"convert it in `load`: {remedy}" in str(refused.value) or f"for example {remedy}" in str(refused.value)
    frame[column] = eval(remedy, {"X": frame})  # noqa: S307 (the remedy as it is given)
    assert compile_pipeline(fitted.fit(frame, labels()), like=frame).exact


def test_categories_that_json_does_not_hold_are_refused_before_they_are_stored() -> None:
    frame = words()
    frame["day"] = pd.Series(pd.date_range("2020-01-01", periods=3)).take(labels()).array
    frame["day"] = frame["day"].astype("category")
    fitted = make_pipeline(ColumnTransformer([("day", OneHotEncoder(), ["day"])]), LogisticRegression())
    for allowed in (False, True):
        with pytest.raises(InputError, match=r"found a category of Timestamp.*X\['day'\].astype\(str\)"):
            compile_pipeline(fitted.fit(frame, labels()), like=frame, allow_opaque=allowed)
    frame["day"] = frame["day"].astype(str)
    assert compile_pipeline(fitted.fit(frame, labels()), like=frame).exact


def test_zeros_that_a_sparse_matrix_stores_are_named_to_xgboost_with_the_way_that_works() -> None:
    """At a knot a spline is 0, and scikit-learn stores it; a plan stores none."""
    rows = pd.DataFrame({"count": np.arange(90.0) % 5, "size": np.linspace(-1.0, 1.0, 90)})
    target = rows["size"] + rows["count"] % 2
    sparse = make_pipeline(SplineTransformer(sparse_output=True), XGBRegressor(n_estimators=3)).fit(rows, target)
    for allowed in (False, True):
        with pytest.raises(InputError, match=r"stores, which are numbers to XGBoost.*SplineTransformer\(sparse"):
            compile_pipeline(sparse, like=rows, allow_opaque=allowed)
    dense = make_pipeline(SplineTransformer(sparse_output=False), XGBRegressor(n_estimators=3)).fit(rows, target)
    assert compile_pipeline(dense, like=rows).predict(rows).tolist() == dense.predict(rows).tolist()
