"""Scoring: blocks of raw rows, each answered and kept as a part, then all parts as one output."""

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

from pipeline_lib.compiled.arrow import one_ahead
from pipeline_lib.compiled.pipeline import CompiledPipeline
from pipeline_lib.errors import InputError
from pipeline_lib.rows.conform import conform
from pipeline_lib.rows.schema import RowSchema
from pipeline_lib.scoring.blocks import Block, unreadable
from pipeline_lib.scoring.parts import Parts, unified, with_schema
from pipeline_lib.scoring.progress import Progress
from pipeline_lib.scoring.read_rows import read_rows
from pipeline_lib.scoring.score_block import ERROR, Outputs, score_block
from pipeline_lib.watching.watch import Watch

Job = tuple[Block, Any]
"""A block, and the rows before it that its first ones need; None where they need none."""
Answers = Callable[[Iterator[Job], Outputs], Iterator[tuple[Block, pa.Table]]]


class Source(Protocol):
    """Where raw rows come from."""

    @property
    def identity(self) -> Mapping[str, Any]:
        """What is another when the rows are others, as JSON values."""

    def blocks(self, schema: RowSchema, skip: int) -> Iterator[Block]:
        """The blocks of rows without the first ones: the same blocks each time."""

    def share(self) -> float | None:
        """The fraction of rows read so far, from 0 to 1; None if unknown."""

    def prepare(self, folder: Path) -> None:
        """Get hold of the rows, in a folder where that needs one, before any of the others is asked."""

    def refused(self) -> None:
        """A row was refused: discard rows that were kept, so that the next run reads them again."""

    def check_unchanged(self) -> None:
        """Raise InputError where the rows have changed while they were read."""


class Sink(Protocol):
    """Where predictions go."""

    @property
    def identity(self) -> Mapping[str, Any]:
        """What is another when the output is another, as JSON values."""

    def check(self, part: pa.Table) -> None:
        """Raise InputError for values that it cannot take."""

    def write(self, schema: pa.Schema, parts: Iterator[pa.Table], folder: Path) -> None:
        """Write all parts: as a whole or not at all. `folder` is for what is not complete."""


@dataclass(frozen=True)
class Summary:
    """What scoring has done: rows, those of them that were refused, those that were there already, seconds."""

    rows: int
    refused: int
    kept: int
    seconds: float


def score(
    model: CompiledPipeline,
    source: Source,
    sink: Sink,
    outputs: Outputs,
    parts: Parts,
    *,
    context: Any = None,
    progress: Progress | None = None,
    watch: Watch | None = None,
    answers: Answers | None = None,
) -> Summary:
    """Answer the rows of a source and write them to a sink, going on after the parts that are there.

    `context` are the rows before the first one, for a model whose rows need earlier ones. `watch` counts the rows and
    their answers. `answers` has blocks answered elsewhere, in place of here. Raises InputError for rows that are
    refused; the parts before them are kept.
    """
    outputs.check(model)
    began = time.monotonic()
    done = count = parts.begin()
    kept = rows = parts.rows(done)
    progress = progress or Progress(quiet=True)
    progress.begin(rows)
    if watch:
        watch.resume(parts.folder, done, rows)
    try:
        with ThreadPoolExecutor(1) as writer, closing(one_ahead(_jobs(model, source, context, done))) as jobs:
            written: Future[None] | None = None
            for block, part in answers(jobs, outputs) if answers else _answers_here(model, jobs, outputs):
                sink.check(part)
                if watch:
                    refused = _refused(part) if outputs.errors_in_column else 0
                    own, invalid = outputs.own_answers(part), unreadable(block)
                    watch.block(block.rows, own, refused=refused, invalid=invalid, folder=parts.folder, number=count)
                if written:
                    written.result()
                written = writer.submit(parts.add, count, part)
                count += 1
                rows += part.num_rows
                progress.show(rows, source.share)
            if written:
                written.result()
    except InputError:
        source.refused()
        raise
    progress.end()
    source.check_unchanged()
    schema = unified(part.schema for part in parts.read(count))
    sink.write(schema, (with_schema(part, schema) for part in parts.read(count)), parts.folder)
    refused = sum(_refused(part) for part in parts.read(count)) if outputs.errors_in_column else 0
    return Summary(rows, refused, kept, time.monotonic() - began)


def _answers_here(model: CompiledPipeline, jobs: Iterator[Job], outputs: Outputs) -> Iterator[tuple[Block, pa.Table]]:
    for block, earlier in jobs:
        yield block, score_block(model, block, outputs, earlier)


def _jobs(model: CompiledPipeline, source: Source, context: Any, done: int) -> Iterator[Job]:
    """The blocks after those that are done, each with the rows that it needs from before."""
    schema = model.row.keep(model.reads)
    if not model.context:
        yield from ((block, None) for block in source.blocks(schema, done))
        return
    earlier = _conformed(context, schema)
    for number, block in enumerate(source.blocks(schema, 0)):  # rows before those that are done are the next context
        if number >= done:
            yield block, earlier
        latest = pa.concat_tables([earlier, _conformed(block.rows, schema)])
        earlier = latest.slice(max(0, latest.num_rows - model.context)).combine_chunks()


def _conformed(rows: Any, schema: RowSchema) -> pa.Table:
    return conform([] if rows is None else rows, schema)


def _refused(part: pa.Table) -> int:
    return int(part.num_rows - part[ERROR].null_count)


def last_rows(given: str | None, model: CompiledPipeline) -> pa.Table | None:
    """The last rows of the files that hold those before the first row, as many as the model needs; None without.

    Raises InputError for a model that needs none.
    """
    if given is None:
        return None
    if not model.context:
        raise InputError("found --context, expected none: rows of this model need no earlier ones; leave it out")
    rows = read_rows(given, model.row.keep(model.reads))
    return rows.slice(max(0, rows.num_rows - model.context))


def check_tables(model: CompiledPipeline, record: str) -> None:
    """Raise InputError for a pipeline over several tables: a file has one."""
    if model.row.key is not None:
        names = ", ".join(table.name for table in model.row.tables)
        raise InputError(
            f"{record}: found a pipeline over the tables {names}, expected one of a single table; read each table of "
            "model.row.tables by pipeline_lib.read_rows, and pass them to model.predict as a mapping"
        )
