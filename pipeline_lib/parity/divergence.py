"""The first divergence: the step, column and row where production first differs, and what may have caused it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline_lib.evidence.bits import Difference, differing_rows, first_difference

if TYPE_CHECKING:
    from pipeline_lib.compiled.pipeline import CompiledPipeline
    from pipeline_lib.evidence.evidence import Evidence

RAW, OUTPUTS = "raw input", "outputs"
HIDDEN = "hidden (sensitive)"
_SHOWN = 5


@dataclass(frozen=True)
class Answer:
    """What a process made of evidence rows.

    `outputs` stands for the evidence rows `rows`, `steps` for the rows `traced`; `inputs` are the raw rows as
    they reached the model, where a hand-over may have changed them.
    """

    rows: NDArray[np.int64]
    outputs: pa.Table
    traced: NDArray[np.int64]
    steps: Mapping[str, pa.Table]
    inputs: pa.Table | None = None


@dataclass(frozen=True)
class Divergence:
    """Where an answer first differs from the evidence, in the order of the pipeline.

    `step` is `raw input`, a step's name or `outputs`; `row` counts the evidence's rows from 0; `differs` holds the
    first difference of every step that differs; `raw` is the row's raw input as text, the columns that the
    differing column reads first; `causes` are what may explain it, the most likely first.
    """

    step: str
    difference: Difference
    row: int | None
    differs: dict[str, Difference]
    raw: dict[str, str]
    reads: int = 0
    causes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The divergence as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Divergence":
        """Read what `to_json` gave."""
        differs = {name: Difference(**given) for name, given in values["differs"].items()}
        causes = tuple(values["causes"])
        return cls(**{**values, "difference": Difference(**values["difference"]), "differs": differs, "causes": causes})


def first_divergence(answer: Answer, evidence: "Evidence", model: "CompiledPipeline") -> Divergence | None:
    """Compare raw input, every intermediate column and the outputs, step by step; None when every bit agrees."""
    found = {name: difference for name, difference in _differences(answer, evidence) if difference}
    if not found:
        return None
    step = next(iter(found))
    difference = found[step]
    row = _evidence_row(step, difference, answer)
    nodes = {OUTPUTS: model.plan.outputs}.get(step, model.plan.steps.get(step, {}))
    reads = _reads(model, nodes, difference.column, step)
    hidden = {name for name in found if _is_sensitive(model, found[name], name)}
    found = {name: _hide(each) if name in hidden else each for name, each in found.items()}
    return Divergence(step, found[step], row, found, _raw_row(evidence, model, row, reads), len(reads))


def changed_values(answer: Answer, evidence: "Evidence") -> tuple[int, int, int]:
    """How many raw values, raw rows and output rows of an answer differ from the evidence."""
    given = evidence.inputs.take(pa.array(answer.rows))
    expected = evidence.outputs.take(pa.array(answer.rows))
    inputs = answer.inputs if answer.inputs is not None else given
    if inputs.num_rows != given.num_rows:
        return inputs.num_rows * inputs.num_columns, given.num_rows, given.num_rows
    masks = [differing_rows(given.select([name]), inputs.select([name])) for name in given.column_names]
    changed = differing_rows(expected, answer.outputs) if expected.schema == answer.outputs.schema else np.array([True])
    return sum(int(mask.sum()) for mask in masks), int(np.any(masks, axis=0).sum()), int(changed.sum())


def _differences(answer: Answer, evidence: "Evidence") -> "list[tuple[str, Difference | None]]":
    places = np.searchsorted(evidence.traced.to_numpy(), answer.traced)
    found = []
    if answer.inputs is not None:
        found.append((RAW, first_difference(evidence.inputs.take(pa.array(answer.rows)), answer.inputs)))
    for name, table in evidence.steps.items():
        expected = table.take(pa.array(places))
        found.append((name, first_difference(expected, answer.steps.get(name, pa.table({})))))
    found += [
        (name, first_difference(pa.table({}), made))
        for name, made in answer.steps.items()
        if name not in evidence.steps
    ]
    found.append((OUTPUTS, first_difference(evidence.outputs.take(pa.array(answer.rows)), answer.outputs)))
    return found


def _evidence_row(step: str, difference: Difference, answer: Answer) -> int | None:
    if difference.row is None:
        return None
    rows = answer.rows if step in (RAW, OUTPUTS) else answer.traced
    return int(rows[difference.row])


def _reads(model: "CompiledPipeline", nodes: Mapping[str, int], column: str | None, step: str) -> list[str]:
    """The raw columns that a differing column rests upon."""
    if step == RAW:
        return [column] if column else []
    name = column or ""
    name = name if name in nodes else name.rpartition("[")[0]
    return model.plan.columns_read([nodes[name]]) if name in nodes else []


def _is_sensitive(model: "CompiledPipeline", difference: Difference, step: str) -> bool:
    """Whether a value tells of a sensitive raw column; the outputs are what the record shows anyway."""
    nodes = model.plan.steps.get(step, {})
    return step != OUTPUTS and bool(set(_reads(model, nodes, difference.column, step)) & set(model.row.sensitive))


def _hide(difference: Difference) -> Difference:
    return replace(difference, expected=HIDDEN, found=HIDDEN) if difference.what == "value" else difference


def _raw_row(evidence: "Evidence", model: "CompiledPipeline", row: int | None, reads: Sequence[str]) -> dict[str, str]:
    if row is None:
        return {}
    names = [*reads, *(name for name in evidence.inputs.column_names if name not in set(reads))]
    values = {name: evidence.inputs.column(name)[row].as_py() for name in names}
    return {name: HIDDEN if name in model.row.sensitive else _text(value) for name, value in values.items()}


def _text(value: Any) -> str:
    """A raw value; of many child rows how many there are, and the first."""
    if isinstance(value, list) and len(value) > _SHOWN:
        return f"{len(value):,} values: {', '.join(map(repr, value[:_SHOWN]))}, …"
    return repr(value)
