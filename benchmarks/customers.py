"""All purchases of a year to one answer a household: the compiled pipeline against vectorised pandas + scikit-learn.

    python benchmarks/customers.py

The pipeline is fitted on campaign 18, then scores every household of the data set with all its purchases. What is
timed is compared in the same run: features bit for bit, probabilities within rounding, and one household alone and
shuffled purchases with the bits of the batch.
"""

import gc
import json
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pyarrow as pa

from pipeline_lib.compiled.pipeline import CompiledPipeline, load_model
from pipeline_lib.compiled.plan import Plan
from pipeline_lib.compiler.compile import compile_pipeline
from pipeline_lib.pipelines import customers
from pipeline_lib.project.params import read_params
from pipeline_lib.rows.conform import conform
from pipeline_lib.rows.model import schema_of
from pipeline_lib.rows.split_tables import as_rows

ROOT = Path(__file__).parent.parent
TURNS = 7
Tables = Mapping[str, pd.DataFrame]


def everybody() -> dict[str, pd.DataFrame]:
    """Every household of the data set with its purchases: 2,469 households, 1,469,307 purchases."""
    _, _, demographics, _, transactions = map(customers._table, customers.SOURCES)
    keys = pd.DataFrame({"household_id": np.sort(transactions["household_id"].unique())})
    transactions = transactions.drop(columns="week").astype({"transaction_timestamp": "datetime64[us]"})
    return {"households": keys.merge(demographics, on="household_id", how="left"), "transactions": transactions}


def seconds(work: Callable[[], object]) -> float:
    """Wall time of one call."""
    gc.collect()
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def in_turns(name: str, theirs: Callable[[], object], ours: Callable[[], object]) -> None:
    """Print the median ratio of two that take turns, so that a noisy moment meets both."""
    pairs = [(seconds(theirs), seconds(ours)) for _ in range(TURNS)]
    ratio = statistics.median(a / b for a, b in pairs)
    print(f"{name}: {ratio:.2f} times as fast ({min(a for a, _ in pairs):.2f} s and {min(b for _, b in pairs):.2f} s)")


def aggregation(model: CompiledPipeline) -> CompiledPipeline:
    """The plan's first step alone: tables in, the columns of one row a household out."""
    made = model.plan.steps["purchases"]
    read = set(model.plan.columns_read(made.values()))
    return CompiledPipeline(Plan(model.plan.nodes, made, {}, model.plan.tables), model.row.keep(read))


def check(model: CompiledPipeline, fitted: Any, stage: CompiledPipeline, tables: Tables) -> None:
    """Fails where the timed outputs are not the same."""
    expected, found = fitted[0].transform(tables), stage.evaluate(tables).outputs
    for name in fitted[0].get_feature_names_out():
        column = expected[name]
        if column.dtype == "float64":
            assert column.to_numpy().tobytes() == found.column(name).to_numpy().tobytes(), name
    probabilities = model.predict_proba(tables)
    assert np.abs(probabilities - fitted.predict_proba(tables)).max() < 1e-12
    shuffled = {**tables, "transactions": tables["transactions"].sample(frac=1, random_state=0)}
    assert model.predict_proba(shuffled).tobytes() == probabilities.tobytes()
    rows = as_rows(conform(tables, model.row).slice(0, 50), model.row)
    assert np.array([model.predict_proba_row(row) for row in rows]).tobytes() == probabilities[:50].tobytes()
    print(f"same: {len(probabilities):,} households, {len(tables['transactions']):,} purchases")
    bought = sum(len(row["transactions"]) for row in rows) / len(rows)
    one = seconds(lambda: [model.predict_proba_row(row) for row in rows]) / len(rows)
    print(f"one household with {bought:,.0f} purchases: {1e3 * one:.1f} ms")


def peak(folder: Path, which: str) -> float:
    """MiB that scoring adds at its peak to a process that holds the tables."""
    done = subprocess.run(  # noqa: S603 (this very script)
        [sys.executable, "-W", "ignore", __file__, "--peak", which, str(folder)],
        capture_output=True,
        text=True,
        check=True,
    )
    return float(json.loads(done.stdout))


def measure_peak(which: str, folder: Path) -> None:
    """In a process of its own: print the peak above what the tables hold."""
    tables = {name: pd.read_parquet(folder / f"{name}.parquet") for name in ("households", "transactions")}
    model: Any = load_model(folder / "artifact") if which == "ours" else joblib.load(folder / "fitted")
    few = tables | {"transactions": tables["transactions"].head(1000)}
    model.predict_proba(few)  # what is loaded on the first call
    gc.collect()
    pa.default_memory_pool().release_unused()  # what reading the files left
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
    before = _memory("VmRSS")
    model.predict_proba(tables)
    print(json.dumps(_memory("VmHWM") - before))


def _memory(name: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith(name)) / 1024


def main() -> None:
    """Fit once, compare, then print ratios."""
    warnings.simplefilter("ignore")
    params = read_params(ROOT / "params/customers.yml", customers.Params)
    X_train, _, y_train, _ = customers.split(customers.load(), params)
    fitted = customers.build(params).fit(X_train, y_train)
    model = compile_pipeline(fitted, like=X_train, row=schema_of(customers.Row))
    stage, tables = aggregation(model), everybody()
    check(model, fitted, stage, tables)
    in_turns("aggregation against groupby", lambda: fitted[0].transform(tables), lambda: stage.evaluate(tables))
    in_turns("tables to probabilities", lambda: fitted.predict_proba(tables), lambda: model.predict_proba(tables))
    arrow = {name: pa.Table.from_pandas(frame, preserve_index=False) for name, frame in tables.items()}
    in_turns("  from Arrow tables", lambda: fitted.predict_proba(tables), lambda: model.predict_proba(arrow))
    with tempfile.TemporaryDirectory() as folder:
        for name, frame in tables.items():
            frame.to_parquet(Path(folder) / f"{name}.parquet")
        model.save(Path(folder) / "artifact")
        joblib.dump(fitted, Path(folder) / "fitted")  # to fit there would leave freed memory, used again unseen
        theirs, ours = (peak(Path(folder), which) for which in ("theirs", "ours"))
    print(f"memory above the tables: {ours:,.0f} MiB, {theirs:,.0f} MiB by pandas: {ours / theirs:.2f} of it")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--peak"]:
        measure_peak(sys.argv[2], Path(sys.argv[3]))
    else:
        main()
