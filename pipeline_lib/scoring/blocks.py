"""Raw rows in blocks, and where each row stands in what it was read from."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import pyarrow as pa

from pipeline_lib.errors import InputError
from pipeline_lib.rows.conform_errors import Problem

BLOCK_ROWS = 65_536
"""Rows that are read and answered at a time: memory holds a few times as many."""
_LINES = 20
Where = Callable[[int], str]


@dataclass(frozen=True)
class Block:
    """Rows as they were read, their columns of `Row` with its types.

    `shown` is what they were read from, `where` says where a row of the block is in it: "line 17". `problems` are texts
    that are no value of their column; there the column is null. `raw` are the columns as the file has them.
    """

    rows: pa.Table
    shown: str
    where: Where
    problems: Sequence[Problem] = ()
    raw: pa.Table = field(default_factory=lambda: pa.table({}))


def in_blocks(tables: Iterator[pa.Table], rows: int) -> Iterator[pa.Table]:
    """The rows of tables of one schema in tables of so many rows; the last one has what is left."""
    kept: list[pa.Table] = []
    count = 0
    for table in tables:
        kept.append(table)
        count += table.num_rows
        if count < rows:
            continue
        joined = pa.concat_tables(kept)
        for start in range(0, count - count % rows, rows):
            yield joined.slice(start, rows)
        count %= rows
        kept = [joined.slice(joined.num_rows - count)]
    if count:
        yield pa.concat_tables(kept)


def unreadable(block: Block) -> dict[str, int]:
    """Of each column, how many texts of a block are no value of it; in its rows they are null."""
    counts: dict[str, int] = {}
    for problem in block.problems:
        counts[problem.column] = counts.get(problem.column, 0) + len(problem.rows or ())
    return counts


def without_place(problem: Problem) -> str:
    """What is wrong with a row, for where it is known which."""
    return replace(problem, label="").text("")


def refused(block: Block, problems: Sequence[Problem]) -> InputError:
    """The error of a block: a line for each of the first problems, with the place of its first row."""
    ordered = sorted(problems, key=lambda problem: problem.rows[0] if problem.rows else -1)
    lines = [f"{block.shown}: {_line(block, problem)}" for problem in ordered[:_LINES]]
    more = len(ordered) - len(lines)
    return InputError("\n".join([*lines, *([f"and {more:,} more problems in these rows"] if more else [])]))


def _line(block: Block, problem: Problem) -> str:
    if problem.rows is None:
        return problem.text()
    more = len(problem.rows) - 1
    others = f" (and {more:,} more rows of this block)" if more else ""
    return f"{block.where(problem.rows[0])}: {without_place(problem)}{others}"
