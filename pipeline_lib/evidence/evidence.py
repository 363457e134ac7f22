"""Evidence: raw rows with the outputs, and the intermediate columns, that production must repeat.

The inputs are written to Parquet and read back before anything is predicted, so that the record holds the
predictions for the rows as production will read them.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline_lib.compiled.native.core import numpy_alone
from pipeline_lib.errors import InputError
from pipeline_lib.evidence.edge_answers import read_edge_answers, write_edge_answers
from pipeline_lib.evidence.targets import target_table
from pipeline_lib.rows.conform import conform
from pipeline_lib.rows.split_tables import sort_child_rows
from pipeline_lib.system.files import canonical_json, files_below, sha256_file, write_atomic

if TYPE_CHECKING:
    from pipeline_lib.compiled.pipeline import CompiledPipeline

MOST_TRACED_ROWS = 2_000  # intermediate columns of all rows would make records many times as large
_MOST_CATEGORIES = 50  # categories of one text column whose first rows are traced
DESCRIPTION, CONTEXT = "evidence.json", "context.parquet"


@dataclass(frozen=True)
class Evidence:
    """Evidence tables: raw `inputs`, `outputs`, each step's columns for the `traced` rows, the `target`.

    `context` are the raw rows just before the inputs, where the pipeline needs them. `artifact` has the digest of each
    file of the artifact that produced the outputs. `edge_answers` are edge rows with their answers, where the pipeline
    can have them. `traced` are row numbers (int64) from 0.
    """

    inputs: pa.Table
    outputs: pa.Table
    steps: dict[str, pa.Table]
    traced: pa.Array
    target: pa.Table
    artifact: dict[str, str] = field(default_factory=dict)
    edge_answers: pa.Table | None = None
    context: pa.Table | None = None


def write_evidence(
    folder: Path,
    model: "CompiledPipeline",
    rows: Any,
    target: Any,
    *,
    artifact: Path | None = None,
    context: Any = None,
) -> Evidence:
    """Write raw rows with the model's outputs and intermediate columns, and read them back.

    `rows` is a DataFrame (or what `CompiledPipeline.predict` takes), `target` a sequence of as many values (of several
    targets a DataFrame or array with a column for each),
    `artifact` the folder where the model is saved. Of several raw tables each main row is kept with its child rows,
    put into one order. `context` has the rows before them, where the pipeline needs these.
    Raises InputError for rows outside the schema, no rows, or a target of another length.
    """
    inputs = sort_child_rows(conform(rows, model.row), model.row)
    values = target_table(target)
    if inputs.num_rows == 0 or values.num_rows != inputs.num_rows:
        raise InputError(
            f"found {inputs.num_rows:,} evidence rows and {values.num_rows:,} target values, expected as many "
            "and at least one; pass the test rows and their target"
        )
    earlier = model.earlier(inputs, context)
    folder.mkdir(exist_ok=True)
    pq.write_table(inputs, folder / "inputs.parquet")
    pq.write_table(values, folder / "target.parquet")
    if earlier is not None:
        pq.write_table(earlier, folder / CONTEXT)
        earlier = read_table(folder / CONTEXT)
    inputs = read_table(folder / "inputs.parquet")
    traced = traced_rows(inputs) if earlier is None else last_rows(inputs)
    with numpy_alone():  # what parity repeats with the core
        outputs = model.evaluate(inputs, context=earlier).outputs
        steps = traced_steps(model, inputs, traced, earlier)
    pq.write_table(outputs, folder / "outputs.parquet")
    for number, table in enumerate(steps.values()):
        pq.write_table(table, folder / f"step_{number:02}.parquet")
    description = {"rows": inputs.num_rows, "traced": traced.to_pylist(), "steps": list(steps)}
    description["artifact"] = digests(artifact) if artifact else {}
    with numpy_alone():
        description["probes"] = write_edge_answers(folder, model, inputs, earlier)
    description["context"] = earlier.num_rows if earlier is not None else 0
    write_atomic(folder / DESCRIPTION, canonical_json(description))
    return read_evidence(folder)


def traced_steps(
    model: "CompiledPipeline", inputs: pa.Table, traced: pa.Array, context: pa.Table | None
) -> dict[str, pa.Table]:
    """Each step's columns for the traced rows; where rows depend on earlier ones, all rows are evaluated."""
    if context is None:
        return model.evaluate(inputs.take(traced), steps=True).steps
    whole = model.evaluate(inputs, context=context, steps=True).steps
    return {name: table.take(traced) for name, table in whole.items()}


def read_evidence(folder: Path) -> Evidence:
    """Read what `write_evidence` wrote; InputError when it is not all there."""
    try:
        description = json.loads((folder / DESCRIPTION).read_bytes())
        steps = {
            name: read_table(folder / f"step_{number:02}.parquet") for number, name in enumerate(description["steps"])
        }
        evidence = Evidence(
            inputs=read_table(folder / "inputs.parquet"),
            outputs=read_table(folder / "outputs.parquet"),
            steps=steps,
            traced=pa.array(description["traced"], pa.int64()),
            target=read_table(folder / "target.parquet"),
            artifact=dict(description.get("artifact", {})),
            edge_answers=read_edge_answers(folder),
            context=read_table(folder / CONTEXT) if description.get("context") else None,
        )
        problem = _wrong_lengths(evidence, description)
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowException) as error:
        problem = str(error)
    if problem:
        raise InputError(
            f"{folder}: found incomplete evidence ({problem}), expected what `run.evidence` writes; run again"
        )
    return evidence


