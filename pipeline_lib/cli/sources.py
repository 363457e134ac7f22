"""The command that lists where raw data come from, in which versions, and what changed between two."""

from typing import TYPE_CHECKING, Any

import click

from pipeline_lib.cli.completion import PIPELINE
from pipeline_lib.cli.context import current_project, find
from pipeline_lib.cli.output import JSON, print_json
from pipeline_lib.errors import InputError

if TYPE_CHECKING:
    from pipeline_lib.project.project import Project
    from pipeline_lib.records.record import Record
    from pipeline_lib.records.sources import History

_MOST_LINES = 20


@click.command
@click.argument("name", required=False, type=PIPELINE)
@click.option("--between", nargs=2, metavar="REF_A REF_B", help="Two runs to compare, in place of the last change.")
@JSON
def sources(name: str | None, between: tuple[str, str] | None, as_json: bool) -> None:
    """List the raw data of each pipeline, or of NAME: files, queries, addresses, packages.

    For one pipeline: the versions over its finished runs, and what changed at the last change: rows, columns, ranges
    of numbers, new categories. Values of sensitive columns are not shown.
    """
    from pipeline_lib.records.sources import histories

    project = current_project()
    if between:
        _print_changes(find(between[0]), find(between[1]), as_json=as_json)
        return
    listed = (
        {name: _finished(project, name)} if name else {each: _finished(project, each) for each in project.pipelines()}
    )
    if name and not listed[name]:
        known = ", ".join(project.pipelines()) or "none"
        remedy = f"`pipeline-lib run {project.shown(project.params / name)}.yml` makes one"
        expected = remedy if name in project.pipelines() else f"expected one of: {known}"
        raise InputError(f"found no finished run of {name!r}, {expected}")
    found = {each: histories(records) for each, records in listed.items()}
    if as_json:
        print_json({each: [_json(history) for history in sources_] for each, sources_ in found.items()})
        return
    for each, sources_ in found.items():
        click.echo(f"{each}{'' if listed[each] else ': no finished run'}")
        for history in sources_:
            click.echo("\n".join(_lines(history, whole=bool(name))))
        if listed[each] and not sources_:
            click.echo("  found no source: no run names one, and no file that `load` opened was detected")
    if name:
        _print_last_change(listed[name])


def _finished(project: "Project", name: str) -> "list[Record]":
    from pipeline_lib.records.record import all_records

    records = all_records(project.runs) if (project.runs / name).is_dir() else []
    return [record for record in records if record.pipeline == name and record.status() == "finished"]


def _lines(history: "History", *, whole: bool) -> list[str]:
    """A source and its versions: all, or the last one."""
    shown = history.versions if whole else history.versions[-1:]
    count = f" ({len(history.versions)} versions)" if len(history.versions) > 1 and not whole else ""
    lines = [f"  {history.kind:<8} {history.source}{count}"]
    for version, runs in shown:
        span = runs[0] if len(runs) == 1 else f"{len(runs):,} runs, {runs[0]} to {runs[-1]}"
        digest = version.digest[:12] or "unknown"
        lines.append("    " + "  ".join(part for part in (digest, version.details, span) if part))
    return lines


def _json(history: "History") -> dict[str, Any]:
    return {
        "kind": history.kind,
        "source": history.source,
        "versions": [
            {"digest": version.digest, "details": version.details, "runs": list(runs)}
            for version, runs in history.versions
        ],
    }


def _print_last_change(records: "list[Record]") -> None:
    """What changed between the newest run and the last one before it that read other data."""
    from pipeline_lib.records.sources import source_changes, versions_of

    digests = [[(version.key, version.digest) for version in versions_of(record)] for record in records]
    other = next((number for number in reversed(range(len(records))) if digests[number] != digests[-1]), None)
    if other is None:
        click.echo("no change between its runs")
        return
    before, after = records[other], records[other + 1]
    click.echo(f"last change: {before.reference} → {after.reference}")
    _echo_some(source_changes(before, after))


def _print_changes(a: "Record", b: "Record", *, as_json: bool) -> None:
    from pipeline_lib.records.sources import source_changes, versions_json

    changes = source_changes(a, b)
    if as_json:
        print_json({"a": versions_json(a), "b": versions_json(b), "changes": changes})
        return
    click.echo(f"{a.reference} → {b.reference}")
    _echo_some(changes or ["no change"])


def _echo_some(lines: list[str]) -> None:
    more = (
        [f"… {len(lines) - _MOST_LINES:,} more; --between REF_A REF_B --json has all"]
        if len(lines) > _MOST_LINES
        else []
    )
    click.echo("\n".join(f"  {line}" for line in (*lines[:_MOST_LINES], *more)))
