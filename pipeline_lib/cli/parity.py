"""Commands that check one record: its parity in production, its bytes. Exit 1 for a difference."""

import sys
from pathlib import Path
from typing import Any

import click

from pipeline_lib.cli.context import find, library
from pipeline_lib.cli.output import JSON, REF, print_json, report_problems
from pipeline_lib.errors import InputError


@click.command
@REF
@click.option("--quick", is_flag=True, help="Deliver rows in every form, in one fresh process; the default.")
@click.option("--full", is_flag=True, help="Also other threads, CPUs, locales, days and clean environments.")
@click.option("--only", multiple=True, metavar="NAME", help="One variation, such as 'one row' or CSV; can be repeated.")
@JSON
def parity(ref: str, quick: bool, full: bool, only: tuple[str, ...], as_json: bool) -> None:
    """Repeat a record in fresh processes, under every variation, and compare every bit."""
    from pipeline_lib.parity.check import check_parity
    from pipeline_lib.parity.result import one_line
    from pipeline_lib.parity.variations import FULL
    from pipeline_lib.records.layout import PARITY_PAGE
    from pipeline_lib.records.next_step import next_step
    from pipeline_lib.records.promotable import source_problem
    from pipeline_lib.records.record import checks_folder

    if quick + full + bool(only) > 1:
        raise InputError("found two of --quick, --full and --only, expected one at most; leave the others out")
    options: dict[str, Any] = {"variations": FULL if full else only} if full or only else {}
    if full:
        options["progress"] = lambda outcome: click.echo(one_line(outcome), err=True)
    record = find(ref)
    problem = source_problem(record) if full and not record.is_scratch else None
    if problem:
        click.echo(f"note: this record can never be promoted, whatever this check finds: {problem}", err=True)
    result = check_parity(record, library=library(), **options)
    if as_json:
        print_json(result.to_json())
    else:
        click.echo(f"{result.reference}\n{result}\npage: {checks_folder(record) / PARITY_PAGE}")
        if not only and not record.is_scratch:
            click.echo(next_step(record, {"exact": result.exact, "full": full}))
    absent = [f"{outcome.variation}: {outcome.detail}" for outcome in result.of_verdict("absent")] if only else []
    if absent and result.exact:
        raise InputError(f"found nothing to check: {'; '.join(absent)}, expected what it needs; leave it out here")
    sys.exit(0 if result.exact else 1)


@click.command
@REF
@click.option("--key", metavar="PUBLIC", help="REF is a signed package: check FILE.sig with this public key (PEM).")
@JSON
def verify(ref: str, key: str | None, as_json: bool) -> None:
    """Check every byte of a sealed record; with --key, of a signed package, before anything in it is read."""
    if key is not None:
        _verify_package(Path(ref), Path(key))
        return
    if Path(ref).suffix == ".whl":
        raise InputError(f"{ref}: found a package without --key, expected the public key that signed it; --key PUBLIC")
    from pipeline_lib.records.forgotten import forgotten_at
    from pipeline_lib.records.seal import verify as find_problems

    record = find(ref)
    problems = [f"{record.reference}: {problem}" for problem in find_problems(record)]
    if as_json:
        print_json({"reference": record.reference, "problems": problems})
        sys.exit(1 if problems else 0)
    forgotten = forgotten_at(record.folder)
    more = f"; {forgotten}" if forgotten else ""
    report_problems(problems, f"{record.reference}: every byte is as it was sealed{more}")


def _verify_package(file: Path, key: Path) -> None:
    from pipeline_lib.scoring.signature import verify_file

    verify_file(file, key)
    click.echo(f"{file.name}: every byte is as {key.name} signed it")
