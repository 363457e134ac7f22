"""Clean environments: the built wheel and the artifact's requirements, on this Python and on others."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pipeline_lib.parity.installed_wheel import pack_installed
from pipeline_lib.parity.process_settings import AbsentError, Preparation, Prepare, Setting

_FRAMEWORK = __name__.partition(".")[0]


def clean(version: str) -> Prepare:
    """An environment for a Python such as 3.12 with our wheels and the core requirements in the recorded versions.

    For an artifact with opaque steps their libraries are installed too.
    """

    def prepare(preparation: Preparation) -> Setting:
        uv = find_uv()
        interpreter = _interpreter(uv, version)
        wheels = [_wheel(uv, package, preparation) for package in _packages(preparation)]
        environment = preparation.folder / f"python{version}"
        _run([uv, "venv", "--quiet", "--python", interpreter, str(environment)])
        python = environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        constraints = preparation.folder / "constraints.txt"
        own = {wheel.name.partition("-")[0].replace("_", "-") for wheel in wheels}
        pins = [f"{name}=={recorded}\n" for name, recorded in preparation.packages.items() if name.lower() not in own]
        constraints.write_text("".join(pins))
        wanted = [f"{wheels[0]}[opaque]" if preparation.opaque else str(wheels[0]), *map(str, wheels[1:])]
        wanted += preparation.needs
        _install([uv, "pip", "install", "--quiet", "--python", str(python), "--constraint", str(constraints), *wanted])
        proof: dict[str, Any] = {"python": version, "packages from": "own environment", "research packages": []}
        proof |= {} if preparation.opaque else {"libraries": []}
        return Setting(proof, python=str(python), own_packages=True)

    return prepare


def find_uv() -> str:
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


def _packages(preparation: Preparation) -> list[str]:
    """The packages to have as wheels: this one, and for opaque steps their library."""
    return list(dict.fromkeys([_FRAMEWORK, preparation.library] if preparation.opaque else [_FRAMEWORK]))


def _wheel(uv: str, package: str, preparation: Preparation) -> Path:
    """The wheel of a package: built from a checkout's sources, or packed from what is installed."""
    target = preparation.folder / f"wheel-{package}"
    built = next(target.glob("*.whl"), None)
    if built:
        return built
    spec = find_spec(package)
    folder = Path(str(spec.origin)).parent if spec and spec.origin else Path()
    if (folder.parent / "setup.py").is_file():
        return _build(uv, folder, preparation.folder / f"sources-{package}", target)
    packed = pack_installed(package, target)
    if packed is None:
        raise AbsentError(f"found no setup.py next to the package {package}, needs the sources to build its wheel")
    return packed


def _build(uv: str, package: Path, copy: Path, target: Path) -> Path:
    """Build the wheel from a copy of the package and the files next to it, as building writes into the folder."""
    shutil.copytree(package, copy / package.name, ignore=shutil.ignore_patterns("__pycache__"))
    for path in package.parent.iterdir():
        if path.is_file() and not path.name.startswith("."):
            shutil.copy(path, copy)
    build = ["build", "--quiet", "--wheel", "--no-build-isolation", "--python", sys.executable]
    _run([uv, *build, "--out-dir", str(target), str(copy)], {**os.environ, "PIPELINE_LIB_EXAMPLES": "1"})
    return next(target.glob("*.whl"))


def _install(command: list[str]) -> None:
    """Install from uv's cache; download only what is missing there."""
    try:
        _run([*command, "--offline"])
    except AbsentError:
        _run(command)


def _run(command: list[str], variables: Mapping[str, str] | None = None) -> None:
    result = subprocess.run(command, capture_output=True, text=True, check=False, env=variables)  # noqa: S603
    if result.returncode:
        raise AbsentError(f"`uv {' '.join(command[1:3])}` failed: {_reason(result.stderr)[:300]}")


def _reason(message: str) -> str:
    """What uv failed of: the first cause where packages do not go together, or else the last line."""
    lines = [line.strip() for line in message.splitlines() if line.strip()] or ["no message"]
    first = next((line for line in lines if "Because " in line), "")
    return first[first.index("Because ") :] if first else lines[-1]
