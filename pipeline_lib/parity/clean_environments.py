"""Clean environments: the built wheel and what the artifact requires, on this Python and on others."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from pipeline_lib.parity.process_settings import AbsentError, Place, Prepare, Setting


def clean(version: str) -> Prepare:
    """An environment of its own for a Python such as 3.12: wheels, core requirements, recorded versions.

    An artifact with opaque steps gets their libraries too.
    """

    def prepare(place: Place) -> Setting:
        uv = _uv()
        interpreter = _interpreter(uv, version)
        wheels = [_wheel(uv, package, place.folder) for package in _packages(place)]
        environment = place.folder / f"python{version}"
        _run([uv, "venv", "--quiet", "--python", interpreter, str(environment)])
        python = environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        known = place.folder / "constraints.txt"
        own = {wheel.name.partition("-")[0].replace("_", "-") for wheel in wheels}
        pins = [f"{name}=={found}\n" for name, found in place.packages.items() if name.lower() not in own]
        known.write_text("".join(pins))
        wanted = [f"{wheels[0]}[opaque]" if place.opaque else str(wheels[0]), *map(str, wheels[1:])]
        _install([uv, "pip", "install", "--quiet", "--python", str(python), "--constraint", str(known), *wanted])
        proof = {"python": version, "packages from": "own environment", "research packages": []}
        return Setting(proof if place.opaque else {**proof, "libraries": []}, python=str(python), home=False)

    return prepare


def _uv() -> str:
    beside = Path(sys.executable).with_name("uv")
    found = str(beside) if beside.is_file() else shutil.which("uv")
    if found is None:
        raise AbsentError("found no uv, which builds the environment; pip install uv")
    return found


def _interpreter(uv: str, version: str) -> str:
    if version == f"{sys.version_info.major}.{sys.version_info.minor}":
        return sys.executable
    # uv finds what is on PATH; pyenv keeps versions off it until they are chosen
    kept = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")).glob(f"versions/{version}.*/bin/python")
    for path in sorted(kept):
        return str(path)
    found = subprocess.run(  # noqa: S603
        [uv, "python", "find", "--no-python-downloads", version], capture_output=True, text=True, check=False
    )
    if found.returncode:
        raise AbsentError(f"found no Python {version} on this machine")
    return found.stdout.strip()


def _packages(place: Place) -> Iterator[Path]:
    """The package folders to build wheels of: this one, and for opaque steps the library they live in."""
    for package in dict.fromkeys(["pipeline_lib", place.library] if place.opaque else ["pipeline_lib"]):
        spec = find_spec(package)
        folder = Path(str(spec.origin)).parent if spec and spec.origin else Path()
        if not (folder.parent / "setup.py").is_file():
            raise AbsentError(f"found no setup.py beside the package {package}, needs the sources to build its wheel")
        yield folder


def _wheel(uv: str, package: Path, folder: Path) -> Path:
    """Build the wheel of a copy of the package and the files beside it: building writes into them. Once a check."""
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
    """Install from what uv keeps; only what is not there is downloaded."""
    try:
        _run([*command, "--offline"])
    except AbsentError:
        _run(command)


def _run(command: list[str]) -> None:
    result = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if result.returncode:
        said = [line for line in result.stderr.strip().splitlines() if line.strip()] or ["no message"]
        raise AbsentError(f"`uv {' '.join(command[1:3])}` failed: {said[-1].strip()[:300]}")