def _wrong_lengths(evidence: Evidence, description: dict[str, Any]) -> str:
    """The tables whose numbers of rows disagree with each other or with the description; empty when all agree."""
    rows, edge_answers, context = description["rows"], description.get("probes"), description.get("context", 0)
    tables = {"inputs": evidence.inputs, "outputs": evidence.outputs, "target": evidence.target}
    wrong = [
        f"{table.num_rows:,} rows of {name}, not {rows}" for name, table in tables.items() if table.num_rows != rows
    ]
    kept = 0 if evidence.edge_answers is None else evidence.edge_answers.num_rows
    if edge_answers is not None and kept != edge_answers:
        wrong.append(f"{kept:,} answers of edge rows (probes), not {edge_answers}")
    if evidence.context is not None and evidence.context.num_rows != context:
        wrong.append(f"{evidence.context.num_rows:,} rows of context, not {context}")
    traced = evidence.traced.to_pylist()
    if traced != sorted(set(traced)) or not set(traced) <= set(range(evidence.inputs.num_rows)):
        wrong.append(f"traced rows in {DESCRIPTION} that are not rows in order")
    wrong += [
        f"{table.num_rows:,} rows of step {name}, not {len(traced):,}"
        for name, table in evidence.steps.items()
        if table.num_rows != len(traced)
    ]
    return "; ".join(wrong)


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of each file below a folder, by name."""
    return {path.relative_to(folder).as_posix(): sha256_file(path) for path in files_below(folder)}


def other_artifact(evidence: Evidence, artifact: Path) -> list[str]:
    """The files of an artifact that are not the ones that produced the evidence, one a line."""
    if not evidence.artifact:
        return [f"{DESCRIPTION}: found no digests of the artifact, expected those of the one that made the evidence"]
    present = digests(artifact)
    return [
        f"artifact/{name}: found {'other bytes' if name in present else 'no such file'}, "
        f"expected those that made the evidence (sha256 {digest[:12]}…)"
        for name, digest in evidence.artifact.items()
        if present.get(name) != digest
    ] + [f"artifact/{name}: found a file that was not there" for name in present if name not in evidence.artifact]


def read_table(path: Path) -> pa.Table:
    """A Parquet file as an Arrow table, one chunk a column."""
    return pq.read_table(path).combine_chunks()


def traced_rows(inputs: pa.Table, most: int = MOST_TRACED_ROWS) -> pa.Array:
    """Numbers (int64) of the rows whose intermediate columns are kept, in order.

    All rows when there are at most `most`; otherwise the extreme rows, then rows evenly spaced over the rest.

    >>> traced_rows(pa.table({"x": [5, 5, 9, 1, 5, None, 5, 5]}), most=4).to_pylist()
    [0, 2, 3, 5]
    """
    if inputs.num_rows <= most:
        return pa.array(range(inputs.num_rows), pa.int64())
    rows = extreme_rows(inputs)[:most]
    rest = np.setdiff1d(np.arange(inputs.num_rows), rows)
    spaced = np.unique(np.linspace(0, len(rest) - 1, most - len(rows)).astype(np.int64))
    return pa.array(sorted({*rows, *(int(rest[index]) for index in spaced)}), pa.int64())


def extreme_rows(inputs: pa.Table) -> list[int]:
    """Numbers of the first rows, column by column, with a missing value, minimum, maximum and category (up to 50)."""
    return list(dict.fromkeys(row for column in inputs.columns for row in _extremes(column)))


def last_rows(inputs: pa.Table, most: int = MOST_TRACED_ROWS) -> pa.Array:
    """Numbers of the last rows, `most` at most: rows that depend on earlier ones are kept without gaps."""
    return pa.array(range(max(inputs.num_rows - most, 0), inputs.num_rows), pa.int64())


def _extremes(column: pa.ChunkedArray) -> list[int]:
    if pa.types.is_large_list(column.type):  # child rows: the fewest and the most
        column = pc.list_value_length(column)
    candidates: list[Any] = [None] if column.null_count else []
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        candidates += pc.unique(column.drop_null()).to_pylist()[:_MOST_CATEGORIES]
    elif column.null_count < len(column):
        candidates += [*pc.min_max(column).as_py().values()]
    return [row for value in candidates if (row := _first_row(column, value)) >= 0]  # -1: a NaN equals nothing


def _first_row(column: pa.ChunkedArray, value: Any) -> int:
    if value is None:
        return int(pc.index(pc.is_null(column), True).as_py())
    return int(pc.index(column, pa.scalar(value, column.type)).as_py())
