"""The Open Inference Protocol: its routes, its tensors, and the bits of `predict`."""

import struct
from typing import Any

import numpy as np
import pytest
from scored import classifier, echo, row
from served import Client, Reply, as_json

from pipeline_lib.records.record import Record
from pipeline_lib.rows.column import Column
from pipeline_lib.serving.open_inference import datatype

TYPES = {"size": "FP64", "rooms": "INT64", "code": "BYTES", "heated": "BOOL", "sold": "BYTES", "day": "BYTES"}
ROWS = [row(size=0.1 * number, rooms=number, heated=number > 1) for number in range(4)] + [row(size=None, sold=None)]


def tensors(rows: list[dict[str, Any]], **changes: dict[str, Any]) -> list[dict[str, Any]]:
    """Rows as inputs by column; `changes` are of the input of a column."""
    listed = as_json(rows)
    return [
        {"name": name, "datatype": kind, "shape": [len(rows)], "data": [each[name] for each in listed]}
        | changes.get(name, {})
        for name, kind in TYPES.items()
    ]


def infer(both: Client, inputs: Any, model: str = "echo", **fields: Any) -> Reply:
    return both.post(f"/v2/models/{model}/infer", {"inputs": inputs, **fields})


def refused(both: Client, column: str, **changes: Any) -> str:
    """The error of a request in which the input of a column is changed."""
    reply = infer(both, tensors(ROWS, **{column: changes}))
    assert 400 <= reply.status < 500, reply.body
    return str(reply.json["error"])


def test_the_server_and_its_models_describe_themselves(both: Client, echo_record: Record) -> None:
    assert both.get("/v2").json["name"] == "pipeline-lib"
    assert both.get("/v2/health/live").json == {"live": True}
    assert both.get("/v2/health/ready").json == {"ready": True}
    described = both.get("/v2/models/echo").json
    assert described["versions"] == [echo_record.id]
    assert {each["name"]: each["datatype"] for each in described["inputs"]} == TYPES
    assert [each["datatype"] for each in described["outputs"]] == ["FP64", "INT64", "BYTES", "BOOL", "BYTES", "BYTES"]
    labels = both.get("/v2/models/labels").json["outputs"]
    assert [(each["name"], each["datatype"]) for each in labels] == [
        ("prediction", "BYTES"),
        ("probability[no]", "FP64"),
        ("probability[über]", "FP64"),
    ]
    assert both.get(f"/v2/models/echo/versions/{echo_record.id}").json == described
    for path in ("/v2/models/echo/ready", f"/v2/models/echo/versions/{echo_record.id}/ready"):
        assert both.get(path).json == {"name": "echo", "ready": True}


def test_a_model_or_version_that_is_not_served_is_not_found(both: Client) -> None:
    for path in ("/v2/models/other", "/v2/models/echo/versions/1", "/v2/models/other/ready"):
        reply = both.get(path)
        assert reply.status == 404
        assert "expected" in reply.json["error"]
    assert both.post("/v2/models/other/infer", {"inputs": []}).status == 404
    assert both.post("/v2/models/echo/versions/1/infer", {"inputs": []}).status == 404


def test_inference_has_the_bits_of_predict(both: Client, echo_record: Record) -> None:
    answer = infer(both, tensors(ROWS), id="request 7").json
    assert (answer["id"], answer["model_name"], answer["model_version"]) == ("request 7", "echo", echo_record.id)
    own = echo().predict_table(ROWS).to_pydict()
    for output in answer["outputs"]:
        assert output["shape"] == [len(ROWS)]
        values = own[output["name"]]
        assert [None if value != value else value for value in values] == output["data"]
    sizes = next(each["data"] for each in answer["outputs"] if each["name"] == "prediction[size]")
    assert struct.pack("<d", sizes[3]) == struct.pack("<d", 0.1 * 3) != struct.pack("<d", 0.3)


def test_labels_and_probabilities(both: Client) -> None:
    sizes = [-1.5, 0.25, 2.0]
    inputs = [{"name": "size", "datatype": "FP64", "shape": [3, 1], "data": [[size] for size in sizes]}]
    outputs = infer(both, inputs, "labels").json["outputs"]
    model, rows = classifier("no", "über"), [{"size": size} for size in sizes]
    assert outputs[0]["data"] == model.predict(rows).tolist()
    assert [each["data"] for each in outputs[1:]] == model.predict_proba(rows).T.tolist()
    wanted = infer(both, inputs, "labels", outputs=[{"name": "probability[über]"}]).json["outputs"]
    assert wanted == outputs[2:]
    assert infer(both, inputs, "labels", outputs=[{"name": "prediction"}]).json["outputs"] == outputs[:1]
    for unknown in ([{"name": "score"}], [{}], ["prediction"], "prediction", [{"name": ["prediction"]}]):
        assert infer(both, inputs, "labels", outputs=unknown).status == 400, unknown


