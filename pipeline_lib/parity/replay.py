"""What the fresh process does: load the artifact, hand the evidence's rows over in each asked way, compare."""

import importlib
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline_lib.compiled.pipeline import CompiledPipeline, load_model
from pipeline_lib.errors import InputError
from pipeline_lib.evidence.bits import differing_rows
from pipeline_lib.evidence.edge_answers import PROBES, repeat_probes, without_probes
from pipeline_lib.evidence.evidence import Evidence, edge_rows, read_evidence, traced_steps
from pipeline_lib.parity.clock import readers
from pipeline_lib.parity.deliveries import Delivery, Given
from pipeline_lib.parity.divergence import OUTPUTS, Answer, changed_values, first_divergence
from pipeline_lib.parity.process_settings import proof_of
from pipeline_lib.parity.result import FRESH, Outcome
from pipeline_lib.parity.with_context import Part, parts_of, rows_before
from pipeline_lib.records.record import Record
from pipeline_lib.rows.conform import conform
from pipeline_lib.rows.split_tables import sort_child_rows
from pipeline_lib.system.locks import locked_temporary_folder

TABLES, MAPPINGS, OPAQUE = 120, 2_000, 24
"""At most so many parts of one delivery are predicted: tables, single rows, either where a step is opaque.

Those with a row at the edge of a column (its first gap, minimum, maximum, label) come first.
"""
TRACED_PARTS = 6
"""Of the parts of one delivery, so many are compared in every intermediate column as well."""


class _AbsentFormError(Exception):
    """A hand-over that needs a package which is not here."""


def repeat(request: Mapping[str, Any]) -> dict[str, Any]:
    """The proof of this process's setting, the outcome of each hand-over, and what this process runs on."""
    record = Record(Path(request["record"]))
    evidence = read_evidence(record.evidence)
    model = load_model(record.artifact, library=request["library"])
    proof = proof_of(request["proof"])
    outcomes = [_outcome(task, evidence, model) for task in request["tasks"]]
    environment = None
    if any(outcome.verdict == "different" for outcome in outcomes):
        from pipeline_lib.system.environment import describe_environment

        environment = describe_environment()
    return {
        "proof": proof,
        "outcomes": [outcome.to_json() for outcome in outcomes],
        "environment": environment,
        "readers": readers(),
    }


def _outcome(task: Mapping[str, Any], evidence: Evidence, model: CompiledPipeline) -> Outcome:
    """Hand rows over in one way, predict them, and compare with the evidence."""
    started = time.perf_counter()
    begun = Outcome(task["name"], task["group"], "lossy" if task["lossy"] else "different", what=task["what"])
    try:
        if task["deliver"] is None:
            return replace(_at_the_edges(begun, evidence, model), seconds=round(time.perf_counter() - started, 3))
        answer = _answer(task, evidence, model)
    except _AbsentFormError as error:
        return replace(begun, verdict="absent", detail=str(error))
    except InputError as error:
        return replace(begun, detail=f"refused: {str(error).partition(chr(10))[0]}")
    except Exception as error:
        told = "its message is hidden, as Row has sensitive columns" if model.row.sensitive else error
        last = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{Path(last.filename).name}, line {last.lineno}"
        return replace(begun, detail=f"failed: {type(error).__name__}: {told} ({where})")
    divergence = first_divergence(answer, evidence, model)
    seconds = round(time.perf_counter() - started, 3)
    done = replace(begun, rows=len(answer.rows), seconds=seconds, divergence=divergence)
    if divergence is None:
        return replace(done, verdict="exact", detail="in other rows it may lose" if task["lossy"] else "")
    values, rows, outputs = changed_values(answer, evidence)
    lost = f"{values:,} raw values in {rows:,} of {len(answer.rows):,} rows change, and {outputs:,} outputs"
    return replace(done, differing=outputs, detail=lost if task["lossy"] else "")


