"""Run commands in this process."""

import sys
from typing import Any

import pytest
from click.testing import CliRunner, Result

from pipeline_lib.cli.main import commands, main
from pipeline_lib.project.project import Project


def invoke(*arguments: object, project: Project | None = None) -> Result:
    """The result of a command, in another project than the checkout's where one is passed."""
    return CliRunner().invoke(commands, [str(argument) for argument in arguments], obj=project)


def exit_code(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> Any:
    """The exit code of `main` for these arguments; None when it returns."""
    monkeypatch.setattr(sys, "argv", ["pipeline-lib", *map(str, arguments)])
    try:
        main()
    except SystemExit as end:
        return end.code
    return None
