"""The reference of the command line, from the commands themselves."""

import click

from pipeline_lib.cli.main import TASKS, commands

_HEAD = """# Command line

Every command with all its options, as `pipeline-lib COMMAND --help` prints them; this page is generated from the
commands. [Commands](commands.md) has them by task, the ways to name a run, exit codes and completion.
"""


def page() -> str:
    """The page: a section for each task, in it each command."""
    sections = [_HEAD]
    for task, members in TASKS.items():
        sections.append(f"## {task}\n")
        sections += [command_section(command) for command in members]
    return "\n".join(sections)


def command_section(command: click.Command, parent: click.Context | None = None) -> str:
    """A command, with those below it: how it is called, what it does, its options in a table."""
    parent = parent or click.Context(commands, info_name="pipeline-lib")
    context = click.Context(command, info_name=command.name, parent=parent)
    name = context.command_path.removeprefix("pipeline-lib ")
    usage = " ".join(command.get_usage(context).removeprefix("Usage: ").split())
    lines = [f"(command-{name.replace(' ', '-')})=", f"### pipeline-lib {name}", "", "```text", usage, "```", ""]
    lines += [prose(command.help or ""), ""]
    rows = [option_row(option, context) for option in command.params if isinstance(option, click.Option)]
    if rows:
        lines += ["| option | meaning |", "|---|---|", *rows, ""]
    if isinstance(command, click.Group):
        lines += [command_section(below, context) for below in command.commands.values()]
    return "\n".join(lines)


def option_row(option: click.Option, context: click.Context) -> str:
    """A row of the table of options."""
    name, meaning = option.get_help_record(context) or (", ".join(option.opts), "")
    name = name.replace("|", " \\| ")
    return f"| `{name}` | {prose(meaning).replace('|', '&#124;')} |".replace("\n", " ")


def prose(text: str) -> str:
    """A help text as Markdown, where stars and angle brackets mean themselves."""
    paragraphs = [" ".join(part.split()) for part in text.replace("\b", "").split("\n\n")]
    return "\n\n".join(paragraphs).replace("*", "\\*").replace("<", "&lt;").replace("[", "\\[").replace("_", "\\_")
