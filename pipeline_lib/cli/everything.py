"""The command that runs every pipeline."""

import sys

import click

from pipeline_lib.project.project import find_project


@click.command("run-all")
def run_all() -> None:
    """Run every pipeline with its own parameters, check parity, and write one page with all reports.

    A pipeline that has not changed since its last finished run is not run again.
    """
    from pipeline_lib.runner.run_all import PAGE, Ran, base_parameters
    from pipeline_lib.runner.run_all import run_all as run_each

    project = find_project()
    width = max(len(path.stem) for path in base_parameters(project))

    def done(ran: Ran) -> None:
        told = str(ran.error) if ran.error else ran.metrics
        click.echo(f"{ran.pipeline:<{width}}  {ran.seconds:6.1f} s  {ran.verdict:<14}  {told}")

    ran = run_each(project, done)
    click.echo(f"page: {project.runs / PAGE}")
    sys.exit(max(one.exit_code for one in ran))
