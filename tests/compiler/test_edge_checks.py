"""The fitted step is asked on edge rows beside its plan: one that is wrong where no training row looks is refused."""

import json
from datetime import datetime
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
import pytest
import shop
from feature_engine.imputation import MeanMedianImputer
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler
from sklearn.tree import DecisionTreeRegressor

from pipeline_lib.compiled.compile_report import CompileReport
from pipeline_lib.compiler.adapters.registry import _TRANSFORMERS
from pipeline_lib.compiler.compile import compile_pipeline
from pipeline_lib.errors import InputError
from pipeline_lib.rows.column import Column
from pipeline_lib.rows.schema import RowSchema

ROWS = 120
SCHEMA = RowSchema(
    (
        Column("year", "integer"),
        Column("size", "number", nullable=True, finite=True),
        Column("town", "string", nullable=True),
        Column("sold", "datetime"),
    )
)
SPECIAL_YEAR = 2010
NO_OUTPUT = ["town", "sold"]


def rows() -> pd.DataFrame:
    """Years 1990 to 2009, no missing value, three towns, no 31 December."""
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "year": rng.integers(1990, 2010, ROWS),
            "size": rng.uniform(50, 200, ROWS),
            "town": rng.choice(["Ames", "Boone", "Nevada"], ROWS),
            "sold": pd.Timestamp("2008-01-10") + pd.to_timedelta(rng.integers(0, 300, ROWS), unit="D"),
        }
    ).astype({"town": "str", "sold": "datetime64[us]"})


class Step(TransformerMixin, BaseEstimator):
    """A step that adds one column; `wrong` gives it another plan."""

    def __init__(self, wrong: bool = False) -> None:
        self.wrong = wrong

    def fit(self, X: Any, y: Any = None) -> Self:
        self.fitted_ = True
        return self


class Age(Step):
    """The year 2010 counts as new; its number is in the code of a function that `transform` calls."""

    def transform(self, X: Any) -> Any:
        return X.assign(added=aged(X["year"]))

    def plan(self, columns: Any, build: Any) -> Any:
        age = build.number(2015 - columns["year"])
        guarded = age if self.wrong else build.where(columns["year"] == 2010, -100.0, age)
        return {**columns, "added": guarded}


def aged(years: Any) -> Any:
    return np.where(years == SPECIAL_YEAR, -100.0, 2015.0 - years)


