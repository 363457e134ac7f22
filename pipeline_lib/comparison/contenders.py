"""The models of a comparison: verified records whose parity is exact, loaded as production loads them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline_lib.compiled.pipeline import PREDICTION, PROBABILITY, CompiledPipeline
from pipeline_lib.errors import InputError
from pipeline_lib.evidence.targets import predictions_of
from pipeline_lib.records.deployed import deployed
from pipeline_lib.records.forgotten import forgotten_in
from pipeline_lib.records.record import Record
from pipeline_lib.scoring.blocks import Block
from pipeline_lib.scoring.score_block import ERROR, Outputs, score_block

_EXACT = "exact"
"""How the first line of an exact parity result begins, which a record without rows keeps."""


@dataclass(frozen=True)
class Contender:
    """A record and its model."""

    record: Record
    model: CompiledPipeline

    @property
    def reference(self) -> str:
        """The record's reference."""
        return self.record.reference

    @property
    def gives_probabilities(self) -> bool:
        """Whether the model gives a probability for each label."""
        return any(name.partition("[")[0] == PROBABILITY for name in self.model.plan.outputs)


def contender(record: Record) -> Contender:
    """Load a record's model. Raises DifferenceError for a changed record, InputError for one without exact parity."""
    status = record.status()
    if status != "finished":
        raise InputError(
            f"{record.reference}: found a record that is {status}, expected a finished run; `pipeline-lib runs` lists "
            "those"
        )
    model = deployed(record, allow_unproven=True)
    forgotten = forgotten_in(record.manifest())
    if forgotten and not forgotten.parity.startswith(_EXACT):
        raise InputError(
            f"{record.reference}: {forgotten}; found no exact parity check from before, expected one: a model that "
            "production does not repeat cannot be judged; compare another run"
        )
    if not forgotten and (model.parity is None or not model.parity["exact"]):
        found = "no parity check" if model.parity is None else "parity that differs"
        raise InputError(
            f"{record.reference}: found {found}, expected an exact one: a model that production does not repeat cannot "
            f"be judged; `pipeline-lib parity {record.reference}`"
        )
    try:
        return Contender(record, model.load())
    except InputError as error:
        raise InputError(f"{record.reference}: {error}") from error


@dataclass(frozen=True)
class Answers:
    """What a model answers for rows: predictions, probabilities where it gives them; `refused` is a mask of rows.

    Rows that are refused have no meaning in the other arrays. `reasons` are the first messages of refused rows.
    """

    predictions: np.ndarray[Any, Any]
    probabilities: np.ndarray[Any, Any] | None
    refused: np.ndarray[Any, Any]
    reasons: tuple[str, ...] = ()


def answers_of(one: Contender, rows: pa.Table, context: pa.Table | None = None) -> Answers:
    """The answers of a model for raw rows, which may have more columns than it reads.

    `context` has the rows just before these, where the model needs some. Raises InputError for a column that the rows
    do not have.
    """
    absent = [name for name in one.model.reads if name not in rows.column_names]
    if absent:
        raise InputError(
            f"{one.reference}: found rows without {', '.join(absent)}, which this model reads, expected every column "
            "that the models read; compare them on rows that have all: --on FILE"
        )
    block = Block(rows, one.reference, lambda row: f"row {row}")
    outputs = Outputs(one.reference, one.gives_probabilities, errors_in_column=not one.model.context)
    table = score_block(one.model, block, outputs, context)
    errors = table[ERROR].to_pylist() if ERROR in table.column_names else [None] * table.num_rows
    refused = np.array([error is not None for error in errors], dtype=bool)
    probabilities = [table[name] for name in table.column_names if name.partition("[")[0] == PROBABILITY]
    filled = [_filled(column) for column in probabilities]
    return Answers(
        predictions_of(_with_values(table)),
        np.column_stack(filled) if filled else None,
        refused,
        tuple(dict.fromkeys(error for error in errors if error))[:3],
    )


def _filled(column: pa.ChunkedArray) -> np.ndarray[Any, Any]:
    return np.asarray(column.to_numpy(), dtype=np.float64)


def _with_values(table: pa.Table) -> pa.Table:
    """The predictions with a value in refused rows too, so that the others keep their dtype."""
    for name in table.column_names:
        column = table[name]
        if name.partition("[")[0] == PREDICTION and column.null_count:
            first = column.drop_null()
            value = first[0] if len(first) else pa.scalar(0).cast(column.type)
            table = table.set_column(table.column_names.index(name), name, pc.fill_null(column, value))
    return table
