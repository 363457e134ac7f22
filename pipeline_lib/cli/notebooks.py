"""Commands for notebooks and the library that they export."""

import click

from pipeline_lib.cli.context import current_project
from pipeline_lib.cli.output import report_problems
from pipeline_lib.cli.records import clean_leftovers
from pipeline_lib.errors import InputError
from pipeline_lib.project.project import Project


@click.command
@click.option("--check", is_flag=True, help="Change nothing; exit 1 when the library is not a fresh export.")
def export(check: bool) -> None:
    """Write the library's generated modules from the notebooks, and the notebooks' parameters cells from params/."""
    from pipeline_lib.project.export import check_export
    from pipeline_lib.project.export import export as write

    project = current_project()
    if not check:
        _export(project, write(project))
        return
    from pipeline_lib.runner.preflight import check_parameters_agree

    problems = [*map(str, check_export(project)), *check_parameters_agree(project)]
    report_problems(problems, "the library is what the notebooks export; parameters cells and files agree")


def _export(project: Project, modules: list[str]) -> None:
    """Say which modules were written, write the parameters cells, and say what was done with them."""
    from pipeline_lib.project.params_defaults import write_defaults

    for line in modules:
        click.echo(line)
    written = write_defaults(project)
    for line in (*written.changes, *written.notes):
        click.echo(line)
    if written.problems:
        skipped = [f"the parameters cell was not written: {notebook}" for notebook in written.skipped]
        raise InputError("\n".join([*written.problems, *skipped]))
    if not modules and not written.changes:
        click.echo("nothing to do: the library is what the notebooks export, parameters cells are those of the files")


@click.command
@click.option("--check", is_flag=True, help="Change nothing; exit 1 when a notebook is not clean.")
@click.option("--leftovers", is_flag=True, help="List files of killed runs; do not touch notebooks.")
@click.option("--yes", is_flag=True, help="With --leftovers: remove the listed files.")
@click.option("--verbose", is_flag=True, help="With --leftovers: name each temporary folder.")
def clean(check: bool, leftovers: bool, yes: bool, verbose: bool) -> None:
    """Strip outputs and transient metadata from the notebooks; tags stay."""
    if ((yes or verbose) and not leftovers) or (check and leftovers):
        raise InputError(
            "found --yes or --verbose without --leftovers, or --check with it, expected `clean`, `clean --check`, "
            "`clean --leftovers` or `clean --leftovers --yes`"
        )
    if leftovers:
        clean_leftovers(current_project(), remove=yes, verbose=verbose)
        return
    from pipeline_lib.project.notebooks import unclean_notebooks
    from pipeline_lib.system.files import write_atomic

    project = current_project()
    unclean = []
    for path, content in unclean_notebooks(project.notebooks, project.shown):
        unclean.append(f"{project.shown(path)}: found outputs or transient metadata; run `pipeline-lib clean`")
        if not check:
            write_atomic(path, content)
            click.echo(f"cleaned {project.shown(path)}")
    if check:
        report_problems(unclean, "the notebooks are clean")
