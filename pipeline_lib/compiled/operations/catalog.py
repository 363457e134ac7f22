"""All operations: importing this module imports every module in this folder that registers some."""

from importlib import import_module

from pipeline_lib.compiled.operations.registry import OPERATIONS

MODULES = (
    "aggregations",
    "arithmetic",
    "calendar",
    "cases",
    "centres",
    "checks",
    "city_hash",
    "comparisons",
    "coordinate_descent",
    "dates",
    "durations",
    "elementary",
    "float32_functions",
    "integers",
    "knn_imputation",
    "linear_trees",
    "lookups",
    "manifolds",
    "matching_pursuit",
    "nearest_neighbors",
    "oblivious_trees",
    "opaque",
    "outlier_factors",
    "point_distances",
    "radius_neighbors",
    "regular_expressions",
    "rounding",
    "row_lookups",
    "row_statistics",
    "sparse",
    "sparse_numbers",
    "sparse_sums",
    "sparse_values",
    "splines",
    "svm_kernels",
    "text_digests",
    "text_extraction",
    "text_features",
    "text_methods",
    "text_numbers",
    "text_pairs",
    "text_similarity",
    "time_zones",
    "token_counts",
    "topics",
    "trees",
    "vector_functions",
    "vectors",
    "weighted_median",
)
for _name in MODULES:
    import_module(f"pipeline_lib.compiled.operations.{_name}")

__all__ = ["MODULES", "OPERATIONS"]
