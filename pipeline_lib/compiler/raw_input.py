"""How a fitted pipeline takes raw rows: their container, and each column's label and dtype, as in training.

Production delivers checked rows (`conform`), with one dtype for each kind of column. The libraries see them as the
pipeline was fitted on them, so that a plan is compared with what the pipeline itself answers:

    like (frame, array, texts, …) --> conform --> table --> library_rows --> what the pipeline was fitted on
                                                    |
                                                    +-----> columns of the plan

A column of another dtype than any raw column has, such as a duration, is a placeholder: it is there for the libraries,
with the value of the first training row, and no output may depend on it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline_lib.compiler.fitted_names import fitted_names, needed_names
from pipeline_lib.compiler.training_frame import ARRAY, FRAME, SERIES, VECTOR, training_frame
from pipeline_lib.errors import InputError
from pipeline_lib.rows.column import Column
from pipeline_lib.rows.column_kinds import conversion, kind_of
from pipeline_lib.rows.frames import dtype_differences, to_frame, to_pipeline_input
from pipeline_lib.rows.schema import RowSchema

_SINGLE = ("float32", "Float32", "float[pyarrow]")
_SHOWN = 8  # names in a message


@dataclass(frozen=True)
class RawColumn:
    """One column of the rows that a pipeline was fitted on.

    `label` is its name in a frame, `missing` the value that is missing in a column of objects. A placeholder has a
    `filler`, its first value, and the `remedy` that makes a raw column of it.
    """

    name: str
    label: Any
    dtype: Any
    missing: Any = np.nan
    filler: Any = None
    remedy: str = ""

    def __str__(self) -> str:
        return (
            f"{self.name}: found dtype {self.dtype}, expected one of a raw column where a step reads it; "
            f"{self.remedy}, and fit again"
        )

    @property
    def is_placeholder(self) -> bool:
        """Whether raw rows do not hold the column."""
        return bool(self.remedy)

    @property
    def is_single(self) -> bool:
        """Whether the libraries see numbers rounded to float32."""
        return str(self.dtype) in _SINGLE


@dataclass(frozen=True)
class RawInput:
    """How a fitted pipeline takes raw rows; `columns` are None for several tables, which have fixed dtypes."""

    row: RowSchema
    container: str = FRAME
    columns: tuple[RawColumn, ...] | None = None

    @property
    def placeholders(self) -> tuple[RawColumn, ...]:
        """The columns that raw rows do not hold."""
        return tuple(column for column in self.columns or () if column.is_placeholder)

    def hints(self, *, digits: bool) -> list[str]:
        """What a refusal says of columns whose dtypes may be its reason, one line each.

        With `digits` it may be that libraries compute with fewer digits in float32.
        """
        single = [column.name for column in self.columns or () if str(column.dtype) == "float32"]
        lines = [
            f"found raw columns of float32 ({_listing(single)}), in which libraries compute with fewer digits than a "
            'plan, expected float64; cast them in `load`, for example X.astype("float64"), and fit again'
        ]
        return [*(lines if single and digits else []), *map(str, self.placeholders)]

    def library_rows(self, table: pa.Table) -> Any:
        """A conformed table as the pipeline's first step takes it: a frame, an array, a Series, or several frames."""
        if self.columns is None:
            return to_pipeline_input(table, self.row)
        import pandas as pd

        plain = to_frame(table)
        if self._are_numbers() and list(plain.columns) == [column.name for column in self.columns]:
            plain.columns = pd.Index([column.label for column in self.columns])
            return plain if self.container == FRAME else np.array(plain, order="C")
        known = dict(plain.items())
        series = [_restored(column, table, known) for column in self.columns]
        if self.container == SERIES:
            return series[0].rename(self.columns[0].label)
        if self.container == VECTOR:
            return np.asarray(series[0], dtype=self.columns[0].dtype)
        if self.container == ARRAY:
            dtype = self.columns[0].dtype
            return np.column_stack([np.asarray(each, dtype=dtype) for each in series])
        frame = pd.DataFrame(dict(enumerate(series)), index=pd.RangeIndex(table.num_rows))
        frame.columns = pd.Index([column.label for column in self.columns])
        return frame

    def differing(self, rows: Any, restored: Any) -> list[str]:
        """The columns of the training rows that `library_rows` gives otherwise."""
        if self.columns is None:
            return []
        names = list(map(str, rows.columns))
        if self._are_numbers() and names == [column.name for column in self.columns]:
            before, after = (np.asarray(each).T.view(np.int64) for each in (rows, restored))
            if np.array_equal(before, after):  # bit for bit
                return []
        columns = [column for column in self.columns if not column.is_placeholder]
        places = {column.name: place for place, column in enumerate(self.columns)}
        ours = dict(zip(names, (series for _, series in rows.items()), strict=True))
        theirs = self._parts(restored)
        return [column.name for column in columns if not _same_values(ours[column.name], theirs[places[column.name]])]

    def _are_numbers(self) -> bool:
        """Whether rows are frames or arrays of float64 alone, which are handled as a whole: columns may be hundreds."""
        return self.container in (FRAME, ARRAY) and all(
            column.dtype == np.float64 and not column.is_placeholder for column in self.columns or ()
        )

    def _parts(self, restored: Any) -> list[Any]:
        """The columns of restored rows."""
        if self.container in (SERIES, VECTOR):
            return [restored]
        return [series for _, series in restored.items()] if self.container == FRAME else list(restored.T)


