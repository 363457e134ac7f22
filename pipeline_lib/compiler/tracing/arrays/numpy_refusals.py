"""NumPy's functions that have no plan, each with its reason and what to write instead."""

from pipeline_lib.compiler.tracing.refusals import ONE_ROW
from pipeline_lib.compiler.tracing.registry import refused


def _refused(names: str, why: str, remedy: str) -> None:
    refused("function", " ".join(f"numpy.{name}" for name in names.split()), why, remedy)


_refused(
    "percentile quantile nanpercentile nanquantile histogram corrcoef cov unique bincount polyfit ediff1d gradient "
    "trapezoid",
    ONE_ROW,
    "learn it in `fit` and keep it on `self`",
)
_refused(
    "sort argsort partition argpartition lexsort roll flip flipud fliplr rot90 convolve correlate",
    "which rows stand before and after a row depends on the batch",
    "make such columns in `load`, where the order is known",
)
_refused(
    "nonzero argwhere flatnonzero extract compress repeat tile resize pad unwrap",
    "production predicts each row that it gets",
    "write X[condition] or np.where(condition, then, other)",
)
_refused(
    "allclose array_equal array_equiv",
    "whether all rows are equal depends on the batch",
    "compare columns: np.isclose(a, b)",
)
_refused(
    "apply_along_axis apply_over_axes fromiter frompyfunc",
    "the function gets a whole row of an array",
    "write it with columns, or as a function of X.apply(function, axis=1)",
)
_refused("putmask place copyto put", "it sets values in place", "write a[condition] = value")
_refused("array_split split vsplit hsplit", "it makes several arrays", "take columns: X[:, :2]")
_refused("add.at subtract.at maximum.at minimum.at", "it sets values in place", "write a[condition] = value")
_refused(
    "add.accumulate multiply.accumulate maximum.accumulate minimum.accumulate add.reduceat",
    "which rows stand before a row depends on the batch",
    "make such columns in `load`, where the order is known",
)
