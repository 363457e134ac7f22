"""A decision threshold chosen by value: out of fold, with ties, in the artifact, in the record."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import BaseModel, Field
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV, TunedThresholdClassifierCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from pipeline_lib import Tables, choose_threshold, compile_pipeline, load_model, schema_of, with_threshold
from pipeline_lib.errors import InputError
from pipeline_lib.records.record import Record
from pipeline_lib.records.recorded_threshold import RecordedThreshold, recorded_threshold
from pipeline_lib.runner.threshold import _best, keep_threshold, threshold_of


class Row(BaseModel):
    """An applicant."""

    income: float
    debt: float


class Grouped(Row):
    """An applicant of a household."""

    household: int = Field(json_schema_extra={"entity": True})


RNG = np.random.default_rng(0)
ROWS = pd.DataFrame({"income": RNG.normal(size=400), "debt": RNG.normal(size=400)})
TARGET = (ROWS["income"] - ROWS["debt"] + RNG.normal(size=400) > 0.8).map({True: "good", False: "bad"})
FEW = SimpleNamespace(gain=1.0, loss=3.0)


def build(params: Any) -> Pipeline:
    return Pipeline([("scale", StandardScaler()), ("good", LogisticRegression())])


def value(target: Any, predictions: Any, rows: Any, params: Any) -> Any:
    """A granted loan gains where it is good, and loses where it is bad."""
    return (predictions == "good") * np.where(target == "good", params.gain, -params.loss)


MODULE: Any = SimpleNamespace(__name__="loans", Row=Row, build=build, value=value, VALUE_UNIT="euros")


@pytest.fixture(scope="module")
def fitted() -> Any:
    return build(None).fit(ROWS, TARGET)


def test_the_choice_has_the_highest_mean_value_of_any_threshold() -> None:
    choice = choose_threshold(MODULE, FEW, ROWS, TARGET)
    thresholds, values = zip(*choice.curve, strict=True)
    assert choice.value == max([*values, choice.value])
    assert choice.value > choice.value_at_half
    assert 0.6 < choice.threshold < 0.95  # right probabilities would pay from 3 / (3 + 1) on
    assert list(thresholds) == sorted(thresholds)
    assert (choice.label, choice.unit, choice.rows, choice.folds) == ("good", "euros", 400, 5)
    assert str(choice).startswith("threshold 0.")
    assert "data:image/png;base64," in choice._repr_html_()


def test_other_costs_choose_another_threshold_and_the_same_call_the_same() -> None:
    eager = SimpleNamespace(gain=3.0, loss=1.0)
    low, high = (choose_threshold(MODULE, params, ROWS, TARGET) for params in (eager, FEW))
    assert low.threshold < 0.4 < high.threshold
    assert choose_threshold(MODULE, FEW, ROWS, TARGET) == high


def brute(chances: Any, positive: Any, negative: Any, threshold: float) -> float:
    return float(np.where(chances >= threshold, positive, negative).mean())


def test_the_curve_is_the_value_of_each_threshold() -> None:
    """Against the definition, on probabilities with many ties."""
    chances = RNG.integers(1, 12, size=300) / 12
    positive, negative = RNG.normal(size=300), RNG.normal(size=300)
    choice = _best(chances, positive, negative, 1, "euros", 5)
    assert len(choice.curve) == len(set(chances)) + 1
    for threshold, mean in choice.curve:
        assert mean == pytest.approx(brute(chances, positive, negative, threshold), abs=1e-12)
    best = max(brute(chances, positive, negative, each) for each in np.linspace(0, 1, 1001))
    assert choice.value == pytest.approx(best, abs=1e-12)
    assert choice.value_at_half == brute(chances, positive, negative, 0.5)


def test_of_equally_good_thresholds_the_middle_one_is_taken() -> None:
    chances = np.array([0.9, 0.8, 0.7, 0.2])
    choice = _best(chances, np.array([1.0, 0.0, 0.0, -1.0]), np.zeros(4), 1, "euros", 5)
    assert choice.threshold == pytest.approx(0.75)  # of 0.85, 0.75 and 0.45


def test_everybody_and_nobody_can_be_best() -> None:
    chances = np.array([0.9, 0.4, 0.1])
    assert _best(chances, np.ones(3), np.zeros(3), 1, "euros", 5).threshold == 0.0
    assert _best(chances, -np.ones(3), np.zeros(3), 1, "euros", 5).threshold == pytest.approx(0.95)
    sure = _best(np.array([1.0, 0.4]), np.array([1.0, -1.0]), np.zeros(2), 1, "euros", 5)
    assert sure.threshold == pytest.approx(0.7)
    assert all(threshold <= 1.0 for threshold, _ in sure.curve)


def test_rows_of_one_entity_or_group_stay_in_one_fold(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[set[int]] = []

    class Watching(LogisticRegression):
        def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
            seen.append(set(X["household"]))
            return super().fit(X, y)

    household = pd.Series(np.arange(400) // 4)
    rows = ROWS.assign(household=household)
    module: Any = SimpleNamespace(
        **{**vars(MODULE), "Row": Grouped, "build": lambda params: Pipeline([("m", Watching())])}
    )
    choose_threshold(module, FEW, rows, TARGET, folds=4)
    left_out = [set(household) - fitted for fitted in seen]
    assert sum(map(len, left_out)) == 100
    assert all(left_out)
    seen.clear()
    choose_threshold(module, FEW, rows, TARGET, folds=4, groups=rows["household"] // 10)
    assert all(len({each // 10 for each in set(household) - fitted}) * 10 == 100 - len(fitted) for fitted in seen)


class Loan(BaseModel):
    """A loan."""

    loan: int
    income: float


class Payment(BaseModel):
    """A payment."""

    loan: int
    paid: float


class Sums:
    """The sum of each loan's payments beside its income."""

    def fit(self, X: Any, y: Any = None) -> Any:
        assert set(X["payments"]["loan"]) <= set(X["loans"]["loan"])
        assert "rates" in X  # a table that only the fit needs
        return self

    def transform(self, X: Any) -> Any:
        paid = X["payments"].groupby("loan")["paid"].sum()
        return np.column_stack([X["loans"]["income"], X["loans"]["loan"].map(paid).fillna(0.0)])


