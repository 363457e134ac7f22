"""`/predict`: the bits of `predict`, whatever form the rows have."""

import struct
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import shop
import tables
from scored import classifier, echo, proven, row, table
from served import ARROW, Client, as_json, client, stream

from pipeline_lib.records.record import Record

SIZES = [0.1 + 0.2, -0.0, 5e-324, 1e-7, 85.5, 1e15, 123456789.123456789, None]
ROWS = [
    row(size=size, rooms=number, code=code, heated=number % 2 == 0)
    for number, (size, code) in enumerate(
        zip(SIZES, ["", "a", "ü", "\U0001f3e0", '"', "\\", "null", None], strict=True)
    )
]
ROWS[3] |= {"sold": None, "day": None}


def bits(value: Any) -> Any:
    """A value that differs where a bit of a float does; a missing one is NaN in `predict` and null in JSON."""
    if isinstance(value, float | np.floating):
        return None if value != value else struct.pack("<d", value)
    return value


def assert_bits(answers: list[list[Any]], rows: list[dict[str, Any]]) -> None:
    """Answers are the model's own, bit for bit."""
    model = echo()
    columns = model.predict_table(rows).to_pydict()
    own = [list(map(bits, values)) for values in zip(*columns.values(), strict=True)]
    assert [list(map(bits, answer)) for answer in answers] == own
    assert own[0][0] == struct.pack("<d", 0.1 + 0.2) != struct.pack("<d", 0.3)


def test_many_rows_and_each_alone_have_the_bits_of_predict(both: Client, echo_record: Record) -> None:
    reply = both.post("/predict", ROWS)
    assert (reply.status, reply.headers["content-type"]) == (200, "application/json")
    assert reply.json["record"] == echo_record.reference
    assert_bits(reply.json["predictions"], ROWS)
    assert_bits([both.post("/predict", each).json["prediction"] for each in ROWS], ROWS)
    assert_bits(both.post("/predict", {"rows": ROWS}).json["predictions"], ROWS)
    assert_bits(both.post("/models/echo/predict", ROWS).json["predictions"], ROWS)


def test_a_changed_bit_would_be_seen(both: Client) -> None:
    changed = [{**ROWS[0], "size": 0.3}, *ROWS[1:]]
    with pytest.raises(AssertionError):
        assert_bits(both.post("/predict", changed).json["predictions"], ROWS)


def test_dates_are_text_and_missing_is_null(both: Client) -> None:
    answer = both.post("/predict", row(size=None, code=None)).json["prediction"]
    assert answer == [None, 3, None, True, "2024-03-01 12:00:00.000000", "2024-02-29 00:00:00.000000"]
    later = row(sold=datetime(2024, 3, 1, 1, 2, 3, 456789), day=date(1700, 1, 1))
    assert both.post("/predict", later).json["prediction"][4:] == [
        "2024-03-01 01:02:03.456789",
        "1700-01-01 00:00:00.000000",
    ]


def test_columns_that_are_not_read_may_be_left_out_or_anything(both: Client) -> None:
    less = {name: value for name, value in row().items() if name != "unread"}
    more = {**less, "unread": {"deep": [1, {"er": None}]}, "": [], "prediction": 1}
    assert both.post("/predict", less).json == both.post("/predict", more).json
    assert both.post("/predict", [less]).json == both.post("/predict", [more]).json


def test_no_rows_have_no_predictions(both: Client) -> None:
    assert both.post("/predict", []).json["predictions"] == []
    assert both.post("/models/labels/predict?probabilities=1", []).json["probabilities"] == []


def test_an_arrow_stream_is_answered_by_one(both: Client, echo_record: Record) -> None:
    sent = table(ROWS)
    reply = both.post("/predict", stream(sent), ARROW)
    assert (reply.status, reply.headers["content-type"]) == (200, ARROW)
    with pa.ipc.open_stream(reply.body) as reader:
        answer = reader.read_all()
    assert answer.schema.metadata == {
        b"pipeline_lib.record": echo_record.reference.encode(),
        b"pipeline_lib.digest": str(echo_record.manifest()["digest"]).encode(),
    }
    assert_bits([list(each.values()) for each in answer.to_pylist()], ROWS)
    assert [str(kind) for kind in answer.schema.types] == ["double", "int64", "string", "bool", "string", "string"]
    assert both.post("/predict", stream(sent.slice(0, 0)), ARROW).status == 200


def test_labels_and_probabilities_have_the_bits_of_the_model(both: Client) -> None:
    sizes = np.random.default_rng(0).uniform(-3, 3, 50).tolist()
    model = classifier("no", "über")
    rows = [{"size": size} for size in sizes]
    answer = both.post("/models/labels/predict?probabilities=true", rows).json
    assert answer["predictions"] == model.predict(rows).tolist()
    own = [dict(zip(("no", "über"), each, strict=True)) for each in model.predict_proba(rows).tolist()]
    assert answer["probabilities"] == own
    for each, probabilities in zip(rows, own, strict=True):
        alone = both.post("/models/labels/predict?probabilities=1", each).json
        assert alone["probabilities"] == probabilities
        assert "probabilities" not in both.post("/models/labels/predict", each).json


