"""Writes the lock files with uv, and names those that settings.ini no longer agrees with.

`requirements.lock` pins every extra but those in `APART`, and the build backend; `requirements-core.lock` what
production needs; `requirements-compiler.lock` the extra `compiler`. Each begins with a digest of its requirement lines,
so that a test can compare it with settings.ini without resolving anything.
"""

import hashlib
import subprocess
import sys
import tomllib
from configparser import ConfigParser
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DIGEST_LINE = "# requirements digest: "
APART = ("peers", "compiler")
"""Extras that development does not install: one pins exact versions, the other is large and rarely needed."""


@dataclass(frozen=True)
class Requirements:
    """The input of one lock file: the oldest Python, and requirement lines, sorted."""

    floor: str
    lines: tuple[str, ...]

    @property
    def digest(self) -> str:
        """SHA-256 of the Python version and the lines, in hex."""
        return hashlib.sha256("\n".join([self.floor, *self.lines]).encode()).hexdigest()


def requirements(root: Path = ROOT) -> dict[str, Requirements]:
    """The requirements of each lock file, by its name."""
    settings = ConfigParser()
    settings.read(root / "settings.ini", encoding="utf-8")
    core = settings["project"]["requirements"].split()
    extras = [line for name, lines in settings["extras"].items() if name not in APART for line in lines.split()]
    build = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["build-system"]["requires"]
    floor = settings["project"]["min_python"]
    return {
        "requirements.lock": Requirements(floor, tuple(sorted({*core, *extras, *build}))),
        "requirements-core.lock": Requirements(floor, tuple(sorted(core))),
        "requirements-compiler.lock": Requirements(floor, tuple(sorted(settings["extras"]["compiler"].split()))),
    }


def stale_locks(root: Path = ROOT) -> list[str]:
    """Names of the lock files whose requirements have changed since they were written."""
    return [
        name
        for name, current in requirements(root).items()
        if not (root / name).is_file()
        or f"{DIGEST_LINE}{current.digest}" not in (root / name).read_text(encoding="utf-8").splitlines()[:1]
    ]


def write_lock(name: str, current: Requirements, *options: str) -> None:
    """Resolve requirements for every Python from the oldest on, with hashes, and write the lock file.

    Pinned versions stay unless they conflict; the option `--upgrade` replaces them.
    """
    command = ["uv", "pip", "compile", "-", "--universal", "--python-version", current.floor, "--generate-hashes"]
    command += ["--no-header", "--quiet", "--output-file", name, *options]
    subprocess.run(command, input="\n".join(current.lines), text=True, check=True, cwd=ROOT)  # noqa: S603 (own command)
    target = ROOT / name
    target.write_text(f"{DIGEST_LINE}{current.digest}\n{target.read_text(encoding='utf-8')}", encoding="utf-8")


if __name__ == "__main__":
    for lock_name, lock_requirements in requirements().items():
        write_lock(lock_name, lock_requirements, *sys.argv[1:])
        sys.stdout.write(f"wrote {lock_name}\n")
