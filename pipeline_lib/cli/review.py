"""The command that writes a review of the changes since a git revision."""

from pathlib import Path

import click

from pipeline_lib.cli.context import current_project
from pipeline_lib.errors import InputError


@click.command
@click.argument("base")
@click.option(
    "--output", type=click.Path(path_type=Path), metavar="FILE", help="Write to a file instead of the terminal."
)
def review(base: str, output: Path | None) -> None:
    """Write Markdown for a pull request: what changed since the git revision BASE, and how results differ.

    Changed cells, parameters, whether generated modules are fresh, and for each pipeline the newest run against that
    of BASE or the champion. It fits a comment, names what is missing, and fetches nothing.
    """
    from pipeline_lib.runner.review.review import review as write_review
    from pipeline_lib.system.files import write_atomic

    text = write_review(current_project(), base)
    if output is None:
        click.echo(text, nl=False)
        return
    if not output.parent.is_dir() or output.is_dir():
        raise InputError(f"--output: found {str(output)!r}, expected a file in a folder that exists; name another")
    write_atomic(output, text.encode())
    click.echo(f"wrote {output}: {len(text):,} characters")