def test_of_several_tables_the_child_rows_go_with_their_main_row() -> None:
    loans = pd.DataFrame({"loan": np.arange(400), "income": ROWS["income"]})
    payments = pd.DataFrame({"loan": np.repeat(np.arange(400), 2), "paid": np.repeat(-ROWS["debt"].to_numpy(), 2)})
    tables = {"loans": loans, "payments": payments, "rates": pd.DataFrame({"rate": [0.1]})}
    module: Any = SimpleNamespace(
        **{
            **vars(MODULE),
            "Row": Tables("loan", loans=Loan, payments=Payment),
            "build": lambda params: Pipeline([("sums", Sums()), ("good", LogisticRegression())]),
        }
    )
    choice = choose_threshold(module, FEW, tables, TARGET)
    assert choice.value > choice.value_at_half


def no_matter(target: Any, predictions: Any, rows: Any, params: Any) -> Any:
    return np.ones(len(rows))


@pytest.mark.parametrize(
    ("changes", "target", "found"),
    [
        ({"value": None}, TARGET, "loans: found no `value`"),
        ({"value": no_matter}, TARGET, "the same mean value at every"),
        ({"CONTEXT": 3}, TARGET, "CONTEXT"),
        ({}, TARGET.replace({"good": "bad"}), "y_train: found 1 labels, expected two"),
        ({}, pd.Series(np.arange(400) % 3), "y_train: found 3 labels, expected two"),
        ({"build": lambda params: Pipeline([("m", LinearSVC())])}, TARGET, "a pipeline without predict_proba"),
    ],
)
def test_what_no_threshold_can_decide_is_refused(changes: dict[str, Any], target: Any, found: str) -> None:
    module: Any = SimpleNamespace(**{**vars(MODULE), **changes})
    with pytest.raises(InputError, match=found):
        choose_threshold(module, FEW, ROWS, target)


def test_too_many_folds_are_refused() -> None:
    with pytest.raises(InputError, match=r"folds: found .*, expected rows of both labels in each fold"):
        choose_threshold(MODULE, FEW, ROWS.head(4), TARGET.head(4), folds=7)


