"""Eight families of models against their fastest peer: one row, 100 and 100,000 rows, with one thread and with two.

    python benchmarks/peers.py [--only forest] [--rows 1 100] [--threads 1] [--given ready] [--seconds 8] [--quick]

Each family is a whole pipeline over 24 raw columns, with missing numbers and, where it takes them, text. Its peers:

    scikit-learn         the fitted pipeline itself
    ONNX Runtime, f32    the pipeline converted by skl2onnx or onnxmltools; it computes in float32
    LightGBM, XGBoost    their own boosters

Like with like: `ready` gives each what it takes without a conversion: a NumPy array, ONNX Runtime's feed (missing text
is ""), ours an Arrow table, or a dict for one row; of text, scikit-learn takes frames alone. `frame` gives all of them
the same pandas frame. All are timed in turns in one process, on other rows at each turn, until the ratios of the even
and of the odd turns agree within STEADY, or the time is over.

    ratio    the fastest peer's shortest time a call over ours: above 1 we are first
    noise    how far the ratios of the even and of the odd turns are apart
    by CPU   the same ratio of CPU time, which other processes disturb less; with one thread it says the same

Of an MLP a line also says which part of our time its dense layers would take at the rate of multiplications and
additions that this machine reaches in registers: no order of operations with the same bits is faster.

Versions, sizes and threads were fixed before the native core was written, and are not changed for it. The peers that
the project does not need otherwise are in the extra `peers`; a line says which are missing.
"""

import argparse
import gc
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from peer_race.ceiling import ceiling
from peer_race.contestants import (
    Contestant,
    converted,
    executor_of,
    has,
    installed_versions,
    library,
    onnx,
    ours,
    remarks,
)
from peer_race.families import FAMILIES, Family, fitted_model, frame_of
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from pipeline_lib.compiled.pipeline import CompiledPipeline

THREADS, DOORS = (1, 2), ("ready", "frame")
STEADY = 0.05
PAUSE = 0.005  # seconds between two contestants: threads of the one before stop spinning
QUICK_ROWS = 300  # that a model is fitted on
HEADER = (
    f"{'family':<24}{'rows':>8}{'threads':>8} {'given':<6}{'ratio':>8}{'noise':>7}{'by CPU':>8}  {'fastest peer':<19}"
    f"{'ours, us':>12}{'differing':>18}   {'executor':<10}ratios of the others"
)


