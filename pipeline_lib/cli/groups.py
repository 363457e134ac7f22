"""Commands in groups by task, as `pipeline-lib --help` lists them."""

from collections.abc import Mapping, Sequence

import click

_WHOLE = 1000
"""Characters of a command's first sentence that help shows: all of them, wrapped."""


class TaskGroup(click.Group):
    """Commands whose help is grouped by task: each command stands once, in the group that names what it is for.

    `tasks` maps the heading of each group to its commands, in the order in which they are listed.
    """

    def __init__(self, *, tasks: Mapping[str, Sequence[click.Command]], **settings: object) -> None:
        super().__init__(**settings)  # type: ignore[arg-type]
        self.tasks = tasks
        for members in tasks.values():
            for command in members:
                self.add_command(command)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of the groups, for help and completion; then those that no group has."""
        grouped = [str(command.name) for members in self.tasks.values() for command in members]
        return [*grouped, *sorted(self.commands.keys() - set(grouped))]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write a section for each group, all with the same width of names; the first sentence of each help, whole."""
        widest = max(map(len, self.commands), default=0)
        for heading, members in self.tasks.items():
            rows = [(str(command.name).ljust(widest), command.get_short_help_str(_WHOLE)) for command in members]
            if rows:
                with formatter.section(heading):
                    formatter.write_dl(rows)
