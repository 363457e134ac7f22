"""Rows of a source and their predictions counted, without an output."""

from dataclasses import replace

import pyarrow as pa

from pipeline_lib.compiled.pipeline import CompiledPipeline
from pipeline_lib.errors import InputError
from pipeline_lib.rows.conform import conform
from pipeline_lib.rows.schema import RowSchema
from pipeline_lib.scoring.blocks import Block, unreadable
from pipeline_lib.scoring.progress import Progress
from pipeline_lib.scoring.score import Source
from pipeline_lib.scoring.score_block import ERROR, Outputs, score_block
from pipeline_lib.watching.accumulator import Accumulator
from pipeline_lib.watching.statistics import PROBABILITY, output_kinds


def count_rows(model: CompiledPipeline, source: Source, accumulator: Accumulator, progress: Progress) -> None:
    """Count every row of a source, and the predictions of those that the model does not refuse.

    Where rows need earlier ones, the first ones of all have no prediction. Raises InputError for a source that cannot
    be read, and for one without a column that the model reads.
    """
    schema = model.row.keep(model.reads)
    answers = _Answers(model, schema)
    progress.begin(0)
    for block in source.blocks(schema, 0):
        accumulator.add_rows(block.rows, unreadable(block))
        answered, refused = answers.of(block)
        accumulator.refused += refused
        accumulator.add_outputs(answered)
        progress.show(accumulator.rows, source.share)
    progress.end()
    source.check_unchanged()


class _Answers:
    """The predictions of blocks, one after the other."""

    def __init__(self, model: CompiledPipeline, schema: RowSchema) -> None:
        self._model, self._schema = model, schema
        probabilities = PROBABILITY in output_kinds(model.plan.outputs)
        self._outputs = Outputs("", probabilities, errors_in_column=not model.context)
        self._earlier = schema.arrow.empty_table()

    def of(self, block: Block) -> tuple[pa.Table, int]:
        """The answers to a block, and how many of its rows are refused."""
        if self._model.context:
            return self._after_earlier(block)
        answers = score_block(self._model, block, self._outputs)
        return answers, answers.num_rows - answers[ERROR].null_count

    def _after_earlier(self, block: Block) -> tuple[pa.Table, int]:
        """As `of`, where rows need those before them: a refused row leaves the whole block without answers."""
        empty = pa.table({})
        try:
            rows = pa.concat_tables([self._earlier, conform(block.rows, self._schema)]).combine_chunks()
            self._earlier = rows.slice(max(0, rows.num_rows - self._model.context))
            if rows.num_rows <= self._model.context:
                return empty, 0
            earlier, later = rows.slice(0, self._model.context), rows.slice(self._model.context)
            asked = replace(block, rows=later)
            return score_block(self._model, asked, self._outputs, earlier), 0
        except InputError:
            self._earlier = self._schema.arrow.empty_table()
            return empty, len(block.rows)
