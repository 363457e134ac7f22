"""How fast dense layers could be here at most: float64 multiplications and additions, each rounded, in registers alone.

Bits are fixed, so a fused multiply-add is no choice: one product and one sum are two operations.
"""

import ctypes
import importlib.util
import subprocess
import tempfile
import time
from functools import cache
from pathlib import Path
from typing import Any

from peer_race import layers

BUILD = Path(__file__).resolve().parents[2] / "native" / "build.py"
ROUNDS, CHAINS, REPEATS = 50_000, 12, 200  # chains hide each other's wait: a product and a sum take six to eight cycles
LANES = {"baseline": 2, "avx2": 4, "avx512": 8}
SOURCE = """
typedef double v __attribute__((vector_size(8 * LANES)));
double work(long rounds)
{
    v sums[CHAINS], factor = (v){0} + 0.999, term = (v){0} + 0.5;
    double total = 0;
    for (int chain = 0; chain < CHAINS; chain++)
        sums[chain] = (v){0} + chain;
    for (long round = 0; round < rounds; round++)
        for (int chain = 0; chain < CHAINS; chain++)
            sums[chain] = sums[chain] * factor + term;
    for (int chain = 0; chain < CHAINS; chain++)
        total += sums[chain][0];
    return total;
}
"""


@cache
def multiply_adds_a_second(level: str) -> float | None:
    """The most that one thread does at a level of the core; None without a C compiler."""
    spec = importlib.util.spec_from_file_location("build", BUILD)
    if level not in LANES or spec is None or spec.loader is None:
        return None
    build = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(build)
    flags = {"avx2": build.AVX2, "avx512": build.AVX512}.get(level, ())
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "ceiling.c"), Path(folder, "ceiling.so")
        source.write_text(SOURCE, encoding="utf-8")
        defined = (f"-DLANES={LANES[level]}", f"-DCHAINS={CHAINS}")
        try:
            words = [
                *build.compiler(),
                *build.FLAGS,
                *flags,
                *defined,
                "-fvisibility=default",
                "-shared",
                str(source),
                "-o",
                str(target),
            ]
            subprocess.run(words, check=True, capture_output=True, timeout=build.TIMEOUT)  # noqa: S603
        except (build.CannotBuildError, OSError, subprocess.SubprocessError):
            return None
        work = ctypes.CDLL(str(target)).work
    work.argtypes, work.restype = [ctypes.c_long], ctypes.c_double
    return ROUNDS * CHAINS * LANES[level] / min(_seconds(work) for _ in range(REPEATS))


def _seconds(work: Any) -> float:
    start = time.perf_counter()
    work(ROUNDS)
    return time.perf_counter() - start


def ceiling(model: Any, level: str, rows: int, threads: int, seconds: float) -> str:
    """Which part of this machine's ceiling a model's dense layers reach, and their part of our time; empty without."""
    reached, most = layers.multiply_adds_a_second(model, level), multiply_adds_a_second(level)
    if reached is None or most is None:
        return ""
    work = rows * sum(weights.size for weights in layers.dense_layers(model))
    return (
        f"; dense layers alone: {reached / most:.0%} of the ceiling of {most / 1e9:.1f} G/s a thread,"
        f" {work / reached / threads / seconds:.0%} of our time"
    )
