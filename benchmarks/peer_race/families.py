"""The families: whole pipelines over 24 raw columns, their rows, and how they are fitted and compiled."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.svm import SVC
from threadpoolctl import threadpool_limits

from pipeline_lib.compiled.pipeline import CompiledPipeline
from pipeline_lib.compiler.compile import compile_pipeline

COLUMNS = 24
WORDS = (3, 5, 8, 12, 20, 30, 50, 80)  # distinct words of the text columns


@dataclass(frozen=True)
class Family:
    """A pipeline that is not fitted, the rows that it is fitted on, and how many of its columns are text."""

    name: str
    steps: Callable[[], Sequence[Any]]
    rows: int
    text: int = 0
    labels: bool = True
    booster: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def numbers(self) -> int:
        """How many columns are numbers; they come first."""
        return COLUMNS - self.text


def prepared(text: int, encoder: Any = None, *, scaled: bool = True) -> Any:
    """Missing numbers imputed and, where asked for, scaled; text encoded."""
    numbers = make_pipeline(SimpleImputer(), StandardScaler()) if scaled else SimpleImputer()
    parts: list[tuple[str, Any, list[int]]] = [("numbers", numbers, list(range(COLUMNS - text)))]
    if text:
        filled = SimpleImputer(strategy="constant", fill_value="")
        parts.append(("text", make_pipeline(filled, encoder), list(range(COLUMNS - text, COLUMNS))))
    return ColumnTransformer(parts)


def one_hot() -> Any:
    """Words that training did not see have no column."""
    return OneHotEncoder(handle_unknown="ignore")


def ordinal() -> Any:
    """Words as their index among the sorted ones."""
    return OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)


def lightgbm_model() -> Any:
    """LightGBM, 500 trees of at most 31 leaves."""
    from lightgbm import LGBMRegressor

    return LGBMRegressor(n_estimators=500, n_jobs=1, random_state=0, verbose=-1)


def xgboost_model() -> Any:
    """XGBoost, 500 trees of depth 6."""
    from xgboost import XGBRegressor

    return XGBRegressor(n_estimators=500, n_jobs=1, random_state=0)


def mlp() -> Any:
    """Two hidden layers of 64 and 32, relu."""
    return MLPClassifier((64, 32), max_iter=30, random_state=0)


FAMILIES = (
    Family("logistic, one-hot", lambda: [prepared(8, one_hot()), LogisticRegression(max_iter=500)], 20_000, 8),
    Family("MLP 64, 32", lambda: [prepared(4, one_hot()), mlp()], 10_000, 4),
    Family(
        "forest, 100 full trees",
        lambda: [prepared(4, ordinal(), scaled=False), RandomForestRegressor(random_state=0)],
        10_000,
        4,
        labels=False,
    ),
    Family(
        "HistGradientBoosting",
        lambda: [
            prepared(4, ordinal(), scaled=False),
            HistGradientBoostingClassifier(early_stopping=False, random_state=0),
        ],
        20_000,
        4,
    ),
    Family("LightGBM, 500 trees", lambda: [lightgbm_model()], 20_000, labels=False, booster="LightGBM"),
    Family("XGBoost, 500 trees", lambda: [xgboost_model()], 20_000, labels=False, booster="XGBoost"),
    Family("SVC, rbf", lambda: [prepared(0), SVC()], 2_000),
    Family("KNN, 5 of 2,000", lambda: [prepared(0), KNeighborsClassifier()], 2_000, options={"optim": "cdist"}),
)


def frame_of(family: Family, rows: int, seed: int) -> tuple[pd.DataFrame, Any]:
    """Raw rows, one number in ten and one text in twenty missing, and a target that depends on some columns."""
    rng = np.random.default_rng(seed)
    numbers = rng.normal(size=(rows, family.numbers))
    score = 2 * numbers[:, 0] - numbers[:, 1] + np.sin(3 * numbers[:, 2]) + numbers[:, 3] * numbers[:, 4]
    score += rng.normal(size=rows)
    numbers[rng.random(numbers.shape) < 0.1] = np.nan
    frame = pd.DataFrame(numbers, columns=[f"x{index}" for index in range(family.numbers)])
    for index in range(family.text):
        codes = rng.integers(0, WORDS[index], rows)
        score += np.cos(codes + index)
        words = np.array([f"word {code}" for code in range(WORDS[index])], dtype=object)[codes]
        words[rng.random(rows) < 0.05] = None
        frame[f"t{index}"] = pd.Series(words, dtype="str")
    return frame, (score > 0).astype(int) if family.labels else score


def fitted_model(family: Family, rows: int) -> tuple[Pipeline, CompiledPipeline]:
    """A fitted pipeline, and it compiled; with one thread, since threads that spin for work slow down each other."""
    frame, target = frame_of(family, rows, 0)
    with threadpool_limits(1):
        fitted = make_pipeline(*family.steps()).fit(frame, target)
        return fitted, compile_pipeline(fitted, like=frame.iloc[:2000])