def raw_input(
    like: Any, row: RowSchema | None, steps: Sequence[tuple[str, Any]], keep: Sequence[str]
) -> tuple[RawInput, Any]:
    """How a pipeline with these fitted steps takes the rows `like`, which it was fitted on; and these as a frame.

    `row` is the declared schema, None to make the widest one that the dtypes of `like` allow, of the columns that the
    pipeline was fitted on and those to `keep`. Raises InputError for other rows than those.
    """
    if row is not None and row.key is not None:
        _refuse(dtype_differences(like, row))
        return RawInput(row), like
    frame, container = training_frame(like, row, steps)
    names = list(map(str, frame.columns))
    chosen = _chosen(names, steps, container)
    if row is not None:
        _refuse_undeclared(frame, row)
        if fitted_names(steps, names) is None:
            chosen = [name for name in row.names if name in chosen]
    known = dict(zip(names, (column for _, column in frame.items()), strict=True))
    series = {name: known[name] for name in dict.fromkeys([*chosen, *keep]) if name in known}
    schema = row or _widest(series)
    columns = tuple(_raw_column(name, series[name], schema, declared=row is not None) for name in chosen)
    return RawInput(schema, container, columns), frame


def _chosen(names: Sequence[str], steps: Sequence[tuple[str, Any]], container: str) -> list[str]:
    """The columns that the pipeline was fitted on, in its order; all of them where it keeps no names."""
    fitted = fitted_names(steps, names) if container == FRAME else None
    if fitted is None:
        return list(names)
    needed = needed_names(steps, names)
    absent = [name for name in fitted if name not in names and name in needed]
    if absent:
        raise InputError(
            f"found no column {_listing(absent)} in `like`, expected the {len(fitted)} columns that the pipeline was "
            "fitted on; pass the frame that it was fitted on, or fit it on these columns alone"
        )
    return [name for name in fitted if name in names]


def _refuse_undeclared(frame: Any, row: RowSchema) -> None:
    """Refuse columns of Row that the training frame lacks, or has of another kind."""
    expected = to_frame(row.arrow.empty_table()).dtypes
    labels = dict(zip(map(str, frame.columns), range(frame.shape[1]), strict=True))
    lines = []
    for column in row.columns:
        if column.name not in labels:
            lines.append(f"{column.name}: found no such column, expected dtype {expected[column.name]}")
            continue
        series = frame.iloc[:, labels[column.name]]
        if series.dtype != expected[column.name] and not _is_declared(series, column):
            lines.append(
                f"{column.name}: found dtype {series.dtype}, expected {expected[column.name]}: "
                "convert the column where the data is loaded"
            )
    _refuse(lines)


def _is_declared(series: Any, column: Column) -> bool:
    """Whether a column of another dtype holds values of the declared kind, and missing ones where they are allowed."""
    kind = kind_of(series)
    return kind is not None and kind[0] == column.kind and (kind[1] or not column.nullable)


