"""Compiling, against what it may cost: 1 second, or the time of the fit and five times the library's own predict.

    python benchmarks/compiling.py [--only knn] [--repeat 3]

A model is fitted, asked for predictions of the rows that compiling checks, and compiled, in turns; medians. Lazy
learners and kernels, whose every row costs as much as the training rows, are checked on at least 1,000 rows. A line
that says so compiles once, as the first of a process of its own: tables of characters are then read, too.
"""

import argparse
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.decomposition import KernelPCA
from sklearn.ensemble import (
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.impute import KNNImputer, SimpleImputer
from sklearn.kernel_approximation import Nystroem, RBFSampler
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor, LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC, SVR

from pipeline_lib.compiler.compile import compile_pipeline

LEAST = 1.0  # seconds that compiling may take in any case
PREDICTIONS = 5  # how many times the library's predict it may take besides the fit
HEADER = f"{'model':<38}{'checked':>8}{'fit':>9}{'predict':>9}{'compile':>9}{'may take':>10}{'ratio':>7}"


@dataclass(frozen=True)
class Case:
    """A model that is not fitted, and its rows: how many, of how many columns; of texts, of how many words.

    Where `first`, the first compilation of a process is measured.
    """

    name: str
    model: Any
    rows: int
    columns: int
    data: str = "normal"
    first: bool = False

    @property
    def labels(self) -> bool:
        """Whether the target is a class."""
        return hasattr(self.model[-1], "predict_proba") or type(self.model[-1]).__name__.endswith("SVC")


def mixed_model() -> Any:
    """What most pipelines are: numbers that are imputed and scaled, text that is encoded, a linear model."""
    numbers, words = make_pipeline(SimpleImputer(), StandardScaler()), OneHotEncoder(handle_unknown="ignore")
    columns = make_column_transformer((numbers, [f"x{at}" for at in range(8)]), (words, [f"t{at}" for at in range(4)]))
    return make_pipeline(columns, LogisticRegression(max_iter=1000))


def kernel_model(step: Any) -> Any:
    """Scaled numbers, their features, a linear model."""
    return make_pipeline(StandardScaler(), step, Ridge())


TEXT_MODEL = make_pipeline(TfidfVectorizer(), LogisticRegression())
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
    Case("mixed columns, one-hot, logistic", mixed_model(), 5_000, 8, "mixed"),
    Case("tfidf 2,000 texts, 50,000 words", TEXT_MODEL, 2_000, 50_000, "texts"),
    Case("tfidf, first of a process", TEXT_MODEL, 2_000, 50_000, "texts", first=True),
    Case("nystroem 300 of 5,000 x 20, ridge", kernel_model(Nystroem(n_components=300)), 5_000, 20),
    Case("rbf sampler 300, ridge", kernel_model(RBFSampler(n_components=300)), 5_000, 20),
    Case("kernel pca 2,000 x 20, ridge", kernel_model(KernelPCA(20, kernel="rbf")), 2_000, 20),
    Case("gaussian process 1,000 x 8", make_pipeline(StandardScaler(), GaussianProcessRegressor()), 1_000, 8),
    Case("isolation forest 5,000 x 20", make_pipeline(IsolationForest()), 5_000, 20),
    Case("local outliers 5,000 x 20", make_pipeline(LocalOutlierFactor(novelty=True)), 5_000, 20),
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


def texts_of(case: Case) -> tuple[pd.Series, Any]:
    """Texts in which each word occurs, some words often, one in ten with a letter beyond ASCII; whether one is long."""
    rng = np.random.default_rng(0)
    letters, others = list("abcdefghijklmnopqrstuvwxyz"), list("äöüßéèñçøåłżőğжзияαβγ日本語")
    words: dict[str, None] = {}
    while len(words) < case.columns:
        word = "".join(rng.choice(letters, rng.integers(3, 10)))
        words.setdefault(word if rng.random() < 0.9 else f"{word[:2]}{rng.choice(others)}{word[2:]}")
    own = np.array_split(np.array(list(words)), case.rows)
    often = np.array(list(words))[np.minimum(rng.zipf(1.3, (case.rows, 75)), case.columns) - 1]
    texts = [" ".join(rng.permutation([*few, *more])).capitalize() for few, more in zip(own, often, strict=True)]
    lengths = np.array(list(map(len, texts)))
    return pd.Series(texts, dtype="str", name="text"), (lengths > np.median(lengths)).astype(int)


def rows_of(case: Case) -> tuple[Any, Any]:
    """Rows and a target that depends on some of their columns."""
    if case.data == "texts":
        return texts_of(case)
    rng = np.random.default_rng(0)
    shape = (case.rows, case.columns)
    x = {
        "normal": lambda: rng.normal(size=shape),
        "pixels": lambda: np.where(rng.random(shape) < 0.8, 0.0, rng.integers(0, 256, shape)),
        "integers": lambda: rng.integers(0, 6, shape).astype(float),
        "gaps": lambda: np.where(rng.random(shape) < 0.1, np.nan, rng.normal(size=shape)),
        "mixed": lambda: np.where(rng.random(shape) < 0.1, np.nan, rng.normal(size=shape)),
    }[case.data]()
    known = np.nan_to_num(x)
    target = known[:, 0] - known[:, 1] + np.sin(known[:, 2]) + rng.normal(size=case.rows) * known.std()
    frame = pd.DataFrame(x, columns=[f"x{index}" for index in range(case.columns)])
    if case.data == "mixed":
        for index in range(4):
            words = pd.Series(rng.integers(0, 10 * (index + 1), case.rows)).astype("str")
            frame[f"t{index}"] = words.where(rng.random(case.rows) > 0.05)
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
    started = time.perf_counter()
    compiled = compile_pipeline(model, like=x)
    first = time.perf_counter() - started
    checked = compiled.report.rows
    times = [
        (
            seconds(lambda: clone(case.model).fit(x, y)),
            seconds(lambda: model.predict(x.iloc[:checked])),
            0.0 if case.first else seconds(lambda: compile_pipeline(model, like=x)),
        )
        for _ in range(repeat)
    ]
    fit, predict, compiling = (statistics.median(each) for each in zip(*times, strict=True))
    compiling = first if case.first else compiling
    allowed = max(LEAST, fit + PREDICTIONS * predict)
    line = f"{case.name:<38}{checked:>8,}{fit:>9.3f}{predict:>9.3f}{compiling:>9.3f}{allowed:>10.2f}"
    print(f"{line}{compiling / allowed:>7.2f}", flush=True)


def main() -> None:
    """Measure every model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="the models whose names hold this text")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--alone", action="store_true", help="a line of a process of its own, without the header")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    if not arguments.alone:
        print(HEADER, flush=True)
    for case in [*CASES, *boosters()]:
        if arguments.only not in case.name:
            continue
        if case.first and not arguments.alone:
            own = [sys.executable, __file__, "--alone", "--only", case.name, "--repeat", str(arguments.repeat)]
            subprocess.run(own, check=True)  # noqa: S603  this file
        else:
            measure(case, arguments.repeat)


if __name__ == "__main__":
    main()
