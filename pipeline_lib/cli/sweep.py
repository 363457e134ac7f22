"""The command that runs one parameters file many times."""

import functools
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from pipeline_lib.cli.completion import PARAMETERS_FILE
from pipeline_lib.cli.output import JSON, print_json

if TYPE_CHECKING:
    from pipeline_lib.sweeps.result import Sweep

INTERRUPTED = 130


@click.command
@click.argument("params_file", type=PARAMETERS_FILE)
@click.option("--grid", multiple=True, metavar="KEY=VALUES", help="Values with commas, or 0..4; every combination.")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override one parameter of all members.")
@click.option(
    "--random", type=click.IntRange(min=1), metavar="N", help="Draw N members; KEY=0.001..0.1:log is a range."
)
@click.option("--bayes", type=click.IntRange(min=1), metavar="N", help="Draw N members, learning from --metric.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of --random and --bayes.")
@click.option("--metric", metavar="NAME", help="Sort by this metric, best first; by default METRIC of the pipeline.")
@click.option(
    "--direction",
    type=click.Choice(["minimize", "maximize"]),
    help="Where neither METRIC nor the metric's name says it.",
)
@click.option(
    "--parity",
    type=click.Choice(["best", "all", "none"]),
    default="best",
    show_default=True,
    help="Whose parity is checked; without --metric and METRIC best is the first member.",
)
@click.option(
    "--workers", type=click.IntRange(min=1), metavar="N", help="Processes; by default three for every two CPUs."
)
@click.option("--cold", is_flag=True, help="Start every kernel in a new process instead of forking it.")
@click.option("--dask", metavar="ADDRESS", help="Run on the workers of a Dask scheduler, tcp://HOST:PORT.")
@click.option("--store", metavar="URL", help="With --dask: where workers without this folder put their records.")
@click.option("--timeout", type=click.IntRange(min=1), help="Seconds that one cell may take.")
@click.option("--force", is_flag=True, help="Run members even if nothing has changed since a finished run.")
@JSON
def sweep(
    params_file: Path,
    grid: tuple[str, ...],
    overrides: tuple[str, ...],
    random: int | None,
    bayes: int | None,
    seed: int,
    metric: str | None,
    direction: str | None,
    parity: Literal["best", "all", "none"],
    workers: int | None,
    cold: bool,
    dask: str | None,
    store: str | None,
    timeout: int | None,
    force: bool,
    as_json: bool,
) -> None:
    """Run PARAMS_FILE with every combination of --grid values: a record for each, one page for all.

    The same command continues an interrupted sweep; finished members are not run again.
    """
    from pipeline_lib.sweeps.sweep import sweep as run_sweep
    from pipeline_lib.system.signals import stop_signals

    with stop_signals() as signals:
        result = run_sweep(
            params_file,
            grid,
            overrides=overrides,
            random=random,
            bayes=bayes,
            seed=seed,
            metric=metric,
            direction=direction,
            parity=parity,
            workers=workers,
            cold=cold,
            dask=dask,
            store=store,
            timeout=timeout,
            force=force,
            progress=functools.partial(click.echo, err=True),
        )
    if as_json:
        print_json(result.to_json())
    else:
        _print(result)
    sys.exit(128 + signals[0] if result.interrupted and signals else _exit_code(result))


def _print(result: "Sweep") -> None:
    from pipeline_lib.sweeps.page import summary

    if result.finished:
        click.echo(result.frame.drop(columns=["parity", "seconds", "status"]).to_string(index=False))
    for member in result.failed:
        click.echo(f"failed: {member.member.label}: {member.error}", err=True)
    for line in summary(result):
        click.echo(line)
    click.echo(f"page: {result.page}")


def _exit_code(result: "Sweep") -> int:
    if result.interrupted:
        return INTERRUPTED
    if result.failed:
        return 3
    return 1 if any(member.parity is False for member in result.results) else 0
