"""The work of the fresh process: load the artifact, deliver the evidence's rows in each form, compare."""

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
from pipeline_lib.evidence.edge_answers import EDGE_ANSWERS, repeat_edge_rows, why_no_edge_rows
from pipeline_lib.evidence.evidence import Evidence, extreme_rows, read_evidence, traced_steps
from pipeline_lib.evidence.targets import PREDICTION, prediction_names
from pipeline_lib.parity.clock import readers
from pipeline_lib.parity.deliveries import Delivery, RowsToDeliver
from pipeline_lib.parity.divergence import OUTPUTS, ReplayResult, changed_values, first_divergence
from pipeline_lib.parity.process_settings import proof_of
from pipeline_lib.parity.replay_request import DeliveryTask, ReplayReply, ReplayRequest
from pipeline_lib.parity.result import FRESH, Outcome
from pipeline_lib.parity.with_context import Part, context_before, split_parts
from pipeline_lib.records.record import Record
from pipeline_lib.rows.conform import conform
from pipeline_lib.rows.split_tables import sort_child_rows
from pipeline_lib.system.locks import locked_temporary_folder

TABLES, MAPPINGS, OPAQUE = 120, 2_000, 24
"""At most so many parts of one delivery are predicted: parts that are tables, single rows, parts for an opaque step.

Parts with an extreme row of a column come first: its first missing value, minimum, maximum, a label.
"""
TRACED_PARTS = 6
"""The number of parts of one delivery whose intermediate columns are compared as well."""


class _AbsentFormError(Exception):
    """A delivery needs a package that is not installed."""


def replay(request: ReplayRequest) -> ReplayReply:
    """Do the tasks of a request in this process, after taking the proof of its setting."""
    record = Record(Path(request.record))
    evidence = read_evidence(record.evidence)
    # other versions of a library may answer otherwise: that is what the comparison finds
    model = load_model(record.artifact, library=request.library, trust=request.trust, other_versions=True)
    proof = proof_of(request.proof)
    outcomes = [_outcome(task, evidence, model) for task in request.tasks]
    environment = None
    if any(outcome.verdict == "different" for outcome in outcomes):
        from pipeline_lib.system.environment import describe_environment

        environment = describe_environment()
    return ReplayReply(tuple(outcome.to_json() for outcome in outcomes), proof, tuple(readers()), environment)


def _outcome(task: DeliveryTask, evidence: Evidence, model: CompiledPipeline) -> Outcome:
    """Deliver rows in one form, predict them, and compare with the evidence."""
    started = time.perf_counter()
    begun = Outcome(task.name, task.group, "lossy" if task.lossy else "different", what=task.what)
    try:
        if task.deliver is None:
            return replace(_edge_rows(begun, evidence, model), seconds=round(time.perf_counter() - started, 3))
        result = _replayed(task, evidence, model)
    except _AbsentFormError as error:
        return replace(begun, verdict="absent", detail=str(error))
    except InputError as error:
        return replace(begun, detail=f"refused: {str(error).partition(chr(10))[0]}")
    except Exception as error:
        message = "its message is hidden, as Row has sensitive columns" if model.row.sensitive else error
        last = traceback.extract_tb(error.__traceback__)[-1]
        line = f"{Path(last.filename).name}, line {last.lineno}"
        return replace(begun, detail=f"failed: {type(error).__name__}: {message} ({line})")
    divergence = first_divergence(result, evidence, model)
    seconds = round(time.perf_counter() - started, 3)
    ended = replace(begun, rows=len(result.rows), seconds=seconds, divergence=divergence)
    if divergence is None:
        return replace(ended, verdict="exact", detail="in other rows it may lose" if task.lossy else "")
    values, rows, outputs = changed_values(result, evidence)
    lost = f"{values:,} raw values in {rows:,} of {len(result.rows):,} rows change, and {outputs:,} outputs"
    return replace(ended, differing=outputs, detail=lost if task.lossy else "")


