"""Baselines: what is kept of the training target, the answers, their scores, the distance of the model."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import BaseModel
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import IsolationForest
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import log_loss
from sklearn.pipeline import Pipeline

from pipeline_lib.compiler.compile import compile_pipeline
from pipeline_lib.errors import InputError
from pipeline_lib.evidence.evidence import write_evidence
from pipeline_lib.records.baseline_scores import NO_BASELINE, Distance, RunScores, is_warning, run_scores
from pipeline_lib.records.metric_direction import Metric
from pipeline_lib.records.record import Record
from pipeline_lib.rows.model import schema_of
from pipeline_lib.runner.baselines import (
    Baselines,
    baselines_of,
    keep_baselines,
    read_baselines,
    score_baselines,
    write_baselines,
)
from pipeline_lib.runner.value import value_of_evidence
from pipeline_lib.system.files import canonical_json


class Row(BaseModel):
    """A flat."""

    area: float


MODULE: Any = SimpleNamespace(__name__="flats", Row=Row)
WEEKLY: Any = SimpleNamespace(__name__="weeks", Row=Row, SEASON=3)


@pytest.fixture
def record(tmp_path: Path) -> Record:
    folder = tmp_path / "flats" / "20261130T120000000-aaaaaa"
    folder.mkdir(parents=True)
    return Record(folder)


def regressor() -> Any:
    return LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0])


def classifier(target: Any) -> Any:
    return LogisticRegression().fit(np.arange(len(target), dtype=float)[:, None], target)


def test_of_numbers_mean_and_median_answer() -> None:
    baselines = baselines_of(regressor(), pd.Series([1, 2, 6]), MODULE)
    answers = baselines.predictions(2)
    assert list(answers) == ["mean", "median"]
    assert answers["mean"][0].tolist() == [3.0, 3.0]
    assert answers["median"][0].tolist() == [2.0, 2.0]
    assert answers["mean"][1] is None


def test_mean_and_median_are_those_of_scikit_learn() -> None:
    target = np.random.default_rng(0).lognormal(size=101)
    answers = baselines_of(regressor(), target, MODULE).predictions(3)
    for name in ("mean", "median"):
        dummy = DummyRegressor(strategy=name).fit(np.zeros((101, 1)), target)
        np.testing.assert_allclose(answers[name][0], dummy.predict(np.zeros((3, 1))), rtol=1e-15)


def test_of_several_targets_each_has_its_own() -> None:
    target = pd.DataFrame({"low": [1.0, 3.0], "high": [10.0, 30.0]})
    answers = baselines_of(regressor(), target, WEEKLY).predictions(3)
    assert answers["mean"][0].tolist() == [[2.0, 20.0]] * 3
    assert "seasonal naive" not in answers


def test_of_labels_majority_minority_and_shares_answer() -> None:
    target = np.array(["no", "yes", "no", "no"])
    answers = baselines_of(classifier(target), target, MODULE).predictions(2)
    shown = {name: (labels.tolist(), None if p is None else p.tolist()) for name, (labels, p) in answers.items()}
    assert shown == {
        "majority": (["no", "no"], [[1.0, 0.0]] * 2),
        "minority": (["yes", "yes"], [[0.0, 1.0]] * 2),
        "label shares": (["no", "no"], [[0.75, 0.25]] * 2),
    }


@pytest.mark.parametrize(("strategy", "name"), [("most_frequent", "majority"), ("prior", "label shares")])
def test_labels_are_those_of_scikit_learn(strategy: str, name: str) -> None:
    target = np.random.default_rng(1).choice(["a", "b", "c"], size=60, p=[0.2, 0.5, 0.3])
    predictions, probabilities = baselines_of(classifier(target), target, MODULE).predictions(4)[name]
    dummy = DummyClassifier(strategy=strategy).fit(np.zeros((60, 1)), target)
    assert predictions.tolist() == dummy.predict(np.zeros((4, 1))).tolist()
    assert probabilities is not None
    np.testing.assert_allclose(probabilities, dummy.predict_proba(np.zeros((4, 1))), rtol=1e-15)


def test_three_labels_have_no_minority_and_labels_may_be_numbers() -> None:
    target = np.array([3, 1, 3, 2])
    baselines = baselines_of(classifier(target), target, MODULE)
    assert list(baselines.predictions(1)) == ["majority", "label shares"]
    assert baselines.predictions(1)["majority"][0].tolist() == [3]
    assert baselines.labels == (1, 2, 3)


def test_whole_numbers_of_a_regression_are_numbers_not_labels() -> None:
    assert list(baselines_of(regressor(), np.array([1, 1, 2]), MODULE).predictions(1)) == ["mean", "median"]
    forest = IsolationForest(n_estimators=2).fit([[0.0], [1.0]])
    assert list(baselines_of(forest, np.array(["a", "b"]), MODULE).predictions(1)) == [
        "majority",
        "minority",
        "label shares",
    ]


def test_the_seasonal_answer_is_the_true_value_one_season_before() -> None:
    baselines = baselines_of(regressor(), [1.0, 2.0, 3.0, 4.0, 5.0], WEEKLY)
    true = [10.0, 20.0, 30.0, 40.0, 50.0]
    assert baselines.predictions(5, target=true)["seasonal naive"][0].tolist() == [3.0, 4.0, 5.0, 10.0, 20.0]
    assert baselines.predictions(2, target=true)["seasonal naive"][0].tolist() == [3.0, 4.0]
    assert baselines.predictions(5)["seasonal naive"][0].tolist() == [3.0, 4.0, 5.0, 3.0, 4.0]
    assert "seasonal naive" not in baselines.predictions(5, follows_training=False)


@pytest.mark.parametrize("season", [0, 4, -1, 1.5, True, "summer"])
def test_a_season_is_a_number_of_rows(season: Any) -> None:
    module: Any = SimpleNamespace(Row=Row, SEASON=season)
    with pytest.raises(InputError, match=r"SEASON: found .*, expected the number of rows"):
        baselines_of(regressor(), [1.0, 2.0, 3.0], module)


@pytest.mark.parametrize(
    ("target", "found"),
    [
        ([], r"found shape \(0,\)"),
        (np.zeros((2, 2, 2)), r"found shape \(2, 2, 2\)"),
        ([1.0, float("nan")], "found 1 values that are missing"),
        ([1.0, None], "found 1 values that are missing"),
        (["a", "b"], "expected numbers"),
    ],
)
def test_a_target_that_is_none_is_refused(target: Any, found: str) -> None:
    with pytest.raises(InputError, match=f"target: .*{found}"):
        baselines_of(regressor(), target, MODULE)


def test_what_is_kept_is_read_again(record: Record) -> None:
    for baselines in (
        baselines_of(regressor(), [1.5, 2.5, 9.0, 4.0], WEEKLY),
        baselines_of(classifier([True, False, True]), np.array([True, False, True]), MODULE),
        baselines_of(regressor(), np.array([[1.0, 2.0], [3.0, 4.0]]), MODULE),
    ):
        (record.folder / "season.json").unlink(missing_ok=True)
        write_baselines(record, baselines)
        assert read_baselines(record) == baselines


def test_a_season_is_in_a_file_of_its_own_as_its_values_are_those_of_rows(record: Record) -> None:
    write_baselines(record, baselines_of(regressor(), [1.0, 2.0, 31.25, 4.0], WEEKLY))
    assert "31.25" not in (record.folder / "baseline.json").read_text()
    assert record.read_json("season.json") == [2.0, 31.25, 4.0]


def test_a_compile_without_target_removes_the_baselines_of_the_one_before(record: Record) -> None:
    rows = pd.DataFrame({"area": [1.0, 2.0, 3.0]})
    keep_baselines(record, regressor(), WEEKLY, like=rows, target=pd.Series([1.0, 2.0, 3.0]))
    assert read_baselines(record).mean == (2.0,)
    keep_baselines(record, regressor(), WEEKLY, like=rows, target=None)
    assert not (record.folder / "season.json").exists()
    with pytest.raises(InputError, match=r"found no baseline: pass target=y_train to run\.compile, and run again"):
        read_baselines(record)


def test_a_target_of_other_rows_is_refused(record: Record) -> None:
    rows = pd.DataFrame({"area": [1.0, 2.0, 3.0]})
    with pytest.raises(InputError, match="target: found 2 values and 3 rows"):
        keep_baselines(record, regressor(), MODULE, like=rows, target=[1.0, 2.0])
    with pytest.raises(InputError, match="found a target whose index is not that of the rows"):
        keep_baselines(record, regressor(), MODULE, like=rows, target=pd.Series([1.0, 2.0, 3.0], index=[2, 1, 0]))


def metrics(target: Any, predictions: Any, params: Any) -> dict[str, float]:
    return {"mae": float(np.abs(target - predictions).mean()), "corr": float(np.corrcoef(target, predictions)[0, 1])}


def value(target: Any, predictions: Any, rows: Any, params: Any) -> Any:
    return -params.cost * np.abs(target - predictions)


def scored(record: Record, slope: float, **names: Any) -> RunScores:
    """The scores of a model that predicts `slope` times the area, where the truth is the area."""
    rows = pd.DataFrame({"area": [1.0, 2.0, 3.0, 6.0]})
    target = pd.Series(rows["area"])
    module: Any = SimpleNamespace(**{"metrics": metrics, "value": value, "VALUE_UNIT": "euros", "Row": Row, **names})
    fitted = Pipeline([("price", LinearRegression())]).fit(rows, slope * target)
    model = compile_pipeline(fitted, like=rows, row=schema_of(Row))
    write_evidence(record.evidence, model, rows, target)
    params = SimpleNamespace(cost=2.0)
    keep_baselines(record, fitted, module, like=rows, target=target)
    own = metrics(target, model.predict(rows), params)
    (record.folder / "metrics.json").write_bytes(canonical_json(own))
    worth = value_of_evidence(module, record, params)
    assert worth is not None
    (record.folder / "value.json").write_bytes(canonical_json(worth.to_json()))
    score_baselines(module, record, params)
    return run_scores(record, Metric("mae", "minimize"))


def test_baselines_are_scored_by_the_modules_own_metrics_and_value(record: Record) -> None:
    scores = scored(record, 1.0)
    by_name = {score.name: score for score in scores.baselines}
    assert by_name["mean"].metrics == {"mae": 1.5}  # a correlation with a constant is no number
    assert by_name["median"].metrics == {"mae": 1.5}
    assert by_name["mean"].value == -3.0
    assert not scores.worse
    assert scores.lines[0].startswith("mae ")
    assert "better than the best baseline (mean): 1.5" in scores.lines[0]
    assert "euros a row, better than the best baseline (mean): -3 (+3)" in scores.lines[1]
    assert not any(map(is_warning, scores.lines))


def test_a_model_that_is_no_better_than_its_baseline_is_told(record: Record) -> None:
    scores = scored(record, -1.0)
    assert scores.worse
    assert [is_warning(line) for line in scores.lines] == [True, True]
    assert "mae 6, NO BETTER THAN the best baseline (mean): 1.5" in scores.lines
    stored = scores.to_json()
    assert [distance["better"] for distance in stored["baseline"]] == [False, False]
    assert stored["value"]["unit"] == "euros"


def test_code_that_refuses_a_baseline_leaves_a_note(record: Record) -> None:
    def fussy(target: Any, predictions: Any, params: Any) -> dict[str, float]:
        if np.ptp(predictions) == 0:
            raise ValueError("all the same")
        return metrics(target, predictions, params)

    scores = scored(record, 1.0, metrics=fussy)
    assert [score.note for score in scores.baselines] == ["metrics: ValueError: all the same"] * 2
    assert [score.value for score in scores.baselines] == [-3.0, -3.0]
    assert scores.lines[0].startswith("value ")


def test_label_shares_have_the_log_loss_of_the_shares(record: Record) -> None:
    rows, target = pd.DataFrame({"area": [1.0, 2.0, 3.0, 4.0]}), pd.Series(["a", "a", "a", "b"])
    fitted = Pipeline([("kind", LogisticRegression())]).fit(rows, target)

    def losses(target: Any, predictions: Any, params: Any, probabilities: Any) -> dict[str, float]:
        return {"log_loss": log_loss(target, probabilities), "accuracy": float((target == predictions).mean())}

    module: Any = SimpleNamespace(metrics=losses, Row=Row)
    write_evidence(record.evidence, compile_pipeline(fitted, like=rows, row=schema_of(Row)), rows, target)
    keep_baselines(record, fitted, module, like=rows, target=target)
    score_baselines(module, record, None)
    scores = {score.name: score.metrics for score in run_scores(record, None).baselines}
    assert scores["label shares"]["log_loss"] == pytest.approx(-0.75 * np.log(0.75) - 0.25 * np.log(0.25))
    assert scores["majority"]["accuracy"] == 0.75
    assert scores["minority"]["accuracy"] == 0.25


def test_without_a_baseline_a_line_says_what_to_do(record: Record) -> None:
    (record.folder / "metrics.json").write_bytes(canonical_json({"mae": 1.0}))
    scores = run_scores(record, None)
    assert scores.lines == (NO_BASELINE,)
    assert scores.to_json() == {"value": None, "baseline": None, "threshold": None}


def test_damaged_scores_are_named(record: Record) -> None:
    (record.folder / "baseline.json").write_text('{"scores": [{"better": 1}]}')
    with pytest.raises(InputError, match=r"baseline\.json: found .* unexpected keyword argument 'better'"):
        run_scores(record, None)
    with pytest.raises(InputError, match=r"baseline\.json: found KeyError"):
        read_baselines(record)


def test_numbers_that_differ_are_shown_apart() -> None:
    close = Distance("log_loss", 0.681699, 0.681702, "label shares", better=True)
    assert str(close) == "log_loss 0.681699, better than the best baseline (label shares): 0.681702"
    equal = Distance("log_loss", 0.6816991, 0.6816991, "label shares", better=False)
    assert str(equal) == "log_loss 0.6817, NO BETTER THAN the best baseline (label shares): 0.6817"


def test_baselines_compare_by_value() -> None:
    assert Baselines(3, mean=(1.0,)) == Baselines(3, mean=(1.0,))
    assert Baselines(3, mean=(1.0,)) != Baselines(3, mean=(2.0,))
