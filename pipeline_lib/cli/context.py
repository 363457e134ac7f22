"""What a command works on: the current project, the record of a reference, the library."""

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline_lib.errors import InputError
from pipeline_lib.project.project import Project, find_project

if TYPE_CHECKING:
    from pipeline_lib.records.record import Record
    from pipeline_lib.scoring.installed import InstalledPackage


_WITH_A_KERNEL = ("run", "run-all", "resume", "sweep", "reproduce", "retrain")
"""Commands that start a kernel, which imports the project's package from the environment."""


def current_project() -> Project:
    """The project of this folder: searched once for a command, or click's object where a test passes one."""
    root = click.get_current_context().find_root()
    if root.obj is None:
        root.obj = find_project()
    project: Project = root.obj
    return project


def check_checkout(context: click.Context) -> None:
    """Refuse to work on a checkout with the code of another one; outside a project there is nothing to refuse."""
    if context.obj is None:
        with suppress(InputError):  # the command itself says what is wrong with a project that it needs
            context.obj = find_project()
        if context.obj is not None:
            context.obj.check_loaded()
            if context.invoked_subcommand in _WITH_A_KERNEL:
                context.obj.check_installed()


def find(ref: str) -> "Record":
    """The record that a reference names. Raises InputError."""
    from pipeline_lib.records.reference import find_record, record_at

    return record_at(Path(ref)) or find_record(ref, current_project())


def find_model(ref: str) -> "Record | InstalledPackage":
    """The record that a reference names, or the installed package of that name. Raises InputError."""
    from pipeline_lib.scoring.installed import installed_package

    package = installed_package(ref)
    if package is not None:
        return package
    try:
        return find(ref)
    except InputError as error:
        if not ref.isidentifier():
            raise
        raise InputError(f"{error}\n{ref} is no installed package either") from error


def library(start: Path | None = None) -> str:
    """The package whose steps an artifact may load: the project's, or outside a project this one."""
    try:
        return (find_project(start) if start else current_project()).library
    except InputError:
        return "pipeline_lib"