def _edge_rows(begun: Outcome, evidence: Evidence, model: CompiledPipeline) -> Outcome:
    """Answer the edge rows again and compare."""
    reason = why_no_edge_rows(model)
    if reason:
        return replace(begun, verdict="absent", detail=reason)
    if evidence.edge_answers is None:
        return replace(begun, detail=f"found no {EDGE_ANSWERS} in the evidence, expected one; run again")
    rows = len(evidence.edge_answers.group_by(["column", "value"]).aggregate([]))
    if not rows and model.reads:
        return replace(
            begun, detail=f"found no rows in {EDGE_ANSWERS}, expected some for {len(model.reads)} columns; run again"
        )
    difference = repeat_edge_rows(model, evidence.inputs, evidence.edge_answers, evidence.context)
    if difference is None:
        return replace(begun, verdict="exact", rows=rows)
    hidden = f"{difference.differing:,} of {rows:,} edge rows differ; which is hidden, as Row has sensitive columns"
    detail = hidden if model.row.sensitive else str(difference)
    return replace(begun, rows=rows, differing=difference.differing, detail=detail)


def _replayed(task: DeliveryTask, evidence: Evidence, model: CompiledPipeline) -> ReplayResult:
    """The model's outputs for rows that are delivered in one form, in the evidence's order."""
    everything = task.name == FRESH
    rows = np.arange(evidence.inputs.num_rows) if everything else evidence.traced.to_numpy()
    table = evidence.inputs if everything else evidence.inputs.take(evidence.traced)
    context = context_before(evidence, int(rows[0]))
    if context is not None:
        table = pa.concat_tables([context, table]).combine_chunks()
    delivery, source = _deliver(str(task.deliver), table, 0 if context is None else context.num_rows, model)
    parts = split_parts(delivery, source)
    _check_indexes(parts, len(rows))
    if everything:
        return _all_rows(evidence, model, parts[0])
    most = (MAPPINGS if delivery.alone else TABLES) if model.exact else OPAQUE
    parts = [replace(part, indexes=rows[part.indexes]) for part in _sample(parts, most, source)]
    return _single_rows(parts, evidence, model) if delivery.alone else _in_tables(parts, model)


def _deliver(
    function: str, table: pa.Table, context_rows: int, model: CompiledPipeline
) -> tuple[Delivery, RowsToDeliver]:
    """Call a delivery, `module:name`, with rows and a folder."""
    module, _, name = function.partition(":")
    deliver: Callable[[RowsToDeliver], Delivery] = getattr(importlib.import_module(module), name)
    with locked_temporary_folder("rows") as folder:
        rows = RowsToDeliver(table, model.row, folder, context_rows)
        try:
            delivery = deliver(rows)
        except ModuleNotFoundError as error:  # raised by a step it would be a difference
            raise _AbsentFormError(f"needs {error.name}, which is not installed") from error
    if not isinstance(delivery, Delivery):
        found = type(delivery).__name__
        raise InputError(f"found {found} from {name}, expected a Delivery of rows and their indexes; return one")
    return delivery, rows


def _check_indexes(parts: Sequence[Part], rows: int) -> None:
    """InputError unless every row is delivered once."""
    indexes = np.concatenate([np.asarray(part.indexes) for part in parts]) if parts else np.array([], np.int64)
    times = np.bincount(indexes[(indexes >= 0) & (indexes < rows)], minlength=rows)
    if len(indexes) != rows or not (times == 1).all():
        wrong = int(np.argmax(times != 1))
        raise InputError(
            f"found {len(indexes):,} rows delivered, row {wrong} {times[wrong]} times, expected each of {rows:,} rows "
            "once; return every row with its index"
        )


