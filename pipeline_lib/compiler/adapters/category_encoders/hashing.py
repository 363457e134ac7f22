"""category_encoders: HashingEncoder, which counts the columns whose text falls into each bucket of a digest."""

from typing import Any

from pipeline_lib.compiled.operations.text_digests import METHODS
from pipeline_lib.compiler.adapters.registry import Columns, option_error, state_error, transformer, use_fitted_names
from pipeline_lib.compiler.builder import Builder, Value


@transformer(
    "category_encoders.hashing.HashingEncoder",
    options="max_process max_sample verbose n_components cols drop_invariant return_df hash_method "
    "process_creation_method min_group_size min_group_name combine_min_nan_groups",
)
def hashed(step: Any, columns: Columns, build: Builder) -> Columns:
    """A column `col_N` for each bucket: how many of the encoded columns fall into it; the other columns follow."""
    columns = use_fitted_names(step, columns)
    if step.hash_method not in METHODS:
        raise option_error(step, "hash_method", f"one of {', '.join(METHODS)}")
    if not step.cols:
        return columns
    indices = [_bucket(step, str(name), columns[str(name)], build) for name in step.cols]
    encoded = set(map(str, step.cols))
    result = {f"col_{number}": _count(indices, number, build) for number in range(step.n_components)}
    result |= {name: value for name, value in columns.items() if name not in encoded}
    dropped = set(map(str, step.invariant_cols)) if step.drop_invariant else set()
    return {name: value for name, value in result.items() if name not in dropped}


def _bucket(step: Any, name: str, value: Value, build: Builder) -> Value:
    """The bucket of a column's text; small groups of categories have one name, where the encoder merged them."""
    if value.dtype != "str":
        raise state_error(step, f"{value.dtype} column {name!r}", "text: cast it to str in `load`")
    lumped = step.min_group_lumping_.get(name, {})
    if lumped:
        words = {label: group for label, group in lumped.items() if isinstance(label, str)}
        missing = next((group for label, group in lumped.items() if label != label), None)
        value = build.lookup(value, words, "str", missing=missing, mode="keep")
    return build.digest_bucket(value, method=step.hash_method, buckets=step.n_components)


def _count(indices: list[Value], number: int, build: Builder) -> Value:
    hits = [build.integer(index == number) for index in indices]
    total = hits[0]
    for hit in hits[1:]:
        total = total + hit
    return total
