"""The command that says what a model file from elsewhere needs."""

from dataclasses import asdict
from pathlib import Path

import click

from pipeline_lib.cli.output import JSON, print_json


@click.command
@click.argument("file", type=click.Path(path_type=Path))
@JSON
def inspect_model(file: Path, as_json: bool) -> None:
    """Say which versions a pickle, joblib or skops FILE needs, and what loading it would run.

    The file is read, not loaded: nothing in it is imported or called.
    """
    from pipeline_lib.compiler.model_file import inspect_model

    found = inspect_model(file)
    if as_json:
        print_json(asdict(found))
    else:
        click.echo(str(found))
