"""The output of a block: refused rows in a column, probabilities and a threshold, kept columns, several targets."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import scored

from pipeline_lib.compiled.operations.refusals import RefusedRowError
from pipeline_lib.compiled.pipeline import CompiledPipeline
from pipeline_lib.errors import InputError
from pipeline_lib.records.record import Record
from pipeline_lib.rows.conform_errors import RefusedColumnsError
from pipeline_lib.scoring.blocks import Block, without_place
from pipeline_lib.scoring.score_block import Outputs, score_block

MODEL = scored.echo()
COLUMNS = Outputs("echo/1", errors_in_column=True)


def random_rows(count: int, refused: float, seed: int = 0) -> list[dict[str, Any]]:
    """Rows of which such a share is refused, by the schema or by an operation, some by both."""
    random = np.random.default_rng(seed)
    bad: list[dict[str, Any]] = [
        {"rooms": 21},
        {"rooms": -1},
        {"rooms": None},
        {"code": scored.REFUSED},
        {"size": 1e17},
    ]
    bad += [{"rooms": 30, "size": 1e18}, {"heated": None, "code": scored.REFUSED}, {"heated": None}]
    rows = [scored.row(size=float(number), code=f"c{number}") for number in range(count)]
    for number in np.flatnonzero(random.random(count) < refused):
        rows[number] |= bad[random.integers(len(bad))]
    return rows


def alone(row: dict[str, Any]) -> tuple[dict[str, Any], str | None]:
    """A row's answer and error when it is the only one."""
    try:
        return MODEL.predict_table([row]).to_pylist()[0], None
    except RefusedColumnsError as error:
        return {}, "\n".join(map(without_place, error.problems))
    except RefusedRowError as error:
        return {}, error.reason


@pytest.mark.parametrize("refused", [0.0, 0.02, 0.5, 1.0])
@pytest.mark.parametrize("form", ["table", "mappings"])
def test_each_row_has_the_answer_and_the_error_that_it_has_alone(refused: float, form: str) -> None:
    rows = random_rows(150, refused)
    given = rows if form == "mappings" else scored.table(rows)
    output = score_block(MODEL, Block(given, "rows", str), COLUMNS).to_pylist()
    assert len(output) == len(rows)
    for row, found in zip(rows, output, strict=True):
        answer, error = alone(row)
        assert found["error"] == error
        assert {name: found[name] for name in MODEL.plan.outputs} == (answer or dict.fromkeys(MODEL.plan.outputs))
    share = sum(row["error"] is not None for row in output) / len(rows)
    assert abs(share - refused) < 0.15


def test_time_is_linear_in_the_rows_and_in_the_refused_ones() -> None:
    asked = []

    class Counted(CompiledPipeline):
        def predict_table(self, data: Any, **options: Any) -> pa.Table:
            asked.append(len(data))
            return super().predict_table(data, **options)

    model = Counted(MODEL.plan, MODEL.row)

    def work(count: int, refused: float) -> tuple[int, int]:
        asked.clear()
        score_block(model, Block(scored.table(random_rows(count, refused)), "rows", str), COLUMNS)
        return len(asked), sum(asked)

    for refused in (1.0, 0.5, 0.01):
        for count in (100, 400):
            calls, rows = work(count, refused)
            assert calls <= count + 20
            assert rows <= 8 * count
    assert work(400, 0.0) == (1, 400)


def test_a_column_that_is_absent_or_of_another_type_ends_it_all() -> None:
    table = scored.table(random_rows(3, 0.0))
    for wrong, message in [
        (table.drop_columns(["rooms"]), "rows: found no rooms, expected all 6 columns of Row"),
        (table.set_column(2, "code", pa.array([1, 2, 3])), "rows: code: found int64, expected text"),
    ]:
        with pytest.raises(InputError, match=message):
            score_block(MODEL, Block(wrong, "rows", str), COLUMNS)


def test_errors_of_a_file_are_in_the_column_of_their_row(echo_record: Record, tmp_path: Path) -> None:
    rows = random_rows(60, 0.4, seed=1)
    for number in (3, 17, 18):
        rows[number]["rooms"] = "many" if number == 3 else "few"
    expected = [alone(row)[1] for row in rows]
    for suffix in ("csv", "jsonl"):
        for size in (1, 7, 100):
            path, output = scored.write_rows(tmp_path / f"rows.{suffix}", rows), tmp_path / "out.parquet"
            said = scored.done(echo_record, path, output, "--errors", "column", "--block-rows", size)
            found = [row["error"] for row in scored.read_back(output)]
            assert [error is None for error in found] == [error is None for error in expected]
            assert "rooms: found 'many'" in found[3]
            assert all("rooms: found 'few'" in found[number] for number in (17, 18))
            assert f"{sum(map(bool, expected))} refused by" in said
            if suffix == "jsonl":
                assert found == expected


