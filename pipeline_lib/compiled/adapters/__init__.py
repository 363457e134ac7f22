"""Adapters: what each fitted step of scikit-learn, feature-engine and others means, as operations of a plan.

An own step is exact without an adapter when its class has a method

    def plan(self, columns: dict[str, Value], build: Builder) -> dict[str, Value]

which returns the columns that the fitted step makes of its input columns, in order. Values have operators
(`+ - * / < <= > >= & | ~`), `.missing()` and `.equals()`; `build` has the rest: `where`, `fill`, `lookup`,
`dot`, `apply`. Compiling compares it with the step's own `transform`, and refuses it where they differ.
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
    "boosters",
    "boosters_lightgbm",
    "composites",
    "fe_creation",
    "fe_datetime",
    "fe_discretisation",
    "fe_encoding",
    "fe_imputation",
    "fe_outliers",
    "fe_preprocessing",
    "fe_selection",
    "fe_text",
    "fe_timeseries",
    "fe_transformation",
    "sklearn_adaboost",
    "sklearn_bayes",
    "sklearn_boosting",
    "sklearn_calibration",
    "sklearn_decomposition",
    "sklearn_encoding",
    "sklearn_expansion",
    "sklearn_imputation",
    "sklearn_linear",
    "sklearn_meta",
    "sklearn_multiclass",
    "sklearn_neighbors",
    "sklearn_neural",
    "sklearn_preprocessing",
    "sklearn_selection",
    "sklearn_svm",
    "sklearn_target",
    "sklearn_text",
    "sklearn_trees",
)
for _name in MODULES:  # importing a module registers its adapters
    import_module(f"{__name__}.{_name}")

__all__ = ["MODULES", "Columns", "NoPlanError", "Outputs", "RefusedStepError", "predict", "qualified", "transform"]
