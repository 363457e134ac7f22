"""The rows of a comparison: what the challenger's run held out, or fresh rows with their true values."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline_lib.comparison.contenders import Contender
from pipeline_lib.comparison.late_labels import LateLabels, join_labels, labelled_blocks
from pipeline_lib.errors import InputError
from pipeline_lib.evidence.evidence import read_evidence
from pipeline_lib.evidence.targets import target_of, target_table
from pipeline_lib.records.forgotten import forgotten_in
from pipeline_lib.rows.conform import conform
from pipeline_lib.rows.conform_errors import RefusedColumnsError
from pipeline_lib.rows.schema import RowSchema
from pipeline_lib.scoring.blocks import refused
from pipeline_lib.scoring.csv_rows import TextOptions


@dataclass(frozen=True)
class LabelledRows:
    """Raw rows with their true values: of one target an array (rows,), of several (rows, targets).

    `row` is the schema of `rows`, which may have columns that only one of the models has. `context` are the rows
    before them. `names` are those of several targets. `shown` says in words which rows these are. `fresh` are rows
    that were given by hand. `unlabelled` counts the rows that were left out, since they have no true value yet.
    """

    rows: pa.Table
    target: np.ndarray[Any, Any]
    row: RowSchema
    shown: str
    context: pa.Table | None = None
    names: tuple[str, ...] = ()
    fresh: bool = False
    unlabelled: int = 0
    notes: tuple[str, ...] = ()


def held_out_rows(challenger: Contender) -> LabelledRows:
    """The rows that a challenger's run kept as evidence: its fit did not use them."""
    record = challenger.record
    forgotten = forgotten_in(record.manifest())
    if forgotten:
        raise InputError(
            f"{record.reference}: found {forgotten}, expected its held-out rows; compare on fresh labelled rows: --on "
            "FILE"
        )
    evidence = read_evidence(record.evidence)
    target = target_of(evidence.target)
    names = tuple(map(str, getattr(target, "columns", ())))
    shown = f"the {len(target):,} held-out rows of {record.reference}"
    return LabelledRows(evidence.inputs, np.asarray(target), challenger.model.row, shown, evidence.context, names)


def given_rows(
    on: Any,
    contenders: Sequence[Contender],
    target: str | None,
    options: TextOptions,
    labels: LateLabels | None = None,
) -> LabelledRows:
    """Fresh rows with their true values: a file, a DataFrame with the column `target`, or a pair of rows and target.

    Of a pair the rows may be a mapping of tables, as `predict` takes them. Raises InputError with the places of values
    that `Row` does not allow.
    """
    row = _joined(contenders)
    if isinstance(on, tuple) and len(on) == 2:
        rows, values = on
        table, true = conform(rows, row), target_of(target_table(values))
        result = _labelled(table, np.asarray(true), row, "the rows that were given")
        return replace(result, names=tuple(map(str, getattr(true, "columns", ()))) if result.target.ndim > 1 else ())
    if target is None:
        raise InputError(
            "found no name of the column with the true values, expected one; say --target COLUMN, or export "
            'TARGET = "COLUMN" in the pipeline notebook'
        )
    if not isinstance(on, str | Path):
        columns = list(getattr(on, "columns", ()))
        if target not in columns:
            raise InputError(f"found rows without the column {target!r} of true values, expected it; name it: target=")
        rows = on if target in row.names else on.drop(columns=target)
        return _labelled(conform(rows, row), np.asarray(on[target]), row, "the rows that were given")
    model = contenders[-1].model
    time = row.time or (model.plan.tables[0].time if model.context else None)
    return _file_rows(str(on), row, target, options, labels, time)


def _joined(contenders: Sequence[Contender]) -> RowSchema:
    """The schema of rows that every model can answer: the challenger's columns, then what else the others read."""
    row = contenders[-1].model.row
    for one in contenders[:-1]:
        other = one.model.row
        if row.children or other.children:
            if other != row:
                raise InputError(
                    f"{one.reference}: found other tables than those of {contenders[-1].reference}, expected the same "
                    "Row; compare them on the rows of the challenger's run, without --on"
                )
            continue
        known = set(row.names)
        more = [c for c in other.columns if c.name not in known and c.name in one.model.reads]
        unmarked = [replace(column, entity=False, time=False) for column in more]  # the challenger's Row says these
        row = replace(row, columns=(*row.columns, *unmarked))
    return row


def _file_rows(
    path: str, row: RowSchema, target: str, options: TextOptions, late: LateLabels | None, time: str | None
) -> LabelledRows:
    if row.children:
        names = ", ".join(table.name for table in row.tables)
        raise InputError(
            f"--on: found a Row of the tables {names}, expected one table in a file; in Python, give the tables: "
            "compare(..., on=({name: rows}, target))"
        )
    tables: list[pa.Table] = []
    labels: list[Any] = []
    kept, option = (late.key, "--label-key") if late else (target, "--target")
    for block in labelled_blocks(path, row, {kept: option}, options):
        if block.problems:
            raise refused(block, block.problems)
        try:
            tables.append(conform(block.rows, row))
        except RefusedColumnsError as error:
            raise refused(block, error.problems) from error
        labels += block.raw[kept].to_pylist()
    rows = pa.concat_tables(tables)
    if late is None:
        return _labelled(rows, np.array(labels, dtype=object), row, path)
    times = rows[time].to_pylist() if time else None
    joined = join_labels(late, target, labels, times, options)
    result = _labelled(rows, np.array(joined.values, dtype=object), row, path)
    return replace(result, unlabelled=0, notes=joined.notes)


def _labelled(rows: pa.Table, target: np.ndarray[Any, Any], row: RowSchema, shown: str) -> LabelledRows:
    """Rows that have a true value; the others are left out and counted."""
    if len(target) != rows.num_rows:
        raise InputError(f"found {rows.num_rows:,} rows and {len(target):,} true values, expected as many")
    if target.ndim > 1 and target.shape[1] == 1:
        target = target[:, 0]
    several = target if target.ndim > 1 else target[:, np.newaxis]
    missing = np.array([any(map(_is_missing, values)) for values in several], dtype=bool)
    kept = np.flatnonzero(~missing)
    if not len(kept):
        raise InputError(f"{shown}: found no row with a true value, expected some; name another file or --target")
    left = int(missing.sum())
    rows = rows if not left else rows.take(pa.array(kept))
    return LabelledRows(rows, target[kept], row, f"{len(kept):,} rows of {shown}", fresh=True, unlabelled=left)


def _is_missing(value: Any) -> bool:
    import pandas as pd

    return bool(pd.isna(value)) or (isinstance(value, str) and not value.strip())
