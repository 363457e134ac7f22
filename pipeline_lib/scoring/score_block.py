"""The output of one block: what to keep of the rows, their predictions, and what is said of refused rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline_lib.compiled.operations.refusals import RefusedRowError
from pipeline_lib.compiled.pipeline import PREDICTION, PROBABILITY, CompiledPipeline
from pipeline_lib.errors import InputError
from pipeline_lib.rows.arrow_arrays import arrow_scalar
from pipeline_lib.rows.conform_errors import RefusedColumnsError
from pipeline_lib.scoring.blocks import Block, refused, without_place

_GO_ON = "\n`--errors column` predicts the other rows, and writes what is wrong with these into a column"
ERROR, RECORD, THRESHOLD = "error", "record", "threshold"
_FEW = 64
"""Rows that are predicted one by one where one of them is refused."""


@dataclass(frozen=True)
class Outputs:
    """What the output says of each row.

    `record` names the record that answered, `errors_in_column` gives refused rows a message in place of a prediction,
    `threshold` is the least probability of the second class that is predicted as it.
    """

    record: str
    probabilities: bool = False
    threshold: float | None = None
    errors_in_column: bool = False

    def check(self, model: CompiledPipeline) -> None:
        """Raise InputError for outputs that the model does not have."""
        given = sorted({name.partition("[")[0] for name in model.plan.outputs})
        if (self.probabilities or self.threshold is not None) and PROBABILITY not in given:
            raise InputError(
                f"{self.record}: found a final estimator that gives no probability, expected one that does; it gives "
                f"{', '.join(given)}: leave out --probabilities and --threshold"
            )
        if self.threshold is not None:
            _positive_column(model)
            if not 0 <= self.threshold <= 1:
                raise InputError(f"--threshold: found {self.threshold}, expected a probability from 0 to 1")
        if self.errors_in_column and model.context:
            raise InputError(
                f"{self.record}: found --errors column, expected --errors refuse: each row needs the {model.context:,} "
                "before it, and a row after a refused one has no prediction either"
            )

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of output that the model is asked for."""
        asked = self.probabilities or self.threshold is not None
        return (PREDICTION, PROBABILITY) if asked else (PREDICTION,)

    def own_answers(self, part: pa.Table) -> pa.Table:
        """Of an output what the model itself answers: without a prediction that a threshold has decided."""
        if self.threshold is None:
            return part
        return part.drop_columns([name for name in part.column_names if name.partition("[")[0] == PREDICTION])


def score_block(model: CompiledPipeline, block: Block, outputs: Outputs, context: Any = None) -> pa.Table:
    """The output for a block's rows, in their order.

    Raises InputError, with the places, for refused rows; for every one of them unless these get a message in a column.
    """
    if not outputs.errors_in_column:
        answers = _answers(model, block, outputs, context)
        return _joined(block, answers, outputs, model, None)
    errors: dict[int, str] = {}
    for problem in block.problems:
        for number in problem.rows or ():
            errors[number] = "\n".join([*([errors[number]] if number in errors else []), without_place(problem)])
    good = [number for number in range(len(block.rows)) if number not in errors]
    answers = pa.concat_tables(_answer_what_can_be(model, block, good, errors, outputs))
    positions = np.full(len(block.rows), -1)
    answered = [number for number in good if number not in errors]
    positions[answered] = np.arange(len(answered))
    messages = [errors.get(number) for number in range(len(block.rows))]
    return _joined(block, answers.take(pa.array(positions, mask=positions < 0)), outputs, model, messages)


def _answers(model: CompiledPipeline, block: Block, outputs: Outputs, context: Any) -> pa.Table:
    remedy = "" if model.context else _GO_ON
    if block.problems:
        raise InputError(f"{refused(block, block.problems)}{remedy}")
    try:
        return model.predict_table(block.rows, outputs=outputs.kinds, context=context)
    except RefusedColumnsError as error:
        is_column = any(problem.rows is None for problem in error.problems)  # absent, or of another type
        raise InputError(f"{refused(block, error.problems)}{'' if is_column else remedy}") from error
    except RefusedRowError as error:
        where = block.where(error.row) if error.row >= 0 else f"earlier row {error.row}"
        raise InputError(f"{block.shown}: {where}: {error.reason}{remedy}") from error


