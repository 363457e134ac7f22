"""The artifact on disk: a plan as JSON, its arrays as npz, the row schema; loading executes nothing."""

import io
import json
import math
from collections.abc import Mapping
from dataclasses import astuple
from pathlib import Path
from typing import Any

import numpy as np

from pipeline_lib.compiled.operations.catalog import OPERATIONS
from pipeline_lib.compiled.operations.dates import ROUNDINGS, check_unit
from pipeline_lib.compiled.plan import DTYPES, Node, Plan, RawTable
from pipeline_lib.errors import InputError
from pipeline_lib.rows.schema import RowSchema
from pipeline_lib.system.files import canonical_json, write_atomic

FORMAT, OPAQUE_FORMAT = 3, 4
READABLE = (2, 3, 4)
"""Formats that this version loads: 3 added to tables the time from row to row, and list columns. 4 is for artifacts
with opaque steps: it added what their libraries take, how many rows at once, packages with versions and model files."""
DESCRIPTION, ARRAYS, ROW = "artifact.json", "arrays.npz", "row.json"
OPAQUE = "opaque_{}.skops"
_INLINE = 64  # numbers of a list that people may still read; longer ones go into the array file


def save(folder: Path, plan: Plan, row: RowSchema, opaque: Mapping[str, bytes]) -> None:
    """Write a plan, the row schema and the state of opaque steps; the description comes last."""
    folder.mkdir(parents=True, exist_ok=True)
    arrays: dict[str, np.ndarray[Any, Any]] = {}
    description = {
        "format": OPAQUE_FORMAT if opaque else FORMAT,
        "nodes": [_node_json(node, arrays) for node in plan.nodes],
        "outputs": [[name, node] for name, node in plan.outputs.items()],
        "steps": [[name, [[column, node] for column, node in columns.items()]] for name, columns in plan.steps.items()],
        "tables": [list(astuple(table)) for table in plan.tables],
        "classes": list(plan.classes),
        "opaque": list(opaque),
    }
    stream = io.BytesIO()
    np.savez(stream, **arrays)  # type: ignore[arg-type]
    write_atomic(folder / ARRAYS, stream.getvalue())
    write_atomic(folder / ROW, canonical_json(row.to_json()))
    for number, state in enumerate(opaque.values()):
        write_atomic(folder / OPAQUE.format(number), state)
    write_atomic(folder / DESCRIPTION, canonical_json(description))


