"""Live traffic again: the rows of a log, answered by its record bit for bit, or by another, and where they disagree."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline_lib.answers.log_format import ID, OUTPUTS, ROW, Log
from pipeline_lib.compiled.pipeline import PREDICTION, PROBABILITY, CompiledPipeline
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

    def add(self, ids: pa.Array, logged: pa.Table, answered: pa.Table) -> None:
        """Compare the answers to some rows, tables of the same outputs; an output that was not asked for is missing."""
        self.rows += len(ids)
        differs = np.zeros(len(ids), bool)
        for name in logged.column_names:
            before, after = logged[name].combine_chunks(), answered[name].combine_chunks()
            if pa.types.is_floating(before.type):
                theirs, ours = (np.asarray(each, np.float64) for each in (before, after))
                other = (ours.view(np.int64) != theirs.view(np.int64)) & np.asarray(before.is_valid())
                with np.errstate(invalid="ignore"):
                    found = np.abs(ours - theirs)[other]
                found = found[np.isfinite(found)]
                if self._kept < _KEPT and len(found):
                    self._differences.append(found)
                    self._kept += len(found)
            else:
                other = np.asarray(pc.fill_null(pc.not_equal(before, after), False))
                pairs = (each.filter(pa.array(other)).to_pylist() for each in (before, after))
                self.pairs.update(zip(*pairs, strict=True))
            differs |= other
        self.differing += int(differs.sum())
        for number in np.flatnonzero(differs)[: max(0, _SHOWN - len(self.first))].tolist():
            self.first.append((ids[number].as_py(), _values(logged, number), _values(answered, number)))

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


def replay(log: Log, model: CompiledPipeline, *, probabilities: bool = False) -> Disagreement:
    """Answer the rows of a log again and compare every bit of the predictions, and of `probabilities` if asked.

    Raises InputError for rows that cannot be repeated, and for a model whose answers are of another kind.
    """
    if log.hindrance is not None:
        raise InputError(
            f"{log.reference}: found a log that cannot be repeated, as {log.hindrance}; expected whole rows"
        )
    kinds = (PREDICTION, PROBABILITY) if probabilities and model.classes else (PREDICTION,)
    result = Disagreement()
    for table in log.tables():
        rows = pa.Table.from_struct_array(table[ROW].combine_chunks())
        logged = pa.Table.from_struct_array(table[OUTPUTS].combine_chunks())
        logged = logged.select([name for name in logged.column_names if name.partition("[")[0] in kinds])
        _compare(result, model, rows, logged, table[ID].combine_chunks(), kinds)
    return result


def check_kind(logged: pa.Table, answered: pa.Table) -> None:
    """Raise InputError for answers that have other outputs than those that are logged, or other types."""
    ours, theirs = ({field.name: str(field.type) for field in table.schema} for table in (answered, logged))
    if ours != theirs:
        raise InputError(f"found a model that answers {_of(ours)}, expected {_of(theirs)} as in the log; name another")


def _compare(
    result: Disagreement, model: CompiledPipeline, rows: pa.Table, logged: pa.Table, ids: pa.Array, kinds: Sequence[str]
) -> None:
    """Compare; where a row is refused, by halves, so that the others are still compared."""
    try:
        answered = model.predict_table(rows, outputs=kinds)
    except InputError:
        if len(rows) == 1:
            result.rows += 1
            result.refused += 1
            return
        half = len(rows) // 2
        for start, count in ((0, half), (half, len(rows) - half)):
            some, theirs = rows.slice(start, count), logged.slice(start, count)
            _compare(result, model, some, theirs, ids.slice(start, count), kinds)
        return
    check_kind(logged, answered)
    result.add(ids, logged, answered)


def _of(types: Mapping[str, str]) -> str:
    return ", ".join(f"{name} ({kind})" for name, kind in types.items())


def _values(table: pa.Table, number: int) -> Any:
    """An answer: the prediction, of several outputs each by its name."""
    values = table.slice(number, 1).to_pylist()[0]
    return values[PREDICTION] if list(values) == [PREDICTION] else values
