"""Builds what is released: a source archive, and a wheel with the native core for each kind of Linux machine.

    python -m tools.wheels                 dist/: the source archive and all wheels
    python -m tools.wheels --out FOLDER --machine x86_64

The wheels serve every Python from the oldest on (abi3), and every Linux whose C library is at least that of the wheel's
tag: the versions of the symbols that the core needs are compared with it. Other systems install the source archive,
which builds the core where there is a C compiler. The wheels' compiler is `ziglang`, of the extra `compiler`.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MACHINES = {"x86_64": 62, "aarch64": 183}
"""Kinds of machine, each with its number in the header of an ELF file."""
CORE = "pipeline_lib/compiled/_core.abi3.so"
_SOURCES = (
    "native",
    "pipeline_lib",
    "MANIFEST.in",
    "README.md",
    "LICENSE",
    "pyproject.toml",
    "settings.ini",
    "setup.py",
)
_NEEDS = re.compile(rb"GLIBC_(\d+)\.(\d+)")
_TAG = re.compile(r"-cp3\d+-abi3-manylinux_(\d+)_(\d+)_(\w+)\.whl$")


class WheelError(Exception):
    """A wheel that does not hold what its name says."""


def build(out: Path, *kind: str, **variables: str) -> Path:
    """Build a wheel (`--wheel`) or a source archive (`--sdist`) from a copy of the sources; the file that is new."""
    with tempfile.TemporaryDirectory() as folder:
        copy, made = Path(folder, "sources"), Path(folder, "out")
        copy.mkdir()
        for name in _SOURCES:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "_core.abi3.*"))
            else:
                shutil.copy(ROOT / name, copy)
        build_in(copy, made, *kind, **variables)
        (path,) = (path for path in made.iterdir() if path.suffix in (".whl", ".gz"))
        out.mkdir(parents=True, exist_ok=True)
        return Path(shutil.copy(path, out))


def build_in(sources: Path, out: Path, *kind: str, **variables: str) -> None:
    """Build from a folder or a source archive, by the build backend of this environment."""
    uv = str(Path(sys.executable).with_name("uv"))
    words = [uv, "build", "--quiet", *kind, "--no-build-isolation", "--python", sys.executable, "--out-dir", str(out)]
    subprocess.run([*words, str(sources)], check=True, env={**os.environ, **variables})  # noqa: S603 (own command)


def check_wheel(wheel: Path) -> int:
    """The size of the core in a wheel, in bytes. Raises WheelError where the core does not fit the wheel's name."""
    with zipfile.ZipFile(wheel) as archive:
        if CORE not in archive.namelist():
            raise WheelError(f"{wheel.name}: found no {CORE}, expected the native core")
        core = archive.read(CORE)
    check_core(core, wheel.name)
    return len(core)


def check_core(core: bytes, name: str) -> None:
    """Raise WheelError where the core is for another machine, or a newer C library, than a wheel's name says."""
    tag = _TAG.search(name)
    if tag is None:
        raise WheelError(
            f"{name}: found another name, expected one that ends as in cp311-abi3-manylinux_2_17_x86_64.whl"
        )
    machine = int.from_bytes(core[18:20], "little")
    if core[:4] != b"\x7fELF" or machine != MACHINES.get(tag[3]):
        raise WheelError(f"{name}: found a core for machine {machine}, expected {MACHINES.get(tag[3])} ({tag[3]})")
    newest = max(((int(major), int(minor)) for major, minor in _NEEDS.findall(core)), default=(0, 0))
    if newest > (int(tag[1]), int(tag[2])):
        raise WheelError(f"{name}: found symbols of glibc {newest[0]}.{newest[1]}, expected {tag[1]}.{tag[2]} or older")


def main(arguments: Sequence[str] | None = None) -> int:
    """Build and check; a line for each file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, default=ROOT / "dist", metavar="FOLDER", help="where the files go")
    parser.add_argument("--machine", choices=MACHINES, action="append", help="build the wheel of this machine alone")
    options = parser.parse_args(arguments)
    if not options.machine:
        sys.stdout.write(f"{build(options.out, '--sdist').name}\n")
    for machine in options.machine or MACHINES:
        started = time.perf_counter()
        wheel = build(options.out, "--wheel", PIPELINE_LIB_CORE_FOR=machine)
        size, seconds = check_wheel(wheel), time.perf_counter() - started
        sys.stdout.write(f"{wheel.name}: the core has {size // 1024:,} KiB, built in {seconds:.0f} s\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
