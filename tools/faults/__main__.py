"""The fault suite: under every fault no unfinished record looks finished, and no other record is lost or changed.

    python -m tools.faults [--seed N] [--share 1.0] [--only WORDS] [--good RECORD]

Runners of the houses pipeline are killed, interrupted, starved and crowded; disks fail at every write; sealed records
are damaged. Each line of the table is judged by the files that are left. The last line is a control: a runner that is
wrong on purpose, which must be reported.
"""

import argparse
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from pipeline_lib.records.record import Record, all_records
from pipeline_lib.runner.run import run_pipeline
from tools.faults import scenarios
from tools.faults.scenarios import Row
from tools.faults.stage import PARAMS, Stage

SEED = 20_261_123
CONTROL = "control"


def suite(stage: Stage, seed: int, share: float) -> dict[str, Callable[[], Row]]:
    """The scenarios by name; `share` is the fraction of each one's trials."""

    def some(count: int) -> int:
        return max(1, round(count * share))

    every = max(1, round(1 / share))
    return {
        "SIGKILL": lambda: scenarios.signals(stage, signal.SIGKILL, some(200)),
        "SIGTERM": lambda: scenarios.signals(stage, signal.SIGTERM, some(50)),
        "SIGINT": lambda: scenarios.signals(stage, signal.SIGINT, some(50)),
        "stubborn SIGKILL": lambda: scenarios.stubborn(stage, signal.SIGKILL),
        "stubborn SIGTERM": lambda: scenarios.stubborn(stage, signal.SIGTERM),
        "stubborn SIGINT": lambda: scenarios.stubborn(stage, signal.SIGINT),
        "deaths": lambda: scenarios.deaths(stage, every=min(every, 4)),
        "ENOSPC": lambda: scenarios.writes(stage, "ENOSPC", every=every),
        "EIO": lambda: scenarios.writes(stage, "EIO", every=every),
        "EACCES": lambda: scenarios.writes(stage, "EACCES", every=every),
        "disk": lambda: scenarios.small_disk(stage, range(16, 1200, 64 * every)),
        "crowd": lambda: scenarios.at_once(stage, 16, some(20)),
        "bits": lambda: scenarios.bits(stage, some(500), seed),
        "tampering": lambda: scenarios.tamperings(stage),
        CONTROL: lambda: scenarios.control(stage, some(10)),
    }


def line(row: Row) -> str:
    """A row as the table shows it."""
    ends = "; ".join(f"{count} {end}" for end, count in row.ends.most_common(4))
    return f"{row.name:<40} {row.trials:>6} {len(row.wrong):>6} {row.slowest_kernel:>9.1f} s  {ends}"


def good_record(folder: Path) -> Record:
    """One real run, in a child process: this process is forked later and must have no threads."""
    child = os.fork()
    if not child:
        run_pipeline(PARAMS, runs=folder, force=True)
        os._exit(0)
    os.waitpid(child, 0)
    return all_records(folder)[-1]


def run(stage: Stage, seed: int, share: float, only: str = "") -> tuple[list[str], int]:
    """Run every scenario; the problems, and the exit code: 1 for a problem, or for a control without one."""
    wrong, code = [], 0
    print(f"{'':<40} {'trials':>6} {'wrong':>6} {'kernel ends':>11}  what was left", flush=True)
    for name, scenario in suite(stage, seed, share).items():
        if only not in name:
            continue
        row = scenario()
        print(line(row), flush=True)
        if bool(row.wrong) != (name == CONTROL):
            code = 1
            wrong += [f"{row.name}: {problem}" for problem in row.wrong or ["the control stayed green"]]
    return wrong, code


def main(words: Sequence[str] | None = None) -> int:
    """Print the table and the problems; exit code 1 where there are some."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=SEED, help="seed of the random times and positions")
    parser.add_argument("--share", type=float, default=1.0, help="fraction of each scenario's trials")
    parser.add_argument("--only", default="", help="only scenarios whose name contains this")
    parser.add_argument("--good", type=Path, help="a finished record of houses; by default one is made")
    options = parser.parse_args(words)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="pipeline-lib-faults-") as folder:
        good = Record(options.good.resolve()) if options.good else good_record(Path(folder) / "good")
        print(f"seed {options.seed}", flush=True)
        wrong, code = run(Stage(Path(folder), good, options.seed), options.seed, options.share, options.only)
    print("\n".join([*wrong[:50], f"{len(wrong)} wrong, {time.monotonic() - started:,.0f} s"]))
    return code


if __name__ == "__main__":
    sys.exit(main())
