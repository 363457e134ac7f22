"""The command that packages a record."""

from pathlib import Path

import click

from pipeline_lib.cli.context import current_project, find
from pipeline_lib.cli.output import REF


@click.command
@REF
@click.option("--out", default="dist", show_default=True, metavar="FOLDER", help="Where the wheel goes.")
@click.option("--include-rows", is_flag=True, help="Also the rows of the evidence; never where a column is sensitive.")
@click.option("--sign", metavar="KEY", help="Also FILE.whl.sig, by this private key (PEM, elliptic curve).")
def package(ref: str, out: str, include_rows: bool, sign: str | None) -> None:
    """Package a record as a wheel that proves itself where it is installed.

    The record must be as it was sealed, of committed files, and exact in `pipeline-lib parity REF --full`; generated
    modules must be fresh and all files committed. The wheel is built twice with the same bytes, installed into a clean
    environment, and repeats its self-test and the evidence there before it is called done.
    """
    from pipeline_lib.release.package import package as build
    from pipeline_lib.release.sign import load_private_key, sign_file

    if sign is not None:
        load_private_key(Path(sign))  # refused before the work, not after it
    done = build(
        find(ref),
        current_project(),
        Path(out),
        include_rows=include_rows,
        progress=lambda line: click.echo(line, err=True),
    )
    if sign is not None:
        click.echo(f"signed: {sign_file(done.wheel, Path(sign))}")
    click.echo(
        f"{done.wheel}: installed into a clean environment, where its self-test and {done.evidence_rows:,} rows of "
        f"evidence give the record's bits\nnext: pip install --no-deps {done.wheel} where nb-pipeline-lib is "
        f"installed, then python -m {done.name} self-test"
    )
