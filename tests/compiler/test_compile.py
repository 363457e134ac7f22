"""Compiling checks each step against its library, and refuses what production could not repeat."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xgboost
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.feature_extraction import DictVectorizer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import Lasso, LinearRegression
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from small_houses import ROW, ROWS, Drop, Logged, compiled, fit_pipeline, houses, steps

from pipeline_lib.compiled.compile_report import CompileReport, StepReport
from pipeline_lib.compiler.adapters.registry import _TRANSFORMERS, NoPlanError, RefusedStepError
from pipeline_lib.compiler.adapters.sklearn import preprocessing
from pipeline_lib.compiler.column_comparison import Comparison
from pipeline_lib.compiler.compile import compile_pipeline
from pipeline_lib.compiler.output_differences import Differences
from pipeline_lib.errors import InputError
from pipeline_lib.rows.schema import RowSchema


@pytest.fixture(scope="module")
def fitted() -> Pipeline:
    return fit_pipeline()


class Doubled(Drop):
    """A plan that differs from `transform` by one ULP."""

    def transform(self, X: Any) -> Any:
        return X.assign(size=X["size"] * 2)

    def plan(self, columns: Any, build: Any) -> Any:
        return {**columns, "size": columns["size"] * 2.0000000000000004}


class Named(Drop):
    """Reads a column by its name; it does not keep the names that it was fitted with."""

    def transform(self, X: Any) -> Any:
        return X.assign(rooms=X["rooms"] + 1)

    def plan(self, columns: Any, build: Any) -> Any:
        return {**columns, "rooms": columns["rooms"] + 1}


class Writes(Drop):
    """Writes into its input frame."""

    def transform(self, X: Any) -> Any:
        X["size"] *= 2
        return X

    def plan(self, columns: Any, build: Any) -> Any:
        return {**columns, "size": columns["size"] * 2.0}


class CountsRows(Drop):
    """Transforms few rows otherwise than many."""

    def transform(self, X: Any) -> Any:
        return X if len(X) == ROWS else X.assign(size=X["size"] * 2)

    def plan(self, columns: Any, build: Any) -> Any:
        return columns


class WithoutValues(Drop):
    """Returns a number where a plan returns values."""

    def transform(self, X: Any) -> Any:
        return X

    def plan(self, columns: Any, build: Any) -> Any:
        return {"size": 1.0}


def test_a_plan_one_ulp_off_is_refused() -> None:
    message = r"step own, column 'size': found .* from the plan in row .*cannot be compiled"
    with pytest.raises(InputError, match=message):
        compiled(("own", Doubled()))


def test_an_adapter_that_ignores_an_option_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    frame, price = houses()
    fitted = Pipeline(steps()).set_params(scale__feature_range=(0, 3)).fit(frame, price)
    compile_pipeline(fitted, like=frame, row=ROW)

    def ignoring(step, columns, build):
        return {n: build.number(v) * float(s) for (n, v), s in zip(columns.items(), step.scale_, strict=True)}

    name = "sklearn.preprocessing._data.MinMaxScaler"
    monkeypatch.setitem(_TRANSFORMERS, name, type(_TRANSFORMERS[name])(ignoring, _TRANSFORMERS[name].options))
    with pytest.raises(InputError, match="step scale, column 0"):
        compile_pipeline(fitted, like=frame, row=ROW)


def test_an_option_that_the_adapter_does_not_know_is_refused(monkeypatch: pytest.MonkeyPatch, fitted: Pipeline) -> None:
    name = "sklearn.preprocessing._data.MinMaxScaler"
    monkeypatch.setitem(_TRANSFORMERS, name, type(_TRANSFORMERS[name])(preprocessing.min_max, frozenset({"clip"})))
    with pytest.raises(NoPlanError, match=r"found options copy, feature_range that its adapter does not know"):
        compile_pipeline(fitted, like=houses()[0], row=ROW)


def test_a_step_that_cannot_be_recorded_is_refused_unless_opaque_is_allowed() -> None:
    with pytest.raises(NoPlanError, match=r"step own: Logged.transform: .*small_houses.py, line .*numpy.spacing"):
        compiled(("own", Logged()))


@pytest.mark.parametrize("options", [{}, {"allow_opaque": True}])
def test_a_step_that_drops_rows_is_refused(options: dict[str, Any]) -> None:
    class Dropping(Drop):
        def transform(self, X: Any) -> Any:
            return X.iloc[1:]

    frame, price = houses()
    pipeline = Pipeline(steps(("own", Dropping())))
    for step in (s for _, s in pipeline.steps[:-1]):
        step.fit(frame, price)
        frame = step.transform(frame) if not isinstance(step, Dropping) else frame
    pipeline.steps[-1][1].fit(frame, price)
    with pytest.raises(RefusedStepError, match=r"step own: found 59 rows for 60"):
        compile_pipeline(pipeline, like=houses()[0], row=ROW, **options)


@pytest.mark.parametrize(
    ("like", "message"),
    [
        (lambda f: f.astype({"rooms": "float64"}), "rooms: found dtype float64, expected int64"),
        (lambda f: f.astype({"rooms": "timedelta64[s]"}), "rooms: found dtype timedelta64.*, expected int64"),
        (lambda f: f.head(0), "found no rows in `like`"),
    ],
)
def test_training_rows_unlike_production_are_refused(fitted: Pipeline, like: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        compile_pipeline(fitted, like=like(houses()[0]), row=ROW)


def test_the_best_pipeline_of_a_search_is_compiled() -> None:
    frame, price = houses()
    search = GridSearchCV(Pipeline(steps()), {"price__alpha": [0.01, 100.0]}, cv=3).fit(frame, price)
    model = compile_pipeline(search, like=frame, row=ROW)
    assert model.predict(frame) == pytest.approx(search.predict(frame), rel=1e-12)
    assert [step.name for step in model.report.steps] == ["town", "rank", "drop", "size", "scale", "price"]
    search = clone(search).set_params(refit=False).fit(frame, price)
    with pytest.raises(InputError, match=r"found GridSearchCV with refit=False, .*; search with refit=True"):
        compile_pipeline(search, like=frame, row=ROW)


def test_a_search_over_own_steps_is_compiled_wherever_it_is() -> None:
    """The first step reads columns by name in its plan."""
    frame, price = houses()
    search = GridSearchCV(Pipeline([("names", Named()), *steps()]), {"price__alpha": [0.01, 100.0]}, cv=3)
    for unfitted in (search, Pipeline([("search", search)]), GridSearchCV(Pipeline([("search", search)]), {}, cv=2)):
        fitted = clone(unfitted).fit(frame, price)
        model = compile_pipeline(fitted, like=frame, row=ROW)
        assert model.predict(frame) == pytest.approx(fitted.predict(frame), rel=1e-9)
        assert model.report.steps[0].name == "names"


def test_what_holds_a_pipeline_is_compiled_wrapped_or_not() -> None:
    """The first step of the pipeline inside reads columns by name."""
    frame, price = houses()
    held = TransformedTargetRegressor(Pipeline([("names", Named()), *steps()])).fit(frame, price)
    for fitted in (held, Pipeline([("estimator", held)])):
        model = compile_pipeline(fitted, like=frame, row=ROW)
        assert model.predict(frame) == pytest.approx(held.predict(frame), rel=1e-9)


def test_only_a_fitted_pipeline_is_compiled() -> None:
    frame, _ = houses()
    for unfitted in (Lasso(), Pipeline(steps())):
        with pytest.raises(InputError, match="found a pipeline that is not fitted"):
            compile_pipeline(unfitted, like=frame, row=ROW)
    with pytest.raises(InputError, match="found the class Lasso, expected a fitted object"):
        compile_pipeline(Lasso, like=frame, row=ROW)


def test_a_booster_of_xgboost_is_compiled_by_its_scikit_learn_class(tmp_path: Path) -> None:
    rows = pd.DataFrame({"size": np.arange(9.0)})
    booster = xgboost.train({}, xgboost.DMatrix(rows, rows["size"] ** 2), 3)
    with pytest.raises(InputError, match=r"found xgboost.Booster, .* load_model\(file\) of a new XGBRegressor"):
        compile_pipeline(booster, like=rows)
    booster.save_model(tmp_path / "model.json")
    loaded = xgboost.XGBRegressor()
    loaded.load_model(tmp_path / "model.json")
    assert compile_pipeline(loaded, like=rows).predict(rows).tolist() == booster.inplace_predict(rows).tolist()


def test_the_schema_comes_from_the_training_frame(fitted: Pipeline) -> None:
    frame, _ = houses()
    model = compile_pipeline(fitted, like=frame)
    assert [column.kind for column in model.row.columns] == ["number", "integer", "string", "string", "boolean"]


def test_a_step_that_writes_into_its_input_is_refused() -> None:
    frame, price = houses()
    pipeline = Pipeline(steps(("own", Writes()))).fit(frame.copy(), price)
    with pytest.raises(
        InputError, match=r"step own: found a transform that changes .*\(columns size\).*X = X.copy\(\)"
    ):
        compile_pipeline(pipeline, like=frame, row=ROW)


def test_a_step_that_depends_on_the_count_of_rows_is_refused() -> None:
    with pytest.raises(InputError, match="step own, 1 rows alone, column 'size'"):
        compiled(("own", CountsRows()))


def test_a_plan_that_returns_no_values_is_refused() -> None:
    with pytest.raises(
        InputError, match=r"WithoutValues.plan: found \{'size': 1.0\}, expected a dict of column names to values"
    ):
        compiled(("own", WithoutValues()))


def test_predictions_that_differ_in_most_rows_are_refused(monkeypatch: pytest.MonkeyPatch, fitted: Pipeline) -> None:

    predictions = Differences.predictions
    monkeypatch.setattr(Differences, "predictions", lambda self: predictions(self) + 1)
    with pytest.raises(InputError, match="found predictions that differ from the pipeline's own in 60 of 60 rows"):
        compile_pipeline(fitted, like=houses()[0], row=ROW)


def test_terms_that_cancel_to_zero_are_reported_by_their_bound() -> None:
    """Sums of 0.1, 0.2 and -0.3 in two orders: one is 0, the other 2.8e-17."""
    found = Comparison.of(np.array([2.8e-17]), np.array([1e-16]), np.array([0.0]), 1).distance("step")
    assert math.isfinite(found.ulps)
    step = StepReport("s", "a.S", 1, 1, exact=True, ulps=found.ulps, share=found.share)
    assert "terms cancel: 28% of the bound" in CompileReport(1, 1, (step,), ())._repr_html_()


def test_rows_that_the_fitted_steps_do_not_take_are_refused_with_what_to_pass() -> None:
    texts = pd.Series(["good tea", "bad tea", "good soup", "so so"])
    words = make_pipeline(TfidfVectorizer(), MultinomialNB()).fit(texts, [1, 0, 1, 0])
    with pytest.raises(InputError, match=r"step tfidfvectorizer: found AttributeError.*pass a column of texts: like="):
        compile_pipeline(words, like=pd.DataFrame({0: texts, 1: texts}))
    assert compile_pipeline(words, like=texts).predict(texts).tolist() == [1, 0, 1, 0]
    frame = pd.DataFrame({"a": [1.0, 2.0, 3.0, 4.0]})
    line = make_pipeline(LinearRegression()).fit(frame, frame["a"])
    with pytest.raises(InputError, match=r"step linearregression: found ValueError: Input X contains NaN"):
        compile_pipeline(line, like=frame.mask(frame["a"] > 3))


def test_mappings_are_columns_of_a_frame_in_production() -> None:
    rows = [{"town": "Oslo"}, {"town": "Rome"}, {"town": "Oslo"}, {"town": "Paris"}]
    fitted = make_pipeline(DictVectorizer(), LinearRegression()).fit(rows, [1.0, 2.0, 1.0, 3.0])
    with pytest.raises(InputError, match=r"raw rows are columns.*use OneHotEncoder on a frame of them"):
        compile_pipeline(fitted, like=rows)
    frame = pd.DataFrame(rows)
    followed = make_pipeline(OneHotEncoder(), LinearRegression()).fit(frame, [1.0, 2.0, 1.0, 3.0])
    np.testing.assert_allclose(compile_pipeline(followed, like=frame).predict(rows), fitted.predict(rows))


IDS = 2**53 + 1


@pytest.mark.parametrize(
    "labels",
    [
        np.array([b"no", b"yes"]),
        np.array(["2020-01-01", "2020-01-02"], dtype="datetime64[us]"),
        np.array([2**63, 2**63 + 1], dtype=np.uint64),
        np.array([1, "one"], dtype=object),
    ],
    ids=["bytes", "datetimes", "beyond 64 bits", "text and numbers"],
)
@pytest.mark.parametrize("allowed", [False, True])
def test_labels_that_no_plan_gives_are_refused_with_what_works(labels: Any, *, allowed: bool) -> None:
    """Also where a library could run the step: it cannot give them either."""
    rows, chosen = pd.DataFrame({"a": [1.0, 2.0, 3.0, 4.0] * 5}), np.array([0, 0, 1, 1] * 5)
    fitted = DecisionTreeClassifier().fit(rows, chosen)
    fitted.classes_ = labels
    with pytest.raises(RefusedStepError, match=r"found predictions of .* for example y.astype\(str\), and fit again"):
        compile_pipeline(fitted, like=rows, allow_opaque=allowed)
    model = compile_pipeline(DecisionTreeClassifier().fit(rows, labels.astype(str)[chosen]), like=rows)
    assert model.classes == tuple(labels.astype(str).tolist())


@pytest.mark.parametrize("dtype", [object, str])
def test_labels_that_are_no_unicode_are_refused(dtype: type) -> None:
    rows = pd.DataFrame({"a": [1.0, 2.0]})
    fitted = DecisionTreeClassifier().fit(rows, np.array(["\ud800", "one"], dtype=dtype))
    with pytest.raises(RefusedStepError, match=r"found predictions of text that is not Unicode.*decode the target's"):
        compile_pipeline(fitted, like=rows)


@pytest.mark.parametrize("several", [False, True])
def test_labels_beyond_what_floats_hold_are_themselves(*, several: bool) -> None:
    rows = pd.DataFrame({"a": [1.0, 2.0, 3.0, 4.0] * 5})
    labels = np.array([IDS, IDS + 2, -IDS, 5] * 5)
    fitted = DecisionTreeClassifier().fit(rows, np.column_stack([labels, labels + 1]) if several else labels)
    model = compile_pipeline(fitted, like=rows)
    assert model.predict(rows).tolist() == fitted.predict(rows).tolist()
    assert model.predict_row({"a": 1.0}) == ((IDS, IDS + 1) if several else IDS)
    assert model.report.outputs[0].changed == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"row": RowSchema}, r"found row=.*, expected a schema of raw rows; write row=schema_of\(RowSchema\)"),
        ({"context": -1}, "found context=-1, expected a count of rows from 0 on"),
        ({"context": None}, "found context=None, expected a count"),
        ({"context": 1.5}, "found context=1.5, expected a count"),
        ({"trust": 5}, r"found trust=5, expected a tuple of package names; write trust=\('category_encoders',\)"),
        ({"trust": "prices"}, r"write trust=\('prices',\)"),
    ],
)
def test_arguments_of_other_types_are_refused(arguments: dict[str, Any], message: str) -> None:
    frame, prices = houses()
    fitted = DecisionTreeRegressor().fit(frame[["size"]], prices)
    with pytest.raises(InputError, match=message):
        compile_pipeline(fitted, like=frame[["size"]], **arguments)
