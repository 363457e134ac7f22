"""Diagnostics: the plots that suit, what they say, and what is left out."""

import types
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from bank_loans import PARAMS, bank, loans
from flights import Windy, frames, schema
from sklearn.calibration import calibration_curve
from sklearn.inspection import partial_dependence, permutation_importance
from sklearn.linear_model import LinearRegression
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    confusion_matrix,
    log_loss,
    median_absolute_error,
    roc_auc_score,
)
from sklearn.pipeline import Pipeline
from sklearn.tree import DecisionTreeClassifier

from pipeline_lib.compiler.compile import compile_pipeline
from pipeline_lib.errors import InputError
from pipeline_lib.evidence.evidence import Evidence, read_evidence
from pipeline_lib.evidence.losses import losses_of
from pipeline_lib.evidence.targets import target_of, target_table
from pipeline_lib.records.record import create_record
from pipeline_lib.rows.column import Column
from pipeline_lib.rows.conform import conform
from pipeline_lib.rows.schema import RowSchema
from pipeline_lib.runner.diagnostics.diagnostics import Diagnostics, diagnostics_of
from pipeline_lib.runner.diagnostics.drawing import Picture
from pipeline_lib.runner.diagnostics.influence import dependence, importances
from pipeline_lib.runner.diagnostics.labels import calibration, confusion, counts_of
from pipeline_lib.runner.diagnostics.numbers import predicted_against_actual, residuals
from pipeline_lib.runner.diagnostics.segments import errors_by_segment
from pipeline_lib.runner.metrics import probabilities_of
from pipeline_lib.runner.research_run import Run
from pipeline_lib.system.number_text import number_text

PNG = b"\x89PNG"


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> tuple[Diagnostics, Run]:
    with bank(tmp_path_factory.mktemp("bank")) as project:
        module = project.import_pipeline("loans")
        run = Run(module, module.Params(**PARAMS), create_record(project.runs, "loans"), project)
        with pytest.raises(InputError, match=r"expected run\.evidence"):
            run.diagnostics()
        train, test = loans(600), loans(400, seed=1, first=9000)
        fitted = module.build(run.params).fit(train.drop(columns="paid"), train["paid"])
        run.compile(fitted, like=train.drop(columns="paid"))
        run.evidence(test.drop(columns="paid"), test["paid"])
        return run.diagnostics(), run


def test_a_classifier_has_the_plots_of_labels(drawn: tuple[Diagnostics, Run]) -> None:
    names = [picture.title for picture in drawn[0].pictures]
    assert names == ["Calibration", "Ranking", "Confusion", "Importance", "Partial dependence", "Errors by segment"]
    html = drawn[0]._repr_html_()
    assert html.count("<img alt=") == len(names)
    assert all(picture.png.startswith(PNG) and picture.alt and picture.reading for picture in drawn[0].pictures)
    assert "mean value in euros" in html


