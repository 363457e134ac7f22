"""What a step asks of the DataFrame that it is given."""

from collections.abc import Iterable
from typing import Any

from pipeline_lib.errors import InputError


def check_columns(step: Any, X: Any, columns: Iterable[str]) -> None:
    """Raise InputError, in the step's name, for anything but a DataFrame and for a column that it does not have."""
    where = type(step).__name__
    if not (hasattr(X, "columns") and hasattr(X, "iloc")):
        raise InputError(f"{where}: found {type(X).__name__}, expected a DataFrame; pass one with named columns")
    for column in columns:
        if column not in X.columns:
            found = ", ".join(map(str, X.columns))
            raise InputError(
                f"{where}: found the columns {found}, expected also {column!r}; add it or correct the name"
            )


def check_dtypes(step: Any, X: Any, columns: Iterable[str], *, text: bool) -> None:
    """Raise InputError for columns that are no text (pandas' `str`), or with `text=False` no numbers."""
    expected, cast = ("text", "str") if text else ("numbers", "float64")
    for column in columns:
        dtype = X[column].dtype
        if not (dtype == "str" if text else getattr(dtype, "kind", "") in "iuf"):
            raise InputError(
                f"{type(step).__name__}: found {dtype} in column {column!r}, expected {expected}; cast it, for example "
                f"X.astype({{{column!r}: {cast!r}}})"
            )
