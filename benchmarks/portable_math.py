"""Nanoseconds per element of portable_math and of NumPy or SciPy, in turn; bits of both forms compared.

Run: python benchmarks/portable_math.py [elements]        (default 4,096)
Times are CPU time of this process, so that a busy machine disturbs them less. Exits with 1 when any bits differ.
"""

import sys
from collections.abc import Callable
from statistics import median
from time import process_time
from typing import Any

import numpy as np

from pipeline_lib.compiled.portable_math.functions import FUNCTIONS

REPETITIONS, CALLS = 15, 40
SCIPY = {"sigmoid": "expit", "erf": "erf", "ndtr": "ndtr", "ndtri": "ndtri"}
RANGES = {
    **dict.fromkeys(("log", "log2", "log10", "sqrt", "cbrt"), (1e-3, 1e6)),
    **dict.fromkeys(("arcsin", "arccos", "ndtri"), (1e-3, 0.999)),
    "log1p": (1e-3, 1e6),
}
HEADER = f"{'function':<9}{'ours ns':>9}{'theirs ns':>11}{'ratio':>8}{'scalar us':>11}{'bits differ':>13}"


def arguments(name: str, size: int) -> tuple[np.ndarray, ...]:
    """Distinct ordinary arguments of a function."""
    rng = np.random.default_rng(0)
    if name == "pow":
        return rng.uniform(0.1, 100, size), rng.uniform(-5, 5, size)
    x = rng.uniform(*RANGES.get(name, (-6.0, 6.0)), size)
    return (x, rng.uniform(-6, 6, size)) if name == "arctan2" else (x,)


def reference(name: str) -> Callable[..., Any] | None:
    """NumPy's or SciPy's function of the same meaning; None without SciPy."""
    if name not in SCIPY:
        function: Callable[..., Any] = getattr(np, {"pow": "power"}.get(name, name))
        return function
    try:
        from scipy import special
    except ImportError:
        return None
    scipy_function: Callable[..., Any] = getattr(special, SCIPY[name])
    return scipy_function


def nanoseconds(function: Callable[..., Any], columns: tuple[np.ndarray, ...]) -> float:
    """One repetition: the time of an element."""
    start = process_time()
    for _ in range(CALLS):
        function(*columns)
    return (process_time() - start) / CALLS / columns[0].size * 1e9


def measure(name: str, size: int) -> int:
    """Print one line of the table; the number of elements whose bits differ between the forms."""
    columns, theirs = arguments(name, size), reference(name)
    rows, scalar = list(zip(*(column.tolist() for column in columns), strict=True)), FUNCTIONS[name].scalar
    vector_times, their_times = [], []
    for _ in range(REPETITIONS):
        vector_times.append(nanoseconds(FUNCTIONS[name].vector, columns))
        their_times.append(nanoseconds(theirs, columns) if theirs else float("nan"))
    start = process_time()
    one_by_one = [scalar(*row) for row in rows]
    scalar_time = (process_time() - start) / size * 1e6
    differing = int((FUNCTIONS[name].vector(*columns).view(np.uint64) != np.array(one_by_one).view(np.uint64)).sum())
    ours, other = median(vector_times), median(their_times)
    ratio = median(mine / his for mine, his in zip(vector_times, their_times, strict=True))
    print(f"{name:<9}{ours:>9.1f}{other:>11.2f}{ratio:>8.1f}{scalar_time:>11.2f}{differing:>13}", flush=True)
    return differing


def main() -> int:
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 4096
    print(f"{size:,} elements, medians of {REPETITIONS} alternating repetitions; NumPy {np.__version__}")
    print(HEADER)
    differing = sum([measure(name, size) for name in FUNCTIONS])
    print(f"{differing} of {size * len(FUNCTIONS):,} results differ in bits between the vector and the scalar form")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
