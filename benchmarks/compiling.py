"""Compiling, against what it may cost: 1 second, or the time of the fit and five times the library's own predict.

    python benchmarks/compiling.py [--only knn] [--repeat 3]

A model is fitted, asked for predictions of the rows that compiling checks, and compiled, in turns; medians. Lazy
learners and kernels, whose every row costs as much as the training rows, are checked on at least 1,000 rows.
"""

import argparse
import statistics
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.ensemble import (
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import KNNImputer
from sklearn.linear_model import Ridge
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR

from pipeline_lib.compiler.compile import compile_pipeline

LEAST = 1.0  # seconds that compiling may take in any case
PREDICTIONS = 5  # how many times the library's predict it may take besides the fit
HEADER = f"{'model':<38}{'checked':>8}{'fit':>9}{'predict':>9}{'compile':>9}{'may take':>10}{'ratio':>7}"


@dataclass(frozen=True)
class Case:
    """A model that is not fitted, and its rows: how many, of how many columns."""

    name: str
    model: Any
    rows: int
    columns: int
    data: str = "normal"

    @property
    def labels(self) -> bool:
        """Whether the target is a class."""
        return hasattr(self.model[-1], "predict_proba") or type(self.model[-1]).__name__.endswith("SVC")


CASES = [
    Case("knn classifier 1,000 x 784, pixels", make_pipeline(KNeighborsClassifier()), 1_000, 784, "pixels"),
    Case("knn classifier 2,000 x 784, pixels", make_pipeline(KNeighborsClassifier()), 2_000, 784, "pixels"),
    Case("knn classifier 5,000 x 784, pixels", make_pipeline(KNeighborsClassifier()), 5_000, 784, "pixels"),
    Case("knn regressor 1,000 x 784", make_pipeline(KNeighborsRegressor()), 1_000, 784),
    Case("knn regressor 5,000 x 24", make_pipeline(StandardScaler(), KNeighborsRegressor()), 5_000, 24),
    Case("knn regressor 5,000 x 6, integers", make_pipeline(KNeighborsRegressor()), 5_000, 6, "integers"),
    Case("knn imputer 2,000 x 12, ridge", make_pipeline(KNNImputer(), Ridge()), 2_000, 12, "gaps"),
    Case("svc 2,000 x 20", make_pipeline(StandardScaler(), SVC()), 2_000, 20),
    Case("svc 5,000 x 20", make_pipeline(StandardScaler(), SVC()), 5_000, 20),
    Case("svr 5,000 x 20", make_pipeline(StandardScaler(), SVR()), 5_000, 20),
    Case("forest of 1,000 trees", make_pipeline(RandomForestRegressor(1000, n_jobs=-1)), 2_000, 20),
    Case("forest classifier of 1,000 trees", make_pipeline(RandomForestClassifier(1000, n_jobs=-1)), 2_000, 20),
    Case("forest of 100 full trees", make_pipeline(RandomForestRegressor(n_jobs=-1)), 20_000, 20),
    Case("gradient boosting, 500 trees", make_pipeline(GradientBoostingRegressor(n_estimators=500)), 2_000, 20),
    Case(
        "hist gradient boosting, 500 trees",
        make_pipeline(HistGradientBoostingRegressor(max_iter=500, early_stopping=False)),
        20_000,
        20,
    ),
    Case(
        "hist boosting classifier, 500 trees",
        make_pipeline(HistGradientBoostingClassifier(max_iter=500, early_stopping=False)),
        20_000,
        20,
    ),
]


def boosters() -> list[Case]:
    """Models of the boosting libraries that are installed, of 500 trees."""
    models: dict[str, Any] = {}
    if find_spec("lightgbm") is not None:
        from lightgbm import LGBMClassifier, LGBMRegressor

        models["LightGBM"] = LGBMRegressor(n_estimators=500, verbose=-1)
        models["LightGBM classifier"] = LGBMClassifier(n_estimators=500, verbose=-1)
    if find_spec("xgboost") is not None:
        from xgboost import XGBClassifier, XGBRegressor

        models["XGBoost"] = XGBRegressor(n_estimators=500)
        models["XGBoost classifier"] = XGBClassifier(n_estimators=500)
    if find_spec("catboost") is not None:
        from catboost import CatBoostClassifier, CatBoostRegressor

        quiet = {"verbose": 0, "allow_writing_files": False}
        models["CatBoost"] = CatBoostRegressor(iterations=500, **quiet)
        models["CatBoost classifier"] = CatBoostClassifier(iterations=500, **quiet)
    return [Case(f"{name}, 500 trees", make_pipeline(model), 20_000, 20) for name, model in models.items()]


def rows_of(case: Case) -> tuple[pd.DataFrame, Any]:
    """Rows and a target that depends on some of their columns."""
    rng = np.random.default_rng(0)
    shape = (case.rows, case.columns)
    x = {
        "normal": lambda: rng.normal(size=shape),
        "pixels": lambda: np.where(rng.random(shape) < 0.8, 0.0, rng.integers(0, 256, shape)),
        "integers": lambda: rng.integers(0, 6, shape).astype(float),
        "gaps": lambda: np.where(rng.random(shape) < 0.1, np.nan, rng.normal(size=shape)),
    }[case.data]()
    known = np.nan_to_num(x)
    target = known[:, 0] - known[:, 1] + np.sin(known[:, 2]) + rng.normal(size=case.rows) * known.std()
    frame = pd.DataFrame(x, columns=[f"x{index}" for index in range(case.columns)])
    return frame, (target > np.median(target)).astype(int) if case.labels else target


def seconds(work: Callable[[], object]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def measure(case: Case, repeat: int) -> None:
    """Print one line of the table."""
    x, y = rows_of(case)
    model = clone(case.model).fit(x, y)
    compiled = compile_pipeline(model, like=x)
    checked = compiled.report.rows
    times = [
        (
            seconds(lambda: clone(case.model).fit(x, y)),
            seconds(lambda: model.predict(x.iloc[:checked])),
            seconds(lambda: compile_pipeline(model, like=x)),
        )
        for _ in range(repeat)
    ]
    fit, predict, compiling = (statistics.median(each) for each in zip(*times, strict=True))
    allowed = max(LEAST, fit + PREDICTIONS * predict)
    line = f"{case.name:<38}{checked:>8,}{fit:>9.3f}{predict:>9.3f}{compiling:>9.3f}{allowed:>10.2f}"
    print(f"{line}{compiling / allowed:>7.2f}", flush=True)


def main() -> None:
    """Measure every model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="the models whose names hold this text")
    parser.add_argument("--repeat", type=int, default=3)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    print(HEADER)
    for case in [*CASES, *boosters()]:
        if arguments.only in case.name:
            measure(case, arguments.repeat)


if __name__ == "__main__":
    main()
