"""Edge rows and their answers: what production must answer at the edges of each raw column, refusals included.

An edge row (`rows.edge_rows`) is here the first evidence row with one value replaced. The record keeps which step
outputs it changes, or how it is refused:

    column  value    step     name        found
    zone    null     grade    zone        0.0
    area    0.0      (refused)            area: found 0.0 in row 0, expected a value > 0; correct it, or Row
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline_lib.errors import InputError
from pipeline_lib.rows.edge_rows import edge_values, first_row_with_children, replace_value
from pipeline_lib.rows.split_tables import as_rows

if TYPE_CHECKING:
    from pipeline_lib.compiled.pipeline import CompiledPipeline
    from pipeline_lib.rows.column import Column

EDGE_ANSWERS = "probes.parquet"
SCHEMA = pa.schema([(name, pa.string()) for name in ("column", "value", "step", "name", "found")])
REFUSED, FAILED, NOTHING = "(refused)", "(failed)", "(nothing changes)"
_CONTEXT = "(context)"


@dataclass(frozen=True)
class EdgeDifference:
    """The first edge row with another answer, and the number of such rows: `step` and `name` say which column."""

    edge_row: str
    step: str
    name: str
    expected: str
    found: str
    edge_rows: int
    differing: int

    def __str__(self) -> str:
        edge_row = f"edge row {self.edge_row}: " if self.edge_row else ""
        column = f"step {self.step}: column {self.name!r}" if self.name else self.step
        return (
            f"{edge_row}{column}: expected {self.expected}, found {self.found}; "
            f"{self.differing:,} of {self.edge_rows:,} edge rows differ"
        )


def write_edge_answers(
    folder: Path, model: "CompiledPipeline", inputs: pa.Table, context: pa.Table | None = None
) -> int | None:
    """Write the edge rows of a model's raw columns, built from the first row of `inputs`, with its answers.

    `context` are the rows before it, where the pipeline needs these; then wrong contexts are edge rows too. Returns
    the number of answers; None for a pipeline that needs a library's code, which has no edge rows.
    """
    if why_no_edge_rows(model):
        return None
    own = model.plan.own_values()
    edges = [(name, text) for name, column in _columns(model) for text in edge_values(column, own.get(name, []))]
    edges += [(child.name, "[]") for child in model.row.children]
    edges += [(_CONTEXT, name) for name in _CONTEXTS if context is not None]
    answers = _answer_all(model, inputs, context, sorted(edges))
    pq.write_table(answers, folder / EDGE_ANSWERS)
    return int(answers.num_rows)


def why_no_edge_rows(model: "CompiledPipeline") -> str:
    """Why a pipeline has no edge rows; empty where it has."""
    return "" if model.exact else "its opaque steps refuse by rules of their library"


def read_edge_answers(folder: Path) -> pa.Table | None:
    """What `write_edge_answers` wrote; None where it wrote nothing. Raises InputError for anything else."""
    path = folder / EDGE_ANSWERS
    if not path.exists():
        return None
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise InputError(
            f"{path}: found {error}, expected edge answers as `run.evidence` writes them; run again"
        ) from error
    if table.schema != SCHEMA or any(column.null_count for column in table.columns):
        raise InputError(f"{path}: found columns {table.column_names}, expected text in {SCHEMA.names}; run again")
    return table


def repeat_edge_rows(
    model: "CompiledPipeline", inputs: pa.Table, kept: pa.Table, context: pa.Table | None = None
) -> EdgeDifference | None:
    """Answer the edge rows of `kept` again and compare; None when every answer is the same.

    `inputs` and `context` are the evidence's.
    """
    expected = _by_edge_row(kept)
    repeated = _answer_all(model, inputs, context, sorted(expected))
    answers = _by_edge_row(repeated)
    differing = [edge for edge in expected if expected[edge] != answers[edge]]
    if not differing and not repeated.equals(kept):
        return EdgeDifference("", EDGE_ANSWERS, "", "each answer once, in order", "another order", len(expected), 0)
    if not differing:
        return None
    edge = differing[0]
    old, new = expected[edge], answers[edge]
    step, name = next(key for key in (*old, *new) if old.get(key) != new.get(key))
    before, after = (_as_text(answer, step, name) for answer in (old, new))
    return EdgeDifference(f"{edge[0]}={edge[1]}", step, name, before, after, len(expected), len(differing))


def _as_text(answers: dict[tuple[str, str], str], step: str, name: str) -> str:
    """The answer in one column of a step; a refusal or a failure where the edge row has no outputs."""
    ends = [f"{text} {kind}" for (kind, _), text in answers.items() if kind in (REFUSED, FAILED)]
    silent = "an answer" if step in (REFUSED, FAILED) else "what the first evidence row gives"
    return ends[0] if ends else answers.get((step, name), silent)


def _by_edge_row(table: pa.Table) -> dict[tuple[str, str], dict[tuple[str, str], str]]:
    answers: dict[tuple[str, str], dict[tuple[str, str], str]] = {}
    for column, value, step, name, found in zip(*table.to_pydict().values(), strict=True):
        answers.setdefault((column, value), {})[step, name] = found
    return answers


def _answer_all(
    model: "CompiledPipeline", inputs: pa.Table, context: pa.Table | None, edges: list[tuple[str, str]]
) -> pa.Table:
    base = as_rows(inputs.slice(first_row_with_children(inputs, model.row), 1), model.row)[0]
    before = model.trace_row(base, context=context)
    rows = []
    for column, text in edges:
        if column == _CONTEXT and context is not None:
            row, earlier = base, _CONTEXTS[text](context, inputs)
        else:
            row, earlier = replace_value(base, model.row, column, text), context
        rows += [(column, text, *answer) for answer in _answers(model, row, earlier, before)]
    columns = list(zip(*rows, strict=True)) or [()] * len(SCHEMA)
    return pa.table([pa.array(column, pa.string()) for column in columns], SCHEMA)


# Wrong contexts: the rows that precede the edge row, from the right context and the evidence's rows.
_CONTEXTS: dict[str, Callable[[pa.Table, pa.Table], pa.Table | None]] = {
    "none": lambda context, inputs: None,
    "one row too few": lambda context, inputs: context.slice(1),
    "the last row twice": lambda context, inputs: pa.concat_tables([context.slice(1), context.slice(len(context) - 1)]),
    "in reverse": lambda context, inputs: context.take(pa.array(range(len(context) - 1, -1, -1))),
    "with the row itself": lambda context, inputs: pa.concat_tables([context, inputs.slice(0, 1)]),
}


def _answers(
    model: "CompiledPipeline",
    row: Mapping[str, Any],
    context: pa.Table | None,
    before: Mapping[str, Mapping[str, Any]],
) -> Iterator[tuple[str, str, str]]:
    """The step columns in which a row with its context differs from the row `before`, or how it is refused."""
    try:
        after = model.trace_row(row, context=context)
    except InputError as error:
        yield REFUSED, "", str(error)
        return
    except Exception as error:  # a defect, which production repeats; its message differs between Pythons
        yield FAILED, "", type(error).__name__
        return
    changed = False
    for step, columns in after.items():
        for name, value in columns.items():
            other = before[step][name]
            if not _surely_same(value, other) and (text := json.dumps(value)) != json.dumps(other):
                changed = True
                yield step, name, text
    if not changed:
        yield NOTHING, "", ""


def _surely_same(value: Any, other: Any) -> bool:
    """Whether two values need no comparison as JSON text; zeros do, for their sign, and lists, for their elements."""
    return value is other or (type(value) is type(other) and value == other and value != 0 and type(value) is not list)


def _columns(model: "CompiledPipeline") -> list[tuple[str, "Column"]]:
    plan = model.plan
    roots = {*plan.outputs.values(), *(node for columns in plan.steps.values() for node in columns.values())}
    read = set(plan.columns_read(roots))
    return [(name, column) for name, column in model.row.by_name.items() if name in read]
