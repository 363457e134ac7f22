"""Counts of live rows and their predictions, in the bins of training."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline_lib.watching.bins import Counts
from pipeline_lib.watching.statistics import PREDICTION, PROBABILITY, Known, Statistics, counted_outputs
from pipeline_lib.watching.values import column_values

if TYPE_CHECKING:
    import pyarrow as pa


class Accumulator:
    """Counts raw rows as they come. No value is refused: what a column cannot hold is counted as invalid.

    The sums are the same however the rows are divided into blocks, workers and processes: `merge` adds the counts of
    another accumulator of the same statistics.

        >>> accumulator = Accumulator(read_statistics(record.artifact))
        >>> accumulator.add_rows([{"size": 100.0, "rooms": 6, "built": 1968.0}])
        >>> accumulator.rows
        1
    """

    def __init__(self, statistics: Statistics) -> None:
        self.statistics = statistics
        self.rows = 0
        self.refused = 0
        self.columns = _nothing(statistics.columns)
        self.outputs = _nothing(statistics.outputs)

    def add_rows(
        self, rows: "pa.Table | Sequence[Mapping[str, Any]]", invalid: Mapping[str, int] | None = None
    ) -> None:
        """Count raw rows, as an Arrow table or a list of mappings.

        Of several tables, child columns are lists in the column `table.column`, as `conform` has them. `invalid` says
        by column how many of the missing values of a table were there as a text that is no value of the column.
        """
        for name, known in self.statistics.columns.items():
            counts = known.bins.count(column_values(rows, name, known.default))
            texts = min((invalid or {}).get(name, 0), counts.missing)
            counts.missing -= texts
            counts.invalid += texts
            self.columns[name].add(counts)
        self.rows += len(rows)

    def add_outputs(self, answers: "pa.Table") -> None:
        """Count a model's answers, an Arrow table with the columns of `predict_table`; null is a refused row's."""
        for name, _, values in counted_outputs(answers):
            if name in self.outputs:
                self.outputs[name].add(self.statistics.outputs[name].bins.count(values.drop_null()))

    def add_predictions(self, predictions: Sequence[Any]) -> None:
        """Count predictions of rows that were answered one at a time, as `predict_row` gives them."""
        names = [name for name in self.outputs if name.partition("[")[0] == PREDICTION]
        columns = [predictions] if names == [PREDICTION] else list(zip(*predictions, strict=True))
        for name, values in zip(names, columns, strict=False):
            self.outputs[name].add(self.statistics.outputs[name].bins.count(list(values)))

    def add_probabilities(self, values: Sequence[float]) -> None:
        """Count probabilities of the second of two classes, of rows that were answered one at a time."""
        for name, counts in self.outputs.items():
            if name.partition("[")[0] == PROBABILITY:
                counts.add(self.statistics.outputs[name].bins.count(list(values)))

    def merge(self, other: "Accumulator") -> None:
        """Add what another accumulator has counted."""
        self.rows += other.rows
        self.refused += other.refused
        for mine, its in ((self.columns, other.columns), (self.outputs, other.outputs)):
            for name, counts in its.items():
                mine[name].add(counts)

    def to_json(self) -> dict[str, Any]:
        """The counts as JSON values."""
        parts = {"columns": self.columns, "outputs": self.outputs}
        counts = {part: {name: each.to_json() for name, each in held.items()} for part, held in parts.items()}
        return {"rows": self.rows, "refused": self.refused, **counts}

    @classmethod
    def from_json(cls, statistics: Statistics, values: Mapping[str, Any]) -> "Accumulator":
        """Read what `to_json` wrote, of the same statistics. Raises KeyError, TypeError or ValueError for others."""
        result = cls(statistics)
        result.rows, result.refused = values["rows"], values["refused"]
        for part in ("columns", "outputs"):
            held = getattr(result, part)
            for name, counts in held.items():
                counts.add(Counts.from_json(values[part][name]))
        return result


def _nothing(known: Mapping[str, Known]) -> dict[str, Counts]:
    return {name: Counts(np.zeros(each.bins.size, np.int64)) for name, each in known.items()}
