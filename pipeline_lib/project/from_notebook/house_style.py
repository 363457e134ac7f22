"""The new notebooks in the style of the project, so that `make check` passes as soon as they are written.

ruff formats them and mends what it can without changing what the code does. What is left is the author's: it gets
`# noqa` with its rule. Types that the author's code lacks are switched off for the new module, by kind of error.
Where ruff or mypy is not installed, `make check` cannot run either, and nothing is done.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pipeline_lib.project.export import export
from pipeline_lib.project.notebooks import notebook_bytes
from pipeline_lib.project.project import Project

_SAFE = 'lint.extend-safe-fixes = ["RET504"]'
"""A value that is returned needs no name: the same value without it."""
_TYPE_ERROR = re.compile(r"^(?P<path>[^:]+):\d+: error: .*\[(?P<code>[a-z-]+)\]$")
_ROUNDS = 3
"""A comment may make a line too long, which the next round comments upon."""


def tidied(content: bytes, path: Path, project: Project) -> tuple[bytes, list[str]]:
    """A notebook as the project's ruff wants it, and the rules that its code still breaks, which have `# noqa`.

    `path` is where it will lie, since the rules depend on the folder.
    """

    def ruff(*words: str) -> str:
        own = f'lint.isort.known-first-party = ["{project.library}"]'  # the new module does not exist yet
        return _ruff([*words, "--quiet", "--config", own], text, path, project.root)

    if find_spec("ruff") is None:
        return content, []
    rules: dict[str, None] = {}
    text = content.decode()
    for _ in range(_ROUNDS):
        text = ruff("check", "--fix", "--config", _SAFE) or text
        text = ruff("format") or text
        found = json.loads(ruff("check", "--output-format", "json") or "[]")
        if not found:
            break
        rules |= dict.fromkeys(one["code"] for one in found if one["code"])
        text = json.dumps(_with_noqa(json.loads(text), found))
    return notebook_bytes(json.loads(text)), list(rules)


def _ruff(words: list[str], text: str, path: Path, root: Path) -> str:
    """What ruff prints for the text of a notebook."""
    command = [sys.executable, "-m", "ruff", *words, "--stdin-filename", str(path), "-"]
    done = subprocess.run(command, cwd=root, input=text, capture_output=True, text=True, check=False)  # noqa: S603
    return done.stdout


def _with_noqa(notebook: dict[str, Any], found: list[dict[str, Any]]) -> dict[str, Any]:
    """A notebook with a comment in each line that breaks a rule."""
    rules: dict[tuple[int, int], set[str]] = {}
    for one in found:
        if one["code"]:
            place = (one["cell"] - 1, (one.get("noqa_row") or one["location"]["row"]) - 1)
            rules.setdefault(place, set()).add(one["code"])
    for (cell, row), codes in rules.items():
        lines = "".join(notebook["cells"][cell]["source"]).split("\n")
        code, mark, known = lines[row].partition("  # noqa: ")
        every = sorted({*codes, *(known.split(", ") if mark else ())})
        lines[row] = f"{code}  # noqa: {', '.join(every)}"
        notebook["cells"][cell]["source"] = "\n".join(lines).splitlines(keepends=True)
    return notebook


def type_errors(project: Project, name: str) -> list[str]:
    """The kinds of errors that mypy finds in the module of a pipeline, such as `no-untyped-def`."""
    if find_spec("mypy") is None:
        return []
    module = f"{project.library}.pipelines.{name}"
    command = [sys.executable, "-m", "mypy", "--hide-error-context", "--no-pretty", "--no-error-summary", "-m", module]
    done = subprocess.run(command, cwd=project.root, capture_output=True, text=True, check=False)  # noqa: S603
    path = project.package / "pipelines" / f"{name}.py"
    found = [match for line in done.stdout.splitlines() if (match := _TYPE_ERROR.match(line))]
    return sorted({match["code"] for match in found if (project.root / match["path"]).resolve() == path.resolve()})


def switch_off_types(project: Project, notebook: Path, codes: Iterable[str]) -> None:
    """Switch kinds of mypy's errors off in the module that a pipeline notebook exports, and export it."""
    content = json.loads(notebook.read_text(encoding="utf-8"))
    line = f'# mypy: disable-error-code="{", ".join(codes)}"\n'
    for cell in content["cells"]:
        if cell["id"] == "imports":
            directive, *rest = "".join(cell["source"]).splitlines(keepends=True)
            cell["source"] = [directive, "# delete this line when the functions below are annotated\n", line, *rest]
    notebook.write_bytes(notebook_bytes(content))
    export(project)
