"""Ensembles of trees, one row and many rows, against their own libraries. Both are timed in turns.

    python benchmarks/trees.py [--rows 100000]

Rows are distinct. Before anything is timed, compiling has compared the outputs with the library's within their error
bounds, and the outputs of single rows are compared bit by bit with those of columns.
"""

import argparse
import time
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
import pandas as pd
from sklearn.ensemble import (
    ExtraTreesRegressor,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.pipeline import Pipeline

from pipeline_lib.compiled.operations import trees
from pipeline_lib.compiler.compile import compile_pipeline

COLUMNS, ONE_ROWS, REPETITIONS = 20, 300, 5
HEADER = f"{'model':<32}{'nodes':>8}  {'one row':<10}{'us':>7}{'theirs':>8}{'ratio':>7}"
HEADER += f"  {'many rows: s theirs':>20}{'ours':>8}{'ratio':>7}"


def frame(rows: int, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Distinct rows, and a target that depends on some of their columns."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, COLUMNS))
    y = 2 * x[:, 0] + np.sin(3 * x[:, 1]) + x[:, 2] * x[:, 3] + rng.normal(size=rows)
    return pd.DataFrame(x, columns=[f"x{index}" for index in range(COLUMNS)]), y


def models() -> dict[str, tuple[Any, int]]:
    """Models by name, with the count of rows on which each is fitted."""
    models: dict[str, tuple[Any, int]] = {
        "forest, 100 trees, leaves of 10": (RandomForestRegressor(min_samples_leaf=10, random_state=0), 2000),
        "forest, 100 trees, leaves of 5": (RandomForestRegressor(min_samples_leaf=5, random_state=0), 2000),
        "forest, 100 trees, full": (RandomForestRegressor(random_state=0), 2000),
        "forest classifier, leaves of 10": (RandomForestClassifier(min_samples_leaf=10, random_state=0), 2000),
        "extra trees, 100, leaves of 10": (ExtraTreesRegressor(min_samples_leaf=10, random_state=0), 2000),
        "gradient boosting, depth 3": (GradientBoostingRegressor(random_state=0), 2000),
        "hist gradient boosting": (HistGradientBoostingRegressor(early_stopping=False, random_state=0), 20_000),
        "hist boosting classifier": (HistGradientBoostingClassifier(early_stopping=False, random_state=0), 20_000),
    }
    if find_spec("lightgbm") is not None:
        from lightgbm import LGBMRegressor

        models["LightGBM"] = (LGBMRegressor(verbose=-1), 20_000)
    if find_spec("xgboost") is not None:
        from xgboost import XGBRegressor

        models["XGBoost"] = (XGBRegressor(), 20_000)
    return models


def fastest(*works: Callable[[], object]) -> list[float]:
    """The shortest wall time of each work; they are timed in turns."""
    times = [[0.0] * REPETITIONS for _ in works]
    for repetition in range(REPETITIONS):
        for work, measured in zip(works, times, strict=True):
            start = time.perf_counter()
            work()
            measured[repetition] = time.perf_counter() - start
    return [min(measured) for measured in times]


def same(left: Any, right: Any) -> None:
    """Exits where two lists of predictions differ in a bit."""
    if np.asarray(left).tobytes() != np.asarray(right).tobytes():
        raise SystemExit("found timed outputs whose bits differ, expected equal ones")


def measure(name: str, model: Any, fitted_rows: int, rows: int) -> None:
    """Print one line of the table."""
    training, target = frame(fitted_rows, 0)
    fitted = Pipeline([("model", model)]).fit(training, target > 0 if "Classifier" in type(model).__name__ else target)
    compiled = compile_pipeline(fitted, like=training.iloc[:2000])
    data = frame(rows, 1)[0]
    ones = data.iloc[:ONE_ROWS].to_dict("records")
    same([compiled.predict_row(row) for row in ones], compiled.predict(data)[:ONE_ROWS])
    (node,) = (node for node in compiled.plan.nodes if node.operation == "trees")
    count = len(node.settings["feature"])
    one, theirs = fastest(
        lambda: [compiled.predict_row(row) for row in ones],
        lambda: [fitted.predict(data.iloc[[index]]) for index in range(20)],
    )
    one, theirs = one / ONE_ROWS, theirs / 20
    method = "generated" if count <= trees.NODE_BUDGET else "walked"
    many, ours = fastest(lambda: fitted.predict(data), lambda: compiled.predict(data))
    line = f"{name:<32}{count:>8,}  {method:<10}{one * 1e6:>7.1f}{theirs * 1e6:>8.0f}{theirs / one:>7.0f}"
    line += f"  {many:>20.3f}{ours:>8.3f}{many / ours:>7.2f}"
    print(line, flush=True)


def main() -> None:
    """Measure every model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    rows = parser.parse_args().rows
    print(HEADER)
    for name, (model, fitted_rows) in models().items():
        measure(name, model, fitted_rows, rows)


if __name__ == "__main__":
    main()
