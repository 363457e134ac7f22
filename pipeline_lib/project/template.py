"""The template of a project: its files with the names of a package and of the framework's version filled in.

`house/` is what every project shares and `update` brings up to date; `first/` is the example that `init` adds once.
A name that begins with `dot_` stands for one with a dot: package data leaves hidden files out.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

TEMPLATE = Path(__file__).parent / "templates" / "project"
FRAMEWORK = "nb-pipeline-lib"
"""The distribution that holds this package."""
PRISTINE = ".pipeline_lib/template"
"""The folder of a project that keeps the template's own files, as the base of the next merge."""
VERSION_FILE = ".pipeline_lib/version"
"""The file of a project that says which version's template it has."""


@dataclass(frozen=True)
class Names:
    """What a template's placeholders stand for: the package, the distribution, the framework's version."""

    library: str
    distribution: str
    version: str

    @classmethod
    def of(cls, library: str, distribution: str = "") -> "Names":
        """The names of a project whose package is `library`, with the framework that is installed."""
        return cls(library, distribution or library.replace("_", "-"), framework_version())

    def fill(self, text: str) -> str:
        """A text of the template with its placeholders replaced.

        >>> Names("credit_lab", "credit-lab", "0.1.0").fill("LIBRARY.steps of DISTRIBUTION")
        'credit_lab.steps of credit-lab'
        """
        words = {"LIBRARY": self.library, "DISTRIBUTION": self.distribution, "FRAMEWORK": self.version}
        return re.sub(r"\b(LIBRARY|DISTRIBUTION|FRAMEWORK)\b", lambda match: words[match[0]], text)


def framework_version() -> str:
    """The installed version of the framework."""
    return metadata.version(FRAMEWORK)


def house_files(names: Names, template: Path = TEMPLATE) -> dict[str, bytes]:
    """The files that every project shares, by their path from its root."""
    return _files(template / "house", names)


def first_files(names: Names, template: Path = TEMPLATE) -> dict[str, bytes]:
    """The files of the example pipeline, by their path from the project's root."""
    return _files(template / "first", names)


def pristine_files(house: Mapping[str, bytes], version: str) -> dict[str, bytes]:
    """The copies of the shared files that a project keeps for the next merge, and the version that they are of."""
    return {f"{PRISTINE}/{path}": content for path, content in house.items()} | {VERSION_FILE: f"{version}\n".encode()}


def _files(folder: Path, names: Names) -> dict[str, bytes]:
    files = {}
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if path.is_file() and not any(part.startswith((".", "__pycache__")) for part in inside.parts):  # caches
            parts = [names.fill(re.sub(r"^dot_", ".", part)) for part in inside.parts]
            files["/".join(parts)] = names.fill(path.read_text(encoding="utf-8")).encode()
    return files