def test_importance_finds_the_columns_that_matter_and_no_other(drawn: tuple[Diagnostics, Run]) -> None:
    model = drawn[1]._model
    assert model is not None
    rows = pa.Table.from_pandas(loans(400, seed=1, first=9000).drop(columns="paid"), preserve_index=False)
    truth = loans(400, seed=1, first=9000)["paid"].to_numpy()

    def losses(table: pa.Table, numbers: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return np.asarray(model.predict(table) != truth[numbers], dtype=float)

    found_list, refused = importances(model, rows, losses)
    found = {each.column: each.mean for each in found_list}
    assert refused == []
    assert set(found) == {"income", "debt"}  # the others reach no output
    assert min(found.values()) > 0.02
    constant, _ = importances(model, rows, lambda table, numbers: np.ones(len(numbers)))
    assert {each.mean for each in constant} == {0.0}  # a loss that nothing moves


def test_numbers_say_how_far_off_and_which_way() -> None:
    actual = np.linspace(1000, 50_000, 300)
    picture = predicted_against_actual(actual, actual + 2500)
    assert "within 2,500 of the true value" in picture.reading
    assert picture.png.startswith(PNG)
    assert "2,500 too high" in residuals(actual, actual + 2500).reading
    assert "2,500 too low" in residuals(actual, actual - 2500).reading


def test_calibration_is_the_distance_from_the_line() -> None:
    positive = np.arange(1000) % 2 == 0
    assert "mean distance is 0.0%" in calibration(positive, np.full(1000, 0.5), "yes").reading
    assert "mean distance is 40.0%" in calibration(positive, np.full(1000, 0.9), "yes").reading


def test_a_table_of_many_labels_is_left_out() -> None:
    labels = np.arange(40)
    assert "40 labels cannot be read" in confusion(labels, labels, tuple(range(40)))
    assert isinstance(confusion(labels % 3, labels % 3, (0, 1, 2)), Picture)


def test_the_worst_segment_is_named_and_no_sensitive_one() -> None:
    rows = pa.table({"town": ["a", "b"] * 100, "name": ["x", "y"] * 100, "size": np.arange(200.0)})
    losses = np.where(np.arange(200) % 2 == 0, 5.0, 1.0)
    columns = (Column("town", "string"), Column("name", "string", sensitive=True), Column("size", "number"))
    picture = errors_by_segment(rows, RowSchema(columns), losses, "absolute error")
    assert isinstance(picture, Picture)
    assert "largest for town: a: 5 in 100 rows" in picture.reading
    assert "name" not in picture.alt + picture.reading
    few = errors_by_segment(rows.slice(0, 10), RowSchema(columns), losses[:10], "absolute error")
    assert "no column divides the rows" in str(few)


@pytest.fixture(scope="module")
def evidence(drawn: tuple[Diagnostics, Run]) -> Evidence:
    return read_evidence(drawn[1].record.evidence)


def of(run: Run, evidence: Evidence) -> Diagnostics:
    assert run._model is not None
    return diagnostics_of(run._model, evidence, run.module, run.params)


def test_rows_without_a_true_value_are_left_out_and_counted(drawn: tuple[Diagnostics, Run], evidence: Evidence) -> None:
    target = np.where(np.arange(400) < 10, np.nan, np.asarray(target_of(evidence.target), float))
    found = of(drawn[1], replace(evidence, target=target_table(target)))
    assert "10 rows without a true value are left out of the plots." in found.notes
    assert "Confusion" in [picture.title for picture in found.pictures]
    nothing = of(drawn[1], replace(evidence, target=target_table(np.full(400, np.nan))))
    assert (nothing.pictures, nothing.notes) == ((), ("Nothing is drawn: no row has a true value.",))


def test_one_label_in_the_test_rows_has_no_ranking(drawn: tuple[Diagnostics, Run], evidence: Evidence) -> None:
    found = of(drawn[1], replace(evidence, target=target_table(np.ones(400, np.int64))))
    assert "Ranking is not drawn: all 400 rows have the same label." in found.notes
    assert [picture.title for picture in found.pictures][:2] == ["Calibration", "Confusion"]


@pytest.mark.parametrize("rows", [1, 2, 7])
def test_few_rows_are_drawn(drawn: tuple[Diagnostics, Run], evidence: Evidence, rows: int) -> None:
    few = replace(
        evidence,
        inputs=evidence.inputs.slice(0, rows),
        target=evidence.target.slice(0, rows),
        outputs=evidence.outputs.slice(0, rows),
    )
    found = of(drawn[1], few)
    assert found.pictures
    assert any("Errors by segment are not drawn" in note for note in found.notes)
    numbers = np.arange(float(rows))
    assert predicted_against_actual(numbers, numbers).png.startswith(PNG)
    assert "neither too high nor too low" in residuals(numbers, numbers).reading


@pytest.mark.parametrize("kind", ["numbers", "labels"])
def test_several_targets_are_drawn_or_left_out_in_words(kind: str) -> None:
    draw = np.random.default_rng(0)
    data = pd.DataFrame({"a": draw.normal(size=90), "b": draw.normal(size=90)})
    values = pd.DataFrame({f"y{number}": data["a"] * number + data["b"] for number in range(1, 7)})
    if kind == "labels":
        values = (values[["y1", "y2"]] > 0).astype(np.int64)
    estimator = LinearRegression() if kind == "numbers" else DecisionTreeClassifier(max_depth=2)
    row = RowSchema((Column("a", "number"), Column("b", "number")))
    model = compile_pipeline(Pipeline([("model", estimator)]).fit(data, values), like=data, row=row)
    table = pa.Table.from_pandas(data, preserve_index=False)
    outputs = model.predict_table(table)
    kept = Evidence(table, outputs, {}, pa.array([], pa.int64()), target_table(values))
    found = diagnostics_of(model, kept, types.ModuleType("several"), None)
    titles = [picture.title for picture in found.pictures]
    assert "Importance" in titles
    if kind == "numbers":
        assert titles[:4] == [f"Predicted against actual: y{number}" for number in range(1, 5)]
        assert "Predicted against actual is drawn for the first 4 targets, not for 2 more." in found.notes
    else:
        assert "Calibration, ranking and confusion are not drawn: there are 2 targets of labels." in found.notes


def test_the_label_that_is_looked_for_is_the_one_that_the_module_names(
    drawn: tuple[Diagnostics, Run], evidence: Evidence
) -> None:
    module = types.ModuleType("loans")
    module.__dict__.update(drawn[1].module.__dict__, POSITIVE=0)
    assert drawn[1]._model is not None
    found = diagnostics_of(drawn[1]._model, evidence, module, drawn[1].params)
    ranking = {picture.title: picture for picture in found.pictures}["Ranking"]
    assert ranking.reading.startswith("A row of paid = 0 is ranked above")


def test_numbers_are_those_of_scikit_learn(drawn: tuple[Diagnostics, Run], evidence: Evidence) -> None:
    run, rows = drawn[1], loans(400, seed=1, first=9000)
    pictures = {picture.title: picture for picture in drawn[0].pictures}
    truth, X = rows.pop("paid").to_numpy(), rows
    chances = probabilities_of(evidence.outputs)
    assert chances is not None
    chance = chances[:, 1]
    assert f"in {roc_auc_score(truth, chance):.1%} of the pairs" in pictures["Ranking"].reading
    assert f"with a mean of {average_precision_score(truth, chance):.3f}" in pictures["Ranking"].alt
    came, said = calibration_curve(truth, chance, n_bins=10, strategy="quantile")
    assert f"distance is {np.abs(came - said).mean():.1%}" in pictures["Calibration"].reading
    predicted = np.asarray(evidence.outputs["prediction"])
    assert (counts_of(truth, predicted, (0, 1)) == confusion_matrix(truth, predicted)).all()
    assert f"{accuracy_score(truth, predicted):.1%} of the labels" in pictures["Confusion"].reading
    worst = pictures["Errors by segment"].reading
    assert f"is {number_text(log_loss(truth, chances))} over all rows" in worst

    fitted = run.module.build(run.params).fit(loans(600).drop(columns="paid"), loans(600)["paid"])
    theirs = permutation_importance(fitted, X, truth, scoring="neg_log_loss", n_repeats=30, random_state=0)
    expected = dict(zip(X, theirs.importances_mean, strict=True))
    model = run._model
    assert model is not None

    def losses(table: pa.Table, numbers: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        chances = np.asarray(model.predict_proba(table))
        return losses_of(truth[numbers], truth[numbers], chances, "binary", (0, 1))["log loss"]

    for each in importances(model, evidence.inputs, losses)[0]:
        assert each.mean == pytest.approx(expected[each.column], rel=0.15)
    curve = dependence(evidence.inputs, "income", lambda table: np.asarray(model.predict_proba(table))[:, 1])
    assert curve is not None
    grid, lines = curve
    theirs = partial_dependence(fitted, X[:200], ["income"], custom_values={"income": grid}, method="brute")
    assert lines.mean(axis=1) == pytest.approx(theirs["average"][0])


def test_numbers_of_a_regression_are_those_of_scikit_learn() -> None:
    draw = np.random.default_rng(3)
    actual = draw.normal(50, 9, 300)
    predicted = actual + draw.normal(0, 2, 300)
    within = number_text(median_absolute_error(actual, predicted))
    assert f"within {within} of the true value" in predicted_against_actual(actual, predicted).reading
    assert f"median error is {number_text(float(np.median(predicted - actual)))}" in residuals(actual, predicted).alt


def test_a_table_of_the_row_is_shuffled_whole_with_the_columns_by_which_it_is_found() -> None:
    fitted = Pipeline([("windy", Windy()), ("linear", LinearRegression())]).fit(frames(), [1.0, 2.0, 4.0, 3.0])
    model = compile_pipeline(fitted, like=frames(), row=schema())
    rows = conform(frames(), schema())
    found, refused = importances(model, rows, lambda table, numbers: np.abs(model.predict(table)))
    assert refused == []
    assert {each.column for each in found} == {"seats", "weather (with origin, hour)"}
