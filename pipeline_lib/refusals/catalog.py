"""All kinds of errors by their codes, and the kind of a message.

The kinds are data in the TOML files beside this module: their order is the order in which phrases are looked for.
"""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import TracebackType

FILES = ("rows.toml", "project.toml", "runs.toml", "production.toml", "compiling.toml")
SUBJECTS = dict(
    zip(
        FILES,
        ("Raw rows", "The project and its data", "Runs and records", "Production and options", "Compiling"),
        strict=True,
    )
)
"""The headings of the files, as the documentation has them."""
OWN_CODE = "own-code"
"""The kind of errors that are raised outside of this package: by a project's own steps and pipelines."""
_PACKAGE = "pipeline_lib."


@dataclass(frozen=True)
class Kind:
    """A kind of error: its code, what it means, what to do, and the page of docs/ that says more.

    A message is of this kind where one of the regular expressions `phrases` is found in it; else where it was raised in
    one of `modules`, names below the package such as `rows.conform`, of which the longest that fits decides. Phrases
    count only for errors of the modules `within`, where it names some.
    """

    code: str
    title: str
    meaning: str
    remedy: str
    page: str
    subject: str
    phrases: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    within: tuple[str, ...] = ()

    def says(self, message: str, module: str) -> bool:
        """Whether a message that the module raised has one of the phrases; "" is an unknown module."""
        counts = not (self.within and module) or any(_below(module, home) for home in self.within)
        return counts and any(re.search(phrase, message, re.MULTILINE) for phrase in self.phrases)


@cache
def kinds() -> dict[str, Kind]:
    """Every kind, by its code."""
    import tomllib  # needed only where an error is explained

    result: dict[str, Kind] = {}
    for name, subject in SUBJECTS.items():
        text = (Path(__file__).parent / name).read_text(encoding="utf-8")
        for code, facts in tomllib.loads(text).items():
            result[code] = Kind(
                code=code,
                subject=subject,
                **{key: value for key, value in facts.items() if isinstance(value, str)},
                phrases=tuple(facts.get("phrases", ())),
                modules=tuple(facts.get("modules", ())),
                within=tuple(facts.get("within", ())),
            )
    return result


def code_of(message: str, module: str = "") -> str:
    """The code of an error: by its message, else by the module that raised it, a name below the package."""
    for kind in kinds().values():
        if kind.says(message, module):
            return kind.code
    homes = {home: kind.code for kind in kinds().values() for home in kind.modules if _below(module, home)}
    return homes[max(homes, key=len)] if homes else OWN_CODE


def _below(module: str, home: str) -> bool:
    return module == home or module.startswith(f"{home}.")


def raising_module(traceback: TracebackType | None) -> str:
    """The name below the package of the module that raised an error; "" for one of another package."""
    name = ""
    while traceback is not None:
        name = traceback.tb_frame.f_globals.get("__name__", "")
        traceback = traceback.tb_next
    return name.removeprefix(_PACKAGE) if name.startswith(_PACKAGE) else ""


def anchor(code: str) -> str:
    """The anchor of a kind in the page of error messages."""
    return f"error-{code}"
