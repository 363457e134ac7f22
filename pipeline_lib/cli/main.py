"""The entry point of the command line: the commands, and the exit code of every error."""

import atexit
import gc
import os
import sys
import traceback
from typing import NoReturn

import click

from pipeline_lib.cli import (
    champions,
    compare,
    completion,
    diff,
    doctor,
    drift,
    forget,
    mlflow,
    model_file,
    new,
    notebooks,
    package,
    parity,
    predict,
    project,
    prune,
    records,
    replay,
    retrain,
    review,
    run,
    serve,
    sources,
    sweep,
)
from pipeline_lib.cli.context import check_checkout
from pipeline_lib.cli.groups import TaskGroup
from pipeline_lib.cli.help import explain
from pipeline_lib.errors import PipelineLibError
from pipeline_lib.refusals.catalog import code_of
from pipeline_lib.system.jupyter_imports import allow_fast_jupyter_imports


def main() -> None:
    """Entry point: exit 0 for success, 1 where a check found a difference, 2 for bad input, 3 where the run failed."""
    completion.allow_completion()
    allow_fast_jupyter_imports()
    atexit.register(gc.freeze)  # a last collection over thousands of modules would take half a second
    try:
        commands.main(prog_name=completion.PROGRAM, standalone_mode=False)
    except PipelineLibError as error:
        _fail(str(error), error.exit_code, error.code)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except ModuleNotFoundError as error:
        _fail(
            f"found no package {error.name!r}, expected the requirements of research; run `make setup` and use "
            "`.venv/bin/pipeline-lib`; outside of a project pip install 'nb-pipeline-lib[opaque,research]'",
            2,
        )
    except OSError as error:
        _fail(f"found {error}, expected files and folders that can be read and written; correct that and try again", 3)
    except Exception:
        _echo(traceback.format_exc().rstrip())
        _fail("found an unexpected error: this is a bug, expected none; please report the lines above", 3)


def _echo(text: str) -> None:
    """Print to stderr without secrets."""
    from pipeline_lib.project.redaction import redact_here

    click.echo(redact_here(text), err=True)


def _fail(message: str, exit_code: int, code: str = "") -> NoReturn:
    """Print the message of an error, below it the code of its kind, and end."""
    _echo(f"error: {message}")
    code = code or code_of(message)
    _echo(f"code: {code} (`pipeline-lib help {code}` explains it)")
    sys.exit(exit_code)


TASKS: dict[str, tuple[click.Command, ...]] = {
    # One line makes a command: its name in the group whose heading says what it is for.
    "Start": (project.init, new.new, notebooks.export, notebooks.clean, project.update, completion.completion, explain),
    "Run": (run.run, run.run_all, sweep.sweep, run.resume, retrain.retrain),
    "Look": (records.runs, records.show, records.report, records.lab, sources.sources, model_file.inspect_model),
    "Check": (
        parity.verify,
        parity.parity,
        compare.compare,
        compare.compare_recipes,
        diff.reproduce,
        diff.diff,
        doctor.doctor,
        review.review,
    ),
    "Use": (predict.predict, serve.serve, drift.drift, replay.replay, replay.why, package.package),
    "Share": (records.push, records.pull, champions.promote, champions.champions, mlflow.mlflow),
    "Clean up": (prune.prune, forget.forget),
}


@click.group(cls=TaskGroup, tasks=TASKS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="nb-pipeline-lib", prog_name="pipeline-lib")
@click.pass_context
def commands(context: click.Context) -> None:
    """From research notebook to production library: the same raw rows give the same bits.

    A REF names a run: NAME (its newest finished run), NAME@latest (newest of any status),
    NAME@best (best by METRIC), NAME@champion (the promoted one), NAME@scratch (newest
    interactive one), NAME/ID, or the path of a record.
    """
    if context.invoked_subcommand not in (doctor.doctor.name, explain.name):  # which says it, or explains it
        check_checkout(context)


commands.add_command(predict.score)