def _at_the_edges(begun: Outcome, evidence: Evidence, model: CompiledPipeline) -> Outcome:
    """Answer the kept probes again."""
    reason = without_probes(model)
    if reason:
        return replace(begun, verdict="absent", detail=reason)
    if evidence.probes is None:
        return replace(begun, detail=f"found no {PROBES} in the evidence, expected one; run again")
    rows = len(evidence.probes.group_by(["column", "value"]).aggregate([]))
    if not rows and model.reads:
        return replace(
            begun, detail=f"found no rows in {PROBES}, expected some for {len(model.reads)} columns; run again"
        )
    difference = repeat_probes(model, evidence.inputs, evidence.probes, evidence.context)
    if difference is None:
        return replace(begun, verdict="exact", rows=rows)
    hidden = f"{difference.differing:,} of {rows:,} probes differ; which is hidden, as Row has sensitive columns"
    told = hidden if model.row.sensitive else str(difference)
    return replace(begun, rows=rows, differing=difference.differing, detail=told)


def _answer(task: Mapping[str, Any], evidence: Evidence, model: CompiledPipeline) -> Answer:
    """What the model makes of rows that are handed over in one way; in the evidence's order."""
    whole = task["name"] == FRESH
    places = np.arange(evidence.inputs.num_rows) if whole else evidence.traced.to_numpy()
    table = evidence.inputs if whole else evidence.inputs.take(evidence.traced)
    before = rows_before(evidence, int(places[0]))
    if before is not None:
        table = pa.concat_tables([before, table]).combine_chunks()
    module, _, function = task["deliver"].partition(":")
    deliver: Callable[[Given], Delivery] = getattr(importlib.import_module(module), function)
    with locked_temporary_folder("rows") as folder:
        given = Given(table, model.row, folder, 0 if before is None else before.num_rows)
        try:
            delivery = deliver(given)
        except ModuleNotFoundError as error:  # of a step's own it would be a difference
            raise _AbsentFormError(f"needs {error.name}, which is not installed") from error
    if not isinstance(delivery, Delivery):
        found = type(delivery).__name__
        raise InputError(f"found {found} from {function}, expected a Delivery of rows and their places; return one")
    parts = parts_of(delivery, given)
    _check_places(parts, len(places))
    if whole:
        return _whole(evidence, model, parts[0])
    most = (MAPPINGS if delivery.alone else TABLES) if model.exact else OPAQUE
    parts = [replace(part, places=places[part.places]) for part in _chosen(parts, most, given)]
    return _alone(parts, evidence, model) if delivery.alone else _in_tables(parts, model)


def _check_places(parts: Sequence[Part], rows: int) -> None:
    """Every row must be handed over once."""
    found = np.concatenate([np.asarray(part.places) for part in parts]) if parts else np.array([], np.int64)
    times = np.bincount(found[(found >= 0) & (found < rows)], minlength=rows)
    if len(found) != rows or not (times == 1).all():
        wrong = int(np.argmax(times != 1))
        raise InputError(
            f"found {len(found):,} rows handed over, row {wrong} {times[wrong]} times, expected each of {rows:,} rows "
            "once; give every row with its place"
        )