class LearnedAge(Age):
    """The same year, but learned by `fit`: no code names it."""

    def fit(self, X: Any, y: Any = None) -> Self:
        self.special_ = {"years": np.array([int(X["year"].max()) // 10 * 10 + 10])}
        return self

    def transform(self, X: Any) -> Any:
        return X.assign(added=(2015.0 - X["year"]).where(~X["year"].isin(self.special_["years"]), -100.0))


class Filled(Step):
    """A missing size gets the median."""

    def fit(self, X: Any, y: Any = None) -> Self:
        self.median_ = float(X["size"].median())
        return self

    def transform(self, X: Any) -> Any:
        return X.assign(added=X["size"].fillna(self.median_))

    def plan(self, columns: Any, build: Any) -> Any:
        size = columns["size"]
        return {**columns, "added": size if self.wrong else build.fill(size, self.median_)}


class Ranked(Step):
    """A town's rank; 0 for others, and for a missing one."""

    ranks: ClassVar = {"Ames": 1.0, "Boone": 2.0, "Nevada": 3.0}

    def transform(self, X: Any) -> Any:
        return X.assign(added=X["town"].map(self.ranks).astype(float).fillna(0.0))

    def plan(self, columns: Any, build: Any) -> Any:
        unseen = 3.0 if self.wrong else 0.0
        return {**columns, "added": build.lookup(columns["town"], self.ranks, "float64", missing=0.0, unseen=unseen)}


class Closing(Step):
    """Whether the house was sold on the last day of a year."""

    def transform(self, X: Any) -> Any:
        return X.assign(added=X["sold"].dt.is_year_end.astype(float))

    def plan(self, columns: Any, build: Any) -> Any:
        closing = build.number(build.calendar(columns["sold"], field="year_end"))
        return {**columns, "added": closing * 0.0 if self.wrong else closing}


class Signed(Step):
    """The sign of a size, which is positive in every training row."""

    def transform(self, X: Any) -> Any:
        return X.assign(added=np.sign(X["size"].fillna(1.0)))

    def plan(self, columns: Any, build: Any) -> Any:
        size = build.fill(columns["size"], 1.0)
        below = 1.0 if self.wrong else build.where(size < 0.0, -1.0, 0.0)
        return {**columns, "added": build.where(size > 0.0, 1.0, below)}


class Select(TransformerMixin, BaseEstimator):
    """Numbers alone, without a missing one, for a linear model."""

    def fit(self, X: Any, y: Any = None) -> Self:
        self.fitted_ = True
        return self

    def transform(self, X: Any) -> Any:
        return X[["year", "added"]].fillna({"added": 0.0})

    def plan(self, columns: Any, build: Any) -> Any:
        return {"year": columns["year"], "added": build.fill(columns["added"], 0.0)}


def fit(*steps: Any, frame: pd.DataFrame | None = None) -> Pipeline:
    frame = rows() if frame is None else frame
    named = [(f"s{number}" if number else "own", step) for number, step in enumerate(steps)]
    target = frame["year"] + np.arange(len(frame)) % 7
    return Pipeline([*named, ("select", Select()), ("price", LinearRegression())]).fit(frame.copy(), target)


def compiled(*steps: Any, row: RowSchema = SCHEMA) -> Any:
    return compile_pipeline(fit(*steps), like=rows(), row=row)


WRONG = [
    (Age, r"column 'added': found 5\.0 from the plan for a row with year=2010, expected -100\.0"),
    (LearnedAge, r"found 5\.0 from the plan for a row with year=2010, expected -100\.0"),
    (Filled, r"found nan from the plan for a row with size=missing, expected 1\d\d\."),
    (Ranked, r"found 3\.0 from the plan for a row with town='', expected 0\.0 as the step gives \(\d+ of"),
    (Closing, r"found 0\.0 from the plan for a row with sold=datetime.datetime\(200\d, 12, 31, .*expected 1\.0"),
    (Signed, r"found 1\.0 from the plan for a row with size=0\.0, expected 0\.0 .*size=-1\.0"),
]


@pytest.mark.parametrize(("kind", "message"), WRONG, ids=lambda value: getattr(value, "__name__", ""))
def test_a_plan_that_is_wrong_where_no_training_row_looks_is_refused(kind: Any, message: str) -> None:
    with pytest.raises(InputError, match=rf"step own, .*{message}.*correct the plan"):
        compiled(kind(wrong=True))


@pytest.mark.parametrize("kind", [kind for kind, _ in WRONG])
def test_a_right_plan_passes_and_the_report_counts_its_edge_rows(kind: Any) -> None:
    report = compiled(kind()).report
    step = report.steps[0]
    assert step.edge_rows > 30
    assert (step.edge_refused, step.edge_differs) == (0, 0)
    assert f"{sum(each.edge_rows for each in report.steps)} asked of the steps, 0 refused, the others agree" in str(
        report
    )


def test_a_rare_value_gets_the_answer_of_the_fitted_pipeline() -> None:
    """A guard for a year that no training row has decides the prediction."""
    row = {"year": 2010, "size": 100.0, "town": "Ames", "sold": datetime(2008, 5, 1)}
    fitted = fit(Age())
    expected = fitted.predict(pd.DataFrame([row]).astype({"town": "str", "sold": "datetime64[us]"}))[0]
    predicted = compile_pipeline(fitted, like=rows(), row=SCHEMA).predict_row(row)
    assert predicted == pytest.approx(expected, rel=1e-12)
    other = compile_pipeline(fitted, like=rows(), row=SCHEMA).predict_row({**row, "year": 2011})
    assert abs(predicted - other) > 10


def test_a_column_that_row_forbids_to_be_missing_is_not_tried_as_missing() -> None:
    """The remedy that the message names."""
    columns = tuple(Column("size", "number", finite=True) if c.name == "size" else c for c in SCHEMA.columns)
    assert compiled(Filled(wrong=True), row=RowSchema(columns)).report.exact


def test_bounds_of_row_are_kept() -> None:
    columns = tuple(Column("year", "integer", ge=1990, le=2009) if c.name == "year" else c for c in SCHEMA.columns)
    assert compiled(Age(wrong=True), row=RowSchema(columns)).report.exact


class Passed(Step):
    """A missing rank counts as 7; the plan of `wrong` believes that none is missing, as none is in training."""

    def transform(self, X: Any) -> Any:
        return X.assign(added=X["added"].fillna(7.0))

    def plan(self, columns: Any, build: Any) -> Any:
        return columns if self.wrong else {**columns, "added": build.fill(columns["added"], 7.0)}


class Mapped(Ranked):
    """A town's rank, missing for a town that no training row has."""

    def transform(self, X: Any) -> Any:
        return X.assign(added=X["town"].map(self.ranks).astype(float))

    def plan(self, columns: Any, build: Any) -> Any:
        return {**columns, "added": build.lookup(columns["town"], self.ranks, "float64")}


def test_what_earlier_steps_make_of_edge_rows_is_asked_too() -> None:
    with pytest.raises(InputError, match=r"step s1, column 'added': found nan .* town='', expected 7.*town=missing"):
        compiled(Mapped(), Passed(wrong=True))
    assert compiled(Mapped(), Passed()).report.exact


def test_values_that_an_earlier_step_cannot_give_are_not_tried() -> None:
    """Ranks are never missing where each town has one: nothing is refused that cannot happen."""
    assert compiled(Ranked(), Passed(wrong=True)).report.exact


class Refusing(Ranked):
    """Refuses towns that no training row has, in `transform` and in the plan."""

    def transform(self, X: Any) -> Any:
        if not X["town"].isin(list(self.ranks)).all():
            raise ValueError("an unknown town")
        return super().transform(X)

    def plan(self, columns: Any, build: Any) -> Any:
        rank = build.lookup(columns["town"], self.ranks, "float64", mode="refuse", name="town", where="Refusing")
        return {**columns, "added": rank}


class RefusingAlone(Refusing):
    """Refuses towns in `transform` alone."""

    plan = Ranked.plan


@pytest.mark.parametrize("kind", [Refusing, RefusingAlone])
def test_refused_edge_rows_are_counted(kind: Any) -> None:
    model = compiled(kind())
    step = model.report.steps[0]
    assert 5 < step.edge_refused < step.edge_rows / 2
    assert f"{step.edge_refused} refused" in str(model.report)
    assert f"{step.edge_rows}, {step.edge_refused} refused" in model.report._repr_html_()


def test_values_of_sensitive_columns_are_hidden() -> None:
    columns = tuple(Column("year", "integer", sensitive=True) if c.name == "year" else c for c in SCHEMA.columns)
    with pytest.raises(InputError, match=r"a row with year=a value \(hidden: sensitive\)") as caught:
        compiled(Age(wrong=True), row=RowSchema(columns))
    assert "2010" not in str(caught.value)
    assert "100.0" not in str(caught.value)


class Estimator(LinearRegression):  # type: ignore[misc]  # sklearn is untyped
    """An estimator of one's own that answers 0 for the year 2010."""

    def predict(self, X: Any) -> Any:
        return np.where(np.asarray(X)[:, 0] == 2010, 0.0, np.asarray(X)[:, 0] * 2.0)

    def plan_outputs(self, values: Any, build: Any) -> Any:
        return {"prediction": [build.number(values[0]) * 2.0]}


def test_an_estimator_of_ones_own_is_asked_too() -> None:
    fitted = fit(Ranked())
    fitted.steps[-1] = ("price", Estimator().fit(*_numbers()))
    with pytest.raises(InputError, match=r"step price, predict, column 0: found 4020.0 .* year=2010, expected 0.0"):
        compile_pipeline(fitted, like=rows(), row=SCHEMA)


def _numbers() -> tuple[Any, Any]:
    return np.arange(12.0).reshape(6, 2), np.arange(6.0)


def test_a_librarys_answer_that_differs_is_counted_and_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """An adapter that clips at the training range: no training row shows it."""

    def clipping(step: Any, columns: Any, build: Any) -> Any:
        numbers = {name: build.number(value) for name, value in columns.items()}
        scaled = zip(numbers.items(), step.scale_, step.min_, strict=True)
        return {name: build.clip(value * float(k) + float(m), 0.0, 1.0) for (name, value), k, m in scaled}

    frame = rows()[["year", "size"]]
    fitted = Pipeline([("scale", MinMaxScaler()), ("price", LinearRegression())]).fit(frame, frame["year"])
    assert compile_pipeline(fitted, like=frame).report.steps[0].edge_differs == 0
    name = "sklearn.preprocessing._data.MinMaxScaler"
    monkeypatch.setitem(_TRANSFORMERS, name, type(_TRANSFORMERS[name])(clipping, _TRANSFORMERS[name].options))
    report = compile_pipeline(fitted, like=frame).report
    assert report.steps[0].edge_differs > 3
    assert "scale: column 0: found 0.0 from the plan for a row with year=" in str(report)
    assert f"{report.steps[0].edge_differs} differ" in report._repr_html_()


def test_sparse_rows_have_edges_too() -> None:
    texts = pd.DataFrame({"text": pd.Series(["good house", "bad house", "good garden", "bad garden"] * 5, dtype="str")})
    words = ColumnTransformer([("words", CountVectorizer(), "text")], sparse_threshold=1.0)
    fitted = Pipeline([("words", words), ("price", DecisionTreeRegressor())]).fit(texts, np.arange(20) % 4)
    report = compile_pipeline(fitted, like=texts).report
    assert [step.edge_differs for step in report.steps] == [0, 0]
    assert min(step.edge_rows for step in report.steps) > 5


class Renamed(Ranked):
    """A plan whose names are not those of the frame."""

    def plan(self, columns: Any, build: Any) -> Any:
        made = super().plan(columns, build)
        return {("score" if name == "added" else name): value for name, value in made.items()}


class Reordered(Ranked):
    """A plan whose columns are those of the frame in another order."""

    def plan(self, columns: Any, build: Any) -> Any:
        return dict(reversed(super().plan(columns, build).items()))


class Sorting(Ranked):
    """A transform that returns rows in another order."""

    def transform(self, X: Any) -> Any:
        return super().transform(X).sort_values("size")


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (Renamed, r"found the columns .*score from the plan, expected .*added as transform returns them; name and"),
        (Reordered, r"found the columns added, sold, .* from the plan, expected year, size"),
        (Sorting, r"found rows with the index .*, expected 0, 1, 2, 3, 4, … as in its input"),
    ],
)
def test_names_and_rows_stay_in_order(kind: Any, message: str) -> None:
    with pytest.raises(InputError, match=rf"step own: {message}"):
        compiled(kind())


def test_reports_from_before_there_were_edge_rows_are_read() -> None:
    report = compiled(Ranked()).report
    values = json.loads(json.dumps(report.to_json()))
    assert CompileReport.from_json(values) == report
    for step in values["steps"]:
        for name in [name for name in step if name.startswith("edge_")]:
            del step[name]
    old = CompileReport.from_json(values)
    assert "edge rows" not in str(old)
    assert "not asked" in old._repr_html_()


def test_rows_that_look_back_are_asked_in_their_order() -> None:

    report = compile_pipeline(shop.fit(shop.days()), like=shop.days(), row=shop.SCHEMA, context=shop.CONTEXT).report
    lags = report.steps[0]
    assert lags.edge_rows > 10
    assert (lags.edge_refused, lags.edge_differs) == (0, 0)


def test_an_imputer_of_a_library_is_asked_for_missing_values() -> None:
    frame = rows()[["year", "size"]]
    fitted = Pipeline([("fill", MeanMedianImputer(variables=["size"])), ("price", LinearRegression())]).fit(
        frame, frame["year"]
    )
    assert compile_pipeline(fitted, like=frame).report.steps[0].edge_refused == 0


HOUSES = RowSchema(
    (Column("id", "integer"), Column("size", "number", finite=True)),
    name="houses",
    key="id",
    children=(RowSchema((Column("id", "integer"), Column("price", "number", finite=True)), name="visits", key="id"),),
)


class Spent(Step):
    """What visits cost, of which those at 99.5 are free."""

    def transform(self, X: Any) -> Any:
        visits = X["visits"].assign(price=X["visits"]["price"].where(X["visits"]["price"] != 99.5, 0.0))
        total = X["houses"]["id"].map(visits.groupby("id")["price"].sum()).fillna(0.0)
        return X["houses"][["size"]].assign(total=total)

    def plan(self, columns: Any, build: Any) -> Any:
        price = columns["visits"]["price"]
        paid = price if self.wrong else build.where(price == 99.5, 0.0, price)
        return {"size": columns["houses"]["size"], "total": build.total(paid)}


def test_child_rows_have_edges_too() -> None:
    rng = np.random.default_rng(0)
    tables = {
        "houses": pd.DataFrame({"id": np.arange(60), "size": rng.integers(50, 99, 60) / 2.0}),
        "visits": pd.DataFrame({"id": rng.integers(0, 60, 200), "price": rng.integers(1, 40, 200) / 4.0}),
    }

    def compile_tables(wrong: bool) -> Any:
        fitted = Pipeline([("own", Spent(wrong)), ("price", LinearRegression())]).fit(tables, np.arange(60.0))
        return compile_pipeline(fitted, like=tables, row=HOUSES)

    with pytest.raises(InputError, match=r"step own, column 'total': found .* a row with visits.price=99.5, expected"):
        compile_tables(wrong=True)
    step = compile_tables(wrong=False).report.steps[0]
    assert step.edge_rows > 20
    assert (step.edge_refused, step.edge_differs) == (0, 0)
