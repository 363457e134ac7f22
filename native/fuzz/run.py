"""Fuzz the core: `python native/fuzz/run.py [--target plan] [--seconds 600]`; README.md says what targets do.

Builds the core and a target with clang's libFuzzer and sanitizers, and lets it run at the lowest priority. What it
learns stays in build/fuzz; what ends it stays there, too, and the command ends with 1.
"""

import argparse
import importlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

FUZZ = Path(__file__).resolve().parent
ROOT = FUZZ.parent.parent
sys.path.insert(0, str(FUZZ.parent))
core: Any = importlib.import_module("build")  # native/build.py

TARGETS = {"plan": ("level", "plan", "words", "lists", "incoming"), "columns": ("words", "incoming")}
"""Targets, with the sources of the core that each needs."""
LARGEST_INPUT = 49_152
COMPILERS = ("clang", "clang-19", "clang-18", "clang-17", "clang-16", "clang-15", "clang-14")
PROBE = "int LLVMFuzzerTestOneInput(const unsigned char *data, unsigned long size) { return data && size > 9; }\n"


SPOILED = ("plan.c", "if (*next >= plan->registers)", "if (*next >= plan->registers + 4096)")
"""The control: a source, a check in it, and a weaker one."""


def compiler(folder: Path) -> str:
    """A clang that has libFuzzer. SystemExit without one."""
    probe = folder / "probe.c"
    probe.write_text(PROBE, encoding="utf-8")
    for name in (os.environ.get("CLANG"), *COMPILERS):
        if name and shutil.which(name):
            words = [name, "-fsanitize=fuzzer,address", str(probe), "-o", str(folder / "probe")]
            if subprocess.run(words, capture_output=True, check=False).returncode == 0:  # noqa: S603 (a compiler)
                return name
    raise SystemExit("found no clang with libFuzzer, expected one; install clang and its compiler-rt, or set CLANG")


def built(target: str, sanitizers: str, folder: Path, native: Path = FUZZ.parent) -> Path:
    """The target's program, of the sources in `native`."""
    folder = folder / sanitizers.partition(",")[0]
    folder.mkdir(parents=True, exist_ok=True)
    clang, objects, running = compiler(folder), [], []
    flags = [flag for flag in core.FLAGS if flag not in ("-O3", "-fPIC")]
    flags += ["-O1", "-g1", "-fno-omit-frame-pointer", f"-fsanitize={sanitizers},fuzzer-no-link"]
    flags += ["-fno-sanitize-recover=all", *(["-DCORE_X86"] if core.is_x86() else [])]
    own = [(f"{target}_target", native / "fuzz" / f"{target}_target.c", ())]
    sources = [f"{name}.c" for name in TARGETS[target]]
    own += [(name, native / source, more) for name, source, more in core.units() if source in sources]
    for name, source, more in own:
        objects.append(str(folder / f"{name}.o"))
        running.append(subprocess.Popen([clang, *flags, *more, "-c", str(source), "-o", objects[-1]]))  # noqa: S603
    if sum(process.wait() != 0 for process in running):
        raise SystemExit(f"{clang} could not compile the core")
    program = folder / target
    subprocess.run([clang, f"-fsanitize={sanitizers},fuzzer", *objects, "-o", str(program)], check=True)  # noqa: S603
    return program


def corpus_of(target: str, folder: Path) -> Path:
    """The inputs that are known: those of earlier runs, and those that are kept with the sources."""
    corpus = folder / f"{target}_corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    if (kept := FUZZ / f"{target}_corpus.zip").is_file():
        with zipfile.ZipFile(kept) as archive:
            archive.extractall(corpus)
    return corpus


def keep(program: Path, target: str, corpus: Path) -> None:
    """Write the inputs that reach something that no other does into the archive that is kept with the sources."""
    few = corpus.with_name(f"{target}_few")
    shutil.rmtree(few, ignore_errors=True)
    few.mkdir()
    subprocess.run([str(program), "-merge=1", str(few), str(corpus)], check=True)  # noqa: S603 (our own)
    with zipfile.ZipFile(FUZZ / f"{target}_corpus.zip", "w", zipfile.ZIP_LZMA) as archive:
        for path in sorted(few.iterdir()):
            archive.writestr(zipfile.ZipInfo(path.name), path.read_bytes(), zipfile.ZIP_LZMA)


def fuzz(program: Path, corpus: Path, seconds: int, findings: Path) -> int:
    """Run a target; 1 where it found something. Processor time is appended to build/fuzz/seconds.txt."""
    findings.mkdir(exist_ok=True)
    words = [str(program), str(corpus), f"-max_len={LARGEST_INPUT}", f"-max_total_time={seconds}", "-timeout=60"]
    words += ["-rss_limit_mb=3000", f"-artifact_prefix={findings}/", "-reload=60", "-print_final_stats=1"]
    environment = {**os.environ, "UBSAN_OPTIONS": "print_stacktrace=1", "ASAN_OPTIONS": "allocator_may_return_null=1"}
    process = subprocess.Popen(words, env=environment, preexec_fn=lambda: os.nice(19))  # noqa: S603
    _, status, usage = os.wait4(process.pid, 0)
    with (findings.parent / "seconds.txt").open("a", encoding="utf-8") as log:
        spent = f"{usage.ru_utime + usage.ru_stime:.0f} seconds"
        log.write(f"{time.strftime('%Y-%m-%d %H:%M')} {program.parent.name} {program.name} {spent}\n")
    return int(status != 0)


def spoiled(folder: Path) -> Path:
    """The sources with one check less."""
    native = folder / "native"
    shutil.copytree(FUZZ.parent, native, ignore=shutil.ignore_patterns("*.zip", "__pycache__"))
    name, check, weaker = SPOILED
    text = (native / name).read_text(encoding="utf-8")
    if text.count(check) != 1:
        raise SystemExit(f"native/{name}: found {text.count(check)} times {check!r}, expected it once; correct SPOILED")
    (native / name).write_text(text.replace(check, weaker), encoding="utf-8")
    return native


def control(target: str, sanitizers: str, seconds: int) -> int:
    """Fuzz a spoiled core; 0 where that is found."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        folder = Path(name)
        program = built(target, sanitizers, folder / "program", spoiled(folder))
        found = fuzz(program, corpus_of(target, folder), seconds, folder / "findings")
    print(f"the spoiled core was {'found' if found else 'not found in this time'}")
    return 1 - found


def main(arguments: Sequence[str] | None = None) -> int:
    """Build and run; 1 where something was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--target", choices=sorted(TARGETS), default="plan")
    parser.add_argument("--seconds", type=int, default=600, help="0: build alone")
    parser.add_argument("--sanitizers", choices=("address,undefined", "memory"), default="address,undefined")
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "fuzz")
    parser.add_argument("--keep", action="store_true", help="then write the smallest corpus into native/fuzz")
    parser.add_argument(
        "--spoiled", action="store_true", help="the control: 0 where a core with one check less is found"
    )
    options = parser.parse_args(arguments)
    if options.spoiled:
        return control(options.target, options.sanitizers, options.seconds)
    program = built(options.target, options.sanitizers, options.folder)
    corpus = corpus_of(options.target, options.folder)
    found = fuzz(program, corpus, options.seconds, options.folder / "findings") if options.seconds else 0
    if options.keep:
        keep(program, options.target, corpus)
    return found


if __name__ == "__main__":
    sys.exit(main())
