"""What a server counts of its answers: in no answer's way, of all workers, without what clients sent."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import tables
import watched
from scored import classifier, proven
from served import ARROW, Client, as_json, client, stream

from pipeline_lib.records.record import Record
from pipeline_lib.rows.conform import conform
from pipeline_lib.serving.drift_counts import DriftCounts
from pipeline_lib.watching.accumulator import Accumulator


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Record:
    return watched.watched(tmp_path_factory.mktemp("runs"))


def shown(server: Client) -> dict[str, Any]:
    reply = server.get("/drift")
    assert reply.status == 200
    value: dict[str, Any] = reply.json
    return value


def by_name(drift: dict[str, Any]) -> dict[str, Any]:
    return {each["name"]: each for each in drift["columns"]}


def counted(record: Record, table: pa.Table) -> dict[str, Any]:
    """What counting these rows and their answers at once gives."""
    server = client(record)
    served = server.app.models.first
    served.count_rows(table, served.model.predict_table(table, outputs=("prediction", "probability")))
    return by_name(shown(server))


@pytest.mark.parametrize("form", ["one row at a time", "a list", "an Arrow stream", "an object with rows"])
def test_answers_in_every_form_are_counted_alike(record: Record, form: str) -> None:
    rows = watched.sizes(60, 3, mean=1.5)
    server = client(record)
    listed = rows.to_pylist()
    if form == "one row at a time":
        for row in listed:
            assert server.post("/predict?probabilities=true", row).status == 200
    elif form == "an Arrow stream":
        assert server.post("/predict?probabilities=true", stream(rows), ARROW).status == 200
    else:
        assert (
            server.post("/predict?probabilities=true", listed if form == "a list" else {"rows": listed}).status == 200
        )
    drift = shown(server)
    assert (drift["rows"], drift["left_out"], by_name(drift)) == (60, 0, counted(record, rows))
    assert by_name(drift)["size"]["verdict"] == "drifted"


def test_refused_requests_are_not_counted(record: Record) -> None:
    server = client(record)
    assert server.post("/predict", {"size": "many"}).status == 422
    assert shown(server)["rows"] == 0


def test_a_count_that_raises_changes_no_answer(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = watched.sizes(5).to_pylist()
    expected = [client(record).post("/predict", body).json for body in (rows[0], rows)]

    def fail(*arguments: Any) -> None:
        raise RuntimeError("counting fails")

    for owner, names in ((DriftCounts, ("row", "block")), (Accumulator, ("__init__", "add_rows"))):
        with monkeypatch.context() as patch:
            server = client(record)
            for name in names:
                patch.setattr(owner, name, fail)
            assert [server.post("/predict", body).json for body in (rows[0], rows)] == expected
            counts = server.app.models.first.drift
            assert counts is not None
            counts.count()
            assert counts.failed >= 1
            assert server.post("/predict", rows[0]).json == expected[0]


def test_a_record_of_an_earlier_version_says_so(tmp_path: Path) -> None:
    server = client(proven(tmp_path, classifier("no", "yes")))
    assert server.post("/predict", {"size": 1.0}).status == 200
    assert "no statistics of training" in shown(server)["headline"]


def test_rows_of_several_tables_are_counted_each(tmp_path: Path) -> None:
    model = tables.compiled()
    frames = tables.frames(seed=3)
    server = client(watched.watched(tmp_path, model, conform(tables.frames(), model.row)))
    rows = {name: frame.astype(object).where(frame.notna(), None).to_dict("records") for name, frame in frames.items()}
    assert server.post("/predict", as_json(rows)).status == 200
    assert server.post("/predict", as_json(tables.one_customer())).status == 200
    drift = shown(server)
    columns = by_name(drift)
    assert sorted(columns) == ["age", "prediction", "purchases.at", "purchases.dollars", "purchases.kind"]
    assert (drift["rows"], columns["age"]["values"], columns["prediction"]["values"]) == (13, 13, 13)
    assert columns["purchases.dollars"]["values"] == len(rows["purchases"]) + 1


def counts_in(folder: Path, day: str = "2026-01-02") -> DriftCounts:
    return DriftCounts(watched.statistics(), watched.ROW, "m/1", folder, lambda: day)


def test_the_counts_of_all_workers_are_added_up(tmp_path: Path) -> None:
    one, two, other = counts_in(tmp_path), counts_in(tmp_path), counts_in(tmp_path)
    other.reference = "m/2"
    for number, worker in enumerate((one, two, other)):
        worker.block(watched.rows(100, number), watched.answers(100, number))
        worker.count()
    (tmp_path / "drift-damaged.json").write_text("{")
    assert one.drift()[0] == two.drift()[0]
    assert (one.drift()[0].rows, other.drift()[0].rows) == (200, 100)


def test_counts_of_older_days_go(tmp_path: Path) -> None:
    days = ["2026-01-01"]
    worker = DriftCounts(watched.statistics(), watched.ROW, "m/1", tmp_path, lambda: days[-1])
    other = counts_in(tmp_path, "2026-01-03")
    for day in ("2026-01-01", "2026-01-02", "2026-01-03"):
        days.append(day)
        worker.block(watched.rows(10), watched.answers(10))
        result, facts = worker.drift()
    assert (result.rows, facts["since"]) == (20, "2026-01-02")
    assert other.drift()[0].rows == 20
    days.append("2026-02-01")
    assert worker.drift()[0].rows == 0


def test_rows_beyond_the_time_for_counting_are_left_out() -> None:
    worker = counts_in(Path("nowhere"))
    worker._file = None
    row = watched.rows(1).to_pylist()[0]
    for _ in range(700):
        worker.row(row, "yes")
    result, facts = worker.drift()
    assert (result.rows, facts["left_out"]) == (500, 200)
    assert worker._most != 500  # the pace is known by now
    assert 50 <= worker._most <= 50_000


def test_texts_of_clients_are_not_kept(tmp_path: Path) -> None:
    worker = counts_in(tmp_path)
    worker.block(watched.rows(100, zones=("a", "secret marker")), watched.answers(100))
    result, _ = worker.drift()
    zone = next(each for each in result.columns if each.name == "zone")
    assert zone.unseen > 0.3
    written = "".join(path.read_text() for path in tmp_path.iterdir())
    assert "zone" in written
    assert "secret marker" not in written + json.dumps(result.to_json())


def test_metrics_have_what_is_odd_by_column(record: Record) -> None:
    server = client(record)
    server.post("/predict", [{"size": 99.0}, {"size": 0.1}, {"size": -99.0}])
    shown(server)
    text = server.get("/metrics").body.decode()
    assert 'pipeline_watched_rows_total{model="watched"} 3.0' in text
    assert 'pipeline_odd_values_total{column="size",model="watched",what="out_of_range"} 2.0' in text
