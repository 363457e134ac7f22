"""The comparison of a rule's result with the library's, on one shadow: labels, dtype and values."""

from collections.abc import Callable
from typing import Any

import numpy as np

from pipeline_lib.compiled.columns import take_rows
from pipeline_lib.compiled.operations.text_columns import TextColumn
from pipeline_lib.compiler.builder import Value
from pipeline_lib.compiler.error_bounds import distance
from pipeline_lib.compiler.library_input import library_column
from pipeline_lib.compiler.tracing.refusals import PLAN, refuse
from pipeline_lib.compiler.tracing.selection import Rows
from pipeline_lib.errors import InputError


def check_labels(name: str, labels: Any, input_labels: Any, rows: Rows, mask: Any) -> None:
    """Refuse a result whose rows are in another order, or under other labels, than its recorded rows."""
    if rows.index == "range":
        same = list(labels) == np.flatnonzero(mask).tolist()
    elif rows.index.startswith("range of"):  # some of the rows, numbered from 0 on
        same = list(labels) == list(range(len(labels)))
    else:
        same = labels.equals(input_labels[mask])
    if not same and len(labels):
        refuse(
            f"{name}, whose rows are in another order or under other labels than the input's",
            "pandas aligns by label, and production predicts each row by itself",
            "keep the index: pd.Series(values, index=X.index)",
        )


def check_column(
    name: str,
    real: Any,
    index: int,
    value: Value,
    column: Any,
    bound_of: Callable[[], Any],
    mask: Any,
    answered: Any,
) -> None:
    """Refuse a rule that writes another column than the library's.

    `column` is the plan's, `bound_of` gives its error bound, `mask` are the rows that the result has, `answered` those
    for which own code raises no error.
    """
    try:
        expected = library_column(real, index, value.dtype, value.width)
    except (InputError, TypeError, ValueError):
        found = real.iloc[:, index].dtype if getattr(real, "ndim", 1) == 2 and hasattr(real, "iloc") else real.dtype
        refuse(
            f"{name}, whose values ({found}) are no {value.dtype} for some rows",
            "a column of production has one dtype",
            "cast it, for example astype(float), or fill missing values first",
        )
    rows = np.flatnonzero(mask)
    column = take_rows(column, rows)
    with np.errstate(all="ignore"):
        apart = np.broadcast_to(distance(column, expected), rows.shape)
    if not apart.any():
        return
    bound = bound_of()
    allowed = np.broadcast_to(0.0 if bound is None else np.broadcast_to(bound, mask.shape)[rows], rows.shape)
    wrong = (apart > 0) & ~(apart <= allowed) & answered[rows]
    if wrong.any():
        at = int(np.argmax(wrong))
        refuse(
            f"{name}, where the recorder's rule gives {_item(column, at)!r} and the library {_item(expected, at)!r}",
            "the recorder has no exact rule for these values",
            PLAN,
        )


def _item(column: Any, row: int) -> Any:
    return column.tolist()[row] if isinstance(column, TextColumn) else np.asarray(column)[..., row].tolist()
