"""What an artifact may hold of single rows: words of sensitive columns, and the stored rows of some models.

Production needs what a pipeline has learned, so it stays where rows are removed. This says where a person must look.
"""

import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from pipeline_lib.compiled.artifact import load, read_description
from pipeline_lib.compiled.operations.catalog import OPERATIONS
from pipeline_lib.compiled.plan import Node, Plan
from pipeline_lib.errors import InputError
from pipeline_lib.records.layout import ARTIFACT, LIBRARY
from pipeline_lib.records.record import Record
from pipeline_lib.rows.schema import RowSchema

_STORES_ROWS = {
    "donors": "k-nearest-neighbour imputation",
    "nearest": "k nearest neighbours",
    "kernel": "support vectors",
}
"""Operations whose settings are numbers of training rows."""
_SAME_VALUE = {"demand", "finite", "round32", "to_float", "truncate_int", "where"}
"""Operations whose result is a value of the column, or a value in its place."""
_NO_DATA = {"advice", "column", "dtypes", "expected", "field", "format", "gives", "method", "mode", "name", "names"}
_NO_DATA |= {"pattern", "refused", "step", "table", "where"}
"""Settings with words of the plan itself: names, messages, patterns of code."""


def stored_rows(record: Record) -> str:
    """Why the artifact holds numbers of training rows; empty where no operation stores rows, or without an artifact."""
    try:
        nodes = read_description(record.artifact)["nodes"] if record.artifact.is_dir() else ()
    except (InputError, KeyError):
        return ""
    return next((_STORES_ROWS[node["operation"]] for node in nodes if node["operation"] in _STORES_ROWS), "")


def sensitive_files(record: Record) -> list[str]:
    """The files of the artifact that may hold values of sensitive columns, each with the reason.

    An operation that depends on a sensitive column may hold words that it learned there; words of the project's own
    code, the values that `Row` lists, and the labels of the target do not count. Nor do numbers, unless a table has
    the column's own values as its keys, as one-hot encoding of a number does: a mean or a threshold is no value of a
    row. Stored rows, and the state of opaque steps that read such a column, count always.
    """
    fields = set(record.manifest().get("sensitive") or ())
    if not fields or not record.artifact.is_dir():
        return []
    plan, row, opaque = load(record.artifact)
    dependent = _dependent(plan, fields)
    taken = {number for node in dependent for number in plan.nodes[node].inputs}
    constants = {number for number in taken if plan.nodes[number].operation == "constant"}
    nodes = [plan.nodes[number] for number in sorted(dependent | constants)]
    found = []
    kinds = {_STORES_ROWS[node.operation] for node in nodes if node.operation in _STORES_ROWS}
    found += [f"{ARTIFACT}: rows that a step stores ({kind})" for kind in sorted(kinds)]
    if opaque and any("opaque" in node.operation for node in nodes):
        found.append(f"{ARTIFACT}: the state of a step that runs through its library")
    code = _literals("\n".join(str(cell.get("source", "")) for cell in record.read_json(LIBRARY) or ()))
    known = {
        str(label) for each in plan.classes for label in (each if isinstance(each, tuple) else (each,))
    } | _declared(row)
    words = {word for node in nodes for word in _words(node) if word not in known and word not in code}
    if words:
        found.append(f"{ARTIFACT}: {len(words):,} words that a step has learned")
    numbers = {key for key in _number_keys(plan, fields) if not {str(key), f"{key:g}"} & known}
    if numbers:
        found.append(f"{ARTIFACT}: {len(numbers):,} numbers of a table that a step has learned")
    return found


def _literals(code: str) -> set[str]:
    """The texts that code holds in quotes."""
    return {text for _, text in re.findall(r"""(["'])((?:\\.|(?!\1).)*)\1""", code)}


def _dependent(plan: Plan, fields: set[str]) -> set[int]:
    """Numbers of the nodes that depend on these raw columns."""
    numbers: set[int] = set()
    for number, node in enumerate(plan.nodes):
        if node.settings.get("column") in fields or not numbers.isdisjoint(node.inputs):
            numbers.add(number)
    return numbers


def _number_keys(plan: Plan, fields: set[str]) -> set[float]:
    """The keys of tables of numbers that are looked up by the value of one of these columns itself."""
    raw: set[int] = set()
    keys: set[float] = set()
    for number, node in enumerate(plan.nodes):
        if node.settings.get("column") in fields or (node.operation in _SAME_VALUE and raw.intersection(node.inputs)):
            raw.add(number)
        elif node.operation == "lookup_number" and raw.intersection(node.inputs):
            keys |= {float(key) for key in node.settings["keys"]}
    return keys


def _declared(row: RowSchema) -> set[str]:
    """The values that `Row` lists: they are code, and not learned."""
    return {str(value) for column in row.by_name.values() for value in column.allowed or ()}


def _words(node: Node) -> Iterator[str]:
    """Texts in a node's settings that may come from data; a setting that is one of some fixed words does not count."""
    declared = OPERATIONS[node.operation].settings if node.operation in OPERATIONS else {}
    for name, value in node.settings.items():
        fixed = name in declared and declared[name].annotation.startswith("Literal")
        if name not in _NO_DATA and not fixed:
            yield from _texts(value)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, np.ndarray) and value.dtype.kind in "US":
        yield from map(str, value.ravel().tolist())
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _texts(part)
