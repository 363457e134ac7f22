"""MLflow's `/invocations`: the bodies that its clients send, and the bits of `predict`."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import shop
from scored import classifier, echo, proven, row, write_rows
from served import CSV, Client, as_json, client

ROWS = [row(size=0.1 * number, rooms=number, code=code) for number, code in enumerate(["a", "ü", '"', "\\", None])]
READ = ["size", "rooms", "code", "heated", "sold", "day"]


def own() -> list[list[Any]]:
    columns = echo().predict_table(ROWS).to_pydict().values()
    return [list(values) for values in zip(*columns, strict=True)]


def read_values(rows: list[dict[str, Any]]) -> list[list[Any]]:
    return [[each[name] for name in READ] for each in as_json(rows)]


@pytest.mark.parametrize(
    "body",
    [
        {"dataframe_records": as_json(ROWS)},
        {"dataframe_split": {"columns": list(ROWS[0]), "data": [list(each.values()) for each in as_json(ROWS)]}},
        {"dataframe_split": {"columns": READ, "index": [7, 8, 9, 10, 11], "data": read_values(ROWS)}, "params": {}},
        {"instances": as_json(ROWS)},
        {"instances": read_values(ROWS)},
        {"inputs": as_json(ROWS), "params": None},
        {"inputs": read_values(ROWS)},
        {"inputs": {name: [each[name] for each in as_json(ROWS)] for name in READ}},
    ],
)
def test_every_form_has_the_bits_of_predict(both: Client, body: Any) -> None:
    reply = both.post("/invocations", body)
    assert reply.status == 200, reply.body
    assert reply.json == {"predictions": own()}


def test_one_row_of_single_values(both: Client) -> None:
    assert both.post("/invocations", {"inputs": as_json(ROWS[2])}).json == {"predictions": own()[2:3]}


def test_what_pandas_writes_is_read(both: Client) -> None:
    frame = pd.DataFrame(as_json(ROWS)).astype({"code": object})
    split = json.loads(frame.to_json(orient="split"))
    assert both.post("/invocations", {"dataframe_split": split}).status == 200
    texts = json.loads(
        json.dumps({"dataframe_split": frame.astype(object).where(frame.notna(), None).to_dict("split")})
    )
    assert both.post("/invocations", texts).json == {"predictions": own()}


def test_csv_is_typed_by_row(both: Client, tmp_path: Path) -> None:
    content = write_rows(tmp_path / "rows.csv", ROWS).read_bytes()
    assert both.post("/invocations", content, CSV).json == {"predictions": own()}
    assert both.post("/invocations", b"\xef\xbb\xbf" + content, "text/csv; charset=utf-8").json == {
        "predictions": own()
    }
    head = content.partition(b"\n")[0] + b"\n"
    assert both.post("/invocations", head, CSV).json == {"predictions": []}


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 400),
        (b"\n", 400),
        (b"size,size\n1,2\n", 400),
        (b"size\n1,2\n", 400),
        (b'size\n"1\n', 400),
        (b"size\n\xff\n", 400),
        (b"other\n1\n", 422),
        (b"size\nx\n", 422),
        (b"size\n1e999\n", 422),
        (b"size\n\n", 422),
    ],
)
def test_csv_that_cannot_be_read_is_refused(labels_only: Client, content: bytes, status: int) -> None:
    reply = labels_only.post("/invocations", content, CSV)
    assert reply.status == status, reply.body
    assert "expected" in reply.json["error"]


@pytest.fixture
def labels_only(tmp_path: Path) -> Client:
    return client(proven(tmp_path, classifier("no", "yes"), "labels"))


def test_a_refused_text_of_csv_is_told_with_its_rows_in_the_body(both: Client, tmp_path: Path) -> None:
    content = write_rows(tmp_path / "rows.csv", [*ROWS, row(rooms="many")]).read_bytes()
    reply = both.post("/invocations", content, CSV)
    assert reply.status == 422
    assert [(each["field"], each["rows"]) for each in reply.json["problems"]] == [("rooms", [5])]


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        3,
        {"rows": []},
        {"instances": [], "inputs": []},
        {"instances": [], "other": 1},
        {"instances": [], "params": {"temperature": 1}},
        {"instances": [[1.0], [1.0, 2.0]]},
        {"instances": [[1.0], 2.0]},
        {"instances": "rows"},
        {"inputs": {"size": [1.0], "other": [1.0, 2.0]}},
        {"inputs": {"size": [1.0], "other": 1.0}},
        {"dataframe_split": []},
        {"dataframe_split": {"columns": "size", "data": []}},
        {"dataframe_split": {"columns": ["size", "size"], "data": []}},
        {"dataframe_split": {"columns": [0], "data": [[1.0]]}},
        {"dataframe_split": {"columns": [["size"]], "data": []}},
        {"dataframe_split": {"columns": ["size"], "data": [[1.0, 2.0]]}},
        {"dataframe_split": {"columns": ["size"], "data": {}}},
        {"dataframe_records": {"size": 1.0}},
    ],
)
def test_other_bodies_are_refused(labels_only: Client, body: Any) -> None:
    reply = labels_only.post("/invocations", body)
    assert reply.status == 400, reply.body
    assert "expected" in reply.json["error"]


def test_labels_and_targets(both: Client, labels_only: Client) -> None:
    rows = [{"size": -1.0}, {"size": 1.0}]
    assert labels_only.post("/invocations", {"instances": rows}).json == {"predictions": ["no", "yes"]}
    assert labels_only.post("/invocations", {"instances": []}).json == {"predictions": []}
    assert labels_only.post("/invocations", {"instances": rows}, "text/plain").status == 415
    assert labels_only.post("/invocations", {"instances": rows}, "").status == 415


def test_a_model_that_needs_earlier_rows_says_so(runs: Path) -> None:
    only = client(proven(runs, shop.compiled(), "days"))
    reply = only.post("/invocations", {"instances": [{"day": "2024-01-01T00:00:00", "sold": 1.0}]})
    assert reply.status == 422
    assert "earlier rows" in reply.json["error"]
