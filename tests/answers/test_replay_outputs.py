"""Repeating what models of several outputs have answered, and the commands on logs of several pipelines."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from command_line import invoke
from harbours import repository
from scored import classifier, echo, row, table
from served import as_json, client, with_evidence
from sklearn.linear_model import LinearRegression, LogisticRegression

from pipeline_lib import compile_pipeline
from pipeline_lib.answers.log_format import DESCRIPTION, ID, Log, logs_in
from pipeline_lib.answers.log_writer import LogWriter
from pipeline_lib.answers.replay import Disagreement, replay
from pipeline_lib.answers.shadow import Shadow
from pipeline_lib.compiled.pipeline import PREDICTION, PROBABILITY, CompiledPipeline
from pipeline_lib.errors import InputError
from pipeline_lib.records.record import Record

ROWS = pd.DataFrame({"a": np.linspace(-3, 3, 40), "b": np.arange(40)})
TARGETS = pd.DataFrame({"first": ROWS["a"] ** 2, "second": ROWS["b"] - ROWS["a"]})
DICTS = ROWS.to_dict("records")


def logged(folder: Path, model: CompiledPipeline, answers: pa.Table) -> Log:
    schema = model.predict_table(DICTS, outputs=(PREDICTION, PROBABILITY) if model.classes else (PREDICTION,)).schema
    writer = LogWriter(folder, model.row, schema, {"record": "small/1", "digest": "d", "left_out": []})
    writer.add("x", DICTS, answers)
    writer.close()
    return logs_in(folder)[0]


def changed(table: pa.Table, name: str, number: int) -> pa.Table:
    values = table[name].to_numpy().copy()
    values[number] = np.nextafter(values[number], 2)
    return table.set_column(table.column_names.index(name), name, pa.array(values))


def test_every_one_of_several_targets_is_compared(tmp_path: Path) -> None:
    model = compile_pipeline(LinearRegression().fit(ROWS, TARGETS), like=ROWS)
    answers = model.predict_table(DICTS)
    assert answers.num_columns == 2
    assert replay(logged(tmp_path / "same", model, answers), model).differing == 0
    result = replay(logged(tmp_path / "other", model, changed(answers, answers.column_names[1], 7)), model)
    assert (result.rows, result.differing) == (40, 1)
    assert result.first[0][0] == "x/7"
    assert set(result.first[0][1]) == set(answers.column_names)


def test_probabilities_are_compared_bit_for_bit_if_asked_and_where_they_were_given(tmp_path: Path) -> None:
    model = compile_pipeline(LogisticRegression().fit(ROWS, np.where(ROWS["a"] > 0, "yes", "no")), like=ROWS)
    answers = model.predict_table(DICTS, outputs=(PREDICTION, PROBABILITY))
    log = logged(tmp_path / "other", model, changed(answers, "probability[yes]", 3))
    assert replay(log, model).differing == 0
    assert replay(log, model, probabilities=True).first[0][0] == "x/3"
    assert (
        replay(logged(tmp_path / "none", model, model.predict_table(DICTS)), model, probabilities=True).differing == 0
    )


def test_a_model_of_another_kind_is_refused(tmp_path: Path) -> None:
    model = compile_pipeline(LinearRegression().fit(ROWS, TARGETS["first"]), like=ROWS)
    log = logged(tmp_path, model, model.predict_table(DICTS))
    for labels in (np.where(ROWS["a"] > 0, "yes", "no"), np.where(ROWS["a"] > 0, 1, 0)):
        other = compile_pipeline(LogisticRegression().fit(ROWS, labels), like=ROWS)
        with pytest.raises(InputError, match=r"found a model that answers prediction \((string|int64)\), expected"):
            replay(log, other)


def test_a_shadow_compares_several_targets() -> None:
    model = compile_pipeline(LinearRegression().fit(ROWS, TARGETS), like=ROWS)
    counts: list[tuple[int, int, int]] = []
    shadow = Shadow(model, lambda *each: counts.append(each))
    answers = model.predict_table(DICTS)
    for each in (answers, changed(answers, answers.column_names[1], 7), answers.select([0])):
        shadow.add("x", DICTS, each)
    shadow.close()
    assert counts == [(40, 0, 0), (40, 1, 0), (40, 0, 40)]


def test_infinite_answers_have_no_difference_in_numbers() -> None:
    before, after = pa.table({"prediction": [np.inf, 1.0, np.nan]}), pa.table({"prediction": [2.0, 3.0, 0.0]})
    result = Disagreement()
    result.add(pa.array(["a", "b", "c"]), before, after)
    assert result.differing == 3
    assert result.quantiles["100%"] == 2.0


@pytest.fixture
def two_logs(tmp_path: Path) -> tuple[Path, Record, Record]:
    """The log of two pipelines of one server, and their records."""
    size = pa.table({"size": [0.5]})
    records = [with_evidence(tmp_path / "runs", classifier("no", "yes"), size, name) for name in ("one", "two")]
    made = client(*records, log=str(tmp_path / "log"))
    for name in ("one", "two"):
        assert made.post(f"/models/{name}/predict", [{"size": 0.1}, {"size": -0.5}]).status == 200
    made.app.close()
    return tmp_path / "log", records[0], records[1]


def test_another_record_repeats_the_log_of_its_own_pipeline_alone(two_logs: tuple[Path, Record, Record]) -> None:
    log, one, two = two_logs
    done = invoke("replay", log, one.folder)
    assert done.exit_code == 0, done.output
    assert f"{one.reference} by {one.reference}: 2 rows repeated, 0 answered otherwise" in done.output
    assert two.reference not in done.output
    done = invoke("replay", log / "two", one.folder)
    assert "found no answers of one, expected a log of the pipeline that" in str(done.exception)


def test_a_log_that_cannot_be_repeated_does_not_keep_the_others_from_it(two_logs: tuple[Path, Record, Record]) -> None:
    log, one, _ = two_logs
    folder = log / "one" / one.id
    other = shutil.copytree(folder, log / "one" / "other") / DESCRIPTION
    other.write_text(json.dumps({**json.loads(other.read_text()), "record": "one/other", "left_out": ["size"]}))
    done = invoke("replay", log, one.folder)
    assert done.exit_code == 0, done.output
    assert f"{one.reference} by {one.reference}: 2 rows repeated" in done.output
    assert "one/other is not repeated, as the sensitive columns size are left out" in done.output
    shutil.rmtree(folder)
    done = invoke("replay", log, one.folder)
    assert "one/other: found a log that cannot be repeated, as the sensitive columns size" in str(done.exception)


def test_why_tells_dates_missing_values_and_labels_of_several_targets(tmp_path: Path) -> None:
    project = repository(tmp_path / "anna")
    record = with_evidence(project.runs, echo(), table([row()]), "echo")
    made = client(record, log=str(tmp_path / "log"))
    answers = [made.post("/predict", as_json(row(size=size))).json["id"] for size in (0.5, None)]
    made.app.close()
    for answer, size in zip(answers, (0.5, None), strict=True):
        done = invoke("why", tmp_path / "log", answer, "--json", project=project)
        assert done.exit_code == 0, done.exception
        facts = json.loads(done.output)
        assert facts["record"] == record.reference
        kept, sent = facts["steps"][0]["values"], as_json(row(size=size))
        assert {name: kept[name] for name in ("size", "code", "day")} == {
            name: sent[name] for name in ("size", "code", "day")
        }
        assert facts["outputs"]["prediction[size]"] == size
    shutil.rmtree(record.folder)
    done = invoke("why", tmp_path / "log", answers[0], project=project)
    assert f"found no run '{record.reference}'" in str(done.exception)


def test_why_refuses_another_record_of_the_same_name(two_logs: tuple[Path, Record, Record], tmp_path: Path) -> None:
    log, one, _ = two_logs
    path = log / "one" / one.id / DESCRIPTION
    path.write_text(json.dumps({**json.loads(path.read_text()), "record": str(one.folder), "digest": "another"}))
    answer = next(logs_in(path.parent)[0].tables())[ID][0].as_py()
    done = invoke("why", path.parent, answer)
    assert "expected another… as in the log: another record of this name" in str(done.exception)
