"""Methods of a Series that are refused, each with its reason and what to write instead."""

from pipeline_lib.compiler.tracing.refusals import ONE_ROW
from pipeline_lib.compiler.tracing.registry import refused

_LEARN = "learn it in `fit` and keep it: self.{0}_ = X['a'].{0}()"
_ROWS = "rows before and after are not there when one row is predicted"
_EARLIER = "compute it in `load`, where all rows are, or as a column of the raw rows"

for _name in (
    "mean",
    "median",
    "std",
    "var",
    "min",
    "max",
    "mode",
    "sem",
    "skew",
    "kurt",
    "kurtosis",
    "prod",
    "product",
):
    refused("series", _name, f"a statistic of the rows at hand: {ONE_ROW}", _LEARN.format(_name))
for _name in ("nunique", "count", "idxmax", "idxmin", "argmax", "argmin", "describe", "memory_usage", "autocorr"):
    refused("series", _name, f"a statistic of the rows at hand: {ONE_ROW}", _LEARN.format(_name))
refused(
    "series",
    "quantile",
    f"a statistic of the rows at hand: {ONE_ROW}",
    "learn it in `fit`: self.low_ = X['a'].quantile(0.01)",
)
refused(
    "series",
    "agg aggregate",
    f"it combines the rows at hand: {ONE_ROW}",
    "learn a statistic in `fit`, or write a method of the column, such as X['a'].abs()",
)
refused(
    "series",
    "value_counts",
    f"it counts the rows at hand: {ONE_ROW}",
    "learn it in `fit`: self.counts_ = X['a'].value_counts(), and write X['a'].map(self.counts_)",
)
refused(
    "series",
    "groupby resample",
    f"it combines the rows at hand: {ONE_ROW}",
    "learn a table in `fit`: self.means_ = X.groupby('key')['a'].mean(), and write X['key'].map(self.means_)",
)
refused(
    "series",
    "rank argsort searchsorted",
    f"it depends on the other rows' values: {ONE_ROW}",
    "keep sorted values in `fit`: self.sorted_ = np.sort(X['a']), and write np.searchsorted(self.sorted_, X['a'])",
)
refused(
    "series",
    "factorize",
    f"the numbers depend on the rows at hand: {ONE_ROW}",
    "learn the words in `fit`: self.codes_ = {word: i for i, word in enumerate(sorted(X['a'].unique()))}, and map them",
)
refused("series", "shift diff pct_change", _ROWS, _EARLIER)
refused("series", "cumsum cumprod cummax cummin rolling expanding ewm", _ROWS, _EARLIER)
refused(
    "series",
    "ffill bfill pad backfill interpolate asof",
    _ROWS,
    "fill with a value that `fit` learned: X['a'].fillna(self.median_)",
)
refused(
    "series",
    "sort_values sort_index sample nlargest nsmallest reindex reindex_like align take truncate",
    "production predicts each row that it gets, in its order",
    "leave it out, or do it in `load`",
)
refused(
    "series",
    "dropna drop drop_duplicates duplicated head tail truncate filter explode repeat",
    "production predicts each row that it gets",
    "drop or add rows before the pipeline, in `load` or `split`; choose rows by a condition with np.where",
)
refused(
    "series",
    "is_unique is_monotonic_increasing is_monotonic_decreasing equals",
    f"it asks about all rows at hand: {ONE_ROW}",
    "check it in `load`, or in `fit`",
)
refused(
    "series",
    "corr cov dot",
    f"a statistic of the rows at hand: {ONE_ROW}",
    "learn it in `fit` and keep it on `self`",
)
refused(
    "series",
    "squeeze",
    "a column of one row becomes a number, one of many rows stays a column",
    "leave it out, or select the column by its name",
)
refused(
    "series",
    "tolist to_list to_dict items iteritems at iat item get keys __iter__",
    "the values of single rows are not there when a plan is written",
    "work on the whole column: np.where(condition, then, other), column.map(dict), column.apply(function)",
)
refused(
    "series",
    "convert_dtypes",
    "the dtypes depend on the rows at hand",
    "write astype(...)",
)
refused(
    "series",
    "set_axis rename_axis swaplevel droplevel add_prefix add_suffix",
    "production's labels are others",
    "leave it out",
)
refused(
    "series",
    "plot hist to_csv to_json to_excel to_pickle to_sql to_clipboard",
    "production has no use for it",
    "leave it out of `transform`",
)
