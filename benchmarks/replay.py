"""A log of a million answers: seconds to write it, to repeat it bit for bit, to find one answer; growth of memory.

python benchmarks/replay.py [--rows 1000000]
"""

import argparse
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from sklearn.ensemble import HistGradientBoostingRegressor

from pipeline_lib import compile_pipeline
from pipeline_lib.answers.log_format import find_answer, logs_in
from pipeline_lib.answers.log_writer import LogWriter
from pipeline_lib.answers.replay import replay

_BLOCK = 2_000


def memory() -> int:
    """The most memory that this process had so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


def main() -> None:
    """Print the measurements."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    blocks = parser.parse_args().rows // _BLOCK
    rng = np.random.default_rng(0)
    rows = pd.DataFrame(rng.normal(size=(_BLOCK, 10)), columns=list("abcdefghij"))
    model = compile_pipeline(HistGradientBoostingRegressor(max_iter=50).fit(rows, rows.sum(axis=1)), like=rows)
    with tempfile.TemporaryDirectory() as name:
        facts = {"record": "made/1", "digest": "", "left_out": []}
        writer = LogWriter(Path(name), model.row, pa.schema([("prediction", pa.float64())]), facts)
        began = time.perf_counter()
        for number in range(blocks):
            table = pa.table({column: rng.normal(size=_BLOCK) for column in rows})
            writer.add(f"{number}", table, model.predict_table(table))
            writer.flush()
        writer.close()
        print(f"answered and written: {time.perf_counter() - began:.1f} s, {memory():,} MiB")
        (log,) = logs_in(Path(name))
        before, began = memory(), time.perf_counter()
        print(replay(log, model).lines()[0])
        print(f"repeated: {time.perf_counter() - began:.1f} s, {memory() - before:,} MiB more")
        began = time.perf_counter()
        find_answer(Path(name), f"{blocks - 1}/{_BLOCK - 1}")
        print(f"the last answer found: {time.perf_counter() - began:.2f} s")


if __name__ == "__main__":
    main()
