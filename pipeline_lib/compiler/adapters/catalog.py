"""All adapters: importing this module imports every adapter module, and each registers its adapters."""

from importlib import import_module

from pipeline_lib.compiler.adapters.registry import predict, transform

MODULES = (
    "boosters.catboost",
    "boosters.lightgbm",
    "boosters.xgboost",
    "category_encoders.encoding",
    "category_encoders.hashing",
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
    "sklearn.clusters",
    "sklearn.decomposition",
    "sklearn.encoding",
    "sklearn.expansion",
    "sklearn.factorization",
    "sklearn.gaussian_process",
    "sklearn.imputation",
    "sklearn.kernels",
    "sklearn.label_propagation",
    "sklearn.linear",
    "sklearn.manifold",
    "sklearn.meta",
    "sklearn.mixtures",
    "sklearn.multiclass",
    "sklearn.multioutput",
    "sklearn.neighbors",
    "sklearn.neural",
    "sklearn.outliers",
    "sklearn.preprocessing",
    "sklearn.random_features",
    "sklearn.selection",
    "sklearn.svm",
    "sklearn.target",
    "sklearn.text",
    "sklearn.trees",
)
for _name in MODULES:
    import_module(f"pipeline_lib.compiler.adapters.{_name}")

__all__ = ["MODULES", "predict", "transform"]
