"""What is known of the training rows: per column bins with their counts, written beside the plan of the artifact.

Of columns that the model does not read and of sensitive ones there is nothing. The predictions are those for rows that
the fit has not seen, the evidence: a model that has learned its training rows by heart predicts them otherwise than
any live row.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline_lib.errors import InputError
from pipeline_lib.system.files import canonical_json, read_json, write_atomic
from pipeline_lib.watching.bins import KINDS, LABEL, NUMBER, OF_COLUMN, Bins, Counts, bins_of
from pipeline_lib.watching.values import column_values

if TYPE_CHECKING:
    import pyarrow as pa

    from pipeline_lib.rows.schema import RowSchema

STATISTICS = "statistics.json"
FORMAT = 1
PREDICTION, PROBABILITY = "prediction", "probability"


@dataclass(frozen=True)
class Known:
    """Of one column: its bins, and what training has in them. `default` is the value of rows without the column."""

    bins: Bins
    counts: Counts
    default: Any = None


@dataclass(frozen=True)
class Statistics:
    """How many rows the fit had, and what is known of each column, and of each output for rows that it did not have."""

    rows: int
    columns: Mapping[str, Known]
    outputs: Mapping[str, Known] = field(default_factory=dict)

    def with_outputs(self, answers: "pa.Table") -> "Statistics":
        """The same with the outputs of a model: its predictions, and of two classes the probability of the second."""
        return replace(self, outputs={name: _known(values, kind) for name, kind, values in counted_outputs(answers)})

    def to_json(self) -> dict[str, Any]:
        """The statistics as JSON values; equal rows give equal values, in whatever order they are."""
        return {
            "format": FORMAT,
            "rows": self.rows,
            "columns": {name: _known_json(known) for name, known in self.columns.items()},
            "outputs": {name: _known_json(known) for name, known in self.outputs.items()},
        }

    @classmethod
    def from_json(cls, values: Any) -> "Statistics":
        """Read what `to_json` wrote. Raises ValueError, KeyError or TypeError for anything else."""
        if values["format"] != FORMAT:
            raise ValueError(f"format {values['format']!r} of statistics, not {FORMAT}")
        columns, outputs = ({k: _from_json(v) for k, v in values[part].items()} for part in ("columns", "outputs"))
        return cls(values["rows"], columns, outputs)


def training_statistics(rows: "pa.Table", schema: "RowSchema", reads: "tuple[str, ...]") -> Statistics:
    """The statistics of training rows that conform to their schema; `reads` are the columns that the model reads."""
    columns = {}
    for name in reads:
        column = schema.by_name[name]
        if column.sensitive or name == schema.key:  # a key is another one in each row
            continue
        known = _known(column_values(rows, name), OF_COLUMN[column.kind])
        columns[name] = known if column.required else replace(known, default=column.default)
    return Statistics(rows.num_rows, columns)


def output_kinds(names: Iterable[str]) -> tuple[str, ...]:
    """The kinds of output that are counted, of a model with outputs of these names."""
    kinds = {name.partition("[")[0] for name in names}
    return tuple(kind for kind in (PREDICTION, PROBABILITY) if kind in kinds)


def counted_outputs(answers: "pa.Table") -> Iterator[tuple[str, str, Any]]:
    """Of a table of outputs those that are counted: name, kind of bins, values."""
    import pyarrow as pa

    names = [name for name in answers.column_names if name.partition("[")[0] in (PREDICTION, PROBABILITY)]
    probabilities = [name for name in names if name.partition("[")[0] == PROBABILITY]
    for name in names:
        if name not in probabilities:
            yield (
                name,
                NUMBER if pa.types.is_floating(answers.schema.field(name).type) else LABEL,
                column_values(answers, name),
            )
    if len(probabilities) == 2:
        yield probabilities[1], NUMBER, column_values(answers, probabilities[1])


def write_statistics(folder: Path, statistics: Statistics) -> None:
    """Write the statistics into the folder of an artifact."""
    write_atomic(folder / STATISTICS, canonical_json(statistics.to_json()))


def read_statistics(folder: Path) -> Statistics | None:
    """The statistics in the folder of an artifact; None for one of an earlier version, which has none.

    Raises InputError for a damaged file, and for one of a later version.
    """
    path = folder / STATISTICS
    values = read_json(path, remedy="run again")
    if values is None:
        return None
    try:
        return Statistics.from_json(values)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise InputError(
            f"{path}: found {error!r}, expected statistics of format {FORMAT}; read them with the version of "
            "nb-pipeline-lib that wrote them, or run again"
        ) from error


def _known(values: Any, kind: str) -> Known:
    bins = bins_of(values, kind)
    return Known(bins, bins.count(values))


def _known_json(known: Known) -> dict[str, Any]:
    bins = known.bins
    values: dict[str, Any] = {"kind": bins.kind, **known.counts.to_json()}
    if bins.numeric:
        values |= {"edges": list(bins.edges[:-1]), "largest": bins.largest, "exact": bins.exact}
    else:
        values |= {"names": list(bins.names), "others": list(bins.others)}
    return values if known.default is None else {**values, "default": known.default}


def _from_json(values: Mapping[str, Any]) -> Known:
    kind, largest = values["kind"], values.get("largest")
    if kind not in KINDS:
        raise ValueError(f"kind {kind!r}")
    edges = () if largest is None else (*map(float, values["edges"]), math.nextafter(float(largest), math.inf))
    names, others = (tuple(values.get(part, ())) for part in ("names", "others"))
    bins = Bins(kind, edges, values.get("exact", False), names, others)
    counts = Counts.from_json(values)
    if len(counts.bins) != bins.size or list(edges) != sorted(edges):
        raise ValueError(f"{len(counts.bins)} counts of {bins.size} bins")
    return Known(bins, counts, values.get("default"))
