"""`pd.cut` with fixed edges: the number, the label or the interval that a value lies in."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from pipeline_lib.compiler.builder import Value
from pipeline_lib.compiler.tracing.recorded import Call, Recorded, of_shadow
from pipeline_lib.compiler.tracing.refusals import refuse
from pipeline_lib.compiler.tracing.registry import function, refused
from pipeline_lib.compiler.tracing.series.dtype_rules import dtypes_of
from pipeline_lib.compiler.tracing.series.lookups import as_item, kind_of_item, plain


@function("pandas.cut", raw=True)
def cut(
    call: Call,
    x: Any,
    bins: Any,
    right: bool = True,
    labels: Any = None,
    retbins: bool = False,
    precision: int = 3,
    include_lowest: bool = False,
    duplicates: str = "raise",
    ordered: bool = True,
) -> Any:
    """The interval that each number lies in, between fixed edges: its number, its label, or the interval itself."""
    column = x if isinstance(x, Recorded) else None
    if column is None or len(column._values) != 1 or isinstance(bins, Recorded):
        refuse("pd.cut of something else than one column", "the recorder has no rule for it", "give X['a']")
    if np.ndim(bins) != 1 or isinstance(bins, pd.IntervalIndex):
        refuse(
            f"pd.cut with bins={bins!r}",
            "the edges depend on the rows at hand: for one row it would answer otherwise than for many",
            "learn them in `fit`: _, self.edges_ = pd.cut(X['a'], 5, retbins=True), and give bins=self.edges_",
        )
    if any(str(dtype) == "object" for dtype in dtypes_of(column)):
        refuse("pd.cut of a column of Python objects", "the recorder has no rule for it", "cast it with astype(float)")
    if retbins:
        refuse("pd.cut with retbins in `transform`", "the recorder has no rule for it", "leave it out: it gives `bins`")
    options = {"right": right, "labels": labels, "precision": precision, "include_lowest": include_lowest}
    options |= {"duplicates": duplicates, "ordered": ordered}
    call.owner = column

    def write(reals: list[Any]) -> Value:
        edges = np.asarray(bins)
        if duplicates == "drop":
            edges = np.unique(edges)
        names = _labels(call, reals[0], labels, len(edges) - 1)
        number = _binned(call, [float(edge) for edge in edges], names, right=right, lowest=include_lowest)
        whole = bool(edges[0] == -np.inf and edges[-1] == np.inf) and call.value.kind in ("int64", "bool")
        return call.build.truncate_int(number) if labels is False and whole else number

    return call.recording.perform(
        "pd.cut", lambda number: pd.cut(of_shadow(x, number), bins, **options), write, column._rows
    )


def _labels(call: Call, real: Any, labels: Any, count: int) -> Sequence[Any]:
    """The value of each interval: numbers, given labels, or the interval as text."""
    if labels is False:
        return [float(number) for number in range(count)]
    return plain(real.cat.categories if hasattr(real, "cat") else real.categories) if labels is None else plain(labels)


def _binned(call: Call, edges: list[float], labels: Sequence[Any], *, right: bool, lowest: bool) -> Value:
    """The label of the interval between two edges that holds the number; missing outside."""
    build = call.build
    if call.value.kind not in ("int64", "float64", "bool"):
        refuse(f"pd.cut of a column of {call.value.kind}", "the recorder has no rule for it", "turn it into numbers")
    number = build.number(call.value)
    place = build.search(number, edges=edges, side="left" if right else "right")
    if lowest and right:
        place = build.where(number == edges[0], 1, place)
    kinds = {"str" if isinstance(label, pd.Interval) else kind_of_item(call, label) for label in labels}
    gives = "float64" if kinds <= {"int64", "float64"} else kinds.pop()
    words = [str(label) if isinstance(label, pd.Interval) else as_item(label, gives) for label in labels]
    table = {position + 1: word for position, word in enumerate(words)}
    return build.where(number.missing(), build.missing(gives), build.lookup(place, table, gives))


refused(
    "function",
    "pandas.qcut",
    "the edges are quantiles of the rows at hand: for one row it would answer otherwise than for many",
    "learn them in `fit`: _, self.edges_ = pd.qcut(X['a'], 4, retbins=True), and write pd.cut(X['a'], self.edges_)",
)
