"""Commands for MLflow: a record as a run of a tracking server."""

import os

import click

from pipeline_lib.cli.context import current_project, find
from pipeline_lib.cli.output import REF
from pipeline_lib.cli.records import SENSITIVE
from pipeline_lib.errors import InputError


@click.group
def mlflow() -> None:
    """Log a record to a server of MLflow (extra `mlflow`): `pipeline-lib mlflow log REF`."""


@mlflow.command
@REF
@click.option("--tracking-uri", metavar="URI", help="The server; without it the variable MLFLOW_TRACKING_URI.")
@click.option("--experiment", metavar="NAME", help="The experiment; without it the name of the pipeline.")
@click.option("--register", metavar="NAME", help="Also a version of the registered model of this name.")
@click.option("--include-rows", is_flag=True, help="Also the rows of the evidence and the executed notebook.")
@SENSITIVE
def log(
    ref: str,
    tracking_uri: str | None,
    experiment: str | None,
    register: str | None,
    include_rows: bool,
    include_sensitive: bool,
) -> None:
    """Log a record as a run of MLflow: parameters, metrics, report, tags, and a model with the record's bits.

    The same record is logged once: the server's run is found by the digest of the seal, and gets what is new. Raw rows
    are sent only with --include-rows. Of a record with fields marked sensitive the report has no outputs.
    """
    from pipeline_lib.release.mlflow_files import Contents
    from pipeline_lib.release.mlflow_log import URI, Target, log_record

    record = find(ref)
    uri = tracking_uri or os.environ.get(URI)
    if not uri:
        raise InputError(
            f"found no address of a server, expected --tracking-uri or {URI}, such as http://127.0.0.1:5000; "
            "`mlflow server` starts one"
        )
    target = Target(uri, experiment or record.pipeline, register or "")
    run = log_record(record, current_project(), target, Contents(include_rows, include_sensitive))
    verb = "logged" if run.created else "already there"
    click.echo(f"{verb}: {record.reference} is the run {run.run_id} of the experiment {run.experiment}")
    if run.version:
        click.echo(f"registered: {register} version {run.version}")
    click.echo(f'load it: mlflow.pyfunc.load_model("{run.model}")')
