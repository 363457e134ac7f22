"""The house pipeline: compiling, one row, many rows, memory, start-up. Ratios measured side by side in this run.

    python benchmarks/pipelines.py [--rows 10000000] [--params params/houses.rule.yml]

Every timed output is compared with the record's bits, or with another executor's; rows are distinct, and nothing is
cached by input.
"""

import argparse
import gc
import json
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import skops.io

from pipeline_lib.compiled.pipeline import CompiledPipeline
from pipeline_lib.compiler.compile import compile_pipeline
from pipeline_lib.pipelines import houses
from pipeline_lib.project.params import read_params
from pipeline_lib.rows.conform import conform
from pipeline_lib.rows.frames import to_frame
from pipeline_lib.rows.model import schema_of

ROOT = Path(__file__).parent.parent
PART_ROWS = 200_000


def seconds(work: Callable[[], object]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def sales(rows: int, seed: int = 0) -> pd.DataFrame:
    """Raw rows drawn from the data set, made distinct by their sizes."""
    frame = houses.load().drop(columns=houses.TARGET)
    rng = np.random.default_rng(seed)
    drawn = frame.iloc[rng.integers(0, len(frame), rows)].reset_index(drop=True)
    drawn["Lot.Area"] += np.arange(rows) % 100_003
    drawn["area"] += rng.integers(0, 400, rows)
    return drawn


def same(left: Any, right: Any) -> None:
    """Fails where two arrays of predictions differ in a bit."""
    assert np.asarray(left).tobytes() == np.asarray(right).tobytes(), "the timed outputs differ"


def one_row(model: CompiledPipeline, fitted: Any) -> None:
    """One row, dict in, number out, against the pipeline's predict of a one-row frame."""
    table = conform(sales(2_000), model.row)
    rows, frame = table.to_pylist(), to_frame(table)
    expected = model.predict(table)
    model.predict_row(rows[0])
    ours: list[float] = []
    theirs: list[float] = []
    found = []
    gc.collect()
    for start in range(0, 2_000, 100):  # in turns, so that a noisy moment meets both
        theirs.append(seconds(lambda at=start: fitted.predict(frame.iloc[[at]])))
        for row in rows[start - 20 : start]:  # back into the cache, from which their work has pushed ours
            model.predict_row(row)
        for row in rows[start : start + 100]:
            begin = time.perf_counter()
            value = model.predict_row(row)
            ours.append(time.perf_counter() - begin)
            found.append(value)
    same(found, expected)
    median = statistics.median(ours)
    tail = sorted(ours)[int(0.99 * len(ours))]
    ratio = statistics.median(theirs) / median
    print(f"one row: {ratio:,.0f} times faster than pipeline.predict at the median (aim 2,000)")
    print(f"  99th percentile {tail / median:.1f} times the median (aim below 5)")


def many_rows(model: CompiledPipeline, fitted: Any) -> None:
    """100,000 rows as a frame, against the pipeline's predict."""
    frame = sales(100_000, seed=1)
    expected = np.concatenate([model.predict(frame.iloc[at : at + 1_000]) for at in range(0, len(frame), 1_000)])
    same(model.predict(frame), expected)
    pairs = [(seconds(lambda: fitted.predict(frame)), seconds(lambda: model.predict(frame))) for _ in range(5)]
    ratio = statistics.median(theirs / ours for theirs, ours in pairs)
    print(f"100,000 rows: {ratio:.1f} times faster than pipeline.predict (aim 20)")
    theirs, ours = (len(frame) / 1e6 / statistics.median(times) for times in zip(*pairs, strict=True))
    print(f"  {ours:.2f} million rows per second, pipeline.predict {theirs:.2f} million")
    coded = conform(frame, model.row)
    coded = pa.table(
        {
            name: column.dictionary_encode() if pa.types.is_string(column.type) else column
            for name, column in zip(coded.column_names, coded.columns, strict=True)
        }
    )
    same(model.predict(coded), expected)
    pairs = [(seconds(lambda: fitted.predict(frame)), seconds(lambda: model.predict(coded))) for _ in range(5)]
    print(f"  {statistics.median(a / b for a, b in pairs):.1f} times from dictionary-encoded text")


def parts(rows: int) -> Iterator[pa.Table]:
    """As many rows, in parts; the same parts again and again, each shifted so that rows are distinct."""
    first = conform(sales(PART_ROWS, seed=2), schema_of(houses.Row))
    place = first.schema.get_field_index("Lot.Area")
    for number in range(0, rows, PART_ROWS):
        size = pc.add(first.column(place), pa.scalar(number // PART_ROWS, pa.int64()))
        yield first.set_column(place, first.schema.field(place), size).slice(0, min(PART_ROWS, rows - number))


def read_and_sum(table: pa.Table, names: tuple[str, ...]) -> float:
    """Touch every value of the columns that the pipeline reads: numbers are summed, text lengths too."""
    total = 0.0
    for name in names:
        column = table.column(name)
        numbers = pc.utf8_length(column) if pa.types.is_string(column.type) else column
        total += pc.sum(numbers).as_py() or 0
    return total


def streamed(model: CompiledPipeline, rows: int) -> None:
    """Many rows through blocks: peak memory by rows, and the time against reading and summing the same columns."""
    sums = sum(seconds(lambda t=part: read_and_sum(t, model.reads)) for part in parts(rows))
    work = 0.0
    for part in parts(rows):
        work += seconds(lambda t=part: next(iter(model.predict_batches([t]))))
    print(f"{rows:,} rows in parts of {PART_ROWS:,}: {work / sums:.1f} times reading and summing (aim 10)")
    with tempfile.TemporaryDirectory() as folder:
        model.save(Path(folder))
        peaks = [int(fresh("memory", folder, str(count))) for count in (rows // 10, rows)]
    print(f"  peak memory with ten times the rows: {peaks[1] / peaks[0]:.2f} times (aim 1)")


def peak_memory(folder: str, rows: int) -> int:
    """Peak resident kilobytes of a process that predicts as many rows in parts."""
    import resource

    from pipeline_lib import load_model

    model = load_model(folder)
    for _ in model.predict_batches(parts(rows)):
        pass
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def start_up(model: CompiledPipeline, fitted: Any) -> None:
    """Import, load and one prediction in a fresh process, against scikit-learn and a skops artifact."""
    row = conform(sales(1), model.row).to_pylist()[0]
    with tempfile.TemporaryDirectory() as folder:
        model.save(Path(folder))
        (Path(folder) / "pipeline.skops").write_bytes(skops.io.dumps(fitted))
        (Path(folder) / "row.txt").write_text(json.dumps(row))
        pairs, loaded = [], ""
        for _ in range(5):
            begin = time.perf_counter()
            loaded = fresh("ours", folder)
            middle = time.perf_counter()
            fresh("theirs", folder)
            pairs.append((middle - begin, time.perf_counter() - middle))
        bare = statistics.median(seconds(lambda: fresh("nothing", folder)) for _ in range(5))
    assert loaded == "[]", f"found {loaded} imported, expected none of the research libraries"
    ratio = statistics.median(theirs / ours for ours, theirs in pairs)
    net = statistics.median((theirs - bare) / (ours - bare) for ours, theirs in pairs)
    print(
        f"import and load in a fresh process: {ratio:.1f} times faster (aim 10); {net:.1f} without Python's own start"
    )


FRESH = {
    "nothing": "pass",
    "ours": (
        "import json, pathlib; from pipeline_lib import load_model; m = load_model(folder)\n"
        "m.predict_row(json.loads(pathlib.Path(folder, 'row.txt').read_text()))\n"
        "print(sorted({'sklearn', 'feature_engine', 'pandas', 'scipy'} & set(sys.modules)))"
    ),
    "theirs": (
        "import skops.io as s, pathlib; state = pathlib.Path(folder, 'pipeline.skops').read_bytes()\n"
        "s.loads(state, trusted=s.get_untrusted_types(data=state))"
    ),
    "memory": "from benchmarks.pipelines import peak_memory; print(peak_memory(folder, int(sys.argv[2])))",
}


def fresh(what: str, *arguments: str) -> str:
    """What a fresh process prints."""
    code = f"import sys; folder = sys.argv[1]\n{FRESH[what]}"
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def main() -> None:
    """Fit and compile the house pipeline, and print every ratio."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--params", type=Path, default=ROOT / "params/houses.yml")
    arguments = parser.parse_args()
    rows = arguments.rows
    warnings.simplefilter("ignore")
    params = read_params(arguments.params, houses.Params)
    X_train, _, y_train, _ = houses.split(houses.load(), params)
    fitted = houses.build(params).fit(X_train, y_train)
    model = compile_pipeline(fitted, like=X_train, row=schema_of(houses.Row))
    again = seconds(lambda: compile_pipeline(fitted, like=X_train, row=schema_of(houses.Row)))
    print(f"compiled in {again:.1f} s, {again / seconds(lambda: houses.build(params).fit(X_train, y_train)):.1f} fits")
    print(f"{len(fitted.steps)} steps, {len(model.reads)} of {len(model.row.names)} raw columns reach the output")
    one_row(model, fitted)
    many_rows(model, fitted)
    streamed(model, rows)
    if params.estimator.kind != "rule":  # skops cannot store the Series that the rule has learned
        start_up(model, fitted)


if __name__ == "__main__":
    main()
