"""The first divergence: the step, column and row where production first differs, and its likely causes."""

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
_SHOWN = 5  # values of a list column that messages show


@dataclass(frozen=True)
class ReplayResult:
    """The outputs and intermediate columns of a process for evidence rows.

    `outputs` are those of the evidence rows `rows`, `steps` those of the rows `traced` (int64 row numbers); `inputs`
    are the raw rows as they reached the model, where a delivery may have changed them.
    """

    rows: NDArray[np.int64]
    outputs: pa.Table
    traced: NDArray[np.int64]
    steps: Mapping[str, pa.Table]
    inputs: pa.Table | None = None


@dataclass(frozen=True)
class Divergence:
    """Where a result first differs from the evidence, in the order of the pipeline.

    `step` is `raw input`, a step's name or `outputs`; `row` counts the evidence's rows from 0; `differs` holds the
    first difference of every step that differs; `raw` is the row's raw input as text: the first `reads`
    columns are those that the differing column depends on. `causes` may explain it, the most likely first.
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
        """Read what `to_json` returned."""
        differs = {name: Difference(**each) for name, each in values["differs"].items()}
        causes = tuple(values["causes"])
        return cls(**{**values, "difference": Difference(**values["difference"]), "differs": differs, "causes": causes})


def first_divergence(result: ReplayResult, evidence: "Evidence", model: "CompiledPipeline") -> Divergence | None:
    """Compare raw input, every intermediate column and the outputs, step by step; None when every bit agrees."""
    differs = {name: difference for name, difference in _differences(result, evidence) if difference}
    if not differs:
        return None
    step = next(iter(differs))
    difference = differs[step]
    row = _evidence_row(step, difference, result)
    nodes = {OUTPUTS: model.plan.outputs}.get(step, model.plan.steps.get(step, {}))
    reads = _reads(model, nodes, difference.column, step)
    hidden = {name for name in differs if _is_sensitive(model, differs[name], name)}
    differs = {name: _hide(each) if name in hidden else each for name, each in differs.items()}
    return Divergence(step, differs[step], row, differs, _raw_row(evidence, model, row, reads), len(reads))


def changed_values(result: ReplayResult, evidence: "Evidence") -> tuple[int, int, int]:
    """The numbers of raw values, raw rows and output rows that differ from the evidence."""
    raw = evidence.inputs.take(pa.array(result.rows))
    expected = evidence.outputs.take(pa.array(result.rows))
    inputs = result.inputs if result.inputs is not None else raw
    if inputs.num_rows != raw.num_rows:
        return inputs.num_rows * inputs.num_columns, raw.num_rows, raw.num_rows
    masks = [differing_rows(raw.select([name]), inputs.select([name])) for name in raw.column_names]
    changed = differing_rows(expected, result.outputs) if expected.schema == result.outputs.schema else np.array([True])
    return sum(int(mask.sum()) for mask in masks), int(np.any(masks, axis=0).sum()), int(changed.sum())


def _differences(result: ReplayResult, evidence: "Evidence") -> "list[tuple[str, Difference | None]]":
    indexes = np.searchsorted(evidence.traced.to_numpy(), result.traced)
    rows = pa.array(result.rows)
    differences = []
    if result.inputs is not None:
        differences.append((RAW, first_difference(evidence.inputs.take(rows), result.inputs)))
    for name, table in evidence.steps.items():
        expected = table.take(pa.array(indexes))
        differences.append((name, first_difference(expected, result.steps.get(name, pa.table({})))))
    differences += [
        (name, first_difference(pa.table({}), table))
        for name, table in result.steps.items()
        if name not in evidence.steps
    ]
    differences.append((OUTPUTS, first_difference(evidence.outputs.take(rows), result.outputs)))
    return differences


def _evidence_row(step: str, difference: Difference, result: ReplayResult) -> int | None:
    if difference.row is None:
        return None
    rows = result.rows if step in (RAW, OUTPUTS) else result.traced
    return int(rows[difference.row])


def _reads(model: "CompiledPipeline", nodes: Mapping[str, int], column: str | None, step: str) -> list[str]:
    """The raw columns that a differing column depends on."""
    if step == RAW:
        return [column] if column else []
    name = column or ""
    name = name if name in nodes else name.rpartition("[")[0]
    return model.plan.columns_read([nodes[name]]) if name in nodes else []


def _is_sensitive(model: "CompiledPipeline", difference: Difference, step: str) -> bool:
    """Whether a value depends on a sensitive raw column; outputs are in the record anyway."""
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
    """A raw value as text; of many child rows the number and the first ones."""
    if isinstance(value, list) and len(value) > _SHOWN:
        return f"{len(value):,} values: {', '.join(map(repr, value[:_SHOWN]))}, …"
    return repr(value)
