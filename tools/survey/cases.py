"""The cases of the survey: a class of a table, the source of its options, the data it is fitted to, a seed.

A line of a table names a class and its options as Python source, as a person would write them:

    Entry("Ridge", "numbers/value numbers/targets", ("", "alpha=10.0", "positive=True @ numbers/value"))

The first options of a line are fitted to data of both seeds, the others to one of them in turn. They take the fits of
the line in turn; `@` names one.
"""

import importlib
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from tools.survey.data import ROWS, rows, target

SEEDS = (0, 1)
LIBRARIES = (
    "scikit-learn",
    "feature-engine",
    "LightGBM",
    "XGBoost",
    "CatBoost",
    "category_encoders",
    "imbalanced-learn",
)
PACKAGES = dict(
    zip(
        LIBRARIES,
        ("sklearn", "feature_engine", "lightgbm", "xgboost", "catboost", "category_encoders", "imblearn"),
        strict=True,
    )
)
_MODULES = {  # whose public names the source of options may use
    "sklearn": (
        "gaussian_process.kernels feature_selection pipeline model_selection preprocessing random_projection "
        "feature_extraction.text feature_extraction.image compose frozen"
    ),
    "feature_engine": (
        "creation datetime discretisation encoding imputation outliers pipeline preprocessing scaling selection text "
        "timeseries.forecasting transformation wrappers"
    ),
    "imblearn": ". combine ensemble over_sampling pipeline under_sampling",
    "lightgbm": ".",
    "xgboost": ".",
    "catboost": ".",
    "category_encoders": ". glmm wrapper",
}
_USUAL = ("", "StandardScaler()", "MinMaxScaler()", "SimpleImputer()", "SimpleImputer(), StandardScaler()")
_FINALS = {"value": "Ridge()", "positive": "Ridge()", "count": "Ridge()", "none": "Ridge()", "targets": "Ridge()"}


@dataclass(frozen=True)
class Entry:
    """A line of a table: a class, its fits `rows/target`, the source of its options.

    `before` and `after` are the source of the steps around it; a transformer is followed by an estimator that fits the
    target where `after` is empty. `fit` is the source of further arguments of `fit`. A `bare` estimator is compiled
    without a pipeline. `refused` says why the class cannot serve production. `context` is the count of earlier rows
    that a row needs.
    """

    name: str
    fits: str
    options: tuple[str, ...] = ("",)
    before: str = ""
    after: str = ""
    fit: str = ""
    bare: bool = False
    refused: str = ""
    context: int = 0


@dataclass(frozen=True)
class Fitted:
    """A fitted estimator with the rows that it was fitted to and rows that it has not seen."""

    estimator: Any
    training: Any
    new: Any


@dataclass(frozen=True)
class Case:
    """A class with options, fitted to data of a seed."""

    library: str
    entry: Entry
    options: str
    data: str
    seed: int

    @property
    def label(self) -> str:
        """The options as the page shows them: source, then the steps around, where they are more than scaling."""
        before = "" if self.entry.before in _USUAL else f" after {self.entry.before}"
        after = f" → {self.entry.after}" if self.entry.after else ""
        return f"{self.options or 'defaults'}{before}{after}"

    @property
    def id(self) -> str:
        """The name of the case in results."""
        return f"{self.library} | {self.entry.name} | {self.label} | {self.data} | {self.seed}"

    def fitted(self) -> Fitted:
        """The case fitted to its data, by its library alone."""
        names = namespace(PACKAGES[self.library])
        raw, kind = self.data.split("/")
        data = rows(raw, self.seed)
        training, new = data[:ROWS], data[ROWS:]
        wanted = target(kind, training, self.seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a fit that has not converged compiles like any other
            estimator = self._estimator(names, kind)
            fit = _evaluate(f"dict({self.entry.fit})", names)
            if fit and not self.entry.bare:
                fit = {f"{estimator.steps[-1][0]}__{name}": value for name, value in fit.items()}
            estimator = estimator.fit(training, wanted, **fit)
        return Fitted(estimator, training, new)

    def _estimator(self, names: dict[str, Any], kind: str) -> Any:
        subject = _evaluate(f"{self.entry.name}({self.options})", names)
        if self.entry.bare:
            return subject
        steps = [*_evaluate(f"[{self.entry.before}]", names), subject]
        resamples = hasattr(type(subject), "fit_resample")
        if self.entry.after:
            steps += _evaluate(f"[{self.entry.after}]", names)
        elif resamples or (hasattr(subject, "transform") and not hasattr(subject, "predict")):
            steps.append(_evaluate(_FINALS.get(kind, "LogisticRegression()"), names))
        make = "imblearn.pipeline" if resamples else "sklearn.pipeline"
        return importlib.import_module(make).make_pipeline(*steps)


@cache
def namespace(package: str) -> dict[str, Any]:
    """The names that the source of options may use: those of scikit-learn, then those of the package itself."""
    from sklearn.experimental import enable_halving_search_cv, enable_iterative_imputer  # noqa: F401
    from sklearn.utils import all_estimators

    names: dict[str, Any] = {"np": np, "pd": pd, **dict(all_estimators())}
    for source in dict.fromkeys(("sklearn", package)):
        for module in _MODULES[source].split():
            loaded = importlib.import_module(f"{source}.{module}".rstrip("."))
            names |= {name: value for name, value in vars(loaded).items() if not name.startswith("_")}
    return names


def _evaluate(source: str, names: dict[str, Any]) -> Any:
    return eval(source, dict(names))  # noqa: S307  the source of our own tables


def tables() -> dict[str, tuple[Entry, ...]]:
    """The lines of each library's table."""
    modules = {name: package if name != "scikit-learn" else "scikit_learn" for name, package in PACKAGES.items()}
    boosters = importlib.import_module("tools.survey.tables.boosters")
    return {
        name: getattr(boosters, name.upper(), None)
        or importlib.import_module(f"tools.survey.tables.{modules[name]}").ENTRIES
        for name in LIBRARIES
    }


def cases(words: tuple[str, ...] = ()) -> Iterator[Case]:
    """Every case in order; with `words` those whose name contains one of them."""
    for library, entries in tables().items():
        for entry in entries:
            for case in _cases(library, entry):
                if not words or any(word in case.id for word in words):
                    yield case


def _cases(library: str, entry: Entry) -> Iterator[Case]:
    fits = entry.fits.split(" + ")
    for number, options in enumerate(entry.options):
        options, _, named = (part.strip() for part in options.partition("@"))
        for seed in SEEDS if not number else (SEEDS[number % len(SEEDS)],):
            yield Case(library, entry, options, named or fits[(number + seed * (not number)) % len(fits)], seed)
