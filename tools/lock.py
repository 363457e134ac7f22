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
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DIGEST_LINE = "# requirements digest: "


def requirement_lines(root: Path = ROOT) -> dict[str, list[str]]:
    """The requirement lines of each lock file, sorted: `{"requirements.lock": [...], ...}`."""
    facts = ConfigParser()
    facts.read(root / "settings.ini", encoding="utf-8")
    core = facts["project"]["requirements"].split()
    extras = [line for lines in facts["extras"].values() for line in lines.split()]
    build = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["build-system"]["requires"]
    python = [f"python>={facts['project']['min_python']}"]
    return {
        "requirements.lock": sorted({*core, *extras, *build, *python}),
        "requirements-core.lock": sorted({*core, *python}),
    }


def digest(lines: list[str]) -> str:
    """SHA-256 of requirement lines, one a line."""
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def stale_locks(root: Path = ROOT) -> list[str]:
    """Names of the lock files whose requirements have changed since they were made."""
    return [
        name
        for name, lines in requirement_lines(root).items()
        if not (root / name).is_file()
        or f"{DIGEST_LINE}{digest(lines)}" not in (root / name).read_text(encoding="utf-8").splitlines()[:1]
    ]


def write_lock(name: str, lines: list[str], *options: str) -> None:
    """Resolve `lines` for every Python from the floor on, with hashes, and write the lock file.

    Versions already pinned stay unless they clash; the option `--upgrade` lets go of them.
    """
    floor = next(line for line in lines if line.startswith("python>=")).removeprefix("python>=")
    wanted = "\n".join(line for line in lines if not line.startswith("python>="))
    command = ["uv", "pip", "compile", "-", "--universal", "--python-version", floor, "--generate-hashes"]
    command += ["--no-header", "--quiet", "--output-file", name, *options]
    subprocess.run(command, input=wanted, text=True, check=True, cwd=ROOT)  # noqa: S603 (arguments are ours)
    target = ROOT / name
    target.write_text(f"{DIGEST_LINE}{digest(lines)}\n{target.read_text(encoding='utf-8')}", encoding="utf-8")


if __name__ == "__main__":
    for lock_name, lock_lines in requirement_lines().items():
        write_lock(lock_name, lock_lines, *sys.argv[1:])
        sys.stdout.write(f"wrote {lock_name}\n")