def _chosen(parts: Sequence[Part], most: int, given: Given) -> list[Part]:
    """All parts, or `most` of them: those with rows at the edges of a column first, the rest evenly spaced."""
    if len(parts) <= most:
        return list(parts)
    edges = {row - given.earlier for row in edge_rows(given.table)}
    at_edges = [place for place, part in enumerate(parts) if not edges.isdisjoint(part.places.tolist())]
    chosen = _spaced(at_edges, most // 2)
    rest = [place for place in range(len(parts)) if place not in set(chosen)]
    return [parts[place] for place in sorted([*chosen, *_spaced(rest, most - len(chosen))])]


def _whole(evidence: Evidence, model: CompiledPipeline, part: Part) -> Answer:
    rows = np.arange(evidence.inputs.num_rows)
    inputs, outputs = _predicted(model, part)
    steps = traced_steps(model, inputs, evidence.traced, model.earlier(inputs, part.context))
    return Answer(rows, outputs, evidence.traced.to_numpy(), steps, sort_child_rows(inputs, model.row))


def _in_tables(parts: Sequence[Part], model: CompiledPipeline) -> Answer:
    predicted = [_predicted(model, part) for part in parts]
    inputs, outputs = (pa.concat_tables(tables) for tables in zip(*predicted, strict=True))
    chosen = _spaced(range(len(parts)), TRACED_PARTS)
    made = [model.evaluate(predicted[place][0], context=parts[place].context, steps=True) for place in chosen]
    steps = {name: pa.concat_tables([each.steps[name] for each in made]) for name in made[0].steps}
    rows, traced = (np.concatenate([parts[place].places for place in places]) for places in (range(len(parts)), chosen))
    inputs = sort_child_rows(inputs.combine_chunks(), model.row)
    if inputs.num_rows != len(rows):
        return Answer(rows, outputs, traced, steps, inputs)
    order, order_traced = np.argsort(rows), np.argsort(traced)
    steps = {name: table.take(pa.array(order_traced)) for name, table in steps.items()}
    inputs, outputs = inputs.take(pa.array(order)), outputs.take(pa.array(order))
    return Answer(rows[order], outputs, traced[order_traced], steps, inputs)


def _predicted(model: CompiledPipeline, part: Part) -> tuple[pa.Table, pa.Table]:
    """Raw rows as they reach the model, and its outputs; the prediction is what `predict` answers."""
    inputs = conform(part.data, model.row)
    outputs = model.evaluate(inputs, context=part.context).outputs
    if "prediction" not in outputs.column_names:
        return inputs, outputs
    return inputs, _with_prediction(outputs, model.predict(part.data, context=part.context).tolist())


def _with_prediction(outputs: pa.Table, values: list[Any]) -> pa.Table:
    place = outputs.column_names.index("prediction")
    kind = outputs.schema.field(place).type
    return outputs.set_column(place, "prediction", pa.array(values, kind, from_pandas=False))


def _alone(parts: Sequence[Part], evidence: Evidence, model: CompiledPipeline) -> Answer:
    """Each row through `predict_row`; its steps through `trace_row`."""
    rows = np.concatenate([part.places for part in parts])
    traces = [model.trace_row(part.data, context=part.context) for part in parts]
    schemas = {**{name: table.schema for name, table in evidence.steps.items()}, OUTPUTS: evidence.outputs.schema}
    tables = {name: _traced(schema, [trace.get(name, {}) for trace in traces]) for name, schema in schemas.items()}
    outputs = tables.pop(OUTPUTS)
    if "prediction" in outputs.column_names:
        said = _with_prediction(outputs, [model.predict_row(part.data, context=part.context) for part in parts])
        # where the two ways of asking disagree, the one that is wrong must show
        expected = evidence.outputs.take(pa.array(rows))
        outputs = said if differing_rows(expected, said).any() else outputs
    return Answer(rows, outputs, rows, tables)


def _traced(schema: pa.Schema, rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Traced values as the columns that the evidence keeps; a vector is a column for each of its numbers."""
    flat = [_flat(row) for row in rows]
    return pa.Table.from_arrays([_column([row[f.name] for row in flat], f.type) for f in schema], schema=schema)


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, value in row.items():
        value = value.toarray().ravel().tolist() if hasattr(value, "toarray") else value
        if isinstance(value, Mapping):  # of a sparse column: the places that hold a value, as the evidence has them
            values |= {f"{name}[places]": [*value], f"{name}[values]": [*value.values()]}
        elif isinstance(value, list | tuple):
            values |= {f"{name}[{place}]": part for place, part in enumerate(value)}
        else:
            values[name] = value
    return values


def _column(values: list[Any], kind: pa.DataType) -> pa.Array:
    if pa.types.is_floating(kind):
        return pa.array([float("nan") if value is None else value for value in values], kind, from_pandas=False)
    if pa.types.is_timestamp(kind):
        return pa.array(values, pa.int64()).view(kind)
    return pa.array(values, kind, from_pandas=False)


def _spaced(items: Sequence[Any], most: int) -> list[Any]:
    """All items, or `most` of them, evenly spaced."""
    if len(items) <= most:
        return list(items)
    return [items[place] for place in np.linspace(0, len(items) - 1, most).astype(np.int64).tolist()]
