"""Live traffic again: the rows of a log, answered by its record bit for bit, or by another, and where they disagree."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline_lib.answers.log_format import ID, OUTPUTS, ROW, Log
from pipeline_lib.compiled.pipeline import PREDICTION, CompiledPipeline
from pipeline_lib.errors import InputError

_SHOWN = 10
_QUANTILES = (0.5, 0.9, 0.99, 1.0)
_KEPT = 1_000_000
"""Differences of which quantiles are told; of more, those of the first ones."""


@dataclass
class Disagreement:
    """How the answers of a record differ from those in a log. `refused` are rows that it does not answer."""

    rows: int = 0
    differing: int = 0
    refused: int = 0
    first: list[tuple[str, Any, Any]] = field(default_factory=list)
    pairs: Counter[tuple[Any, Any]] = field(default_factory=Counter)
    _differences: list[np.ndarray[Any, Any]] = field(default_factory=list)
    _kept: int = 0

    @property
    def quantiles(self) -> dict[str, float]:
        """Quantiles of the absolute differences of numbers that differ; empty for labels."""
        if not self._differences:
            return {}
        values = np.concatenate(self._differences)
        return {f"{share:.0%}": float(np.quantile(values, share)) for share in _QUANTILES}

    def add(self, ids: pa.Array, logged: pa.Array, answered: pa.Array) -> None:
        """Compare the answers to some rows."""
        self.rows += len(logged)
        if pa.types.is_floating(logged.type):
            ours, theirs = (np.asarray(each, np.float64) for each in (answered, logged))
            differs = ours.view(np.int64) != theirs.view(np.int64)
            found = np.abs(ours - theirs)[differs]
            if self._kept < _KEPT and len(found):
                self._differences.append(found)
                self._kept += len(found)
            numbers = np.flatnonzero(differs).tolist()
        else:
            before, after = logged.to_pylist(), answered.to_pylist()
            numbers = [number for number, pair in enumerate(zip(before, after, strict=True)) if pair[0] != pair[1]]
            self.pairs.update((before[number], after[number]) for number in numbers)
        self.differing += len(numbers)
        for number in numbers[: max(0, _SHOWN - len(self.first))]:
            self.first.append((ids[number].as_py(), logged[number].as_py(), answered[number].as_py()))

    def to_json(self) -> dict[str, Any]:
        """The counts as JSON values."""
        return {
            "rows": self.rows,
            "differing": self.differing,
            "refused": self.refused,
            "quantiles": self.quantiles,
            "labels": [[before, after, count] for (before, after), count in self.pairs.most_common(_SHOWN)],
            "first": [list(each) for each in self.first],
        }

    def lines(self) -> list[str]:
        """What a person reads."""
        share = f" ({self.differing / self.rows:.2%})" if self.rows else ""
        lines = [f"{self.rows:,} rows repeated, {self.differing:,} answered otherwise{share}"]
        if self.refused:
            lines.append(f"{self.refused:,} rows refused")
        if self.quantiles:
            told = ", ".join(f"{share} {value:.6g}" for share, value in self.quantiles.items())
            lines.append(f"absolute differences, of those that differ: {told}")
        lines += [
            f"{before!r} became {after!r}: {count:,}" for (before, after), count in self.pairs.most_common(_SHOWN)
        ]
        lines += [f"{answer}: {before!r} became {after!r}" for answer, before, after in self.first[:3]]
        return lines


def replay(log: Log, model: CompiledPipeline, progress: Callable[[int], None] = lambda rows: None) -> Disagreement:
    """Answer the rows of a log again and compare every bit. Raises InputError for rows that cannot be repeated."""
    if not log.replayable:
        why = f"the sensitive columns {', '.join(log.left_out)} are left out" if log.left_out else "rows are not kept"
        raise InputError(f"{log.reference}: found a log that cannot be repeated, as {why}; expected whole rows")
    result = Disagreement()
    for table in log.tables():
        rows = pa.Table.from_struct_array(table[ROW].combine_chunks())
        logged = pa.Table.from_struct_array(table[OUTPUTS].combine_chunks())
        name = PREDICTION if PREDICTION in logged.column_names else logged.column_names[0]
        ids = table[ID].combine_chunks()
        _compare(result, model, rows, logged[name].combine_chunks(), ids, name)
        progress(result.rows)
    return result


def _compare(result: Disagreement, model: CompiledPipeline, rows: Any, logged: Any, ids: Any, name: str) -> None:
    """Compare; where a row is refused, one by one, so that the others are still compared."""
    try:
        answered = model.predict_table(rows)[name].combine_chunks()
    except InputError:
        if len(rows) == 1:
            result.rows += 1
            result.refused += 1
            return
        half = len(rows) // 2
        _compare(result, model, rows.slice(0, half), logged.slice(0, half), ids.slice(0, half), name)
        _compare(result, model, rows.slice(half), logged.slice(half), ids.slice(half), name)
        return
    if answered.type != logged.type and pa.types.is_floating(answered.type) != pa.types.is_floating(logged.type):
        raise InputError(
            f"found answers of {answered.type}, expected {logged.type} as in the log: another kind of model"
        )
    result.add(ids, logged, answered.cast(logged.type))
