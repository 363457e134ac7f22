"""The accumulator as `predict` holds it while it works: whatever goes wrong in it, the command goes on.

To count all rows of a wide table takes a quarter of the time of answering them, so of a large block some are counted,
in short runs evenly spaced, and those of several blocks at once.
"""

import json
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipeline_lib.system.files import write_atomic
from pipeline_lib.watching.accumulator import Accumulator
from pipeline_lib.watching.drift import Drift, drift_of
from pipeline_lib.watching.statistics import Statistics, read_statistics

MOST_ROWS = 4096
"""Rows of a block that are counted."""
_RUNS = 16
_BLOCKS = 8
"""Blocks whose rows are counted at once."""
_COUNTS = "{:08d}.counts.json"


class Watch:
    """Counts the blocks of rows that a command answers, each with its answers.

    The counts are kept in a folder, where there is one, so that an interrupted command that goes on there has those of
    its first blocks. `failed` says how many blocks could not be counted.
    """

    def __init__(self, statistics: Statistics, reference: str) -> None:
        self.reference = reference
        self.rows = self.failed = 0
        self._total = Accumulator(statistics)
        self._rows: list[Any] = []
        self._answers: list[pa.Table] = []
        self._invalid: Counter[str] = Counter()
        self._refused = 0

    @classmethod
    def of(cls, artifact: Path, reference: str) -> "Watch | None":
        """A watch of the model in a folder; None where its statistics are absent or cannot be read."""
        try:
            statistics = read_statistics(artifact)
            return None if statistics is None else cls(statistics, reference)
        except Exception:
            return None

    def block(
        self,
        rows: Any,
        answers: pa.Table,
        *,
        refused: int = 0,
        invalid: Mapping[str, int] | None = None,
        folder: Path | None = None,
        number: int = 0,
    ) -> None:
        """Count a block of raw rows: a table or a list, its outputs, and how many of its texts are no values.

        `number` is the block's, from 0; with `folder` the counts of the blocks up to it may be written there.
        """
        try:
            self.rows += len(rows)
            self._rows.append(_some(rows))
            self._answers.append(_some(answers))
            share = min(1.0, MOST_ROWS / max(len(rows), 1))
            self._invalid.update({name: round(count * share) for name, count in (invalid or {}).items()})
            self._refused += refused
            if len(self._rows) == _BLOCKS:
                self._count(folder and folder / _COUNTS.format(number))
        except Exception:
            self.failed += 1

    def resume(self, folder: Path, blocks: int, rows: int) -> None:
        """Add what an earlier process has counted of its first blocks, with so many rows."""
        self.rows += rows
        for path in map(folder.joinpath, map(_COUNTS.format, range(blocks))):
            try:
                if path.is_file():
                    self._total.merge(Accumulator.from_json(self._total.statistics, json.loads(path.read_bytes())))
            except Exception:
                self.failed += 1
        with suppress(OSError):
            for path in folder.glob("*.counts.json"):  # of blocks that are answered again
                if path.name >= _COUNTS.format(blocks):
                    path.unlink()

    def drift(self) -> Drift | None:
        """How far the rows so far are from training; None where that cannot be said."""
        try:
            self._count(None)
            return drift_of(self._total, self.reference, self.rows)
        except Exception:
            return None

    def _count(self, file: Path | None) -> None:
        counts = Accumulator(self._total.statistics)
        gathered = self._rows, self._answers, self._invalid
        self._rows, self._answers, self._invalid = [], [], Counter()
        parts = _joined(gathered[0])
        for rows in parts:
            counts.add_rows(rows, gathered[2] if len(parts) == 1 else None)
        for answers in _joined(gathered[1]):
            counts.add_outputs(answers)
        counts.refused, self._refused = self._refused, 0
        if file is not None:
            write_atomic(file, json.dumps(counts.to_json()).encode(), durable=False)
        self._total.merge(counts)


def _joined(parts: list[Any]) -> list[Any]:
    """Lists as one, and tables where they have the same columns; others as they are."""
    if parts and all(isinstance(part, list) for part in parts):
        return [[row for part in parts for row in part]]
    if parts and all(isinstance(part, pa.Table) and part.schema == parts[0].schema for part in parts):
        return [pa.concat_tables(parts).combine_chunks()]
    return parts


def _some(rows: Any) -> Any:
    """A table or a list, or of a large one short runs of rows. Of a table a copy, which keeps no other row."""
    count = len(rows)
    if count <= MOST_ROWS:
        return rows
    length = MOST_ROWS // _RUNS
    starts = (count * number // _RUNS for number in range(_RUNS))
    if isinstance(rows, list):
        return [row for start in starts for row in rows[start : start + length]]
    return pa.concat_tables([rows.slice(start, length) for start in starts]).combine_chunks()
