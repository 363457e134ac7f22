"""The Open Inference Protocol, version 2, as JSON. Where it has no word: missing is null, dates are ISO text.

A column is an input of shape [rows] or [rows, 1], called as in `Row`.
"""

import math
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline_lib.compiled.pipeline import PREDICTION
from pipeline_lib.rows.column import Column
from pipeline_lib.serving.http import HttpError, Request, Response, to_json
from pipeline_lib.serving.predictions import answer_headers, check_one_table, json_of, json_values, predicted, rows_of
from pipeline_lib.serving.served_model import ServedModel

_LONGEST_ID = 200  # the protocol's answer repeats it
_DATATYPES = {"number": "FP64", "integer": "INT64", "boolean": "BOOL"}
_INTEGERS = {f"{sign}INT{bits}" for sign in ("", "U") for bits in (8, 16, 32, 64)}
_NUMBERS = {"FP16", "FP32", "FP64", *_INTEGERS}
_TAKEN = {"number": _NUMBERS, "integer": _INTEGERS, "boolean": {"BOOL"}}
_FLOATS: Mapping[str, Any] = {"FP16": np.float16, "FP32": np.float32}


def server_metadata() -> dict[str, Any]:
    """What the server is."""
    return {"name": "pipeline-lib", "version": version("nb-pipeline-lib"), "extensions": []}


def model_metadata(served: ServedModel) -> dict[str, Any]:
    """What the model takes and gives."""
    return {
        "name": served.name,
        "versions": [served.version],
        "platform": "pipeline_lib",
        "inputs": [{"name": column.name, "datatype": datatype(column), "shape": [-1]} for column in served.row.columns],
        "outputs": [{"name": name, "datatype": kind, "shape": [-1]} for name, kind in _outputs(served).items()],
    }


def datatype(column: Column) -> str:
    """The protocol's type of a column's values; text, dates and times are BYTES."""
    return _DATATYPES.get(column.kind, "BYTES")


def infer(served: ServedModel, request: Request, body: bytes) -> Response:
    """The response to an inference request. Raises HttpError."""
    check_one_table(served)
    value = json_of(request, body, "")
    if not isinstance(value, dict) or not isinstance(value.get("inputs"), list):
        raise HttpError(400, "found no list of inputs, expected an object with `inputs`")
    given = value.get("id")
    if given is not None and not (isinstance(given, str) and len(given) <= _LONGEST_ID and given.isprintable()):
        raise HttpError(400, f"found another id, expected at most {_LONGEST_ID} characters that can be printed")
    wanted = _wanted(served, value.get("outputs"))
    rows = rows_of(served, _rows(served, value["inputs"]))
    table = predicted(served, rows, probabilities=any(name in served.probabilities for name in wanted))
    outputs = [
        {
            "name": name,
            "datatype": _datatype(table[name].type),
            "shape": [table.num_rows],
            "data": json_values(table[name]),
        }
        for name in wanted
    ]
    response: dict[str, Any] = {"model_name": served.name, "model_version": served.version, "outputs": outputs}
    answer = response if given is None else {"id": given, **response}
    return Response(to_json(answer), headers=answer_headers(table), rows=table.num_rows)


def _outputs(served: ServedModel) -> dict[str, str]:
    """The types of the outputs by their names: predictions and probabilities."""
    kinds = {"int64": "INT64", "bool": "BOOL", "str": "BYTES", "float64": "FP64"}
    nodes = served.model.plan.nodes
    return {
        name: kinds[nodes[node].dtype]
        for name, node in served.model.plan.outputs.items()
        if name.partition("[")[0] == PREDICTION or name in served.probabilities
    }


def _datatype(kind: pa.DataType) -> str:
    if pa.types.is_integer(kind):
        return "INT64"
    if pa.types.is_boolean(kind):
        return "BOOL"
    return "FP64" if pa.types.is_floating(kind) else "BYTES"


def _wanted(served: ServedModel, outputs: Any) -> list[str]:
    """Names of the outputs that a request asks for; all where it names none."""
    known = list(_outputs(served))
    if not outputs:
        return known
    if not isinstance(outputs, list) or not all(isinstance(each, dict) for each in outputs):
        raise HttpError(400, 'found outputs that are no list of objects, expected [{"name": …}]')
    names = [each.get("name") for each in outputs]
    if any(name not in known for name in names):
        raise HttpError(400, f"found an output that there is not, expected some of {', '.join(known)}")
    return list(dict.fromkeys(names))


def _rows(served: ServedModel, inputs: list[Any]) -> list[dict[str, Any]]:
    """The rows of inputs by column. Columns that the model does not read are left out."""
    columns: dict[str, list[Any]] = {}
    known = {column.name: column for column in served.row.columns}
    lengths = set()
    for position, given in enumerate(inputs):
        name = given.get("name") if isinstance(given, dict) else None
        if not isinstance(name, str):
            raise HttpError(400, f"inputs[{position}]: found no name, expected that of a column")
        if name in columns:
            raise HttpError(400, f"inputs[{position}]: found a name for the second time, expected each once")
        data = _data(given, f"inputs[{position}]")
        lengths.add(len(data))
        columns[name] = _converted(data, given.get("datatype"), known[name], position) if name in known else data
    if len(lengths) > 1:
        raise HttpError(400, "found inputs of different lengths, expected one value a row in each")
    read = [name for name in columns if name in known]
    rows = lengths.pop() if lengths else 0
    return [{name: columns[name][row] for name in read} for row in range(rows)]


def _data(given: dict[str, Any], where: str) -> list[Any]:
    """The values of an input of shape [rows] or [rows, 1]."""
    shape, data = given.get("shape"), given.get("data")
    if not isinstance(shape, list) or not all(type(size) is int and size >= 0 for size in shape):
        raise HttpError(400, f"{where}: found no shape, expected [rows]")
    if not isinstance(data, list):
        raise HttpError(400, f"{where}: found no list of data, expected one value a row")
    if shape[1:] not in ([], [1]) or not shape:
        raise HttpError(400, f"{where}: found a shape of more than one value a row, expected [rows] or [rows, 1]")
    if data and all(isinstance(each, list) and len(each) == 1 for each in data):
        data = [each[0] for each in data]
    if len(data) != shape[0]:
        raise HttpError(400, f"{where}: found {len(data)} values, expected as many as its shape says")
    return data


def _converted(data: list[Any], given: Any, column: Column, position: int) -> list[Any]:
    """Values as the column has them: what a narrow float holds is what its width rounds to."""
    taken = _TAKEN.get(column.kind, {"BYTES"})
    if not isinstance(given, str) or given not in taken:
        raise HttpError(
            400, f"inputs[{position}]: found another datatype for {column.name}, expected {datatype(column)}"
        )
    narrow = _FLOATS.get(given)
    if narrow is None:
        return data
    with np.errstate(over="ignore"):
        rounded = [float(narrow(each)) if type(each) in (int, float) and abs(each) < 2**1000 else each for each in data]
    if any(isinstance(value, float) and math.isinf(value) for value in rounded):
        raise HttpError(400, f"inputs[{position}]: found a number beyond {given}, expected those that it holds")
    return rounded
