"""Many rows in the core against NumPy's executor: houses as Arrow has them, and text with few and with many values.

    python benchmarks/bulk.py [--rows 100000] [--rounds 9]

Both answer the same table in one process, in turn; the raw columns are checked each time. Printed are the ratios of
their best times (above 1 the core is faster) and of their processor time, with one thread and with two. The answers
have to have the same bytes. Houses have 82 columns, 43 of them dictionaries. Texts are names with a title.
"""

import argparse
import random
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline_lib.compiled.batch_evaluator import BatchEvaluator
from pipeline_lib.compiled.native.core import numpy_alone
from pipeline_lib.compiled.plan import Plan
from pipeline_lib.compiler.builder import Builder
from pipeline_lib.compiler.compile import compile_pipeline
from pipeline_lib.pipelines import houses
from pipeline_lib.project.params import read_params
from pipeline_lib.rows.column import Column
from pipeline_lib.rows.model import schema_of
from pipeline_lib.rows.schema import RowSchema

ROOT = Path(__file__).parent.parent
DISTINCT = (4, 50, 1000, 90_000)
NAMES = ("Braund, Mr. Owen Harris", "Cumings, Mrs. John", "Heikkinen, Miss. Laina", "Élan, Dr. Ünal")
SCHEMA = RowSchema((Column("name", "string", nullable=True), Column("fare", "number")))


def house_rows(rows: int) -> tuple[Plan, RowSchema, pa.Table]:
    """The compiled pipeline of houses, and rows of it, whose texts are dictionaries."""
    params = read_params(ROOT / "params" / "houses.yml", houses.Params)
    X_train, _, y_train, _ = houses.split(houses.load(), params)
    with warnings.catch_warnings(action="ignore"):
        model = compile_pipeline(houses.build(params).fit(X_train, y_train), like=X_train, row=schema_of(houses.Row))
    frame = X_train.sample(rows, replace=True, random_state=0, ignore_index=True)
    table = pa.Table.from_pandas(frame, preserve_index=False)
    columns = [each.dictionary_encode() if _is_text(each.type) else each for each in table.columns]
    return model.plan, model.row, pa.table(dict(zip(table.column_names, columns, strict=True)))


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def title_plan() -> Plan:
    """A number of the title in a name, the name's length, and another column."""
    build = Builder()
    name, fare = build.input("name", "str"), build.input("fare", "float64")
    behind = build.text_split_item(name, separator=",", index=1)
    title = build.text_strip(build.text_split_item(behind, separator=".", index=0), side="both")
    known = build.lookup(title, {"Mr": 1.0, "Mrs": 2.0, "Miss": 3.0}, gives="float64", unseen=0.0, missing=-1.0)
    return Plan(build.nodes, {"prediction": ((known + build.text_length(name) + fare) * 2.0).node})


def name_rows(rows: int, distinct: int, *, coded: bool) -> pa.Table:
    """Names, some of them missing, `distinct` different ones."""
    draw = random.Random(0)  # noqa: S311 (no secret)
    own = [f"{draw.choice(NAMES)} {number}" for number in range(distinct)]
    names = pa.array([draw.choice(own) if row % 50 else None for row in range(rows)])
    return pa.table({"name": names.dictionary_encode() if coded else names, "fare": np.arange(rows) / 7})


def compare(label: str, plan: Plan, row: RowSchema, table: pa.Table, rounds: int) -> bool:
    """Print the ratios of one table; whether all answers have the same bytes."""
    roots, same = list(plan.outputs.values()), True
    for threads in (1, 2):
        core, reference = (BatchEvaluator(plan, row, threads=threads) for _ in range(2))

        def by_core(own: BatchEvaluator = core) -> Any:
            return own.evaluate(roots, table, None)

        def by_numpy(own: BatchEvaluator = reference) -> Any:
            with numpy_alone():
                return own.evaluate(roots, table, None)

        same &= all(one.tobytes() == two.tobytes() for one, two in zip(by_core(), by_numpy(), strict=True))
        times = [(*_timed(by_numpy), *_timed(by_core)) for _ in range(rounds)]
        wall, work, own_wall, own_work = (min(each) for each in zip(*times, strict=True))
        print(
            f"{label}, {threads} threads: {wall / own_wall:.1f} times as fast as NumPy "
            f"({own_wall * 1e3:.1f} against {wall * 1e3:.1f} ms), processor time {work / own_work:.1f}"
        )
    return same


def _timed(run: Callable[[], Any]) -> tuple[float, float]:
    start, work = time.perf_counter(), time.process_time()
    run()
    return time.perf_counter() - start, time.process_time() - work


def main() -> int:
    """Print the ratios; 1 where answers differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=9)
    given = parser.parse_args()
    plan, row, table = house_rows(given.rows)
    same = compare(f"{given.rows:,} houses", plan, row, table, given.rounds)
    for distinct in DISTINCT:
        for coded in (True, False):
            kind = "a dictionary" if coded else "strings"
            names = name_rows(given.rows, distinct, coded=coded)
            same &= compare(f"{distinct:,} texts, {kind}", title_plan(), SCHEMA, names, given.rounds)
    print("all answers have the same bytes" if same else "answers differ")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
