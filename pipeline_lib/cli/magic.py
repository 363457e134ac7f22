"""`%pipeline` in Jupyter: the commands of `pipeline-lib` in a cell, with the same arguments.

A command runs in a process of its own, in the project's folder: it sees the files as they are, not the modules that
the kernel loaded before. Its output appears as it comes. An error is one message and stops the cell, as any error does,
so that a notebook does not go on after a check that failed.
"""

import codecs
import os
import selectors
import shlex
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline_lib.errors import InputError
from pipeline_lib.project.project import find_project

_ERROR = "error: "
"""Begins the message with which a command ends; the rest of its standard error belongs to it."""
_MEANINGS = {1: "a check found a difference, see above", 2: "bad input", 130: "interrupted"}
"""What exit codes mean for which a command may print no error."""
_OF_A_KERNEL = ("PIPELINE_LIB_RECORD", "PIPELINE_LIB_REPLAY", "PIPELINE_LIB_WARM", "JUPYTER_DEFAULT_PROVISIONER_NAME")
"""Variables of this kernel's own run: a command is no part of it."""
_BLOCK_BYTES = 1 << 16


class CommandError(Exception):
    """A command that did not end with exit code 0; Jupyter shows its message without a traceback."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code

    def _render_traceback_(self) -> list[str]:  # IPython asks for it
        return [f"{_ERROR}{self}"]


def load(shell: Any) -> None:
    """Register `%pipeline` and its completion in an IPython shell."""
    shell.register_magic_function(pipeline, "line", "pipeline")
    matchers = getattr(shell.Completer, "custom_matchers", None)  # IPython 8.6 and later
    if matchers is not None and _matcher not in matchers:
        matchers.append(_matcher)


def pipeline(line: str) -> None:
    """Run a command: %pipeline run params/houses.yml, %pipeline parity houses, %pipeline --help.

    Paths count from the project's folder, wherever the notebook lies.
    """
    try:
        arguments = shlex.split(line)
    except ValueError as error:
        raise CommandError(f"found {error} in `{line}`, expected quotes in pairs; close them", 2) from None
    run_command(arguments or ["--help"])


def run_command(arguments: list[str]) -> None:
    """Run `pipeline-lib` with these arguments, and print its output as it comes.

    Raises CommandError with its message for any exit code but 0.
    """
    process = subprocess.Popen(  # noqa: S603  this Python, this library
        [sys.executable, "-P", "-m", "pipeline_lib", *arguments],
        cwd=_folder(),
        env=_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    errors = _ErrorLines(sys.stderr.write)
    try:
        _copy(process, errors)
    except KeyboardInterrupt:  # the command is in this process's group and was interrupted, too: it ends in order
        _copy(process, errors)
    code = process.wait()
    message = errors.close()
    if code:
        command = shlex.join(["pipeline-lib", *arguments])
        raise CommandError(
            message or f"`{command}` ended with exit code {code}: {_MEANINGS.get(code, 'it failed')}", code
        )


class _ErrorLines:
    """The standard error of a command: lines of progress are printed, those from the first one of an error on kept."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write
        self._line, self._error = "", ""

    def write(self, text: str) -> None:
        """Take the next part of the text."""
        *lines, self._line = f"{self._line}{text}".split("\n")
        for line in lines:
            if self._error or line.startswith(_ERROR):
                self._error += f"{line}\n"
            else:
                self._write(f"{line}\n")

    def close(self) -> str:
        """The error's message without its prefix; empty where there is none."""
        if self._line:
            self.write("\n")
        return self._error.removeprefix(_ERROR).rstrip()


def _copy(process: "subprocess.Popen[bytes]", errors: _ErrorLines) -> None:
    """Write both streams of a command to this process's as they come, until they end."""
    decode = codecs.getincrementaldecoder("utf-8")
    with selectors.DefaultSelector() as waiting:
        for stream, write in ((process.stdout, sys.stdout.write), (process.stderr, errors.write)):
            if stream and not stream.closed:
                waiting.register(stream, selectors.EVENT_READ, (write, decode(errors="replace")))
        while waiting.get_map():
            for key, _ in waiting.select():
                write, decoder = key.data
                block = os.read(key.fd, _BLOCK_BYTES)
                write(decoder.decode(block, final=not block))
                if not block:
                    waiting.unregister(key.fileobj)
                    key.fileobj.close()  # type: ignore[union-attr]
            sys.stdout.flush()
            sys.stderr.flush()


def _folder() -> Path:
    """The project's folder; the working one where there is no project, of which the command itself complains."""
    with suppress(InputError):
        return find_project().root
    return Path.cwd()


def _environment() -> dict[str, str]:
    """This kernel's environment without what makes a process part of its run, or its plots part of its cells."""
    environment = {name: value for name, value in os.environ.items() if name not in _OF_A_KERNEL}
    if "inline" in environment.get("MPLBACKEND", ""):
        del environment["MPLBACKEND"]
    return environment | {"PYTHONUNBUFFERED": "1"}


def _matcher(context: Any) -> dict[str, Any]:
    """What may follow in a line of `%pipeline`: commands, options, references, parameters files; else nothing.

    The word to complete is found here: IPython ends one at @.
    """
    from click.shell_completion import split_arg_string

    line = context.text_until_cursor.lstrip()
    words = split_arg_string(line)
    ended = line[-1:].isspace()
    if words[:1] != ["%pipeline"] or (len(words) == 1 and not ended):
        return {"completions": []}
    arguments, typed = (words[1:], "") if ended else (words[1:-1], words[-1])
    completions = [_Completion(value) for value in _offered(arguments, typed)]
    return {"completions": completions, "matched_fragment": typed, "suppress": True, "ordered": True}


_matcher.matcher_api_version = 2  # type: ignore[attr-defined]  # as IPython's decorator sets it
_matcher.matcher_identifier = "pipeline_lib"  # type: ignore[attr-defined]


@dataclass(frozen=True)
class _Completion:
    """A completion as IPython takes it."""

    text: str
    type: str = "magic"


def _offered(arguments: list[str], typed: str) -> list[str]:
    """Completions of a word, as commands in the project's folder have them."""
    from click.shell_completion import ShellComplete

    from pipeline_lib.cli.main import commands

    before = Path.cwd()
    os.chdir(_folder())
    try:
        offered = ShellComplete(commands, {}, "pipeline-lib", "").get_completions(arguments, typed)
    finally:
        os.chdir(before)
    return [str(item.value) for item in offered if item.type == "plain"]
