"""The command that looks for what may be wrong. Exit 1 for a problem."""

import sys
from dataclasses import asdict

import click

from pipeline_lib.cli.context import current_project
from pipeline_lib.cli.output import JSON, print_json


@click.command
@JSON
def doctor(as_json: bool) -> None:
    """Check environment, project and runs; each line is ok, warn or problem, and says what to do.

    Nothing is changed. Exit 1 where a line is a problem.
    """
    from pipeline_lib.runner.doctor.examine import examine

    found = []
    for finding in examine(current_project):
        found.append(finding)
        if not as_json:
            click.echo(str(finding))
    problems = sum(finding.level == "problem" for finding in found)
    if as_json:
        print_json([asdict(finding) for finding in found])
    else:
        warnings = sum(finding.level == "warn" for finding in found)
        click.echo(
            f"{problems} problem{'' if problems == 1 else 's'}, {warnings} warning{'' if warnings == 1 else 's'}"
        )
    sys.exit(1 if problems else 0)
