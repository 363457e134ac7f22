"""Clean environments: the built wheel and the artifact's requirements, on this Python and on others."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pipeline_lib.parity.process_settings import AbsentError, Preparation, Prepare, Setting


def clean(version: str) -> Prepare:
    """An environment for a Python such as 3.12 with our wheels and the core requirements in the recorded versions.

    For an artifact with opaque steps their libraries are installed too.
    """

    def prepare(preparation: Preparation) -> Setting:
        uv = _uv()
        interpreter = _interpreter(uv, version)
        wheels = [_wheel(uv, package, preparation.folder) for package in _packages(preparation)]
        environment = preparation.folder / f"python{version}"
        _run([uv, "venv", "--quiet", "--python", interpreter, str(environment)])
        python = environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        constraints = preparation.folder / "constraints.txt"
        own = {wheel.name.partition("-")[0].replace("_", "-") for wheel in wheels}
        pins = [f"{name}=={recorded}\n" for name, recorded in preparation.packages.items() if name.lower() not in own]
        constraints.write_text("".join(pins))
        wanted = [f"{wheels[0]}[opaque]" if preparation.opaque else str(wheels[0]), *map(str, wheels[1:])]
        _install([uv, "pip", "install", "--quiet", "--python", str(python), "--constraint", str(constraints), *wanted])
        proof: dict[str, Any] = {"python": version, "packages from": "own environment", "research packages": []}
        proof |= {} if preparation.opaque else {"libraries": []}
        return Setting(proof, python=str(python), own_packages=True)

    return prepare


def _uv() -> str:
    sibling = Path(sys.executable).with_name("uv")
    command = str(sibling) if sibling.is_file() else shutil.which("uv")
    if command is None:
        raise AbsentError("found no uv, which builds the environment; pip install uv")
    return command


def _interpreter(uv: str, version: str) -> str:
    if version == f"{sys.version_info.major}.{sys.version_info.minor}":
        return sys.executable
    # uv searches PATH, where pyenv does not put its versions
    kept = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")).glob(f"versions/{version}.*/bin/python")
    for path in sorted(kept):
        return str(path)
    search = subprocess.run(  # noqa: S603
        [uv, "python", "find", "--no-python-downloads", version], capture_output=True, text=True, check=False
    )
    if search.returncode:
        raise AbsentError(f"found no Python {version} on this machine")
    return search.stdout.strip()


def _packages(preparation: Preparation) -> Iterator[Path]:
    """The package folders to build wheels of: this one, and for opaque steps their library."""
    for package in dict.fromkeys(["pipeline_lib", preparation.library] if preparation.opaque else ["pipeline_lib"]):
        spec = find_spec(package)
        folder = Path(str(spec.origin)).parent if spec and spec.origin else Path()
        if not (folder.parent / "setup.py").is_file():
            raise AbsentError(f"found no setup.py next to the package {package}, needs the sources to build its wheel")
        yield folder


def _wheel(uv: str, package: Path, folder: Path) -> Path:
    """Build the wheel from a copy of the package and the files next to it, as building writes into the folder."""
    target, copy = folder / f"wheel-{package.name}", folder / f"sources-{package.name}"
    if not target.is_dir():
        shutil.copytree(package, copy / package.name, ignore=shutil.ignore_patterns("__pycache__"))
        for path in package.parent.iterdir():
            if path.is_file() and not path.name.startswith("."):
                shutil.copy(path, copy)
        build = ["build", "--quiet", "--wheel", "--no-build-isolation", "--python", sys.executable]
        _run([uv, *build, "--out-dir", str(target), str(copy)])
    return next(target.glob("*.whl"))


def _install(command: list[str]) -> None:
    """Install from uv's cache; download only what is missing there."""
    try:
        _run([*command, "--offline"])
    except AbsentError:
        _run(command)


def _run(command: list[str]) -> None:
    result = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if result.returncode:
        lines = [line for line in result.stderr.strip().splitlines() if line.strip()] or ["no message"]
        raise AbsentError(f"`uv {' '.join(command[1:3])}` failed: {lines[-1].strip()[:300]}")
