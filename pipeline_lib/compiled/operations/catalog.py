"""All operations: importing this module registers those of every module in this folder."""

from importlib import import_module

from pipeline_lib.compiled.operations.registry import OPERATIONS

MODULES = (
    "aggregations",
    "arithmetic",
    "calendar",
    "checks",
    "elementary",
    "knn_imputation",
    "lookups",
    "nearest_neighbors",
    "opaque",
    "row_math",
    "sparse",
    "sparse_sums",
    "sparse_values",
    "splines",
    "svm_kernels",
    "text_extraction",
    "text_features",
    "text_similarity",
    "time_zones",
    "token_counts",
    "trees",
    "vectors",
    "weighted_median",
)
for _name in MODULES:  # importing a module registers its operations
    import_module(f"pipeline_lib.compiled.operations.{_name}")

__all__ = ["MODULES", "OPERATIONS"]
