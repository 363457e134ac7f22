"""Adapters: what each fitted step of scikit-learn, feature-engine and others means, as operations of a plan.

An own step is exact without an adapter when its class has a method

    def plan(self, columns: dict[str, Value], build: Builder) -> dict[str, Value]

which returns the columns that the fitted step makes of its input columns, in order. Values have operators
(`+ - * / < <= > >= & | ~`), `.missing()` and `.equals()`; `build` has the rest: `where`, `fill`, `lookup`,
`dot`, `apply`. Compiling compares it with the step's own `transform`, and refuses it where they differ.
Of a pipeline over several raw tables the first step gets a dict of such dicts, by the tables' names. Operations on
a child table's columns go row by row; `build.count`, `build.total`, `build.extreme` and the operations of
`operations/groups.py` bring them to the main rows.
An own estimator has `plan_outputs(self, values: list[Value], build: Builder)` instead, which returns a mapping
with `prediction`, and, where it has them, `probability` and `decision`, each a list of values.
"""

from importlib import import_module

from pipeline_lib.compiled.adapters.registry import (
    Columns,
    NoPlanError,
    Outputs,
    RefusedStepError,
    predict,
    qualified,
    transform,
)

MODULES = (
    "boosters.lightgbm",
    "boosters.xgboost",
    "composites",
    "feature_engine.creation",
    "feature_engine.datetime",
    "feature_engine.discretisation",
    "feature_engine.encoding",
    "feature_engine.imputation",
    "feature_engine.outliers",
    "feature_engine.preprocessing",
    "feature_engine.selection",
    "feature_engine.text",
    "feature_engine.timeseries",
    "feature_engine.transformation",
    "sklearn.adaboost",
    "sklearn.bayes",
    "sklearn.boosting",
    "sklearn.calibration",
    "sklearn.decomposition",
    "sklearn.encoding",
    "sklearn.expansion",
    "sklearn.imputation",
    "sklearn.linear",
    "sklearn.meta",
    "sklearn.multiclass",
    "sklearn.neighbors",
    "sklearn.neural",
    "sklearn.preprocessing",
    "sklearn.selection",
    "sklearn.svm",
    "sklearn.target",
    "sklearn.text",
    "sklearn.trees",
)
for _name in MODULES:  # importing a module registers its adapters
    import_module(f"{__name__}.{_name}")

__all__ = ["MODULES", "Columns", "NoPlanError", "Outputs", "RefusedStepError", "predict", "qualified", "transform"]
