"""Evidence: raw rows with the outputs, and the intermediate columns, that production must repeat.

The inputs are written to Parquet and read back before anything is predicted, so that the record holds what
the pipeline makes of the rows as production will read them.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline_lib.errors import InputError
from pipeline_lib.files import canonical_json, files_below, sha256_file, write_atomic
from pipeline_lib.probes import read_probes, write_probes
from pipeline_lib.rows import conform
from pipeline_lib.rowtables import settled

if TYPE_CHECKING:
    from pipeline_lib.compiled import CompiledPipeline

MOST_TRACED_ROWS = 2_000
DESCRIPTION = "evidence.json"


@dataclass(frozen=True)
class Evidence:
    """Evidence tables: raw `inputs`, `outputs`, each step's columns for the `traced` rows, the `target`.

    `artifact` has the digest of each file of the artifact that made them; it is empty where nobody said. `probes`
    are rows at the edges of each raw column with their answers, where the pipeline can have them.
    """

    inputs: pa.Table
    outputs: pa.Table
    steps: dict[str, pa.Table]
    traced: pa.Array
    target: pa.Table
    artifact: dict[str, str] = field(default_factory=dict)
    probes: pa.Table | None = None


def write_evidence(
    folder: Path, model: "CompiledPipeline", rows: Any, target: Any, *, artifact: Path | None = None
) -> Evidence:
    """Keep raw rows with what the model makes of them.

    `rows` is a DataFrame (or what `CompiledPipeline.predict` takes), `target` a sequence of as many values,
    `artifact` the folder where the model is saved. Of several raw tables each main row is kept with its child rows,
    put into one order.
    Raises InputError for rows outside the schema, no rows, or a target of another length.
    """
    inputs = settled(conform(rows, model.row), model.row)
    values = pa.table({"target": pa.array(np.asarray(target))})
    if inputs.num_rows == 0 or values.num_rows != inputs.num_rows:
        raise InputError(
            f"found {inputs.num_rows:,} evidence rows and {values.num_rows:,} target values, expected as many "
            "and at least one; pass the test rows and their target"
        )
    folder.mkdir(exist_ok=True)
    pq.write_table(inputs, folder / "inputs.parquet")
    pq.write_table(values, folder / "target.parquet")
    inputs = read_table(folder / "inputs.parquet")
    traced = traced_rows(inputs)
    outputs = model.evaluate(inputs).outputs
    steps = model.evaluate(inputs.take(traced), steps=True).steps
    pq.write_table(outputs, folder / "outputs.parquet")
    for number, table in enumerate(steps.values()):
        pq.write_table(table, folder / f"step_{number:02}.parquet")
    description = {"rows": inputs.num_rows, "traced": traced.to_pylist(), "steps": list(steps)}
    description["artifact"] = digests(artifact) if artifact else {}
    description["probes"] = write_probes(folder, model, inputs)
    write_atomic(folder / DESCRIPTION, canonical_json(description))
    return read_evidence(folder)


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
            probes=read_probes(folder),
        )
        problem = _unlike_lengths(evidence, description["rows"], description.get("probes"))
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowException) as error:
        problem = str(error)
    if problem:
        raise InputError(
            f"{folder}: found incomplete evidence ({problem}), expected what `run.evidence` writes; run again"
        )
    return evidence


def _unlike_lengths(evidence: Evidence, rows: Any, probes: Any) -> str:
    """Which table has not as many rows as the others and the description say; empty when all have."""
    tables = {"inputs": evidence.inputs, "outputs": evidence.outputs, "target": evidence.target}
    wrong = [
        f"{table.num_rows:,} rows of {name}, not {rows}" for name, table in tables.items() if table.num_rows != rows
    ]
    answers = 0 if evidence.probes is None else evidence.probes.num_rows
    if probes is not None and answers != probes:
        wrong.append(f"{answers:,} rows of probes, not {probes}")
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
    """What in an artifact's folder is not as it was when it made the evidence, one file a line."""
    if not evidence.artifact:
        return []
    found = digests(artifact)
    return [
        f"artifact/{name}: found {'other bytes' if name in found else 'no such file'}, "
        f"expected those that made the evidence (sha256 {digest[:12]}…)"
        for name, digest in evidence.artifact.items()
        if found.get(name) != digest
    ] + [f"artifact/{name}: found a file that was not there" for name in found if name not in evidence.artifact]


def read_table(path: Path) -> pa.Table:
    """A Parquet file as an Arrow table, one chunk a column."""
    return pq.read_table(path).combine_chunks()


def traced_rows(inputs: pa.Table, most: int = MOST_TRACED_ROWS) -> pa.Array:
    """Numbers of the rows whose intermediate columns are kept, in order.

    All rows when there are at most `most`. Otherwise, column by column, the first row with each missing
    value, minimum, maximum and category (up to 50 a column), then rows evenly spaced over the rest.
    """
    if inputs.num_rows <= most:
        return pa.array(range(inputs.num_rows), pa.int64())
    chosen = dict.fromkeys(row for column in inputs.columns for row in _edge_rows(column))
    rows = list(chosen)[:most]
    rest = np.setdiff1d(np.arange(inputs.num_rows), rows)
    spaced = np.unique(np.linspace(0, len(rest) - 1, most - len(rows)).astype(np.int64))
    return pa.array(sorted({*rows, *(int(rest[at]) for at in spaced)}), pa.int64())


def _edge_rows(column: pa.ChunkedArray) -> list[int]:
    if pa.types.is_large_list(column.type):  # child rows: the fewest and the most
        column = pc.list_value_length(column)
    candidates: list[Any] = [None] if column.null_count else []
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        candidates += pc.unique(column.drop_null()).to_pylist()[:50]
    elif column.null_count < len(column):
        candidates += [*pc.min_max(column).as_py().values()]
    return [row for value in candidates if (row := _first_row(column, value)) >= 0]  # -1: a NaN equals nothing


def _first_row(column: pa.ChunkedArray, value: Any) -> int:
    if value is None:
        return int(pc.index(pc.is_null(column), True).as_py())
    return int(pc.index(column, pa.scalar(value, column.type)).as_py())
