"""Methods of a DataFrame that have no plan, each with its reason and what to write instead."""

from typing import Any

from pipeline_lib.compiler.tracing.recorded import Call
from pipeline_lib.compiler.tracing.refusals import ONE_ROW, refuse
from pipeline_lib.compiler.tracing.registry import refused, rule

_FIT = "learn it in `fit` and keep it on `self`"
_ORDER = "which rows stand before and after a row depends on the batch"
_EACH = "production predicts each row that it gets"
_BEFORE = "drop or add rows before the pipeline, in `load` or `split`"

refused(
    "frame",
    "describe corr cov corrwith value_counts",
    ONE_ROW,
    f"{_FIT}; for a statistic of each row write sum, mean, min, max, median or std with axis=1",
)
refused(
    "frame", "groupby", f"{ONE_ROW}", "group in `fit`, keep the table, and write X['a'].map(table) or X.merge(table)"
)
refused("frame", "transform", ONE_ROW, "write the functions on columns: X['a'] = np.log(X['a'])")
refused("frame", "pivot pivot_table melt stack unstack explode", _EACH, "reshape before the pipeline, in `load`")
refused("frame", "dropna drop_duplicates query truncate", _EACH, f"{_BEFORE}; fill missing values with fillna")
refused("frame", "duplicated", ONE_ROW, "compare with keys that `fit` kept: X['a'].isin(self.keys_)")
refused("frame", "sample", "a random draw gives other rows each time", _BEFORE)
refused(
    "frame", "head tail nlargest nsmallest take at iat xs", _ORDER, "work on whole columns: X['a'], X.loc[mask, 'a']"
)
refused(
    "frame",
    "sort_values",
    _ORDER,
    "leave it out: a row gives the same columns in any order",
)
refused(
    "frame",
    "rolling expanding ewm interpolate resample asof",
    _ORDER,
    "make such columns in `load`, where the order is known",
)


@rule("frame", "quantile", "mode", "skew", "kurt", "kurtosis", "rank", raw=True)
def statistics(call: Call, *args: Any, axis: Any = 0, **options: Any) -> Any:
    """Refused: with `axis=1` for want of a rule."""
    if axis in (1, "columns"):
        refuse(f"{call.name}(axis=1)", "the recorder has no rule for it", "write median, mean, std, min or max")
    remedy = "np.searchsorted(self.quantiles_, X['a'])" if call.name.endswith("rank") else "the number that it kept"
    refuse(call.name, ONE_ROW, f"{_FIT}, and write {remedy}")


@rule("frame", "agg", "aggregate", raw=True)
def aggregate(call: Call, func: Any = None, axis: Any = 0) -> Any:
    """One statistic of each row by its name."""
    if axis not in (1, "columns") or not isinstance(func, str):
        refuse(f"{call.name} of columns or by several functions", ONE_ROW, f"{_FIT}; write X.sum(axis=1) for each row")
    return getattr(call.owner, func)(axis=1)


@rule("frame", "shift", "diff", "pct_change", "cumsum", "cumprod", "cummax", "cummin", raw=True)
def along_rows(call: Call, *args: Any, axis: Any = 0, **options: Any) -> Any:
    """Refused: with `axis=1` for want of a rule."""
    if axis in (1, "columns"):
        refuse(f"{call.name}(axis=1)", "the recorder has no rule for it", "write it with columns: X['b'] - X['a']")
    refuse(call.name, _ORDER, "make such columns in `load`, where the order is known")


refused(
    "frame",
    "iterrows itertuples",
    "a plan works on whole columns",
    "write X.apply(function, axis=1), or methods of columns",
)
refused("frame", "T transpose swapaxes", "rows become columns", "name the columns: X['a'], X[['a', 'b']]")
refused("frame", "eval", "code in text cannot be read", "write X['c'] = X['a'] + X['b']")
refused("frame", "query", "code in text cannot be read, and rows are dropped", "write X.loc[X['a'] > 0, 'b'] = ...")
refused(
    "frame",
    "set_index swaplevel droplevel reorder_levels tz_convert tz_localize asfreq",
    "production has other rows under other labels",
    "leave the index as it is",
)
refused("frame", "append", _EACH, "write pd.concat([...], axis=1) for columns side by side")
refused("frame", "combine combine_first update align compare", "pandas aligns rows by label", "write where or fillna")
refused("frame", "info memory_usage", "it only prints or measures", "leave it out")
refused("frame", "size", ONE_ROW, "use X.shape[1] for the number of columns")
refused("frame", "equals", "whether all rows are equal depends on the batch", "compare columns: X['a'] == X['b']")
refused(
    "frame",
    "to_dict to_records to_csv to_parquet to_pickle to_json to_string to_html to_excel to_sql to_markdown to_feather",
    "what is made of the rows cannot be read",
    "work on columns, and return a DataFrame",
)
refused("frame", "attrs flags style plot hist boxplot", "it has no effect on the result", "leave it out")
refused("frame", "applymap", "pandas 3 has no such method", "write X.map(function)")
refused(
    "index",
    "values tolist to_list to_numpy to_series get_loc isin map astype str dt min max unique size",
    "production has other rows under other labels",
    "make what the step needs a column of its own, in `load`",
)
