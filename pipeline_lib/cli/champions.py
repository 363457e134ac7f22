"""Commands about champions: promote a record, return to the one before, list them and their history."""

from typing import TYPE_CHECKING

import click

from pipeline_lib.cli.completion import PIPELINE
from pipeline_lib.cli.context import current_project, find
from pipeline_lib.cli.output import JSON, REF, print_json, value_text
from pipeline_lib.cli.records import SENSITIVE
from pipeline_lib.errors import InputError
from pipeline_lib.project.project import check_name

if TYPE_CHECKING:
    from pipeline_lib.project.project import Project
    from pipeline_lib.records.champion import Champion
    from pipeline_lib.records.champion_history import PointerVersion


@click.command
@REF
@click.option("--reason", metavar="TEXT", help="Why it is to be used, where no comparison says so: one line, kept.")
@click.option("--rollback", is_flag=True, help="Return to the champion before the present one; REF is the pipeline.")
@SENSITIVE
def promote(ref: str, reason: str | None, rollback: bool, include_sensitive: bool) -> None:
    """Make a record its pipeline's champion: push it to the store, then write champions/NAME.yml.

    The record must be finished, made from committed files, and exact in `pipeline-lib parity REF --full`. Where there
    is a champion, `pipeline-lib compare` must have said better or not worse; otherwise --reason says why.
    """
    from pipeline_lib.records.champion import champion_path
    from pipeline_lib.records.promotion import not_shown, roll_back
    from pipeline_lib.records.promotion import promote as make_champion

    project = current_project()
    if rollback:
        if reason is None:
            raise InputError("found --rollback without --reason, expected why; say it with --reason TEXT")
        champion = roll_back(project, _pipeline(ref), reason=reason, include_sensitive=include_sensitive)
    else:
        champion = make_champion(find(ref), project, reason=reason, include_sensitive=include_sensitive)
    pointer = project.shown(champion_path(project, champion.pipeline))
    before = f", before it was {champion.previous.reference}" if champion.previous else ""
    click.echo(f"in the store {champion.record.store}, every byte verified: {champion.record.reference}")
    click.echo(f"{champion.pipeline}@champion is {champion.record.reference}{before}")
    if champion.compared:
        click.echo(f"compared with the champion before: {champion.compared.sentence}")
    favourable = champion.compared is not None and champion.compared.favourable
    if champion.previous and not rollback and not favourable:
        problem = not_shown(champion.record.reference, champion.previous, champion.compared)
        click.echo(f"note: promoted for the reason alone: {problem}")
    verb = "Return to" if rollback else "Promote"
    message = f'"{verb} {champion.record.reference}"'
    click.echo(f"colleagues get it by git: git add {pointer} && git commit -m {message} -- {pointer}")


@click.command
@click.argument("name", required=False, type=PIPELINE)
@click.option("--history", is_flag=True, help="All champions of the pipeline NAME, newest first, by git.")
@JSON
def champions(name: str | None, history: bool, as_json: bool) -> None:
    """List the champions, or that of the pipeline NAME: since when, by whom, why, metrics."""
    project = current_project()
    if history:
        if name is None:
            raise InputError("found --history without a pipeline, expected its name; write it: champions NAME")
        _history(project, check_name(name), as_json=as_json)
        return
    from pipeline_lib.records.champion import pointers
    from pipeline_lib.records.champion_record import champion_of

    found: list[Champion] = []
    problems: list[str] = []
    for pipeline in [name] if name else pointers(project):
        try:
            found.append(champion_of(project, pipeline))
        except InputError as error:
            problems.append(str(error))
    if as_json:
        print_json([{"pipeline": champion.pipeline, **champion.to_json()} for champion in found])
    elif not found and not problems:
        click.echo("no champions yet; `pipeline-lib promote REF --reason TEXT` makes a run the champion")
    else:
        for champion in found:
            click.echo(_line(champion))
    if problems:
        raise InputError("\n".join(problems))


def _pipeline(ref: str) -> str:
    """The pipeline of `--rollback`, which goes back from whatever its champion is."""
    name = ref.removesuffix("@champion")
    if "/" in name or "@" in name:
        raise InputError(f"found {ref!r} with --rollback, expected the pipeline's name alone; write it")
    return check_name(name)


def _history(project: "Project", name: str, *, as_json: bool) -> None:
    from pipeline_lib.records.champion_history import champion_history, is_in_git

    versions = champion_history(project, name)
    if not versions:
        raise InputError(
            f"found no champion of {name!r}, now or before, expected one; `pipeline-lib champions` lists what there is"
        )
    if as_json:
        print_json([_version_json(version) for version in versions])
    else:
        for version in versions:
            commit = version.commit[:10] or "not committed"
            click.echo(f"{commit:<13}  {_line(version.champion) if version.champion else version.problem}")
    if not is_in_git(project):
        previous = versions[0].champion and versions[0].champion.previous
        before = f"; the champion before was {previous.reference}" if previous else ""
        click.echo(f"found no git here, which keeps the history: only the present pointer is shown{before}", err=True)


def _version_json(version: "PointerVersion") -> dict[str, object]:
    content = version.champion.to_json() if version.champion else {"problem": version.problem}
    return {"commit": version.commit or None, **content}


def _line(champion: "Champion") -> str:
    metrics = ", ".join(f"{name} {value_text(value)}" for name, value in champion.metrics.items())
    what = "rolled back: " if champion.rolled_back else ""
    details = (f"since {champion.since:%Y-%m-%d %H:%M} UTC", f"by {champion.by}", f"{what}{champion.reason}", metrics)
    return "  ".join((f"{champion.record.reference:<32}", *(text for text in details if text)))
