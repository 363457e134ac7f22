"""Diagnostics: the plots that suit, what they say, and what is left out."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from bank_loans import PARAMS, bank, loans

from pipeline_lib.errors import InputError
from pipeline_lib.records.record import create_record
from pipeline_lib.rows.column import Column
from pipeline_lib.rows.schema import RowSchema
from pipeline_lib.runner.diagnostics.diagnostics import Diagnostics
from pipeline_lib.runner.diagnostics.influence import importances
from pipeline_lib.runner.diagnostics.labels import calibration, confusion
from pipeline_lib.runner.diagnostics.numbers import predicted_against_actual, residuals
from pipeline_lib.runner.diagnostics.segments import errors_by_segment
from pipeline_lib.runner.research_run import Run

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

    found = {each.column: each.mean for each in importances(model, rows, losses)}
    assert set(found) == {"income", "debt"}  # the others reach no output
    assert min(found.values()) > 0.02
    constant = importances(model, rows, lambda table, numbers: np.ones(len(numbers)))
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
    assert confusion(labels, labels, tuple(range(40))) is None
    assert confusion(labels % 3, labels % 3, (0, 1, 2)) is not None


def test_the_worst_segment_is_named_and_no_sensitive_one() -> None:
    rows = pa.table({"town": ["a", "b"] * 100, "name": ["x", "y"] * 100, "size": np.arange(200.0)})
    losses = np.where(np.arange(200) % 2 == 0, 5.0, 1.0)
    columns = (Column("town", "string"), Column("name", "string", sensitive=True), Column("size", "number"))
    picture = errors_by_segment(rows, RowSchema(columns), losses, "absolute error")
    assert picture is not None
    assert "largest for town: a: 5 in 100 rows" in picture.reading
    assert "name" not in picture.alt + picture.reading
    few = errors_by_segment(rows.slice(0, 10), RowSchema(columns), losses[:10], "absolute error")
    assert few is None


def test_several_targets_are_refused(drawn: tuple[Diagnostics, Run], tmp_path: Path) -> None:
    from dataclasses import replace

    from pipeline_lib.evidence.evidence import read_evidence
    from pipeline_lib.evidence.targets import target_table
    from pipeline_lib.runner.diagnostics.diagnostics import diagnostics_of

    run = drawn[1]
    evidence = read_evidence(run.record.evidence)
    two = replace(evidence, target=target_table(pd.DataFrame({"a": range(400), "b": range(400)})))
    assert run._model is not None
    with pytest.raises(InputError, match="found several targets"):
        diagnostics_of(run._model, two, run.module, run.params)
