"""The accessor `.cat` of a Series of categories.

Categories that `astype("category")` finds are those of the rows at hand; fixed ones, `pd.CategoricalDtype([...])`, are
the same for any rows, and so are their codes.
"""

from collections.abc import Sequence
from typing import Any

from pipeline_lib.compiler.builder import Value
from pipeline_lib.compiler.tracing.recorded import Call
from pipeline_lib.compiler.tracing.registry import refused, rule
from pipeline_lib.compiler.tracing.series.accessors import Accessor, access
from pipeline_lib.compiler.tracing.series.casts import category_items
from pipeline_lib.compiler.tracing.series.dtype_rules import has_fixed_categories
from pipeline_lib.compiler.tracing.series.lookups import keys_of, look_up, plain


class RecordedCategories(Accessor):
    """The `.cat` of a Series."""

    __slots__ = ()
    _kind = "categories"
    _title = "Series.cat"
    _library_name = "Series.cat"


@rule("series", "cat", attribute=True, raw=True)
def accessor(call: Call) -> Any:
    """The methods of categories."""
    return access(call, RecordedCategories, "cat")


def _fixed(call: Call) -> Sequence[Any]:
    """The categories; those that depend on the rows at hand are refused."""
    if not has_fixed_categories(call.owner._series):
        call.stop(
            f"{call.name} of categories that depend on the rows at hand",
            "for one row it would answer otherwise than for many",
            "fix them: astype(pd.CategoricalDtype(categories)), with a list that `fit` keeps on `self`",
        )
    return plain(call.owner._series._reals[0].dtype.categories)


def _of_series(call: Call) -> Call:
    """The same call, of the Series."""
    return Call(call.recording, call.owner._series, call.name, call.reals)


@rule("categories", "codes", attribute=True)
def codes(call: Call) -> Value:
    """The number of each value's category; -1 for a missing value."""
    keys = keys_of(_of_series(call), category_items(_fixed(call)))
    table = {key: number for number, key in keys.items()}
    return look_up(call.build, call.value, table, "int64", missing=-1, unseen=-1)


@rule("categories", "categories", attribute=True, raw=True)
def categories(call: Call) -> Any:
    """The categories."""
    _fixed(call)
    return call.owner._series._reals[0].cat.categories


@rule("categories", "ordered", attribute=True, raw=True)
def ordered(call: Call) -> Any:
    """Whether the categories have an order."""
    return call.owner._series._reals[0].cat.ordered


@rule("categories", "as_ordered", "as_unordered", "remove_unused_categories")
def same_values(call: Call) -> Value:
    """The same values."""
    return call.value


@rule("categories", "add_categories")
def add_categories(call: Call, new_categories: Any) -> Value:
    """The same values, with room for others."""
    return call.value


@rule("categories", "set_categories")
def set_categories(call: Call, new_categories: Any, ordered: Any = None) -> Value:
    """The same values; those that are none of the categories are missing."""
    build, value = call.build, call.value
    keys = keys_of(_of_series(call), plain(new_categories))
    known = look_up(build, value, dict.fromkeys(keys.values(), True), "bool", missing=True, unseen=False)
    value = build.number(value) if value.kind in ("int64", "bool") else value
    return build.where(known, value, build.missing(value.kind))


refused(
    "categories",
    "rename_categories reorder_categories remove_categories",
    "the categories of one batch are not those of another",
    "write column.map({old: new})",
)
