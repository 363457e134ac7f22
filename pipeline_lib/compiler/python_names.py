"""Python names of operations and settings whose names on disk are others.

Plans are sealed: the names in an artifact never change. What reads better in Python is named here, in one table.
"""

METHODS = {
    "and": "logical_and",
    "bag_above": "sparse_above",
    "bag_affine": "sparse_affine",
    "bag_divide": "sparse_divide",
    "bag_dot": "sparse_dot",
    "bag_finite": "sparse_finite",
    "bag_item": "sparse_item",
    "bag_join": "sparse_join",
    "bag_log_plus_one": "sparse_log_plus_one",
    "bag_normalize": "sparse_normalize",
    "bag_numbers": "sparse_numbers",
    "bag_scale": "sparse_scale",
    "bag_select": "sparse_select",
    "bag_sum_of_squares": "sparse_sum_of_squares",
    "bag_vector": "sparse_to_vector",
    "couple": "pairwise_probabilities",
    "demand": "check",
    "donors": "knn_imputation",
    "largest": "argmax",
    "neighbour_mean": "neighbors_mean",
    "not": "logical_not",
    "or": "logical_or",
    "single_range": "float32_range",
}
"""Names of `Builder`'s methods by operation; other methods have the operation's name."""

SETTINGS = {
    ("bag_item", "place"): "index",
    ("bag_numbers", "places"): "indices",
    ("bag_select", "places"): "indices",
    ("earlier", "back"): "lookback",
    ("item", "place"): "index",
    ("list_sums_by", "places"): "count",
    ("opaque_part", "place"): "index",
}
"""Names of the methods' parameters by operation and setting; other parameters have the setting's name."""


def method_name(operation: str) -> str:
    """The name of an operation's method."""
    return METHODS.get(operation, operation)


def parameter_name(operation: str, setting: str) -> str:
    """The name of the parameter for a setting."""
    return SETTINGS.get((operation, setting), setting)


def dtype_name(dtype: str) -> str:
    """A dtype, or several separated by `|`, in words for a message."""
    return " or ".join("sparse vector" if choice == "bag" else choice for choice in dtype.split("|"))
