"""The doors of parity: each gives the evidence's bits, and one that does not is named with its row."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from scored import classifier, echo, row, table

from pipeline_lib.compiled.pipeline import CompiledPipeline
from pipeline_lib.evidence.evidence import write_evidence
from pipeline_lib.parity.check import through_door
from pipeline_lib.parity.door_answers import Answers, first_difference
from pipeline_lib.parity.door_server import TooLargeError, post
from pipeline_lib.parity.doors import DOORS, Doors, in_parts
from pipeline_lib.parity.variations import VARIATIONS, Variation
from pipeline_lib.records.record import Record, create_record
from pipeline_lib.records.seal import seal

ROWS = [row(size=0.1 * number, rooms=number) for number in range(5)] + [row(size=None, sold=None), row(size=-0.0)]
DOOR_NAMES = tuple(DOORS)


def record_of(runs: Path, model: CompiledPipeline, rows: pa.Table, pipeline: str) -> Record:
    record = create_record(runs, pipeline)
    model.save(record.artifact)
    write_evidence(record.evidence, model, rows, [0.0] * rows.num_rows, artifact=record.artifact)
    seal(record, {"status": "finished", "reference": record.reference})
    return record


@pytest.fixture(scope="module")
def echo_doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    """Six targets: the values of a number, an integer, text, a bool, a time and a date."""
    folder = tmp_path_factory.mktemp("echo")
    doors = Doors(record_of(folder, echo(), table(ROWS), "echo"), folder)
    yield doors
    doors.close()


@pytest.fixture(scope="module")
def labels_doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    """Labels with probabilities."""
    folder = tmp_path_factory.mktemp("labels")
    rows = pa.table({"size": np.linspace(-2, 2, 9)})
    doors = Doors(record_of(folder, classifier("no", "über"), rows, "labels"), folder)
    yield doors
    doors.close()


@pytest.mark.parametrize("name", DOOR_NAMES)
def test_labels_and_probabilities_come_back_through_every_door(name: str, labels_doors: Doors) -> None:
    outcome = through_door(VARIATIONS[name], labels_doors)
    assert (outcome.verdict, outcome.detail) == ("exact", "")
    assert outcome.rows == 9


LACKING = {
    "predict SQLite": "SQLite has no boolean or date or datetime",
    "predict JSON lines": "JSON lines have no NaN and no infinite numbers, and the answers hold some",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", DOOR_NAMES)
def test_values_of_every_kind_come_back_or_the_door_says_what_it_lacks(name: str, echo_doors: Doors) -> None:
    outcome = through_door(VARIATIONS[name], echo_doors)
    expected = ("absent", LACKING[name]) if name in LACKING else ("exact", "")
    assert (outcome.verdict, outcome.detail) == expected


def test_the_doors_are_in_the_full_check_and_not_in_the_quick_one() -> None:
    from pipeline_lib.parity.variations import FULL, QUICK

    assert set(DOOR_NAMES) <= set(FULL)
    assert not set(DOOR_NAMES) & set(QUICK)


def planted(doors: Doors) -> Answers:
    """A door that changes the last bit of one answer."""
    answers = DOORS["predict Parquet"](doors)
    name = next(name for name in answers if name.startswith("probability["))
    answers[name][3] = float(np.nextafter(answers[name][3], 2))
    return answers


def test_one_changed_bit_is_different_and_named_with_its_row(labels_doors: Doors) -> None:
    outcome = through_door(Variation("planted", "doors", "a changed bit", door=planted), labels_doors)
    assert outcome.verdict == "different"
    assert outcome.differing == 1
    assert "probability[no]: row 3: found" in outcome.detail


def test_other_answers_than_the_evidence_has(labels_doors: Doors) -> None:
    right = {name: list(values) for name, values in labels_doors.expected.items()}
    assert first_difference(labels_doors, right) is None
    for changes, message in (
        ({"prediction": right["prediction"][:-1]}, "found 8 answers, expected 9"),
        ({"prediction": ["no"] * 9}, "prediction: row"),
        ({"other": [1.0] * 9}, "found the output other, which the evidence does not have"),
        ({"probability[no]": [1] * 9}, "probability[no]: row 0"),
    ):
        difference = first_difference(labels_doors, {**right, **changes})
        assert difference is not None
        assert message in difference[1]
    nothing = first_difference(labels_doors, {})
    assert nothing is not None
    assert "found no output" in nothing[1]


def test_a_command_that_fails_is_a_difference(labels_doors: Doors, tmp_path: Path) -> None:
    (tmp_path / "rows").mkdir()

    def broken(doors: Doors) -> Answers:
        doors.predict(tmp_path / "rows" / "none.csv", tmp_path / "out.csv")
        return {}

    outcome = through_door(Variation("broken", "doors", "no input", door=broken), labels_doors)
    assert outcome.verdict == "different"
    assert "found no such file" in outcome.detail


def test_a_record_that_was_changed_answers_through_no_door(tmp_path: Path) -> None:
    record = record_of(tmp_path, echo(), table(ROWS), "echo")
    artifact = record.artifact / "artifact.json"
    artifact.write_bytes(artifact.read_bytes() + b" ")
    doors = Doors(record, tmp_path)
    for name in ("predict Parquet", "HTTP rows"):
        outcome = through_door(VARIATIONS[name], doors)
        assert outcome.verdict == "different"
        assert "artifact" in outcome.detail or "verify" in outcome.detail, outcome.detail
    doors.close()


def test_sensitive_values_are_in_no_message(tmp_path: Path) -> None:
    from dataclasses import replace

    model = echo()
    hidden = replace(model.row, columns=tuple(replace(each, sensitive=True) for each in model.row.columns))
    doors = Doors(record_of(tmp_path, CompiledPipeline(model.plan, hidden), table(ROWS), "echo"), tmp_path)
    answers = {name: list(values) for name, values in doors.expected.items()}
    name = next(name for name, values in answers.items() if isinstance(values[1], str))
    answers[name][1] = "MARKER"
    difference = first_difference(doors, answers)
    assert difference == (1, f"{name}: row 1")


def test_rows_that_are_too_many_for_a_body_are_sent_in_parts(labels_doors: Doors) -> None:
    sent: list[int] = []

    def small(doors: Doors, rows: pa.Table) -> Answers:
        sent.append(rows.num_rows)
        if rows.num_rows > 3:
            raise TooLargeError("too large")
        start = sum(number for number in sent if number <= 3) - rows.num_rows
        return {name: values[start : start + rows.num_rows] for name, values in doors.expected.items()}

    outcome = through_door(Variation("small", "doors", "small bodies", door=in_parts(small)), labels_doors)
    assert (outcome.verdict, outcome.rows) == ("exact", 9)
    assert sent == [9, 4, 2, 2, 5, 2, 3]


def test_a_row_that_is_too_large_alone_is_a_failure(labels_doors: Doors) -> None:
    def never(doors: Doors, rows: pa.Table) -> Answers:
        raise TooLargeError("too large")

    outcome = through_door(Variation("never", "doors", "small bodies", door=in_parts(never)), labels_doors)
    assert (outcome.verdict, outcome.detail) == ("different", "failed: too large")


def test_a_body_that_a_real_server_refuses_as_too_large(labels_doors: Doors) -> None:
    with pytest.raises(TooLargeError, match="takes no body of"):
        post(labels_doors.port, "/predict", b" " * (65 << 20))
