"""Commands about logged answers: repeat them, and explain one."""

import math
import sys
from datetime import date
from pathlib import Path
from typing import Any

import click

from pipeline_lib.cli.completion import REFERENCE
from pipeline_lib.cli.context import find_model
from pipeline_lib.cli.output import JSON, print_json
from pipeline_lib.cli.row_options import TRUST
from pipeline_lib.errors import InputError


@click.command
@click.argument("log", metavar="LOG", type=click.Path(path_type=Path))
@click.argument("ref", required=False, type=REFERENCE)
@TRUST
@JSON
def replay(log: Path, ref: str | None, trust: tuple[str, ...], as_json: bool) -> None:
    """Repeat the answers in LOG, the folder of `serve --log`: by their own record, bit for bit, or by REF.

    Exits with 1 where a log's own record answers otherwise.
    """
    from pipeline_lib.answers.log_format import logs_in
    from pipeline_lib.answers.replay import replay as repeat
    from pipeline_lib.records.deployed import deployed

    results, own_differs, logs = [], False, logs_in(log)
    if ref is not None:
        pipeline = find_model(ref).pipeline
        logs = [part for part in logs if part.reference.partition("/")[0] == pipeline]
        if not logs:
            raise InputError(f"{log}: found no answers of {pipeline}, expected a log of the pipeline that {ref} is of")
    whole = [part for part in logs if part.hindrance is None]
    for part in logs:
        if part.hindrance is not None and whole:
            click.echo(f"{part.reference} is not repeated, as {part.hindrance}", err=True)
            continue
        found = deployed(find_model(ref or part.reference), allow_unproven=True, trust=trust)
        model = found.load()
        is_own = found.digest == part.digest
        result = repeat(part, model, probabilities=is_own)
        own_differs |= is_own and bool(result.differing or result.refused)
        results.append({"log": part.reference, "by": found.reference, **result.to_json()})
        if not as_json:
            lines = result.lines()
            click.echo(f"{part.reference} by {found.reference}: {lines[0]}")
            for line in lines[1:]:
                click.echo(f"  {line}")
    if as_json:
        print_json(_json(results))
    sys.exit(1 if own_differs else 0)


@click.command
@click.argument("log", metavar="LOG", type=click.Path(path_type=Path))
@click.argument("answer", metavar="ID")
@JSON
def why(log: Path, answer: str, as_json: bool) -> None:
    """Explain one answer in LOG: its record, what that was made from, and every step from raw row to prediction."""
    from pipeline_lib.answers.log_format import OUTPUTS, TIME, find_answer
    from pipeline_lib.records.record import Record

    found, line = find_answer(log, answer)
    record = find_model(found.reference)
    digest = str(record.manifest()["digest"] if isinstance(record, Record) else record.facts["digest"])
    if digest != found.digest:
        raise InputError(
            f"{found.reference}: found the digest {digest[:12]}…, expected {found.digest[:12]}… as in the log: another "
            "record of this name; pull the one that answered"
        )
    facts: dict[str, Any] = {
        "answer": answer,
        "time": line[TIME].isoformat(),
        "record": found.reference,
        "outputs": line[OUTPUTS],
        "steps": _steps(record, found, line),
        "left_out": list(found.left_out),
    }
    if isinstance(record, Record):
        facts |= _origin(record)
    if as_json:
        print_json(_json(facts))
        return
    asked = {name: value for name, value in facts["outputs"].items() if value is not None}
    click.echo(f"{answer} at {facts['time']} by {found.reference}: {_values(asked)}")
    for text in facts.get("snapshots", ()):
        click.echo(f"fitted on {text}")
    if found.row is None:
        click.echo("not kept: the row, as it needs others; the steps cannot be repeated")
    if found.left_out:
        click.echo(f"not kept, as they are sensitive: {', '.join(found.left_out)}; the steps cannot be repeated")
    for step in facts["steps"]:
        click.echo(f"{step['step']}{_cell(step, facts)}\n  {_values(step['values'])}")


def _steps(given: Any, log: Any, line: dict[str, Any]) -> list[dict[str, Any]]:
    """The columns of the raw row and of each step after it."""
    from pipeline_lib.answers.log_format import ROW
    from pipeline_lib.records.deployed import deployed

    if log.hindrance is not None:
        return []
    found = deployed(given, allow_unproven=True)
    model = found.load()
    trace = model.trace_row(line[ROW], partial=True)
    steps = [{"step": name, "values": values} for name, values in trace.items() if values]
    return [{"step": "raw row", "values": line[ROW]}, *steps]


def _origin(record: Any) -> dict[str, Any]:
    """What a record was made from: the classes of its steps with their notebook cells, and snapshots."""
    from pipeline_lib.records.layout import COMPILE_REPORT, LIBRARY
    from pipeline_lib.records.snapshots import snapshots_of

    steps = (record.read_json(COMPILE_REPORT) or {}).get("steps", ())
    cells = record.read_json(LIBRARY) or []
    return {
        "classes": {step["name"]: step["kind"] for step in steps},
        "cells": {step["name"]: _cell_of(str(step["kind"]), cells) for step in steps},
        "snapshots": [f"{each.title}, as of {each.as_of}" for each in snapshots_of(record)],
    }


def _cell_of(kind: str, cells: list[dict[str, Any]]) -> str | None:
    """The notebook cell that exports a class; None for a library's own."""
    module, _, name = kind.rpartition(".")
    path = f"{module.replace('.', '/')}.py"
    for cell in cells:
        if cell["module"] == path and f"class {name}" in cell["source"]:
            return f"{cell['notebook']}, cell {cell['number']}"
    return None


def _cell(step: dict[str, Any], facts: dict[str, Any]) -> str:
    kind, cell = (facts.get(name, {}).get(step["step"]) for name in ("classes", "cells"))
    return f" ({kind}{f', {cell}' if cell else ''})" if kind else ""


def _json(value: Any) -> Any:
    """A value as JSON has it: null for numbers that are not finite, text for dates and times."""
    if isinstance(value, dict):
        return {name: _json(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return list(map(_json, value))
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, str | int | float):
        return value
    return value.isoformat() if isinstance(value, date) else str(value)


def _values(values: dict[str, Any]) -> str:
    """Values with all their digits, since others would be another row's."""
    return ", ".join(f"{name} {value}" for name, value in values.items())