@pytest.mark.parametrize("classes", [("no", "yes"), (0, 1), (False, True), (1.5, 2.5)])
def test_a_threshold_decides_from_this_probability_on(tmp_path: Path, classes: tuple[Any, Any]) -> None:
    model = scored.classifier(*classes)
    record = scored.proven(tmp_path / "runs", model)
    sizes = [-2.0, -1e-9, 0.0, 1e-9, 2.0, math.log(3)]
    path = tmp_path / "rows.csv"
    path.write_text("size\n" + "".join(f"{size!r}\n" for size in sizes))
    probabilities = model.predict_proba([{"size": size} for size in sizes])[:, 1]
    for threshold in (0.0, 0.5, float(probabilities[4]), float(np.nextafter(probabilities[4], 1)), 1.0):
        scored.done(record, path, tmp_path / "out.parquet", "--threshold", threshold)
        rows = scored.read_back(tmp_path / "out.parquet")
        assert list(rows[0]) == ["prediction", "threshold", "record"]
        assert [row["prediction"] for row in rows] == [classes[int(p >= threshold)] for p in probabilities]
        assert {row["threshold"] for row in rows} == {threshold}
    scored.done(record, path, tmp_path / "out.parquet", "--threshold", 0.75, "--probabilities")
    row = scored.read_back(tmp_path / "out.parquet")[3]
    names = [f"probability[{label}]" for label in classes]
    assert list(row) == ["prediction", *names, "threshold", "record"]
    assert (row[names[0]], row[names[1]]) == tuple(model.predict_proba([{"size": 1e-9}])[0])
    scored.done(record, path, tmp_path / "out.parquet", "--probabilities")
    rows = scored.read_back(tmp_path / "out.parquet")
    assert [row["prediction"] for row in rows] == list(model.predict([{"size": size} for size in sizes]))
    assert rows[2][names[0]] == rows[2][names[1]] == 0.5


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--probabilities"], "found a final estimator that gives no probability"),
        (["--threshold", "0.5"], "found a final estimator that gives no probability"),
        (["--keep", "nothing"], "found no column nothing to keep, expected one of size, rooms, code"),
        (["--keep", "code,record"], "--keep: found the column record, expected other names than those of the output"),
        (["--keep", "*"], "--keep: found the column record, error, expected"),
        (["--errors", "column", "--keep", "error"], "--keep: found the column error, expected"),
        (["--run-date", "2026-11-30"], "found one of --table and --run-date, expected both"),
        (["--table", "x", "--run-date", "yesterday"], "--run-date: found 'yesterday', expected a date such as"),
        (["--param", "a=1"], "found --param without --query"),
    ],
)
def test_options_that_do_not_fit_are_refused(
    echo_record: Record, tmp_path: Path, options: list[str], message: str
) -> None:
    path = scored.write_rows(tmp_path / "rows.csv", [{**scored.row(), "record": "mine", "error": "no"}])
    assert message in scored.refusal(echo_record, path, tmp_path / "out.csv", *options)


@pytest.mark.parametrize("threshold", [-0.1, 1.1, "nan"])
def test_a_threshold_is_a_probability_of_two_classes(echo_record: Record, tmp_path: Path, threshold: object) -> None:
    record = scored.proven(tmp_path / "runs", scored.classifier("no", "yes"))
    (tmp_path / "rows.csv").write_text("size\n1\n")
    message = scored.refusal(record, tmp_path / "rows.csv", tmp_path / "out.csv", "--threshold", threshold)
    assert f"--threshold: found {threshold}, expected a probability from 0 to 1" in message


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_all_columns_are_kept_in_their_order(echo_record: Record, tmp_path: Path, suffix: str) -> None:
    rows = [{**scored.row(code=str(number)), "more": number} for number in range(3)]
    if suffix == "parquet":
        path = tmp_path / "rows.parquet"
        scored.write_table(path, scored.table(rows).append_column("more", pa.array(range(3))))
    else:
        path = scored.write_rows(tmp_path / f"rows.{suffix}", rows)
    scored.done(echo_record, path, tmp_path / "out.parquet", "--keep", "*")
    output = scored.read_back(tmp_path / "out.parquet")
    assert list(output[0]) == [*rows[0], *MODEL.plan.outputs, "record"]
    assert [str(row["more"]) for row in output] == ["0", "1", "2"]


def test_a_kept_column_without_a_value_in_some_blocks_has_one_type(echo_record: Record, tmp_path: Path) -> None:
    rows = [{**scored.row(), "note": note} for note in (None, None, "x", None)]
    path = scored.write_rows(tmp_path / "rows.jsonl", rows)
    scored.done(echo_record, path, tmp_path / "out.parquet", "--keep", "note", "--block-rows", 2)
    assert [row["note"] for row in scored.read_back(tmp_path / "out.parquet")] == [None, None, "x", None]
    path = scored.write_rows(tmp_path / "mixed.jsonl", [{**scored.row(), "note": note} for note in ("x", 1)])
    message = scored.refusal(echo_record, path, tmp_path / "no.parquet", "--keep", "note", "--block-rows", 1)
    assert "note: found string in some rows and int64 in others, expected one type to keep" in message
    message = scored.refusal(echo_record, path, tmp_path / "no.parquet", "--keep", "note")
    assert "mixed.jsonl: note: found values that one column cannot keep" in message
