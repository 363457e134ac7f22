"""Tries the ARM wheel on a machine of another kind: Debian's Python for arm64, carried out by QEMU.

    python -m tools.wheels_arm [--wheel FILE] [--folder FOLDER]

It runs the core's own tests, and repeats the exact records of tests/data bit for bit; the evidence in them was written
on x86-64. The root folder of the other machine comes from Debian's packages, the Python packages from the lock files.
Nothing is installed on this machine, and no rights are needed, but `apt-get`, `dpkg-deb` and Debian's keys are. QEMU
carries out each instruction as the ARM manual says; how fast a real processor is it does not show.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SUITE, VERSION = "bookworm", "3.11"
KEYS = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
ADDRESS = "http://deb.debian.org/debian"
PYTEST = ("pytest", "pytest-randomly")
CORE_RUNS = "from pipeline_lib.compiled.native import core; import platform; print(platform.machine(), core.name())"


def get_packages(folder: Path, architecture: str, *names: str) -> Path:
    """Unpack Debian packages of an architecture, with what they depend on, into a folder; the folder `root` in it."""
    for part in ("state/lists/partial", "cache/archives/partial", "root"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    (folder / "status").touch()
    (folder / "sources.list").write_text(f"deb [signed-by={KEYS}] {ADDRESS} {SUITE} main\n", encoding="utf-8")
    settings = {
        "APT::Architecture": architecture,
        "APT::Architectures": architecture,
        "APT::Sandbox::User": "",
        "Dir::Etc::sourcelist": folder / "sources.list",
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::State": folder / "state",
        "Dir::State::status": folder / "status",
        "Dir::Cache": folder / "cache",
        "Debug::NoLocking": "true",
    }
    apt = ["apt-get", "-qq", *(f"-o{name}={value}" for name, value in settings.items())]
    call([*apt, "update"])
    call([*apt, "--yes", "--no-install-recommends", "--download-only", "install", *names])
    for package in sorted((folder / "cache" / "archives").glob("*.deb")):
        call(["dpkg-deb", "--extract", str(package), str(folder / "root")])
    return folder / "root"


def make_environment(folder: Path, wheel: Path) -> Path:
    """A virtual environment of the other machine with the wheel and what its tests need; its Python."""
    root = get_packages(folder / "arm64", "arm64", f"python{VERSION}", "libstdc++6")
    own = subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True, check=True)  # noqa: S607
    emulator = get_packages(folder / "own", own.stdout.strip(), "qemu-user-static") / "usr/bin/qemu-aarch64-static"
    packages = folder / "env" / "lib" / f"python{VERSION}" / "site-packages"
    install(packages, "--require-hashes", "-r", str(ROOT / "requirements-core.lock"))
    with tempfile.TemporaryDirectory() as name:
        locked = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
        constraints = Path(name, "constraints.txt")
        constraints.write_text("\n".join(line.rstrip(" \\") for line in locked if "==" in line.split(" ")[0]))
        install(packages, "--constraint", str(constraints), *PYTEST)
    install(packages, "--no-deps", str(wheel))
    home = root / "usr" / "bin"
    (folder / "env" / "pyvenv.cfg").write_text(f"home = {home}\nversion = {VERSION}\n", encoding="utf-8")
    python = folder / "env" / "bin" / "python"
    python.parent.mkdir(exist_ok=True)
    # its own name as argv[0]: sys.executable is then this script, which starts processes through the emulator, too
    python.write_text(f'#!/bin/sh\nexec "{emulator}" -L "{root}" -0 "$0" "{home}/python{VERSION}" "$@"\n')
    python.chmod(0o755)
    return python


def install(target: Path, *words: str) -> None:
    """Install packages of the other machine into a folder."""
    uv = [str(Path(sys.executable).with_name("uv")), "pip", "install", "--quiet", "--target", str(target)]
    machine = ["--python-platform", "aarch64-manylinux_2_36", "--python-version", VERSION, "--only-binary", ":all:"]
    call([*uv, "--python", sys.executable, *machine, *words])


def try_wheel(folder: Path, python: Path) -> None:
    """Run the core's tests and repeat every exact record, in an empty folder."""
    place = folder / "work"
    place.mkdir()
    call([str(python), "-P", "-c", CORE_RUNS], place)
    for manifest in sorted((ROOT / "tests" / "data" / "records").rglob("manifest.json")):
        kept = manifest.parent
        if json.loads((kept / "artifact" / "artifact.json").read_bytes())["opaque"]:
            continue
        copy = place / kept.parent.name / kept.name
        shutil.copytree(kept, copy)
        call([str(python), "-P", "-m", "pipeline_lib", "parity", str(copy), "--quick"], place)
    options = ["-q", f"--rootdir={ROOT}", "-c", str(ROOT / "pyproject.toml"), "-p", "no:cacheprovider"]
    options += ["-o", "pythonpath=tests/support"]  # the package is that of the wheel, not of this checkout
    call([str(python), "-P", "-m", "pytest", *options, str(ROOT / "tests" / "compiled" / "native")], place)


def call(command: Sequence[str], place: Path | None = None) -> None:
    """Run a command; exit where it fails."""
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, cwd=place, env=variables, check=False)  # noqa: S603 (own command)
    if done.returncode:
        sys.exit(f"{' '.join(command)}: exit code {done.returncode}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Try the newest ARM wheel of dist/, or the one that is named."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--wheel", type=Path, metavar="FILE", help="the wheel to try; by default that in dist/")
    parser.add_argument("--folder", type=Path, metavar="FOLDER", help="an empty folder that stays")
    options = parser.parse_args(arguments)
    wheel = options.wheel or next((ROOT / "dist").glob("*_aarch64.whl"), None)
    if wheel is None:
        sys.exit("found no ARM wheel in dist/, expected one; run `make wheels`")
    with tempfile.TemporaryDirectory() as temporary:
        folder = (options.folder or Path(temporary)).absolute()
        try_wheel(folder, make_environment(folder, wheel.absolute()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
