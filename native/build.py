"""Build the core for this machine: `python native/build.py` leaves pipeline_lib/compiled/_core.abi3.so.

The compiler is $CC, else gcc, clang or cc, else that of the package `ziglang`. Without one, or without Python's header
files, one line says so: NumPy then carries plans out, with the same bits.

    python native/build.py              build where the sources have changed
    python native/build.py --compiler   ends with 1 where there is something to build and no compiler for it
"""

import hashlib
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Sequence
from pathlib import Path

NATIVE = Path(__file__).resolve().parent
TARGET = NATIVE.parent / "pipeline_lib" / "compiled" / "_core.abi3.so"
FLAGS = (
    *("-std=gnu99", "-O3", "-fPIC", "-fvisibility=hidden"),
    # bits: every operation rounded once, as written; integers wrap around
    *("-ffp-contract=off", "-fwrapv", "-fno-math-errno", "-fno-trapping-math"),
)
AVX2 = ("-mavx2",)
AVX512 = (*AVX2, "-mavx512f", "-mavx512dq", "-mavx512bw", "-mavx512vl", "-mprefer-vector-width=512")
INCOMING_UNITS = ("incoming_object", "incoming_arrow", "incoming_buffers", "incoming_texts")
PYTHON_UNITS = ("module", "plan_object", "plan_rows", "plan_one_row", "text_results", "list_calls", *INCOMING_UNITS)
ZIG = (sys.executable, "-m", "ziglang", "cc")
GLIBC = "2.17"
"""The oldest C library that what zig compiles runs with: that of manylinux2014."""
TIMEOUT = 1800.0


class CannotBuildError(Exception):
    """Why this machine has no core."""


def compiler() -> list[str]:
    """The command of a C compiler. Raises CannotBuildError without one."""
    if named := os.environ.get("CC"):
        return named.split()
    for name in ("gcc", "clang", "cc"):
        if found := shutil.which(name):
            return [found]
    if importlib.util.find_spec("ziglang"):
        # without a target zig compiles for the processor that it runs on, and the lowest level has to run on every one
        return zig(platform.machine()) if platform.libc_ver()[0] == "glibc" else [*ZIG, "-mcpu=baseline"]
    raise CannotBuildError("no C compiler")


def zig(machine: str) -> list[str]:
    """The command of zig's compiler for Linux on `machine`, with a C library from GLIBC on."""
    return [*ZIG, "-target", f"{machine}-linux-gnu.{GLIBC}"]


def units(machine: str = platform.machine()) -> list[tuple[str, str, tuple[str, ...]]]:
    """What is compiled: the object's name, its source, its own flags."""
    own = ("-ffreestanding",)
    levels: list[tuple[str, str, tuple[str, ...]]] = [("level0", "level.c", (*own, "-DLEVEL=0"))]
    x86 = is_x86(machine)
    if x86:
        levels += [
            ("level1", "level.c", (*own, "-DLEVEL=1", *AVX2)),
            ("level2", "level.c", (*own, "-DLEVEL=2", *AVX512)),
        ]
    include = ("-I", sysconfig.get_path("include"), *(("-DCORE_X86",) if x86 else ()))
    free = [(name, f"{name}.c", own) for name in ("plan", "words", "lists", "incoming")]
    return [*levels, *free, *((name, f"{name}.c", include) for name in PYTHON_UNITS)]


def is_x86(machine: str = platform.machine()) -> bool:
    """Whether the machine is one whose levels are compiled, besides the one that every machine has."""
    return machine in ("x86_64", "AMD64")


def build(target: Path = TARGET, more_flags: Sequence[str] = (), machine: str = "") -> None:
    """Compile the core into `target`, which appears whole or not at all; by zig for Linux where `machine` names one.

    Raises CannotBuildError.
    """
    if sys.platform == "win32" and not machine:
        raise CannotBuildError("Windows")
    command = zig(machine) if machine else compiler()
    if not (Path(sysconfig.get_path("include")) / "Python.h").is_file():
        raise CannotBuildError("no header files of Python")
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        objects = []
        running = []
        for name, source, flags in units(machine or platform.machine()):
            objects.append(f"{folder}/{name}.o")
            words = [*command, *FLAGS, *flags, *more_flags, "-c", str(NATIVE / source), "-o", objects[-1]]
            running.append(subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True))  # noqa: S603
        outputs = [process.communicate(timeout=TIMEOUT)[0] for process in running]
        for process, output in zip(running, outputs, strict=True):
            if process.returncode:
                raise CannotBuildError(f"{' '.join(command)} ended with {process.returncode}: {_first_error(output)}")
        shared = [] if sys.platform == "darwin" else ["-shared"]
        shared += ["-bundle", "-undefined", "dynamic_lookup"] if sys.platform == "darwin" else ["-s"]
        words = [*command, *shared, *more_flags, *objects, "-o", f"{folder}/core"]
        linked = subprocess.run(words, capture_output=True, text=True, check=False, timeout=TIMEOUT)  # noqa: S603
        if linked.returncode:
            raise CannotBuildError(f"{' '.join(command)} could not link: {_first_error(linked.stderr)}")
        Path(folder, "core").replace(target)


def _first_error(output: str) -> str:
    lines = [line for line in output.splitlines() if "error" in line] or output.splitlines() or ["no message"]
    return lines[0].strip()


def digest() -> str:
    """A digest of the sources and of what else decides what is built."""
    # not the folder of Python's header files: the core of one Python serves every other
    own = [(name, source, flags[2:] if flags[0] == "-I" else flags) for name, source, flags in units()]
    state = hashlib.sha256(repr((FLAGS, own, platform.machine())).encode())
    for path in sorted(NATIVE.glob("*.[ch]")):
        state.update(path.name.encode() + path.read_bytes())
    return state.hexdigest()


def is_built(sources: str) -> bool:
    """Whether the core is there, of the sources with this digest."""
    stamp = TARGET.with_suffix(".stamp")
    return TARGET.is_file() and stamp.is_file() and stamp.read_text(encoding="utf-8") == sources


def lacks_compiler() -> bool:
    """Whether the core has to be built, and there is no compiler."""
    try:
        return not is_built(digest()) and not compiler()
    except CannotBuildError:
        return sys.platform != "win32"


def main() -> int:
    """Build where the sources are newer than what is there; 0 also where this machine cannot."""
    if sys.argv[1:] == ["--compiler"]:
        return int(lacks_compiler())
    stamp, sources = TARGET.with_suffix(".stamp"), digest()  # before: a source may change while it is compiled
    if is_built(sources):
        return 0
    try:
        build()
    except (CannotBuildError, OSError, subprocess.SubprocessError) as error:
        TARGET.unlink(missing_ok=True)
        print(f"the native core was not built ({error}): NumPy carries plans out, with the same bits")
        return 0
    stamp.write_text(sources, encoding="utf-8")
    print(f"the native core was built: {TARGET.name}, {TARGET.stat().st_size // 1024:,} KiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