def _sample(parts: Sequence[Part], most: int, rows: RowsToDeliver) -> list[Part]:
    """All parts, or `most` of them: those with extreme rows of a column first, the rest evenly spaced."""
    if len(parts) <= most:
        return list(parts)
    extremes = {row - rows.context_rows for row in extreme_rows(rows.table)}
    first = [number for number, part in enumerate(parts) if not extremes.isdisjoint(part.indexes.tolist())]
    sampled = _spaced(first, most // 2)
    rest = [number for number in range(len(parts)) if number not in set(sampled)]
    return [parts[number] for number in sorted([*sampled, *_spaced(rest, most - len(sampled))])]


def _all_rows(evidence: Evidence, model: CompiledPipeline, part: Part) -> ReplayResult:
    rows = np.arange(evidence.inputs.num_rows)
    inputs, outputs = _predicted(model, part)
    steps = traced_steps(model, inputs, evidence.traced, model.earlier(inputs, part.context))
    return ReplayResult(rows, outputs, evidence.traced.to_numpy(), steps, sort_child_rows(inputs, model.row))


def _in_tables(parts: Sequence[Part], model: CompiledPipeline) -> ReplayResult:
    predicted = [_predicted(model, part) for part in parts]
    inputs, outputs = (pa.concat_tables(tables) for tables in zip(*predicted, strict=True))
    sampled = _spaced(range(len(parts)), TRACED_PARTS)
    evaluated = [model.evaluate(predicted[n][0], context=parts[n].context, steps=True) for n in sampled]
    steps = {name: pa.concat_tables([each.steps[name] for each in evaluated]) for name in evaluated[0].steps}
    rows = np.concatenate([part.indexes for part in parts])
    traced = np.concatenate([parts[number].indexes for number in sampled])
    inputs = sort_child_rows(inputs.combine_chunks(), model.row)
    if inputs.num_rows != len(rows):
        return ReplayResult(rows, outputs, traced, steps, inputs)
    order, order_traced = np.argsort(rows), np.argsort(traced)
    steps = {name: table.take(pa.array(order_traced)) for name, table in steps.items()}
    inputs, outputs = inputs.take(pa.array(order)), outputs.take(pa.array(order))
    return ReplayResult(rows[order], outputs, traced[order_traced], steps, inputs)


def _predicted(model: CompiledPipeline, part: Part) -> tuple[pa.Table, pa.Table]:
    """Raw rows as they reach the model, and its outputs; the prediction is the result of `predict`."""
    inputs = conform(part.data, model.row)
    outputs = model.evaluate(inputs, context=part.context).outputs
    return inputs, _with_predictions(outputs, model.predict(part.data, context=part.context).tolist())


def _with_predictions(outputs: pa.Table, values: list[Any]) -> pa.Table:
    """The outputs with other predictions: a value for each row, or one for each of its targets."""
    names = prediction_names(outputs)
    columns = [values] if names == [PREDICTION] else list(zip(*values, strict=True)) or [()] * len(names)
    for name, column in zip(names, columns, strict=True):
        index = outputs.column_names.index(name)
        kind = outputs.schema.field(index).type
        outputs = outputs.set_column(index, name, pa.array(column, kind, from_pandas=False))
    return outputs


def _single_rows(parts: Sequence[Part], evidence: Evidence, model: CompiledPipeline) -> ReplayResult:
    """Each row through `predict_row`; its steps through `trace_row`."""
    rows = np.concatenate([part.indexes for part in parts])
    traces = [model.trace_row(part.data, context=part.context) for part in parts]
    schemas = {**{name: table.schema for name, table in evidence.steps.items()}, OUTPUTS: evidence.outputs.schema}
    tables = {name: _traced(schema, [trace.get(name, {}) for trace in traces]) for name, schema in schemas.items()}
    outputs = tables.pop(OUTPUTS)
    if prediction_names(outputs):
        predicted = _with_predictions(outputs, [model.predict_row(part.data, context=part.context) for part in parts])
        # where predict_row and trace_row disagree, the wrong one must show
        expected = evidence.outputs.take(pa.array(rows))
        outputs = predicted if differing_rows(expected, predicted).any() else outputs
    return ReplayResult(rows, outputs, rows, tables)


def _traced(schema: pa.Schema, rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Traced values as the columns that the evidence keeps; a vector is a column for each of its numbers."""
    flat = [_flat(row) for row in rows]
    return pa.Table.from_arrays([_column([row[f.name] for row in flat], f.type) for f in schema], schema=schema)


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, value in row.items():
        value = value.toarray().ravel().tolist() if hasattr(value, "toarray") else value
        if isinstance(value, Mapping):  # a sparse column: its indexes and values, under the evidence's names
            values |= {f"{name}[places]": [*value], f"{name}[values]": [*value.values()]}
        elif isinstance(value, list | tuple):
            values |= {f"{name}[{index}]": part for index, part in enumerate(value)}
        else:
            values[name] = value
    return values


def _column(values: list[Any], kind: pa.DataType) -> pa.Array:
    if pa.types.is_floating(kind):
        return pa.array([float("nan") if value is None else value for value in values], kind, from_pandas=False)
    if pa.types.is_timestamp(kind) or pa.types.is_duration(kind):
        return pa.array(values, pa.int64()).view(kind)
    return pa.array(values, kind, from_pandas=False)


def _spaced(items: Sequence[Any], most: int) -> list[Any]:
    """All items, or `most` of them, evenly spaced."""
    if len(items) <= most:
        return list(items)
    return [items[index] for index in np.linspace(0, len(items) - 1, most).astype(np.int64).tolist()]