def read_description(folder: Path) -> dict[str, Any]:
    """The artifact's description, checked for its format version. Raises InputError."""
    path = folder / DESCRIPTION
    try:
        description = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise InputError(
            f"{folder}: found no {DESCRIPTION}, expected the artifact folder of a run; name it as runs/NAME/ID/artifact"
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: found a damaged description ({error}), expected JSON; run again") from error
    version = description.get("format") if isinstance(description, dict) else type(description).__name__
    if version not in READABLE:
        raise InputError(
            f"{path}: found format {version!r}, expected one of {READABLE}; load it with the version of "
            "nb-pipeline-lib that wrote it, or run the notebook again"
        )
    return dict(description)


def load(folder: Path) -> tuple[Plan, RowSchema, dict[str, bytes]]:
    """Read what `save` wrote: plan, row schema, states of opaque steps. Raises InputError for anything else."""
    description = read_description(folder)
    try:
        row = RowSchema.from_json(json.loads((folder / ROW).read_bytes()))
        with np.load(folder / ARRAYS, allow_pickle=False) as archive:
            arrays = {name: np.asarray(archive[name]) for name in archive.files}
        opaque = {
            name: (folder / OPAQUE.format(number)).read_bytes() for number, name in enumerate(description["opaque"])
        }
        nodes = [_node(number, values, arrays) for number, values in enumerate(description["nodes"])]
        plan = Plan(
            nodes,
            {name: _reference(node, len(nodes)) for name, node in description["outputs"]},
            {
                name: {column: _reference(node, len(nodes)) for column, node in columns}
                for name, columns in description["steps"]
            },
            tuple(_table(values) for values in description["tables"]) or (RawTable(),),
            tuple(tuple(label) if isinstance(label, list) else label for label in description["classes"]),
        )
        _check_inputs(plan, row, folder)
    except InputError:
        raise
    except Exception as error:  # a damaged file can make JSON, zip and NumPy raise anything
        raise InputError(
            f"{folder}: found a damaged artifact ({type(error).__name__}: {error}), expected {DESCRIPTION}, {ARRAYS} "
            f"and {ROW} as `save` wrote them; run again"
        ) from error
    return plan, row, opaque


def _check_inputs(plan: Plan, row: RowSchema, folder: Path) -> None:
    declared = {name for table in plan.tables for name in (table.time, table.feeds) if name is not None}
    unknown = declared.union(plan.columns_read(range(len(plan.nodes)))) - set(row.names)
    if unknown:
        raise InputError(f"{folder}: found raw columns {sorted(unknown)} in the plan, expected columns of {ROW}")


def _table(values: list[Any]) -> RawTable:
    table = RawTable(*values)
    if type(table.context) is not int or table.context < 0:
        raise InputError(f"found a context of {table.context!r} rows, expected a whole number from 0 on")
    if table.every is not None and (type(table.every) is not int or table.every < 1 or table.time is None):
        raise InputError(f"found rows {table.every!r} apart in {table.time!r}, expected a whole number from 1 on")
    return table


def _node_json(node: Node, arrays: dict[str, np.ndarray[Any, Any]]) -> dict[str, Any]:
    settings = {name: _setting_json(value, arrays) for name, value in node.settings.items()}
    return {"operation": node.operation, "inputs": list(node.inputs), "settings": settings, "dtype": node.dtype}


def _setting_json(value: Any, arrays: dict[str, np.ndarray[Any, Any]]) -> Any:
    if isinstance(value, list) and len(value) > _INLINE and _is_numbers(value):
        return {"list": _setting_json(np.array(value), arrays)["array"]}
    if isinstance(value, np.ndarray):
        name = f"a{len(arrays):04}"
        arrays[name] = np.ascontiguousarray(value)
        return {"array": name}
    if isinstance(value, list | tuple):
        return [_setting_json(item, arrays) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": repr(value)}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"found a setting of {type(value).__name__}, expected JSON values and arrays")


def _is_numbers(values: list[Any]) -> bool:
    kinds = set(map(type, values))
    return kinds == {float} or (kinds == {int} and min(values) >= -(2**63) and max(values) < 2**63)


def _node(number: int, values: dict[str, Any], arrays: dict[str, np.ndarray[Any, Any]]) -> Node:
    operation, dtype = values["operation"], values["dtype"]
    known = operation in OPERATIONS or operation in ("input", "constant")
    if not known or dtype not in (*DTYPES, "parts"):
        raise InputError(f"node {number}: found operation {operation!r} of {dtype!r}, expected one of this release")
    inputs = tuple(_reference(taken, number) for taken in values["inputs"])
    settings = {name: _setting(value, arrays) for name, value in values["settings"].items()}
    if operation == "trees":
        _check_trees(number, settings)
    if operation in ROUNDINGS:
        check_unit(settings)
    return Node(operation, inputs, settings, dtype)


def _check_trees(number: int, settings: dict[str, Any]) -> None:
    """Refuse trees with a child before its node, whose walk may never end, or an index out of its array."""
    names = ("feature", "left", "right", "threshold", "missing_left", "category", "roots")
    feature, left, right, threshold, missing, category, roots = (np.asarray(settings[name]) for name in names)
    nodes, count = np.arange(len(feature)), len(np.asarray(settings["values"]))
    inner = feature >= 0
    integers = all(array.dtype.kind == "i" for array in (feature, left, right, category, roots))
    lengths = {len(array) for array in (feature, left, right, threshold, missing, category)}
    ordered = integers and len(lengths) == 1 and bool(((left > nodes) & (right > nodes))[inner].all())
    inside = ordered and bool((np.maximum(left, right)[inner] < len(feature)).all())
    leaves = inside and bool(((left >= 0) & (left < count))[~inner].all())
    if not (leaves and bool(((roots >= 0) & (roots < len(feature))).all()) and threshold.dtype.kind == "f"):
        raise InputError(f"node {number}: found damaged trees, expected children behind their nodes; run again")


def _reference(node: Any, below: int) -> int:
    """The number of a node below another one, as read from JSON."""
    if type(node) is not int or not 0 <= node < below:
        raise InputError(f"found node {node!r}, expected the number of an earlier one, below {below}")
    return node


def _setting(value: Any, arrays: dict[str, np.ndarray[Any, Any]]) -> Any:
    if isinstance(value, dict):
        if "float" in value:
            return float(value["float"])
        return arrays[value["list"]].tolist() if "list" in value else arrays[value["array"]]
    return [_setting(item, arrays) for item in value] if isinstance(value, list) else value