@dataclass(frozen=True)
class Size:
    """Rows of a call, calls of a turn, distinct batches, those whose predictions are compared, and the part of
    `--seconds` that a race may take.

    There are at least `turns` turns. A frame costs milliseconds: fewer calls are enough.
    """

    rows: int
    calls: int
    batches: int
    compared: int
    seconds: float
    turns: int

    def of(self, door: str) -> "Size":
        """The size of a race in which everyone is given frames, or what is ready."""
        return (
            replace(self, calls=max(1, self.calls // 10), compared=max(1, self.compared // 10))
            if door == "frame"
            else self
        )


SIZES = (Size(1, 30, 600, 200, 0.25, 8), Size(100, 5, 40, 10, 0.25, 8), Size(100_000, 1, 3, 1, 1.0, 3))
QUICK_SIZES = (Size(1, 2, 4, 4, 0.0, 2), Size(50, 1, 2, 2, 0.0, 2))


@dataclass(frozen=True)
class Models:
    """A family's fitted pipeline, the same compiled, and as an ONNX graph where it can be converted."""

    family: Family
    fitted: Pipeline
    compiled: CompiledPipeline
    graph: bytes | None

    def contestants(self, rows: int, threads: int, door: str) -> list[Contestant]:
        """Ours first, then the peers."""
        entrants = [ours(self.compiled, rows, threads, door), library(self.family, self.fitted, rows, threads, door)]
        return [*entrants, onnx(self.family, self.graph, threads, door)] if self.graph is not None else entrants


@dataclass(frozen=True)
class Times:
    """Seconds of one contestant's call at each turn: of the wall, and of the process's CPU."""

    wall: list[float]
    cpu: list[float]


@dataclass(frozen=True)
class Result:
    """What a race measured of every contestant, ours first: the times, and how many of `answers` differ from ours."""

    names: Sequence[str]
    times: Sequence[Times]
    differing: Sequence[int]
    answers: int

    @property
    def fastest(self) -> int:
        """The peer with the shortest call."""
        return min(range(1, len(self.times)), key=lambda peer: min(self.times[peer].wall))

    def ratio(self, peer: int) -> float:
        """A peer's shortest time over ours."""
        return min(self.times[peer].wall) / min(self.times[0].wall)

    def ratio_by_cpu(self, peer: int) -> float:
        """The same of CPU time."""
        return min(self.times[peer].cpu) / min(self.times[0].cpu)


def race(contestants: Sequence[Contestant], batches: Sequence[pd.DataFrame], size: Size, labels: bool) -> Result:
    """Compare the contestants' predictions, then time them."""
    feeds = [[each.feed(batch) for batch in batches] for each in contestants]
    answers = [
        np.concatenate([np.ravel(each.predict(feed)) for feed in own[: size.compared]]).astype(np.float64)
        for each, own in zip(contestants, feeds, strict=True)
    ]
    largest = 0.0 if labels else np.abs(answers[0]).max()
    differing = [
        int(np.count_nonzero(~(np.abs(answer - answers[0]) <= each.tolerance * largest)))
        for each, answer in zip(contestants, answers, strict=True)
    ]
    times = timed([each.predict for each in contestants], feeds, size)
    return Result([each.name for each in contestants], times, differing, len(answers[0]))


def timed(works: Sequence[Callable[[Any], Any]], feeds: Sequence[Sequence[Any]], size: Size) -> list[Times]:
    """The times of each work; at each turn all of them get the same batches, and another one begins."""
    times = [Times([], []) for _ in works]
    gc.collect()
    gc.disable()
    end, turn = time.perf_counter() + size.seconds, 0
    while turn < size.turns or (time.perf_counter() < end and not steady(times)):
        batches = [number % size.batches for number in range(turn * size.calls, (turn + 1) * size.calls)]
        for place in range(len(works)):
            number = (place + turn) % len(works)
            own = [feeds[number][batch] for batch in batches]
            time.sleep(PAUSE)
            wall, cpu = of_calls(works[number], own)
            times[number].wall.append(wall)
            times[number].cpu.append(cpu)
        turn += 1
    gc.enable()
    return times


def of_calls(work: Callable[[Any], Any], feeds: Sequence[Any]) -> tuple[float, float]:
    """Seconds a call, of the wall and of the process's CPU."""
    cpu, wall = time.process_time(), time.perf_counter()
    for feed in feeds:
        work(feed)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return wall / len(feeds), cpu / len(feeds)


def noise(ours: Times, peer: Times) -> float:
    """How far a peer's ratio of the even turns is from that of the odd turns."""
    even, odd = (min(peer.wall[start::2]) / min(ours.wall[start::2]) for start in (0, 1))
    return abs(even / odd - 1)


def steady(times: Sequence[Times]) -> bool:
    """Whether every peer's ratio is known well enough."""
    return all(noise(times[0], peer) < STEADY for peer in times[1:])


@dataclass(frozen=True)
class Cells:
    """What is measured of each family: sizes, what is given, threads; and on how many rows it is fitted at most."""

    sizes: Sequence[Size]
    doors: Sequence[str]
    threads: Sequence[int]
    fitted_rows: int


def print_family(family: Family, cells: Cells, found: Mapping[str, str]) -> None:
    """Print the lines of a family."""
    fitted, compiled = fitted_model(family, min(family.rows, cells.fitted_rows))
    graph = converted(family, fitted) if has("ONNX Runtime", found) else None
    models = Models(family, fitted, compiled, graph)
    frame, _ = frame_of(family, max(size.rows * size.batches for size in cells.sizes), 1)
    for size in cells.sizes:
        batches = [
            frame[at : at + size.rows].reset_index(drop=True) for at in range(0, size.rows * size.batches, size.rows)
        ]
        for door in cells.doors:
            for threads in cells.threads:
                with threadpool_limits(threads):
                    result = race(models.contestants(size.rows, threads, door), batches, size.of(door), family.labels)
                start = f"{family.name:<24}{size.rows:>8,}{threads:>8} {door:<6}"
                level = executor_of(compiled)
                most = ceiling(fitted[-1], level, size.rows, threads, min(result.times[0].wall))
                print(start + line(result) + f"{level:<10}{others(result)}{most}", flush=True)


def line(result: Result) -> str:
    """The fastest peer of a race."""
    peer = result.fastest
    apart = noise(result.times[0], result.times[peer])
    return (
        f"{result.ratio(peer):>8.2f}{apart:>7.0%}{result.ratio_by_cpu(peer):>8.2f}  {result.names[peer]:<19}"
        f"{min(result.times[0].wall) * 1e6:>12,.1f}{result.differing[peer]:>8,} of {result.answers:<7,}   "
    )


def others(result: Result) -> str:
    """The ratios of the slower peers, with how many of their predictions differ."""
    return ", ".join(
        f"{result.names[peer]} {result.ratio(peer):.2f} ({result.differing[peer]:,} differ)"
        for peer in range(1, len(result.names))
        if peer != result.fastest
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure every family whose libraries are installed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="the families whose names hold this text")
    parser.add_argument("--rows", type=int, nargs="+", default=[size.rows for size in SIZES])
    parser.add_argument("--threads", type=int, nargs="+", default=THREADS)
    parser.add_argument("--given", nargs="+", default=DOORS, choices=DOORS)
    parser.add_argument("--seconds", type=float, default=8.0, help="that a race may take; a quarter for few rows")
    parser.add_argument("--quick", action="store_true", help="few rows and turns, small models: does it run at all?")
    given = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    found = installed_versions()
    print(", ".join(f"{package} {version}" for package, version in found.items()))
    for remark in remarks(found):
        print(remark)
    print(HEADER, flush=True)
    sizes = [replace(size, seconds=size.seconds * given.seconds) for size in SIZES if size.rows in given.rows]
    cells = Cells(sizes, given.given, given.threads, 20_000)
    if given.quick:
        cells = Cells(QUICK_SIZES, DOORS, THREADS, QUICK_ROWS)
    for family in FAMILIES:
        if given.only in family.name and (not family.booster or has(family.booster, found)):
            print_family(family, cells, found)


if __name__ == "__main__":
    main()