def _refuse(lines: Sequence[str]) -> None:
    if lines:
        raise InputError(
            "found training columns of other dtypes than production will deliver:\n  "
            + "\n  ".join(lines)
            + "\ncast them in `load`, or change `Row`, and fit again"
        )


def _widest(series: Mapping[str, Any]) -> RowSchema:
    """The widest schema that dtypes allow: any value of the kind, missing where the dtype has it."""
    kinds = {name: kind_of(each) for name, each in series.items()}
    columns = tuple(Column(name, kind[0], nullable=kind[1]) for name, kind in kinds.items() if kind is not None)
    if not columns:
        lines = [f"{name}: found dtype {each.dtype}; {conversion(each)}" for name, each in series.items()]
        raise InputError("found no raw column, expected one at least:\n  " + "\n  ".join(lines or ["no columns"]))
    return RowSchema(columns)


def _raw_column(name: str, series: Any, row: RowSchema, *, declared: bool) -> RawColumn:
    dtype = series.dtype
    raw = RawColumn(name, series.name, dtype)
    if name not in row.names:
        supported = declared and kind_of(series) is not None
        remedy = "declare it in Row" if supported else f"convert it in `load`: {conversion(series)}"
        return replace(raw, filler=series.iloc[:1].reset_index(drop=True), remedy=remedy)
    if dtype == np.dtype(object):
        return replace(raw, missing=_missing_value(series))
    return raw


def _missing_value(series: Any) -> Any:
    """The value that is missing in a column of objects; NaN where there is none."""
    missing = series[series.isna()]
    return missing.iloc[0] if len(missing) else np.nan


def _restored(column: RawColumn, table: pa.Table, plain: Mapping[Any, Any]) -> Any:
    """A column of a conformed table as a Series of the dtype that the pipeline was fitted on."""
    import pandas as pd

    if column.is_placeholder:
        return column.filler.iloc[np.zeros(table.num_rows, dtype=int)].reset_index(drop=True)
    series = plain[column.name]
    if series.dtype == column.dtype and series.dtype != object:
        return series
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "iufbM":
        return _cast(series, column)
    values = table.column(column.name).to_pylist()
    if isinstance(column.dtype, pd.CategoricalDtype):
        return pd.Series(pd.Categorical(values, dtype=_with_categories(column.dtype, values)))
    if column.dtype == object:
        return pd.Series([column.missing if value is None else value for value in values], dtype=object)
    return pd.Series(pd.array(values, dtype=column.dtype))


def _same_values(series: Any, restored: Any) -> bool:
    """Whether a column has the same values, of the same types; NaN is as good as NaN, but not as None."""
    import pandas as pd

    if isinstance(series.dtype, np.dtype) and series.dtype.kind in "fiub" and restored.dtype == series.dtype:
        return bool(np.array_equal(np.asarray(series), np.asarray(restored), equal_nan=series.dtype.kind == "f"))
    other = pd.Series(restored, dtype=series.dtype)
    series, other = series.reset_index(drop=True), other.reset_index(drop=True)
    if series.dtype != object:
        return bool(series.equals(other))
    pairs = zip(series, other, strict=True)
    return all(type(one) is type(two) and (one == two or one is two or one != one) for one, two in pairs)


def _cast(series: Any, column: RawColumn) -> Any:
    limits = np.iinfo(column.dtype) if column.dtype.kind in "iu" else None
    if limits is not None and not series.between(limits.min, limits.max).all():
        raise InputError(
            f"{column.name}: found integers that {column.dtype} does not hold, expected some that it does, as the "
            "pipeline was fitted on it; cast the column to int64 in `load`, and fit again"
        )
    with np.errstate(over="ignore"):
        return series.astype(column.dtype)


def _with_categories(dtype: Any, values: Sequence[Any]) -> Any:
    """The category dtype, with the categories of values that it lacks at its end, as `astype("category")` makes it."""
    import pandas as pd

    known = set(dtype.categories)
    more = list(dict.fromkeys(value for value in values if value is not None and value not in known))
    return pd.CategoricalDtype([*dtype.categories, *more], dtype.ordered) if more else dtype


def _listing(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names[:_SHOWN])) + (", …" if len(names) > _SHOWN else "")
