"""The tests that load the native core, under AddressSanitizer and UndefinedBehaviorSanitizer.

    python -m tools.sanitize                          tests of compiled pipelines, parity and serving
    python -m tools.sanitize tests/compiled -k trees  what pytest is to run
    python -m tools.sanitize --spoiled                the control: results one row too long must be found

The tests run in a copy of the checkout whose core is built with sanitizers; each finding ends the process that has it.
Memory of Python comes from malloc, so that each buffer has its own bounds. It takes three times as long as the tests.
"""

import argparse
import importlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "native"))
build: Any = importlib.import_module("build")  # native/build.py
TESTS = ("tests/compiled", "tests/parity", "tests/serving", "tests/rows", "tests/scoring", "tests/watching")
FLAGS = ("-O1", "-g1", "-fno-omit-frame-pointer", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
OPTIONS = {
    "ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=1",  # the interpreter keeps memory to its end
    "UBSAN_OPTIONS": "print_stacktrace=1",
    "PYTHONMALLOC": "malloc",
}
SPOILED = ("native/plan.c", "bytes, rows * bytes);", "bytes, (rows + 1) * bytes);")
"""The control: a source, a copy of a column in it, and one that goes one row too far."""
CONTROL_TESTS = ("tests/compiled/native/test_core.py",)


def copy(folder: Path) -> Path:
    """The files of this checkout that git knows, or would take; with its environment."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, check=True, text=True).stdout  # noqa: S603 (git)
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    (folder / ".venv").symlink_to(ROOT / ".venv")
    return folder


def library(command: Sequence[str]) -> str:
    """The library of AddressSanitizer, which has to be loaded before all others. SystemExit without it."""
    for name in ("libasan.so", "libclang_rt.asan-x86_64.so"):
        words = [*command, f"-print-file-name={name}"]
        path = subprocess.run(words, capture_output=True, check=True, text=True).stdout.strip()  # noqa: S603 (a compiler)
        if Path(path).is_absolute():
            return str(Path(path).resolve())
    raise SystemExit(f"{' '.join(command)}: found no AddressSanitizer, expected libasan; install it or set CC")


def environment(folder: Path) -> dict[str, str]:
    """The variables of the tests' processes."""
    asan = library(build.compiler())
    return {**os.environ, **OPTIONS, "LD_PRELOAD": asan, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}


def build_core(folder: Path) -> None:
    """The core of the copy, with sanitizers."""
    program = (
        "import sys; sys.path.insert(0, 'native'); import build; build.TIMEOUT = 7200.0; "
        "build.build(build.TARGET, sys.argv[1:])"
    )
    subprocess.run([sys.executable, "-c", program, *FLAGS], cwd=folder, check=True)  # noqa: S603 (our own)


def spoil(folder: Path) -> None:
    """Let results of the copy be written one row too far."""
    name, copied, longer = SPOILED
    text = (folder / name).read_text(encoding="utf-8")
    if text.count(copied) != 1:
        raise SystemExit(f"{name}: found {text.count(copied)} times {copied!r}, expected it once; correct SPOILED")
    (folder / name).write_text(text.replace(copied, longer), encoding="utf-8")


def run(folder: Path, tests: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run tests in the copy."""
    loaded = "import pipeline_lib.compiled._core as core; print(core.__file__)"
    own = environment(folder)
    words = [sys.executable, "-c", loaded]
    found = subprocess.run(words, cwd=folder, env=own, capture_output=True, text=True, check=False)  # noqa: S603
    if str(folder.resolve()) not in found.stdout:
        raise SystemExit(f"found {found.stdout or found.stderr}, expected the core of the copy")
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests]
    return subprocess.run(words, cwd=folder, env=own, text=True, check=False)  # noqa: S603


def main(arguments: Sequence[str] | None = None) -> int:
    """Copy, build and run; the exit code of pytest. With --spoiled 0 where something is found."""
    parser = argparse.ArgumentParser(prog="python -m tools.sanitize", description=__doc__.splitlines()[0])
    parser.add_argument("--spoiled", action="store_true", help="the control: a spoiled core must be found")
    options, tests = parser.parse_known_args(arguments)
    with tempfile.TemporaryDirectory(prefix="sanitize-") as name:
        folder = copy(Path(name))
        if options.spoiled:
            spoil(folder)
        build_core(folder)
        code = run(folder, tests or (CONTROL_TESTS if options.spoiled else TESTS)).returncode
    if options.spoiled:
        print("the spoiled core was found" if code else "the spoiled core was not found")
    return int(not code) if options.spoiled else code


if __name__ == "__main__":
    sys.exit(main())
