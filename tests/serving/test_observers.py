"""Answers that are logged or asked of a second record: the same answers, an ID that finds them, never an error."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import tables
from scored import classifier, echo, proven, row, table
from served import ARROW, CSV, Client, as_json, client, stream, with_evidence

from pipeline_lib.answers.log_format import ROW, find_answer, logs_in
from pipeline_lib.answers.replay import replay
from pipeline_lib.answers.shadow import Shadow
from pipeline_lib.compiled.pipeline import CompiledPipeline
from pipeline_lib.errors import InputError
from pipeline_lib.records.record import Record
from pipeline_lib.serving.models import Models
from pipeline_lib.serving.observers import check_log, check_shadow, told_at_start
from pipeline_lib.serving.served_model import ServedModel, load_served
from pipeline_lib.serving.settings import Settings

ROWS = [row(size=0.1), row(size=-0.0, rooms=3), row(size=None, sold=None)]


@pytest.fixture
def logged(labels_record: Record, echo_record: Record, tmp_path: Path) -> Iterator[Client]:
    made = client(labels_record, echo_record, log=str(tmp_path))
    yield made
    made.app.close()


def served_of(record: Record) -> ServedModel:
    return load_served(record, Settings((), project="."))


def test_every_route_logs_the_row_and_the_bits_of_its_answer(
    logged: Client, both: Client, tmp_path: Path, labels_record: Record, echo_record: Record
) -> None:
    ids = {}
    one = {"size": 0.25}
    tensor = {"inputs": [{"name": "size", "datatype": "FP64", "shape": [1], "data": [0.25]}]}
    for name, path, body, kind in (
        ("row", "/predict", one, "application/json"),
        ("probabilities", "/predict?probabilities=true", one, "application/json"),
        ("many", "/predict", [one, one], "application/json"),
        ("arrow", "/predict", stream(pa.table({"size": [0.25]})), ARROW),
        ("invocations", "/invocations", {"instances": [one]}, "application/json"),
        ("csv", "/invocations", b"size\n0.25\n", CSV),
        ("infer", "/v2/models/labels/infer", tensor, "application/json"),
    ):
        reply = logged.post(path, body, kind)
        assert reply.status == 200, reply.body
        plain = both.post(path.replace("/predict", "/models/labels/predict"), body, kind)
        ids[name] = reply.headers.get("x-answer-id") or reply.json["id"]
        if name in ("row", "probabilities", "many"):
            assert {key: value for key, value in reply.json.items() if key != "id"} == plain.json
        elif name in ("arrow", "infer"):
            assert reply.body == plain.body or name == "arrow"
    assert len(set(ids.values())) == len(ids)
    logged.app.close()
    for name, answer in ids.items():
        log, line = find_answer(tmp_path, f"{answer}/1" if name == "many" else answer)
        assert (log.reference, log.digest) == (labels_record.reference, labels_record.manifest()["digest"])
        assert line["row"] == {"size": 0.25}
        assert line["outputs"]["prediction"] in ("no", "über")
    outputs = {name: find_answer(tmp_path, ids[name])[1]["outputs"] for name in ("row", "probabilities")}
    assert outputs["row"]["probability[no]"] is None
    assert 0 < outputs["probabilities"]["probability[no]"] < 1


def test_what_was_answered_is_repeated_from_the_log(logged: Client, tmp_path: Path, echo_record: Record) -> None:
    assert logged.post("/models/echo/predict", as_json(ROWS)).status == 200
    for each in ROWS:
        assert logged.post("/models/echo/predict", as_json(each)).status == 200
    logged.app.close()
    (log,) = (each for each in logs_in(tmp_path) if each.reference == echo_record.reference)
    result = replay(log, served_of(echo_record).model)
    assert (result.rows, result.differing, result.refused) == (6, 0, 0)


def test_a_refused_request_is_in_no_log(logged: Client, tmp_path: Path) -> None:
    assert logged.post("/predict", {"size": "text"}).status == 422
    logged.app.close()
    assert [table.num_rows for log in logs_in(tmp_path) for table in log.tables()] == []


def test_a_sensitive_column_is_in_no_file_of_the_log(tmp_path: Path) -> None:
    model = echo()
    secret = replace(
        model.row, columns=tuple(replace(each, sensitive=each.name == "code") for each in model.row.columns)
    )
    record = with_evidence(tmp_path / "runs", CompiledPipeline(model.plan, secret), table([row()]), "hidden")
    made = client(record, log=str(tmp_path / "log"))
    assert made.post("/predict", as_json([row(code="MARKER")])).status == 200
    made.app.close()
    (log,) = logs_in(tmp_path / "log")
    assert log.left_out == ("code",)
    (lines,) = log.tables()
    assert "code" not in lines[ROW].to_pylist()[0]
    told = told_at_start(served_of(record))
    assert told is not None
    assert "without the sensitive columns code" in told
    with pytest.raises(InputError, match="sensitive columns code are left out"):
        replay(log, served_of(record).model)


class Broken:
    """An observer that raises."""

    def add(self, answer: str, rows: Any, outputs: pa.Table) -> None:
        raise RuntimeError(answer)

    def close(self) -> None: ...


def test_an_observer_that_raises_changes_no_answer(labels_record: Record, both: Client) -> None:
    made = client(labels_record)
    for served in made.app.models:
        served.observers.append(Broken())
    reply = made.post("/predict", {"size": 0.25})
    assert reply.status == 200
    assert reply.json["prediction"] == both.post("/models/labels/predict", {"size": 0.25}).json["prediction"]


@pytest.fixture
def second(tmp_path: Path) -> Record:
    """A record of the pipeline `labels` that answers with the labels the other way round."""
    return with_evidence(tmp_path / "second", classifier("über", "no"), pa.table({"size": [0.5]}), "labels")


def until(holds: Callable[[], bool]) -> None:
    for _ in range(300):
        if holds():
            return
        time.sleep(0.02)
    raise AssertionError("it never held")


def test_a_shadow_is_asked_and_counted_and_answers_nothing(labels_record: Record, second: Record) -> None:
    settings = Settings((str(labels_record.folder),), project=".", shadow=str(second.folder))
    models = Models(settings)
    models.load()
    from pipeline_lib.serving.app import App

    app = App(settings, models, None, models.load_one(str(second.folder)))
    made = Client(app)
    rows = [{"size": number / 10} for number in range(-5, 6)]
    reply = made.post("/predict", rows)
    plain = client(labels_record).post("/predict", rows)
    assert reply.json["predictions"] == plain.json["predictions"]
    names = f'{{record="{labels_record.reference}",shadow="{second.reference}"}}'
    until(lambda: f"pipeline_shadow_rows_total{names} 11.0" in made.get("/metrics").body.decode())
    counts = made.get("/metrics").body.decode()
    theirs = client(second).post("/predict", rows).json["predictions"]
    differing = sum(one != other for one, other in zip(plain.json["predictions"], theirs, strict=True))
    assert differing > 0
    assert f"pipeline_shadow_differing_total{names} {float(differing)}" in counts
    app.close()


def test_a_shadow_of_another_pipeline_or_the_served_record_itself(
    labels_record: Record, echo_record: Record, second: Record
) -> None:
    labels = served_of(labels_record)
    check_shadow(served_of(second), [labels])
    with pytest.raises(InputError, match="found a record of echo, expected one of labels"):
        check_shadow(served_of(echo_record), [labels])
    with pytest.raises(InputError, match="which is served itself"):
        check_shadow(labels, [labels])


def test_a_log_that_cannot_be_written_is_refused_at_the_start(labels_record: Record, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    served = served_of(labels_record)
    with pytest.raises(OSError, match="file"):
        check_log(Settings((), project=".", log=str(tmp_path / "file")), [served])
    check_log(Settings((), project=".", log=str(tmp_path / "log")), [served])
    assert list((tmp_path / "log" / "labels").iterdir())


def test_a_shadow_is_asked_rows_of_several_tables(runs: Path) -> None:
    seen: list[tuple[int, int, int]] = []
    record = proven(runs, tables.compiled(), "customers")
    made = client(record)
    for served in made.app.models:
        served.observers.append(Shadow(served.model, lambda *counts: seen.append(counts)))
    alone = as_json(tables.one_customer())
    assert made.post("/predict", alone).status == 200
    assert made.post("/predict", {**alone, "customers": [alone["customers"]]}).status == 200
    for served in made.app.models:
        served.observers[0].close()
    assert seen == [(1, 0, 0), (1, 0, 0)]
