"""Rows for a self-test, made from the schema and from what the record says of its columns: no row is a real one.

Of a sensitive column no value is ever taken from the data.
"""

import random
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from pipeline_lib.compiled.pipeline import CompiledPipeline
from pipeline_lib.errors import InputError
from pipeline_lib.release.pattern_texts import text_of
from pipeline_lib.rows.column import Column
from pipeline_lib.rows.edge_rows import accepted_values
from pipeline_lib.rows.schema import RowSchema

_TRIES = 50
"""So many times more rows are made than are wanted, as the model may refuse some."""
_MISSING = 0.1
_CONSTANTS: dict[str, tuple[Any, ...]] = {
    "integer": (0, 1, 2, -1, 10, 100),
    "number": (0.0, -0.0, 1.0, -1.0, 0.5, 1e6),
    "string": ("text", "a", ""),
    "boolean": (False, True),
    "datetime": (datetime(2024, 1, 31, 12, 0), datetime(2000, 2, 29), datetime(1969, 12, 31, 23, 59, 59)),
    "date": (date(2024, 1, 31), date(2000, 2, 29), date(1969, 12, 31)),
}
Rows = list[dict[str, Any]]


def generated_rows(model: CompiledPipeline, profile: Mapping[str, Any], seed: str, count: int) -> tuple[Rows, Rows]:
    """So many rows that the model answers, and the earlier rows that it needs; the same for one seed.

    `profile` has each column's range or categories in training. Raises InputError where no row is answered.
    """
    chance = random.Random(seed)  # noqa: S311 (rows, not secrets)
    if model.context:
        return _in_order(model, profile, chance, count)
    row, rows, refusal = model.row.keep(model.reads), [], ""
    for number in range(count * _TRIES):
        made = _row_of_tables(row, profile, chance, number) if row.key else _row(row, profile, chance)
        try:
            model.predict_row(made)
        except InputError as error:
            refusal = str(error)
            continue
        rows.append(made)
        if len(rows) == count:
            break
    if not rows:
        raise _none_answered(count * _TRIES, refusal)
    return rows, []


def _in_order(
    model: CompiledPipeline, profile: Mapping[str, Any], chance: random.Random, count: int
) -> tuple[Rows, Rows]:
    """Rows in order of time, after the earlier ones that the first of them needs."""
    table = model.plan.tables[0]
    row = model.row.keep(model.reads)
    for _ in range(_TRIES):
        rows = [_row(row, profile, chance, missing=0.0) for _ in range(model.context + count)]
        for number, made in enumerate(rows):
            if table.time is not None:
                made[table.time] = _moment(row.by_name[table.time], number, table.every)
        context, rest = rows[: model.context], rows[model.context :]
        try:
            model.predict(rest, context=context)
        except InputError as error:
            refusal = str(error)
            continue
        return rest, context
    raise _none_answered(_TRIES, refusal)


def _moment(column: Column, number: int, every: int | None) -> Any:
    if column.kind in ("integer", "number"):
        return (int if column.kind == "integer" else float)(number * (every or 1))
    step = timedelta(microseconds=every) if every else timedelta(days=1)
    moment = datetime(2024, 1, 1) + number * step
    return moment.date() if column.kind == "date" else moment


def _row_of_tables(row: RowSchema, profile: Mapping[str, Any], chance: random.Random, number: int) -> dict[str, Any]:
    """A main row with some child rows of its own."""
    main, *children = row.tables
    made: dict[str, Any] = {main.name: _row(main, profile, chance)}
    if row.key is not None:
        key = row.by_name[row.key]
        made[main.name][row.key] = number if key.kind == "integer" else f"key {number}"
    for child in children:
        rows = [
            _row(child, profile, chance, prefix=f"{child.name}.") for _ in range(1 if child.by else chance.randrange(4))
        ]
        for each in rows:
            each |= {link: made[main.name][link] for link in child.links}
        made[child.name] = rows
    return made


def _row(
    row: RowSchema, profile: Mapping[str, Any], chance: random.Random, *, prefix: str = "", missing: float = _MISSING
) -> dict[str, Any]:
    columns = profile.get("columns", {})
    return {
        column.name: _value(column, columns.get(f"{prefix}{column.name}", {}), chance, missing)
        for column in row.columns
    }


def _value(column: Column, facts: Mapping[str, Any], chance: random.Random, missing: float) -> Any:
    if column.nullable and chance.random() < missing:
        return None
    smallest, largest = facts.get("smallest"), facts.get("largest")
    values: list[Any] = [*(column.allowed or ()), *_bounds(column)]
    if not column.sensitive and isinstance(smallest, int | float) and isinstance(largest, int | float):
        between = smallest + chance.random() * (largest - smallest)
        values += [int(between)] * 4 if column.kind == "integer" else [float(between)] * 4
    if not column.sensitive and column.kind == "string":
        values += list(facts.get("categories", {})) * 4
    if column.pattern is not None:
        values += [text_of(column.pattern, chance)] * 4
    if not values or column.kind in ("datetime", "date"):
        values += _CONSTANTS[column.kind]
    chosen = accepted_values(column, [chance.choice(values)]) or accepted_values(column, values)
    return chosen[0] if chosen else None


def _bounds(column: Column) -> list[Any]:
    return [bound for bound in (column.ge, column.le) if bound is not None]


def _none_answered(tries: int, refusal: str) -> InputError:
    return InputError(
        f"found no generated row among {tries:,} that the model answers, expected rows for the self-test; give columns "
        f"their bounds or `Literal` values in Row, and run again; the last one was refused: {refusal}"
    )
