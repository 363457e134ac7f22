"""The accumulator as commands hold it while they work: whatever goes wrong in it, they go on.

`failed` counts the blocks that could not be counted, which the result says; no error of counting is an error of theirs.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline_lib.system.files import write_atomic
from pipeline_lib.watching.accumulator import Accumulator
from pipeline_lib.watching.drift import Drift, drift_of
from pipeline_lib.watching.statistics import Statistics, read_statistics

_COUNTS = "{:08d}.counts.json"


class Watch:
    """Counts the blocks of rows that a command answers, each with its answers.

    The counts of each block are kept in a folder, where there is one, so that an interrupted command that goes on
    there has those of the first blocks.
    """

    def __init__(self, statistics: Statistics, reference: str) -> None:
        self.reference = reference
        self.failed = 0
        self._total = Accumulator(statistics)

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
        answers: Any,
        *,
        refused: int = 0,
        invalid: Mapping[str, int] | None = None,
        folder: Path | None = None,
        number: int = 0,
    ) -> None:
        """Count a block. `answers` are an Arrow table of outputs, or None; `invalid` are texts that are no values."""
        try:
            counts = Accumulator(self._total.statistics)
            counts.add_rows(rows, invalid)
            counts.refused = refused
            if answers is not None:
                counts.add_outputs(answers)
            if folder is not None:
                path = folder / _COUNTS.format(number)
                write_atomic(path, json.dumps(counts.to_json()).encode(), durable=False)
            self._total.merge(counts)
        except Exception:
            self.failed += 1

    def resume(self, folder: Path, blocks: int) -> None:
        """Add the counts of the first blocks, which an earlier process has kept in the folder."""
        for number in range(blocks):
            try:
                values = json.loads((folder / _COUNTS.format(number)).read_bytes())
                self._total.merge(Accumulator.from_json(self._total.statistics, values))
            except Exception:
                self.failed += 1

    def drift(self) -> Drift | None:
        """How far the rows so far are from training; None where that cannot be said."""
        try:
            return drift_of(self._total, self.reference)
        except Exception:
            return None