def test_narrow_floats_are_what_their_width_rounds_to(both: Client) -> None:
    data = [0.1, 1 / 3, -0.0, None, 2.5]
    for kind, narrow in (("FP32", np.float32), ("FP16", np.float16)):
        answer = infer(both, tensors(ROWS, size={"datatype": kind, "data": data})).json["outputs"][0]["data"]
        assert answer == [None if each is None else float(narrow(each)) for each in data]
        assert answer[0] != 0.1
    assert "beyond FP16" in refused(both, "size", datatype="FP16", data=[1e6, 1, 1, 1, 1])
    assert infer(both, tensors(ROWS, size={"datatype": "INT8", "data": [1, 2, 3, 4, 5]})).status == 200


@pytest.mark.parametrize(
    ("name", "changes", "said"),
    [
        ("size", {"shape": [4]}, "inputs[0]: found 5 values, expected as many as its shape says"),
        ("size", {"shape": [5, 2]}, "a shape of more than one value a row"),
        ("size", {"shape": []}, "found a shape of more than one value a row"),
        ("size", {"shape": [True]}, "found no shape"),
        ("size", {"shape": [-5]}, "found no shape"),
        ("size", {"shape": None}, "found no shape"),
        ("size", {"data": "12345"}, "found no list of data"),
        ("size", {"data": {}}, "found no list of data"),
        ("size", {"datatype": "BYTES"}, "inputs[0]: found another datatype for size, expected FP64"),
        ("size", {"datatype": ["FP64"]}, "found another datatype"),
        ("rooms", {"datatype": "FP64"}, "found another datatype for rooms, expected INT64"),
        ("heated", {"data": [1, 0, 1, 0, 1]}, "heated: found int"),
        ("rooms", {"data": [1, 2, 3, 4, 2**70]}, "rooms"),
        ("size", {"datatype": "FP32", "data": ["1", 2, 3, 4, 5]}, "size: found str in row 0"),
        ("size", {"datatype": "FP32", "data": [10**400, 2, 3, 4, 5]}, "size"),
        ("size", {"name": 7}, "inputs[0]: found no name"),
        ("size", {"name": "rooms", "datatype": "INT64"}, "inputs[1]: found a name for the second time"),
        ("size", {"name": "other"}, "found no size"),
        ("day", {"data": ["2024-02-30"] * 5}, "day"),
        ("size", {"data": [1.0], "shape": [1]}, "inputs of different lengths"),
    ],
)
def test_a_malformed_tensor_is_refused(both: Client, name: str, changes: dict[str, Any], said: str) -> None:
    assert said in refused(both, name, **changes)


def test_malformed_requests_are_refused(both: Client) -> None:
    for body in ({}, [], 3, "x", {"inputs": {}}, {"inputs": [3]}, {"inputs": [{}]}, {"inputs": None}):
        assert both.post("/v2/models/echo/infer", body).status == 400, body
    for given in (7, "x" * 201, "\n", ["x"], {}):
        assert infer(both, tensors(ROWS), id=given).status == 400, given
    half = b'{"id": "\\ud800", "inputs": []}'
    assert both.post("/v2/models/echo/infer", half).status == 400
    assert both.post("/v2/models/echo/infer", {"inputs": tensors(ROWS)}, "text/plain").status == 415
    assert both.post("/v2/models/echo/infer", {"inputs": tensors(ROWS)}, "").status == 200  # clients that send none


def test_columns_that_are_not_read_may_be_sent_in_any_type(both: Client) -> None:
    more = {"name": "unread", "datatype": "ODD", "shape": [5], "data": [1, None, [], {}, "x"]}
    assert infer(both, [*tensors(ROWS), more]).json == infer(both, tensors(ROWS)).json
    assert infer(both, []).status == 200
    assert all(each["data"] == [] for each in infer(both, []).json["outputs"])


def test_every_kind_of_column_has_a_datatype() -> None:
    kinds = ("number", "integer", "boolean", "string", "date", "datetime")
    assert [datatype(Column("x", kind)) for kind in kinds] == ["FP64", "INT64", "BOOL", "BYTES", "BYTES", "BYTES"]
