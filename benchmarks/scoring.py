"""Millions of rows of a file to predictions: the command `predict` against pandas and scikit-learn in chunks.

    python benchmarks/scoring.py [--rows 10000000]

The same fitted pipeline answers the same file twice, each time in a process of its own: read in chunks by pandas and
answered by `predict` of scikit-learn, and by the command. Both write a CSV. Compared are the time of the whole process,
its peak memory at the whole size and at a tenth of it, and the predictions. The pipeline is that of houses: 82 columns,
of which the predictions read 41.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from sklearn.pipeline import Pipeline

from pipeline_lib.compiler.compile import compile_pipeline
from pipeline_lib.pipelines import houses
from pipeline_lib.project.params import read_params
from pipeline_lib.records.record import Record, create_record
from pipeline_lib.records.seal import seal
from pipeline_lib.rows.model import schema_of

ROOT = Path(__file__).parent.parent
CHUNK = 100_000
THEIRS = f"""
import sys
import warnings
import joblib
import pandas as pd

warnings.simplefilter("ignore")
fitted, given, output = joblib.load(sys.argv[1]), sys.argv[2], sys.argv[3]
if given.endswith(".csv"):
    chunks = pd.read_csv(given, chunksize={CHUNK})
else:
    import pyarrow.parquet as pq
    chunks = (batch.to_pandas() for batch in pq.ParquetFile(given).iter_batches(batch_size={CHUNK}))
for number, chunk in enumerate(chunks):
    answers = pd.DataFrame({{"prediction": fitted.predict(chunk)}})
    answers.to_csv(output, mode="a" if number else "w", header=not number, index=False)
"""


def fit() -> tuple[Pipeline, pd.DataFrame]:
    """The fitted pipeline of houses, and the rows that it was fitted on."""
    params = read_params(ROOT / "params" / "houses.yml", houses.Params)
    X_train, _, y_train, _ = houses.split(houses.load(), params)
    return houses.build(params).fit(X_train, y_train), X_train


def record(folder: Path, fitted: Pipeline, frame: pd.DataFrame) -> Record:
    """A sealed record of the compiled pipeline."""
    made = create_record(folder / "runs", "houses")
    compile_pipeline(fitted, like=frame, row=schema_of(houses.Row)).save(made.artifact)
    seal(made, {"status": "finished", "reference": made.reference})
    return made


def write(folder: Path, frame: pd.DataFrame, rows: int) -> tuple[Path, Path]:
    """Rows as a CSV and as Parquet: those of a frame again and again, each in another order."""
    csv, parquet = folder / f"rows{rows}.csv", folder / f"rows{rows}.parquet"
    random = np.random.default_rng(0)
    schema = pa.Schema.from_pandas(frame, preserve_index=False)
    with pa_csv.CSVWriter(str(csv), schema) as text, pq.ParquetWriter(str(parquet), schema) as columns:
        for start in range(0, rows, CHUNK):
            chosen = frame.iloc[random.integers(0, len(frame), min(CHUNK, rows - start))]
            piece = pa.Table.from_pandas(chosen, schema, preserve_index=False)
            text.write(piece)
            columns.write(piece)
    return csv, parquet


def measured(*command: object) -> tuple[float, float, float]:
    """Seconds, seconds of CPU and peak megabytes of a process."""
    began, peak = time.perf_counter(), 0
    process = subprocess.Popen([sys.executable, *map(str, command)], stdout=subprocess.DEVNULL)  # noqa: S603 (ours)
    status = Path(f"/proc/{process.pid}/status")
    while True:
        found = re.search(r"VmHWM:\s+(\d+)", status.read_text())
        peak = max(peak, int(found[1]) if found else 0)
        pid, code, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            break
        time.sleep(0.02)
    assert code == 0, command
    return time.perf_counter() - began, usage.ru_utime + usage.ru_stime, peak / 1024


def compare(folder: Path, made: Record, given: Path, rows: int) -> float:
    """Print both times of a file; the peak megabytes of the command."""
    theirs, ours = folder / "theirs.csv", folder / "ours.csv"
    own, own_cpu, memory = measured(
        "-m", "pipeline_lib", "predict", made.folder, given, ours, "--allow-unproven", "--quiet"
    )
    script = folder / "theirs.py"
    script.write_text(THEIRS)
    other, other_cpu, other_memory = measured(script, folder / "fitted.joblib", given, theirs)
    answers = [pa_csv.read_csv(path)["prediction"] for path in (ours, theirs)]
    assert np.allclose(*answers, rtol=1e-12, atol=0)
    print(
        f"{given.suffix[1:]:<8} {rows:>11,} rows  predict {own:6.1f} s ({own_cpu:.1f} s of CPU) {memory:.0f} MB   "
        f"pandas and scikit-learn {other:6.1f} s ({other_cpu:.1f}) {other_memory:.0f} MB   "
        f"{other / own:.1f} times as fast ({other_cpu / own_cpu:.1f} by CPU)"
    )
    return memory


def main(words: Sequence[str]) -> None:
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000_000)
    rows = parser.parse_args(words).rows
    with tempfile.TemporaryDirectory(prefix="scoring-") as name:
        folder = Path(name)
        fitted, frame = fit()
        joblib.dump(fitted, folder / "fitted.joblib")
        made = record(folder, fitted, frame)
        peaks: dict[str, list[float]] = {}
        for size in (rows // 10, rows):
            for given in write(folder, frame, size):
                peaks.setdefault(given.suffix, []).append(compare(folder, made, given, size))
        for suffix, (small, large) in peaks.items():
            print(f"{suffix[1:]:<8} peak memory grows {large / small - 1:+.0%} from {rows // 10:,} to {rows:,} rows")
            assert large < small + 250  # a few blocks


if __name__ == "__main__":
    main(sys.argv[1:])
