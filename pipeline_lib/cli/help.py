"""The command that explains an error: what its code means, and what to do."""

import difflib

import click
from click.shell_completion import CompletionItem

from pipeline_lib.errors import InputError
from pipeline_lib.refusals.catalog import OWN_CODE, SUBJECTS, Kind, code_of, kinds

_WIDTH = 100


class ErrorCode(click.ParamType[str]):
    """A code of an error: shells complete it."""

    name = "code"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """The codes that begin so."""
        return [CompletionItem(code) for code in kinds() if code.startswith(incomplete)]


@click.command("help")
@click.argument("code", required=False, type=ErrorCode())
@click.pass_context
def explain(context: click.Context, code: str | None) -> None:
    """Explain an error by its CODE: what it means and what to do; without CODE list all.

    CODE may also be the message itself, in quotes, or the name of a command.
    """
    if code is None:
        click.echo(_list())
    elif code in kinds():
        click.echo(_explained(kinds()[code]))
    elif command := _command(context, code):
        click.echo(command.get_help(click.Context(command, info_name=code, parent=context.parent)))
    elif " " in code and code_of(code.removeprefix("error: ")) != OWN_CODE:
        click.echo(_explained(kinds()[code_of(code.removeprefix("error: "))]))
    else:
        close = difflib.get_close_matches(code, kinds(), 3) or ["a code"]
        raise InputError(
            f"help: found {code!r}, expected a code such as {', '.join(close)}; `pipeline-lib help` lists all, and a "
            "command prints the code below its error"
        )


def _command(context: click.Context, name: str) -> click.Command | None:
    """The command of this name, beside `help`."""
    group = context.parent.command if context.parent else None
    return group.get_command(context, name) if isinstance(group, click.Group) else None


def _list() -> str:
    """All codes with their titles, by subject."""
    widest = max(map(len, kinds()))
    lines = ["pipeline-lib help CODE explains one of these errors.", ""]
    for subject in SUBJECTS.values():
        members = [kind for kind in kinds().values() if kind.subject == subject]
        lines += [f"{subject}:", *(f"  {kind.code.ljust(widest)}  {kind.title}" for kind in members), ""]
    return "\n".join(lines).rstrip()


def _explained(kind: Kind) -> str:
    """One kind, for a terminal."""
    parts = [kind.meaning, f"What to do: {kind.remedy}"]
    text = "\n\n".join(click.wrap_text(part, _WIDTH) for part in parts)
    return f"{kind.code}: {kind.title}\n\n{text}\n\nMore, in the documentation: {kind.page}"
