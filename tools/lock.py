"""Writes the lock files with uv, and says whether they still fit settings.ini.

`requirements.lock` pins every extra and the build backend, `requirements-core.lock` what production needs.
Each begins with a digest of the requirement lines it was made from, so that a test can tell without
resolving anything that settings.ini has moved on.
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


@dataclass(frozen=True)
class Requirements:
    """What one lock file is made from: the oldest Python, and requirement lines, sorted."""

    floor: str
    lines: tuple[str, ...]

    @property
    def digest(self) -> str:
        """SHA-256 of all of it, in hex."""
        return hashlib.sha256("\n".join([self.floor, *self.lines]).encode()).hexdigest()


def requirements(root: Path = ROOT) -> dict[str, Requirements]:
    """What each lock file is made from, by its name."""
    facts = ConfigParser()
    facts.read(root / "settings.ini", encoding="utf-8")
    core = facts["project"]["requirements"].split()
    extras = [line for lines in facts["extras"].values() for line in lines.split()]
    build = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["build-system"]["requires"]
    floor = facts["project"]["min_python"]
    return {
        "requirements.lock": Requirements(floor, tuple(sorted({*core, *extras, *build}))),
        "requirements-core.lock": Requirements(floor, tuple(sorted(core))),
    }


def stale_locks(root: Path = ROOT) -> list[str]:
    """Names of the lock files whose requirements have changed since they were made."""
    return [
        name
        for name, wanted in requirements(root).items()
        if not (root / name).is_file()
        or f"{DIGEST_LINE}{wanted.digest}" not in (root / name).read_text(encoding="utf-8").splitlines()[:1]
    ]


def write_lock(name: str, wanted: Requirements, *options: str) -> None:
    """Resolve requirements for every Python from the floor on, with hashes, and write the lock file.

    Versions already pinned stay unless they clash; the option `--upgrade` lets go of them.
    """
    command = ["uv", "pip", "compile", "-", "--universal", "--python-version", wanted.floor, "--generate-hashes"]
    command += ["--no-header", "--quiet", "--output-file", name, *options]
    subprocess.run(command, input="\n".join(wanted.lines), text=True, check=True, cwd=ROOT)  # noqa: S603 (our words)
    target = ROOT / name
    target.write_text(f"{DIGEST_LINE}{wanted.digest}\n{target.read_text(encoding='utf-8')}", encoding="utf-8")


if __name__ == "__main__":
    for lock_name, made_from in requirements().items():
        write_lock(lock_name, made_from, *sys.argv[1:])
        sys.stdout.write(f"wrote {lock_name}\n")
