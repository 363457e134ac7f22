"""Generated examples of each recorded method: its plan against the library, bit for bit or within its declared ULPs.

    python -m tools.fuzz                                    200 examples of each method
    python -m tools.fuzz --examples 10000                   the same with many
    python -m tools.fuzz --seed 7 "series: clip"            one method, from another seed

An example is a row of random values, given to a call with random arguments (`tests/support/fuzz.py`). Prints a line for
each method and every difference with the seed that repeats it; exits with 1 if there is one.
"""

import argparse
import contextlib
import importlib
import multiprocessing
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "support"))
fuzz: Any = importlib.import_module("fuzz")  # the tests' own generator
fuzz_calls: Any = importlib.import_module("fuzz_calls")

_FEW = 25  # rows of a table for a few examples; more for many, since recording costs as much as 100 rows
_MOST = 100


def tally_of(task: tuple[str, int, int]) -> tuple[Any, float]:
    """The tally of one method, and its seconds."""
    name, examples, seed = task
    start = time.monotonic()
    options, rule = fuzz_calls.calls_of(name)
    rows = min(_MOST, max(_FEW, examples // 40))
    return fuzz.try_calls(name, options, rule, examples=examples, rows=rows, seed=seed), time.monotonic() - start


def tallies(
    names: Sequence[str], examples: int, seed: int, minutes: float, processes: int
) -> Iterator[tuple[Any, float]]:
    """The tallies of methods, in their order, until the time is over."""
    end = time.monotonic() + 60 * minutes
    tasks = [(name, examples, seed) for name in names]
    with contextlib.ExitStack() as stack:
        run: Callable[..., Iterator[Any]] = map
        if processes > 1:
            run = stack.enter_context(multiprocessing.get_context("spawn").Pool(processes)).imap
        for result in run(tally_of, tasks):
            yield result
            if time.monotonic() > end:
                return


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the fuzz and print its table; 1 if a plan differs from the library."""
    parser = argparse.ArgumentParser(prog="python -m tools.fuzz", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="methods such as 'series: clip'; by default all")
    parser.add_argument("--examples", type=int, default=200, help="rows for each method")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=600.0, help="end after this time")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args(arguments)
    names = options.names or fuzz_calls.NAMES
    if unknown := sorted(set(names) - set(fuzz_calls.NAMES)):
        parser.error(f"found no method {', '.join(unknown)}, expected such as {fuzz_calls.NAMES[0]!r}")
    done, examples, wrong = 0, 0, 0
    print(
        f"seed {options.seed}\n{'method':44} {'examples':>8} {'draws':>6} {'refused':>7} {'differ':>6} {'seconds':>7}"
    )
    for tally, seconds in tallies(names, options.examples, options.seed, options.minutes, options.processes):
        counts = f"{tally.examples:>8} {tally.draws:>6} {len(tally.refused):>7} {len(tally.differences):>6}"
        print(f"{tally.name:44} {counts} {seconds:>7.1f}", flush=True)
        for difference in tally.differences:
            print(f"    {difference}", flush=True)
        done, examples, wrong = done + 1, examples + tally.examples, wrong + len(tally.differences)
    print(f"{done} of {len(names)} methods, {examples:,} examples, {wrong} differences")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
