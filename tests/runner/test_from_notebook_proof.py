"""Values of an original and of a new pipeline, compared without running either."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from exploration import ALL, exploration, planted
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import Pipeline

from pipeline_lib.evidence.fitted_state import write_fitted_state
from pipeline_lib.project.from_notebook.plan import Plan, plan_of
from pipeline_lib.runner.from_notebook_original import OriginalRun
from pipeline_lib.runner.from_notebook_proof import compare, difference, fitted_values, same_fit
from pipeline_lib.runner.from_notebook_worker import OF_ALL_ROWS, OF_ARRAYS, REPEATED, STATE

FRAME = pd.DataFrame({"area": [50.0, 60.0, 70.0], "rooms": [2, 3, 3], "price": [100.0, 120.0, 130.0]})
PREDICTIONS = np.array([101.0, 119.0])


def new(**changed: Any) -> dict[str, Any]:
    return {
        "frame": FRAME,
        "target name": "price",
        "train rows": FRAME.drop(columns="price")[:1],
        "predictions": PREDICTIONS,
        "metrics": {"mean_absolute_error": 1.5},
        **changed,
    }


def original(**changed: Any) -> OriginalRun:
    rows = FRAME.drop(columns="price")
    values = {"rows": rows, "target": FRAME["price"], "train rows": rows[:1], "predictions": PREDICTIONS}
    return OriginalRun({**values, "score mean_absolute_error": 1.5, **changed})


def results(run: OriginalRun, found: dict[str, Any], casts: dict[str, str] | None = None) -> dict[str, tuple[int, str]]:
    plan = plan_of(planted("dropped_rows"), "x")
    return {one.value: (one.cell, one.result) for one in compare(plan, run, found, casts or {})}


def test_equal_values_are_equal_and_missing_ones_are_not_compared() -> None:
    assert results(original(), new()) == {
        "rows before the split": (7, "equal"),
        "target before the split": (7, "equal"),
        "train rows": (7, "equal"),
        "test rows": (7, "not compared"),
        "train target": (7, "not compared"),
        "test target": (7, "not compared"),
        "predictions": (9, "equal"),
        "metric mean_absolute_error": (9, "equal"),
    }


@pytest.mark.parametrize(
    ("changed", "value"),
    [
        ({"predictions": np.nextafter(PREDICTIONS, 200)}, "predictions"),
        ({"frame": FRAME.assign(area=[50.0, 60.0, 70.00000000000001])}, "rows before the split"),
        ({"frame": FRAME.assign(price=[100.0, 120.0, 131.0])}, "target before the split"),
        ({"train rows": FRAME.drop(columns="price")[1:2]}, "train rows"),
        ({"metrics": {"mean_absolute_error": 1.5000000000000002}}, "metric mean_absolute_error"),
    ],
)
def test_one_bit_in_one_value_differs(changed: dict[str, Any], value: str) -> None:
    found = results(original(), new(**changed))
    assert [name for name, (_, result) in found.items() if result == "differs"] == [value]


def test_the_cause_of_other_predictions_is_named_where_one_change_removes_it() -> None:
    plan = plan_of(planted("dropped_rows"), "x")
    wrong = {"predictions": PREDICTIONS + 1}
    for cause, words in ((OF_ARRAYS, "only the layout in memory differs"), (OF_ALL_ROWS, "they alone differ")):
        (with_cause,) = (
            one
            for one in compare(plan, original(), new(**wrong, **{cause: PREDICTIONS}), {})
            if one.cell == 9 and one.value == "predictions"
        )
        assert with_cause.detail.endswith(words)
        (without,) = (
            one
            for one in compare(plan, original(), new(**wrong, **{cause: PREDICTIONS + 2}), {})
            if one.value == "predictions"
        )
        assert words not in without.detail


def detail_of(value: str, plan: Plan, run: OriginalRun, found: dict[str, Any]) -> str:
    return next(one.detail for one in compare(plan, run, found, {}) if one.value == value)


def test_a_model_without_a_seed_is_the_cause_where_two_fits_differ() -> None:
    cells = ALL["dropped_rows"]
    cells = [cell.replace("random_state=0)\ntree.fit", "**{})\ntree.fit") for cell in cells]
    plan = plan_of(exploration(cells), "x")
    other = new(predictions=PREDICTIONS + 1, **{REPEATED: PREDICTIONS + 2, OF_ARRAYS: PREDICTIONS})
    detail = detail_of("predictions", plan, original(), other)
    assert detail.endswith("two fits of the new pipeline differ, too (DecisionTreeRegressor in cell 8 has no seed)")
    alike = new(predictions=PREDICTIONS + 1, **{REPEATED: PREDICTIONS + 1})
    assert "two fits" not in detail_of("predictions", plan, original(), alike)


def test_draws_in_load_are_the_cause_of_other_rows() -> None:
    cells = [cell.replace('flats["area"] / ', "np.random.normal() / ") for cell in ALL["dropped_rows"]]
    other = new(frame=FRAME.assign(area=[50.0, 60.0, 71.0]))
    detail = detail_of("rows before the split", plan_of(exploration(cells), "x"), original(), other)
    assert detail.endswith("; numpy.random.normal in cell 5 has no seed, so each load gives other rows")
    plain = detail_of("rows before the split", plan_of(planted("dropped_rows"), "x"), original(), other)
    assert "seed" not in plain


def test_the_fits_of_two_processes_are_compared_by_what_they_have_learned(tmp_path: Path) -> None:
    rows = pd.DataFrame({"a": [1.0, 2.0, 4.0]})
    for number, target in enumerate(([1.0, 2.0, 3.0], [1.0, 2.0, 3.0], [1.0, 2.0, 5.0])):
        fitted = Pipeline([("model", LinearRegression())]).fit(rows, target)
        write_fitted_state(tmp_path / f"{number}.parquet", fitted)
    found = {STATE: fitted_values(tmp_path / "0.parquet")}
    assert same_fit(found, tmp_path / "1.parquet")
    assert not same_fit(found, tmp_path / "2.parquet")
    assert not same_fit(found, tmp_path / "none.parquet")
    assert not same_fit({}, tmp_path / "1.parquet")


def test_arrays_and_narrow_columns_are_compared_as_production_delivers_them() -> None:
    rows = FRAME.drop(columns="price").astype({"area": "float32"})
    assert results(original(rows=rows), new())["rows before the split"] == (7, "differs")
    assert results(original(rows=rows), new(), {"area": "float64"})["rows before the split"] == (7, "equal")
    array = FRAME.drop(columns="price").astype(float)
    assert results(original(rows=array.to_numpy()), new(frame=array.assign(price=FRAME["price"])))[
        "rows before the split"
    ] == (7, "equal")


def test_an_error_of_the_new_pipeline_is_the_reason_for_what_is_missing() -> None:
    plan = plan_of(planted("dropped_rows"), "x")
    found = compare(plan, original(), {"frame": FRAME, "target name": "price", "error": "split: KeyError: 'x'"}, {})
    assert {one.detail for one in found if one.value == "predictions"} == {"split: KeyError: 'x'"}
    stopped = OriginalRun({}, {}, {4: "NameError: flats"})
    assert {one.detail for one in compare(plan, stopped, new(), {})} == {
        "the original has none (cell 4: NameError: flats)"
    }


@pytest.mark.parametrize(
    ("expected", "found", "words"),
    [
        ([1.0, 2.0], [1.0, 2.0], ""),
        ([1.0, 2.0], [1.0, 2.0000000000000004], "row 1: expected 2.0"),
        ([1, 2], [1.0, 2.0], "dtype"),
        ([1.0, 2.0], [1.0], "rows: expected 2, found 1"),
        (["a"], ["b"], "expected 'a', found 'b'"),
    ],
)
def test_the_first_difference_is_named(expected: list[object], found: list[object], words: str) -> None:
    text = difference(np.array(expected), np.array(found))
    assert words in text
    assert bool(text) == bool(words)


def test_a_row_in_another_place_is_a_difference_of_the_index() -> None:
    frame = pd.DataFrame({"a": [1.0, 1.0]})
    assert difference(frame, frame.set_axis([0, 7])) == "row 1 has the index 7, expected 1"
    assert difference(frame, frame.copy()) == ""
    assert "column 'a', row 0" in difference(frame, frame.assign(a=[2.0, 1.0]))
