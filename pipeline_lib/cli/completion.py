"""Completion in shells: references of runs, parameters files, names of pipelines. It imports little, since it is typed.

What a shell completes is read from the folders alone: no record is opened, so a reference that is offered may name a
run that the command then refuses.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import click
from click.shell_completion import BashComplete, CompletionItem, add_completion_class, get_completion_class
from click.shell_completion import split_arg_string as split

from pipeline_lib.errors import InputError
from pipeline_lib.project.project import SCRATCH, Project, find_project
from pipeline_lib.records.record import ID

PROGRAM = "pipeline-lib"
VARIABLE = "_PIPELINE_LIB_COMPLETE"
"""The variable by which a shell's script asks for completions; click reads it."""
_FILES = CompletionItem("", type="file")
_BASH = """\
%(complete_func)s() {
    local IFS=$'\\n' line=${COMP_LINE:0:COMP_POINT} breaks="" cut="" letter type value
    local word=${line##*[[:space:]]}
    COMPREPLY=()
    # Bash may end a word at these letters, and then replaces only what comes after the last one; @ it replaces, too.
    for letter in @ = :; do
        [[ $COMP_WORDBREAKS == *$letter* ]] && breaks+=$letter
    done
    [[ -n $breaks ]] && cut=${word%%"${word##*[$breaks]}"}
    cut=${cut%%@}
    for letter in $(env COMP_LINE="$line" %(complete_var)s=bash_complete "$1"); do
        IFS=',' read -r type value <<< "$letter"
        case $type in
            dir) compopt -o dirnames ;;
            file) compopt -o default ;;
            plain) COMPREPLY+=("${value#"$cut"}") ;;
        esac
    done
}
complete -o nosort -F %(complete_func)s %(prog_name)s
"""


class Bash(BashComplete):
    """Bash's completion for values with `@`, at which Bash would end the word: the line is split here instead."""

    source_template = _BASH

    def get_completion_args(self) -> tuple[list[str], str]:
        """The words of the line up to the cursor, and the last one, which is to be completed."""
        line = os.environ["COMP_LINE"]
        words = split(line)[1:]
        return (words, "") if line[-1:].isspace() or not words else (words[:-1], words[-1])


def allow_completion() -> None:
    """Let click answer a shell that asks for completions in this process."""
    if VARIABLE in os.environ:
        add_completion_class(Bash, "bash")


@click.command
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the script by which a shell completes commands, options, references and parameters files.

    Load it in each new shell: eval "$(pipeline-lib completion bash)" in ~/.bashrc, the same with zsh in ~/.zshrc
    (after compinit), pipeline-lib completion fish | source in ~/.config/fish/config.fish.
    """
    add_completion_class(Bash, "bash")
    found = get_completion_class(shell)
    assert found is not None  # noqa: S101  one of click's
    root = click.get_current_context().find_root().command
    click.echo(found(root, {}, PROGRAM, VARIABLE).source())


class Reference(click.ParamType[str]):
    """A run by its reference."""

    name = "ref"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[Any]]:
        """References that begin with what is typed; files where it is the beginning of a path."""
        if incomplete.startswith((".", "/", "~")):
            return [_FILES]
        return _items(references(project, incomplete) for project in _project(ctx))


class PipelineName(click.ParamType[str]):
    """A pipeline by its name."""

    name = "name"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[Any]]:
        """Names of pipelines that have a notebook or runs."""
        names = ((*project.pipelines(), *_with_runs(project)) for project in _project(ctx))
        return _items(sorted({name for name in found if name.startswith(incomplete)}) for found in names)


class ParametersFile(click.Path):
    """The path of a parameters file."""

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[Any]]:
        """The project's parameters files as paths from here, also by the beginning of the name alone; else files."""
        return _items(parameters_files(project, incomplete) for project in _project(ctx)) or [_FILES]


def references(project: Project, incomplete: str) -> list[str]:
    """References that begin with a text: pipelines and their selectors; after a slash the IDs of runs, newest first."""
    folder, slash, _ = incomplete.rpartition("/")
    if slash:
        name, at, which = folder.partition("@")
        runs = project.runs / name / SCRATCH if at and which == SCRATCH else project.runs / name
        ids = sorted((found for found in _names(runs) if ID.fullmatch(found)), reverse=True)
        every = [f"{folder}/{found}" for found in ids] if which in ("", SCRATCH) else []
    else:
        every = [reference for name in _with_runs(project) for reference in _selected(project, name)]
    return [reference for reference in every if reference.startswith(incomplete)]


def parameters_files(project: Project, incomplete: str) -> list[str]:
    """Parameters files as paths from the working folder: those whose path, or else whose name, begins with a text."""
    files = [os.path.relpath(path) for path in sorted(project.params.glob("*.yml"))]
    own = "./" if incomplete.startswith("./") else ""
    by_path = [f"{own}{file}" for file in files if f"{own}{file}".startswith(incomplete)]
    return by_path or [file for file in files if Path(file).name.startswith(incomplete)]


def _selected(project: Project, name: str) -> Iterator[str]:
    """A pipeline's name alone and with each selector for which there may be a run."""
    folders = set(_names(project.runs / name))
    recorded = any(ID.fullmatch(folder) for folder in folders)
    champion = (project.root / "champions" / f"{name}.yml").is_file()
    if recorded:
        yield from (name, f"{name}@latest", f"{name}@best")
    if champion:
        yield f"{name}@champion"
    if SCRATCH in folders:
        yield f"{name}@{SCRATCH}"


def _with_runs(project: Project) -> list[str]:
    """Pipelines that have runs, here or as a champion."""
    champions = (path.stem for path in (project.root / "champions").glob("*.yml"))
    return sorted({*champions, *(name for name in _names(project.runs) if not name.startswith("."))})


def _names(folder: Path) -> list[str]:
    """Names of the folders in a folder; none where it cannot be read."""
    with suppress(OSError), os.scandir(folder) as entries:
        return [entry.name for entry in entries if entry.is_dir()]
    return []


def _project(ctx: click.Context) -> Iterator[Project]:
    """The project of this folder, if it is one: a shell that completes has no place for a message."""
    with suppress(InputError, OSError):
        yield ctx.find_root().obj or find_project()


def _items(found: Iterable[Iterable[str]]) -> list[CompletionItem[Any]]:
    return [CompletionItem(value) for values in found for value in values]


REFERENCE = Reference()
PIPELINE = PipelineName()
PARAMETERS_FILE = ParametersFile(path_type=Path)