def _answer_what_can_be(
    model: CompiledPipeline, block: Block, numbers: list[int], errors: dict[int, str], outputs: Outputs
) -> list[pa.Table]:
    """The answers of these rows of a block but for those that are refused, whose errors are noted.

    A refused row's error is the one that the row has alone.
    """
    try:
        return [model.predict_table(_rows(block.rows, numbers), outputs=outputs.kinds)]
    except RefusedColumnsError as error:
        if any(problem.rows is None for problem in error.problems):  # a column is absent, or of another type
            raise refused(block, error.problems) from error
        for number in {numbers[row] for problem in error.problems for row in problem.rows or ()}:
            errors[number] = _error_of_columns(model, _rows(block.rows, [number]), outputs)
        left = [number for number in numbers if number not in errors]
        return _answer_what_can_be(model, block, left, errors, outputs)
    except RefusedRowError as error:
        if len(numbers) > _FEW:  # only the first refused row is known
            half = len(numbers) // 2
            parts = (numbers[:half], numbers[half:])
            return [each for part in parts for each in _answer_what_can_be(model, block, part, errors, outputs)]
        rows = _rows(block.rows, numbers)
        for number, row in zip(numbers, rows if isinstance(rows, list) else rows.to_pylist(), strict=True):
            _note_refused(model, row, number, errors, outputs)
        left = [number for number in numbers if number not in errors]
        if len(left) == len(numbers):
            raise AssertionError(f"{error}: no row is refused alone") from error
        return _answer_what_can_be(model, block, left, errors, outputs)


def _error_of_columns(model: CompiledPipeline, row: Any, outputs: Outputs) -> str:
    """The error of a row whose columns are refused."""
    try:
        model.predict_table(row, outputs=outputs.kinds)
    except RefusedColumnsError as error:
        return "\n".join(map(without_place, error.problems))
    raise AssertionError("a row that is refused among others is not refused alone")


def _note_refused(
    model: CompiledPipeline, row: Mapping[str, Any], number: int, errors: dict[int, str], outputs: Outputs
) -> None:
    """Note the error of a row if an operation refuses it: that of predicting one row, which is fast."""
    try:
        model.predict_row(row)
        if PROBABILITY in outputs.kinds:
            model.predict_proba_row(row)
    except RefusedRowError as error:
        errors[number] = error.reason
    except InputError as error:
        errors[number] = str(error)


def _rows(rows: Any, numbers: list[int]) -> Any:
    if len(numbers) == len(rows):
        return rows
    return rows.take(pa.array(numbers, pa.int64())) if isinstance(rows, pa.Table) else [rows[n] for n in numbers]


def _positive_column(model: CompiledPipeline) -> str:
    names = [name for name in model.plan.outputs if name.partition("[")[0] == PROBABILITY]
    if len(model.classes) != 2 or len(names) != 2 or PREDICTION not in model.plan.outputs:
        raise InputError(
            f"--threshold: found a model of {len(model.classes)} classes, expected one of two: the second is predicted "
            "from this probability on; leave the option out"
        )
    return names[1]


def _joined(
    block: Block, answers: pa.Table, outputs: Outputs, model: CompiledPipeline, errors: list[str | None] | None
) -> pa.Table:
    columns = {name: block.raw[name] for name in block.raw.column_names}
    taken = [name for name in [*answers.column_names, RECORD, ERROR, THRESHOLD] if name in columns]
    if taken:
        raise InputError(
            f"--keep: found the column {', '.join(taken)}, expected other names than those of the output; leave it out"
        )
    columns |= {name: answers[name] for name in answers.column_names}
    if outputs.threshold is not None:
        columns[PREDICTION] = _decided(model, answers, outputs.threshold)
        if not outputs.probabilities:
            columns = {name: values for name, values in columns.items() if name.partition("[")[0] != PROBABILITY}
        columns[THRESHOLD] = pa.repeat(arrow_scalar(outputs.threshold, "number"), answers.num_rows)
    if errors is not None:
        columns[ERROR] = pa.array(errors, pa.string())
    columns[RECORD] = pa.repeat(arrow_scalar(outputs.record, "string"), answers.num_rows)
    return pa.table(columns)


def _decided(model: CompiledPipeline, answers: pa.Table, threshold: float) -> Any:
    """The second class where its probability is at least the threshold, else the first one."""
    negative, positive = (pa.scalar(label, answers.schema.field(PREDICTION).type) for label in model.classes)
    chosen = pc.greater_equal(answers[_positive_column(model)], pa.scalar(threshold, pa.float64()))
    return pc.if_else(chosen, positive, negative)
