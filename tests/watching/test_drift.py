"""What is said of rows that have drifted, and of rows that have not."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import watched

from pipeline_lib.watching.accumulator import Accumulator
from pipeline_lib.watching.drift import DATES, DRIFTED, SHIFTED, STABLE, TOO_FEW, ColumnDrift, Drift, drift_of
from pipeline_lib.watching.page import write_drift_page
from pipeline_lib.watching.statistics import Statistics


@pytest.fixture(scope="module")
def statistics() -> Statistics:
    return watched.statistics()


def compared(statistics: Statistics, rows: Any, answers: pa.Table | None = None) -> Drift:
    accumulator = Accumulator(statistics)
    accumulator.add_rows(rows)
    if answers is not None:
        accumulator.add_outputs(answers)
    return drift_of(accumulator, "m/1")


def column(drift: Drift, name: str) -> ColumnDrift:
    return next(each for each in drift.columns if each.name == name)


@pytest.mark.parametrize("seed", range(1, 21))
def test_rows_like_those_of_training_have_not_drifted(statistics: Statistics, seed: int) -> None:
    drift = compared(statistics, watched.rows(40 * seed, seed), watched.answers(40 * seed, seed))
    assert {each.verdict for each in drift.columns} == {STABLE, DATES}
    assert drift.headline == f"{40 * seed} rows of m/1: nothing drifted from training (7 columns and outputs compared)"


def test_the_most_drifted_is_first(statistics: Statistics) -> None:
    rows = watched.rows(1000, 5, size=1.0, zones=("a", "b", "b", "new", "c "))
    drift = compared(statistics, rows, watched.answers(1000, 6, above=0.8))
    assert [each.name for each in drift.drifted] == ["zone", "size"]
    assert drift.columns[0].unseen == pytest.approx(0.4, abs=0.05)
    assert set(drift.columns[0].new_names) == {"new", "c "}
    assert {each.name for each in drift.columns if each.verdict == SHIFTED} == {"probability[yes]"}
    assert "zone, size drifted from training, 1 shifted a little" in drift.headline
    assert str(drift).splitlines()[2].startswith("zone ")
    assert "unseen ('c ', 'new')" in str(drift)


def test_missing_values_are_a_drift(statistics: Statistics) -> None:
    rows = watched.rows(1000, 5)
    holes = pa.array([None if number % 2 else value for number, value in enumerate(rows["size"].to_pylist())])
    size = column(compared(statistics, rows.set_column(0, "size", holes)), "size")
    assert (size.verdict, size.missing > 0.5, "missing 2" in size.reason) == (DRIFTED, True, True)


def test_one_in_a_hundred_new_values_is_a_shift(statistics: Statistics) -> None:
    rows = watched.rows(3000, 5)
    zones = pa.array(["new" if number % 50 == 0 else value for number, value in enumerate(rows["zone"].to_pylist())])
    zone = column(compared(statistics, rows.set_column(2, "zone", zones)), "zone")
    assert (zone.verdict, zone.psi < 0.1) == (SHIFTED, True)


def test_with_many_rows_a_small_difference_is_none() -> None:
    size = column(compared(watched.statistics(50_000), watched.rows(100_000, 5, size=0.05)), "size")
    assert size.p is not None
    assert size.p < 0.01
    assert (size.verdict, size.psi < 0.1) == (STABLE, True)


def test_a_few_rows_are_not_judged(statistics: Statistics) -> None:
    drift = compared(statistics, watched.rows(10, 5, size=5.0))
    assert {each.verdict for each in drift.columns} == {TOO_FEW, DATES}
    assert drift.headline == "10 rows of m/1: too few to compare with training"


def test_later_dates_are_shown_and_not_judged(statistics: Statistics) -> None:
    rows = watched.rows(1000, 5)
    later = pa.compute.add(rows["sold"], pa.scalar(10**15, pa.duration("us")))
    sold = column(compared(statistics, rows.set_column(5, "sold", later)), "sold")
    assert (sold.verdict, sold.out_of_range > 0.9) == (DATES, True)


def test_the_page_has_a_plot_of_each_column_and_no_request(statistics: Statistics, tmp_path: Path) -> None:
    rows = watched.rows(1000, 5, zones=("a", "<script>alert(1)</script>"))
    drift = compared(statistics, rows, watched.answers(1000, 6))
    write_drift_page(tmp_path / "page.html", drift)
    text = (tmp_path / "page.html").read_text()
    assert text.count("<svg viewBox") == len(drift.columns) == 8
    assert "<script" not in text
    assert "&lt;script&gt;alert" in text
    assert "http" not in text.replace("Content-Security-Policy", "").replace("http-equiv", "")


def test_the_result_is_json(statistics: Statistics) -> None:
    values = json.loads(json.dumps(compared(statistics, watched.rows(100, 1)).to_json(), allow_nan=False))
    assert values["rows"] == values["counted"] == 100
    first = next(each for each in values["columns"] if each["name"] == "size")
    assert sum(first["now"]) == pytest.approx(1.0)
    assert len(first["bins"]) == len(first["training"]) == len(first["now"])
