"""Probes: rows at the edges of each raw column, and what production must answer to them, refusals included.

Real rows seldom hold every label, a label that the fit never saw, a gap wherever one may be, or a number on both
sides of a threshold. So each probe is the first evidence row with one value changed, and the record keeps what each
step makes of it.
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
    from pipeline_lib.compiled.plan import Plan
    from pipeline_lib.rows.column import Column

PROBES = "probes.parquet"
SCHEMA = pa.schema([(name, pa.string()) for name in ("column", "value", "step", "name", "found")])
REFUSED, FAILED, NOTHING = "(refused)", "(failed)", "(nothing changes)"
_CONTEXT = "(context)"


@dataclass(frozen=True)
class ProbeDifference:
    """The first probe that is answered otherwise, and how many of all are: `step` and `name` say which column."""

    probe: str
    step: str
    name: str
    expected: str
    found: str
    probes: int
    differing: int

    def __str__(self) -> str:
        where = f"step {self.step}: column {self.name!r}" if self.name else self.step
        return (
            f"{f'probe {self.probe}: ' if self.probe else ''}{where}: expected {self.expected}, found {self.found}; "
            f"{self.differing:,} of {self.probes:,} probes differ"
        )


def write_probes(
    folder: Path, model: "CompiledPipeline", inputs: pa.Table, context: pa.Table | None = None
) -> int | None:
    """Keep the probes of a model's raw columns, made from the first row of `inputs`, with its answers.

    `context` are the rows before it, where the pipeline needs these: then other contexts are probes too. Returns how
    many answers; None for a pipeline that needs a library's code, which has no probes.
    """
    if without_probes(model):
        return None
    asked = [
        (name, text) for name, column in _columns(model) for text in edge_values(column, _own_values(model.plan, name))
    ]
    asked += [(child.name, "[]") for child in model.row.children]
    asked += [(_CONTEXT, name) for name in _CONTEXTS if context is not None]
    answered = _answered(model, inputs, context, sorted(asked))
    pq.write_table(answered, folder / PROBES)
    return int(answered.num_rows)


def without_probes(model: "CompiledPipeline") -> str:
    """Why a pipeline has no probes; empty where it has."""
    return "" if model.exact else "its opaque steps refuse by rules of their library"


def read_probes(folder: Path) -> pa.Table | None:
    """What `write_probes` kept; None where it kept nothing. Raises InputError for anything else."""
    path = folder / PROBES
    if not path.exists():
        return None
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"{path}: found {error}, expected probes as `run.evidence` writes them; run again") from error
    if table.schema != SCHEMA or any(column.null_count for column in table.columns):
        raise InputError(f"{path}: found columns {table.column_names}, expected text in {SCHEMA.names}; run again")
    return table


def repeat_probes(
    model: "CompiledPipeline", inputs: pa.Table, probes: pa.Table, context: pa.Table | None = None
) -> ProbeDifference | None:
    """Answer kept probes again and compare; None when every answer is the same. The rows are the evidence's."""
    expected = _by_probe(probes)
    answered = _answered(model, inputs, context, sorted(expected))
    found = _by_probe(answered)
    differing = [probe for probe in expected if expected[probe] != found[probe]]
    if not differing and not answered.equals(probes):
        return ProbeDifference("", PROBES, "", "each answer once, in order", "another order", len(expected), 0)
    if not differing:
        return None
    probe = differing[0]
    old, new = expected[probe], found[probe]
    step, name = next(place for place in (*old, *new) if old.get(place) != new.get(place))
    before, after = (_answer(answers, step, name) for answers in (old, new))
    return ProbeDifference(f"{probe[0]}={probe[1]}", step, name, before, after, len(expected), len(differing))


def _answer(answers: dict[tuple[str, str], str], step: str, name: str) -> str:
    """What a probe's answers say of one place, where they may say nothing, or not be answers."""
    ends = [f"{text} {kind}" for (kind, _), text in answers.items() if kind in (REFUSED, FAILED)]
    silent = "an answer" if step in (REFUSED, FAILED) else "what the first evidence row gives"
    return ends[0] if ends else answers.get((step, name), silent)


def _by_probe(table: pa.Table) -> dict[tuple[str, str], dict[tuple[str, str], str]]:
    answers: dict[tuple[str, str], dict[tuple[str, str], str]] = {}
    for column, value, step, name, found in zip(*table.to_pydict().values(), strict=True):
        answers.setdefault((column, value), {})[step, name] = found
    return answers


def _answered(
    model: "CompiledPipeline", inputs: pa.Table, context: pa.Table | None, asked: list[tuple[str, str]]
) -> pa.Table:
    base = as_rows(inputs.slice(first_row_with_children(inputs, model.row), 1), model.row)[0]
    before = model.trace_row(base, context=context)
    rows = []
    for column, text in asked:
        if column == _CONTEXT and context is not None:
            row, earlier = base, _CONTEXTS[text](context, inputs)
        else:
            row, earlier = replace_value(base, model.row, column, text), context
        rows += [(column, text, *answer) for answer in _answers(model, row, earlier, before)]
    columns = list(zip(*rows, strict=True)) or [()] * len(SCHEMA)
    return pa.table([pa.array(column, pa.string()) for column in columns], SCHEMA)


# What may go wrong with the rows before a row: which of the context and of the evidence's rows stand there instead.
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
    """What a row with its context changes in each step against another's steps, or how it is refused."""
    try:
        after = model.trace_row(row, context=context)
    except InputError as error:
        yield REFUSED, "", str(error)
        return
    except Exception as error:  # a defect, and one that production would have too: its words differ between Pythons
        yield FAILED, "", type(error).__name__
        return
    changed = False
    for step, columns in after.items():
        for name, value in columns.items():
            if not _plainly_same(value, before[step][name]) and (text := json.dumps(value)) != json.dumps(
                before[step][name]
            ):
                changed = True
                yield step, name, text
    if not changed:
        yield NOTHING, "", ""


def _plainly_same(value: Any, other: Any) -> bool:
    """Whether two values are the same at first sight: 0.0 and -0.0 are not, and lists need a second look."""
    return value is other or (type(value) is type(other) and value == other and value != 0 and type(value) is not list)


def _columns(model: "CompiledPipeline") -> list[tuple[str, "Column"]]:
    plan = model.plan
    roots = {*plan.outputs.values(), *(node for columns in plan.steps.values() for node in columns.values())}
    read = set(plan.columns_read(roots))
    return [(name, column) for name, column in model.row.by_name.items() if name in read]


def _own_values(plan: "Plan", column: str) -> list[Any]:
    """Keys of look-ups and constants in the operations that rest upon one raw column alone."""
    upon: list[frozenset[str]] = []
    found: list[Any] = []
    for node in plan.nodes:
        read = {node.settings["column"]} if node.operation == "input" else set()
        upon.append(frozenset(read.union(*(upon[taken] for taken in node.inputs))))
        if upon[-1] == {column}:
            found += node.settings.get("keys", ())
            constants = (plan.nodes[taken] for taken in node.inputs)
            found += [taken.settings["value"] for taken in constants if taken.operation == "constant"]
    return list(dict.fromkeys(found))
