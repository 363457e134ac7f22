"""The one comparison of bits, against reading the same bytes once. Ratios measured side by side in this run.

python benchmarks/compare.py [--rows 1000000] [--columns 50]
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.feather as feather

from pipeline_lib.evidence.bits import first_difference


def seconds(work: Callable[[], object]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    """Compare two equal tables, and one with a single bit changed, against reading both from files."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--columns", type=int, default=50)
    asked = parser.parse_args()
    rng = np.random.default_rng(0)
    numbers = {f"c{place:02}": rng.normal(size=asked.rows) for place in range(asked.columns)}
    changed = {**numbers, "c00": numbers["c00"].copy()}
    changed["c00"][-1] = np.nextafter(changed["c00"][-1], np.inf)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.feather"
        feather.write_feather(pa.table(numbers), path, compression="uncompressed")
        found = first_difference(pa.table(numbers), pa.table(changed))
        assert found is not None
        assert (found.column, found.row, found.ulps) == ("c00", asked.rows - 1, 1)
        pairs = []
        for _ in range(7):
            first, second = (feather.read_table(path, memory_map=False) for _ in range(2))
            reading = seconds(lambda: feather.read_table(path, memory_map=False))
            pairs.append((seconds(lambda a=first, b=second: first_difference(a, b)), reading))
    ratio = statistics.median(comparing / reading for comparing, reading in pairs)
    print(
        f"comparing {asked.rows:,} rows x {asked.columns} columns: {ratio:.1f} times reading one of the tables (aim 2)"
    )


if __name__ == "__main__":
    main()