def test_probabilities_of_a_regressor_are_refused(both: Client) -> None:
    for body in (row(), [row()]):
        reply = both.post("/predict?probabilities=1", body)
        assert reply.status == 400
        assert "expected a classifier" in reply.json["error"]
    assert both.post("/predict?probabilities=maybe", row()).status == 400


def test_a_parameter_that_would_do_nothing_is_refused_without_being_shown(both: Client) -> None:
    for path in ("/predict?threshold=0.3", "/models/labels/predict?probabilities=1&probabilties=1"):
        reply = both.post(path, row())
        assert reply.status == 400
        assert reply.json["error"].endswith("expected probabilities; leave it out")
    for path in ("/schema", "/record", "/drift"):
        assert both.get(f"{path}?model=labels").status == 200
        assert both.get(f"{path}?name=labels").json["error"].endswith("expected model; leave it out")


def test_a_row_with_a_column_called_rows_is_a_row(runs: Path) -> None:
    from pipeline_lib.compiled.pipeline import CompiledPipeline
    from pipeline_lib.compiled.plan import Plan
    from pipeline_lib.compiler.builder import Builder
    from pipeline_lib.rows.column import Column
    from pipeline_lib.rows.schema import RowSchema

    build = Builder()
    plan = Plan(build.nodes, {"prediction": (build.input("rows", "float64") + 1.0).node})
    model = CompiledPipeline(plan, RowSchema((Column("rows", "number"),)))
    only = client(proven(runs, model, "oars"))
    assert only.post("/predict", {"rows": 2.0}).json["prediction"] == 3.0
    assert only.post("/predict", {"rows": [{"rows": 2.0}]}).json["predictions"] == [3.0]


def test_a_refused_row_says_field_rows_found_and_expected(both: Client) -> None:
    reply = both.post("/predict", [row(), row(rooms="3"), row(rooms="4", heated=None)])
    assert reply.status == 422
    assert reply.json["problems"] == [
        {
            "field": "rooms",
            "rows": [1, 2],
            "found": "str",
            "expected": "a whole number of 64 bits (as a float at most 2**53)",
        },
        {
            "field": "heated",
            "rows": [2],
            "found": "a value",
            "expected": "True or False in every row, as Row allows no missing value here",
        },
    ]
    assert reply.json["error"].splitlines()[0] == (
        "rooms: found str in rows 1, 2, expected a whole number of 64 bits (as a float at most 2**53)"
    )


def test_a_row_that_an_operation_refuses_is_told_with_its_number(both: Client) -> None:
    reply = both.post("/predict", [row(), row(code="nowhere")])
    assert reply.status == 422
    assert reply.json["problems"][0]["rows"] == [1]
    assert "a place" in reply.json["error"]
    assert "nowhere" not in reply.json["error"]


def test_earlier_rows_are_the_context(runs: Path) -> None:
    only = client(proven(runs, shop.compiled(), "shop"))
    days = shop.days(12)
    listed = as_json([{"day": day.to_pydatetime(), "sold": sold} for day, sold in days.itertuples(index=False)])
    answer = only.post("/predict", {"context": listed[:5], "rows": listed[5:]}).json["predictions"]
    own = shop.compiled().predict(days.iloc[5:], context=days.iloc[:5])
    assert answer == own.tolist()
    for body in ({"context": listed[:2], "rows": listed[2:]}, listed, listed[-1]):
        reply = only.post("/predict", body)
        assert reply.status == 422
        assert "earlier rows, expected at least 3" in reply.json["error"]
    gap = only.post("/predict", {"context": listed[:4], "rows": listed[5:]})
    assert gap.status == 422
    assert "2024" not in gap.json["error"]


def test_several_tables_come_as_an_object(runs: Path) -> None:
    model = tables.compiled()
    only = client(proven(runs, model, "customers"))
    frames = tables.frames(seed=3)
    sent = as_json(
        {name: frame.astype(object).where(frame.notna(), None).to_dict("records") for name, frame in frames.items()}
    )
    assert only.post("/predict", sent).json["predictions"] == model.predict(frames).tolist()
    alone = tables.one_customer()
    assert only.post("/predict", as_json(alone)).json["prediction"] == model.predict_row(alone)
    assert only.post("/predict", {"customers": [], "purchases": []}).json["predictions"] == []
    for body in (sent["customers"], {"customers": []}, {"customers": 1, "purchases": []}, 3):
        assert only.post("/predict", body).status == 400, body
    wrong = as_json(alone)
    wrong["purchases"][0]["at"] = "yesterday"
    reply = only.post("/predict", wrong)
    assert (reply.status, reply.json["problems"][0]["field"]) == (422, "purchases: at")
    unknown = as_json(alone)
    unknown["purchases"][0]["customer"] = 777_123
    assert only.post("/predict", unknown).status == 422
    assert "777" not in only.post("/predict", unknown).json["error"]
    assert only.post("/predict", stream(pa.table({"customer": [1]})), ARROW).status == 400
    for path in ("/invocations", "/v2/models/customers/infer"):
        reply = only.post(path, {"inputs": []})
        assert reply.status == 400
        assert "sent to /predict" in reply.json["error"]
