"""The command that serves records over HTTP."""

import os
from collections.abc import Callable
from dataclasses import replace
from tempfile import TemporaryDirectory
from typing import Any

import click

from pipeline_lib.cli.completion import REFERENCE
from pipeline_lib.cli.context import current_project
from pipeline_lib.cli.row_options import ALLOW_UNPROVEN, OTHER_VERSIONS, TRUST
from pipeline_lib.errors import InputError

_OPEN = "warning: found no token, expected one where other machines reach the server; --token-file FILE"
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


def _seconds(name: str, allowed: click.FloatRange, default: float, what: str) -> Callable[..., Any]:
    return click.option(name, metavar="SECONDS", type=allowed, default=default, show_default=True, help=what)


@click.command
@click.argument("refs", metavar="REF...", nargs=-1, required=True, type=REFERENCE)
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0 for any free port.")
@click.option("--workers", type=click.IntRange(1, 64), help="Processes that answer.  [default: one per CPU, at most 4]")
@click.option(
    "--token-file", metavar="FILE", help="Requests need its content as a bearer token, or $PIPELINE_LIB_TOKEN."
)
@click.option(
    "--max-body", metavar="MB", type=click.IntRange(1, 4096), default=64, show_default=True, help="Of a request."
)
@_seconds("--timeout", click.FloatRange(0.1, 3600), 60, "For a request to arrive whole, and for its answer to be read.")
@_seconds("--drain", click.FloatRange(0, 600), 5, "How long to go on answering after SIGTERM, no longer ready.")
@_seconds("--watch", click.FloatRange(0.1, 3600), 5, "How often to look whether REF@champion names another record.")
@click.option("--log", metavar="FOLDER", help="Keep every answer with its row there, without sensitive columns.")
@click.option(
    "--log-days", type=click.FloatRange(min=0.01), default=30, show_default=True, help="How long answers are kept."
)
@click.option(
    "--log-megabytes",
    metavar="MB",
    type=click.IntRange(min=1),
    default=10 << 10,
    show_default=True,
    help="How much the log of a record may take; the oldest answers go.",
)
@click.option("--shadow", metavar="REF", help="Ask this record, too, and count where it would answer otherwise.")
@TRUST
@OTHER_VERSIONS
@ALLOW_UNPROVEN
@click.option(
    "--log-level", type=click.Choice(["debug", "info", "warning", "error"]), default="info", show_default=True
)
def serve(
    refs: tuple[str, ...],
    host: str,
    port: int,
    workers: int | None,
    token_file: str | None,
    max_body: int,
    trust: tuple[str, ...],
    log_level: str,
    **options: float | bool | str | None,
) -> None:
    """Serve records over HTTP: /predict, the Open Inference Protocol, MLflow's routes; /docs lists them all.

    REF may also be an installed package (houses_model). Every record is verified before anything in it is loaded, and
    its parity must be exact. REF@champion follows the pointer: a promoted record takes over without a lost request, and
    a rollback as well. Only this machine reaches the server unless --host says otherwise.
    """
    from pipeline_lib.serving.models import Models
    from pipeline_lib.serving.observers import check_log, check_shadow, told_at_start
    from pipeline_lib.serving.settings import Settings, read_token

    try:
        import prometheus_client  # noqa: F401  the workers count with it

        from pipeline_lib.serving.listening import listen
        from pipeline_lib.serving.server import serve
    except ModuleNotFoundError as error:
        raise InputError(
            f"found no package {error.name!r}, expected the extra serve; pip install 'nb-pipeline-lib[serve]'"
        ) from error
    settings = Settings(
        refs,
        project=_project(),
        trust=trust,
        token_file=token_file,
        max_body=max_body << 20,
        workers=workers or min(os.cpu_count() or 1, 4),
        **options,  # type: ignore[arg-type]
    )
    token = read_token(token_file)
    with TemporaryDirectory(prefix="pipeline-lib-serve-") as folder:
        settings = replace(settings, folder=folder)
        models = Models(settings)
        models.load()
        if settings.shadow is not None:
            check_shadow(models.load_one(settings.shadow), list(models))
        if settings.log is not None:
            check_log(settings, models)
        listening = listen(host, port)
        place = f"http://{f'[{host}]' if ':' in host else host}:{listening.getsockname()[1]}"
        click.echo(f"{', '.join(served.reference for served in models)} at {place}, documentation at {place}/docs")
        for line in filter(None, map(told_at_start, models if settings.log is not None else ())):
            click.echo(line, err=True)
        if host not in _LOOPBACK and token is None:
            click.echo(_OPEN, err=True)
        del models  # the workers load their own
        serve(settings, listening, log_level=log_level)


def _project() -> str:
    try:
        return str(current_project().root)
    except InputError:  # outside of a project records are named by their paths
        return os.getcwd()  # noqa: PTH109 (text)