@pytest.mark.parametrize("threshold", [0.0, 0.31, 0.9, 1.0])
def test_a_threshold_is_applied_by_scikit_learn_and_by_the_artifact(
    fitted: Any, threshold: float, tmp_path: Path
) -> None:
    changed = with_threshold(fitted, threshold)
    chances = fitted.predict_proba(ROWS)[:, 1]
    expected = np.where(chances >= threshold, "good", "bad").tolist()
    assert changed.predict(ROWS).tolist() == expected
    assert (changed.predict_proba(ROWS) == fitted.predict_proba(ROWS)).all()
    compiled = compile_pipeline(changed, like=ROWS, row=schema_of(Row))
    assert compiled.exact
    compiled.save(tmp_path / "artifact")
    model = load_model(tmp_path / "artifact")
    by_model = np.where(model.predict_proba(ROWS)[:, 1] >= threshold, "good", "bad").tolist()
    assert model.predict(ROWS).tolist() == by_model
    assert model.predict_row(ROWS.iloc[0].to_dict()) == expected[0]


def test_the_fitted_pipeline_itself_does_not_change(fitted: Any) -> None:
    before = fitted.predict(ROWS).tolist()
    changed = with_threshold(fitted, 0.9)
    assert fitted.predict(ROWS).tolist() == before != changed.predict(ROWS).tolist()
    assert isinstance(fitted[-1], LogisticRegression)
    assert [name for name, _ in changed.steps] == ["scale", "good"]


def test_a_threshold_takes_the_place_of_another_one(fitted: Any) -> None:
    twice = with_threshold(with_threshold(fitted, 0.9), 0.2)
    assert twice.predict(ROWS).tolist() == with_threshold(fitted, 0.2).predict(ROWS).tolist()
    fixed = FixedThresholdClassifier(LogisticRegression(), threshold=0.7).fit(ROWS, TARGET)
    assert threshold_of(with_threshold(fixed, 0.2)) == RecordedThreshold(0.2, "good")


def test_a_search_or_a_classifier_alone_can_be_wrapped() -> None:
    search = GridSearchCV(build(None), {"good__C": [0.1, 1.0]}, cv=2).fit(ROWS, TARGET)
    assert threshold_of(with_threshold(search, 0.3)) == RecordedThreshold(0.3, "good")
    alone = with_threshold(LogisticRegression().fit(ROWS, TARGET), 0.3)
    assert threshold_of(alone) == RecordedThreshold(0.3, "good")


@pytest.mark.parametrize("threshold", [-0.1, 1.1, float("nan"), True, "0.3"])
def test_a_threshold_is_a_probability(fitted: Any, threshold: Any) -> None:
    with pytest.raises(InputError, match=r"threshold: found .*, expected a probability"):
        with_threshold(fitted, threshold)


def test_what_has_no_two_probabilities_is_not_wrapped() -> None:
    for model, target in (
        (LinearRegression(), np.arange(400.0)),
        (LinearSVC(), TARGET),
        (LogisticRegression(), np.arange(400) % 3),
    ):
        with pytest.raises(InputError, match="expected a fitted classifier with probabilities of two labels"):
            with_threshold(model.fit(ROWS, target), 0.3)


def test_the_record_names_the_threshold(fitted: Any, tmp_path: Path) -> None:
    record = Record(tmp_path)
    keep_threshold(record, with_threshold(fitted, 0.31))
    assert recorded_threshold(record) == RecordedThreshold(0.31, "good")
    assert str(recorded_threshold(record)) == "predicts good where its probability is at least 0.31"
    keep_threshold(record, fitted)
    assert recorded_threshold(record) is None
    (tmp_path / "threshold.json").write_text('{"threshold": "low"}')
    with pytest.raises(InputError, match=r"threshold\.json: found .*, expected threshold, label and score"):
        recorded_threshold(record)


def test_thresholds_of_scikit_learn_are_named_too() -> None:
    tuned = TunedThresholdClassifierCV(LogisticRegression(), scoring="balanced_accuracy").fit(ROWS, TARGET == "good")
    named = threshold_of(tuned)
    assert named == RecordedThreshold(tuned.best_threshold_, True)
    by_distance = FixedThresholdClassifier(LinearSVC(), threshold="auto").fit(ROWS, TARGET)
    assert threshold_of(by_distance) == RecordedThreshold(0.0, "good", "decision value")
    assert threshold_of(LogisticRegression().fit(ROWS, TARGET)) is None
