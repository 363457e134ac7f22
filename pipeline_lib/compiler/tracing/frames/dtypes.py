"""The dtypes of a DataFrame's columns: columns chosen by them, and columns as an array of one dtype."""

from typing import Any

from pipeline_lib.compiler.builder import Value
from pipeline_lib.compiler.tracing.arrays.array import share
from pipeline_lib.compiler.tracing.frames.structure import column
from pipeline_lib.compiler.tracing.recorded import Call
from pipeline_lib.compiler.tracing.refusals import ONE_ROW, refuse
from pipeline_lib.compiler.tracing.registry import rule


@rule("frame", "dtypes", attribute=True, raw=True)
def dtypes(call: Call) -> Any:
    """The library's dtype of each column; they must be the same for any rows."""
    frame = call.owner
    for index, label in enumerate(call.owner._reals[0].columns):
        found = {str(frame._reals[number].dtypes.iloc[index]) for number in call.recording.living()}
        if len(found) > 1:
            refuse(
                f"the dtype of column {label!r}, which is {' or '.join(sorted(found))} by its rows",
                ONE_ROW,
                f"cast it first: X[{label!r}] = X[{label!r}].astype(float)",
            )
    return frame._reals[0].dtypes


@rule("frame", "select_dtypes", raw=True)
def select_dtypes(call: Call, include: Any = None, exclude: Any = None) -> Any:
    """Columns by dtype; they must be the same for any rows."""
    frame, labels = call.owner, list(call.owner._reals[0].columns)
    numbers = range(len(frame._values))

    def places(number: int) -> list[int]:
        real = frame._reals[number].set_axis(numbers, axis=1)
        return list(real.select_dtypes(include=include, exclude=exclude).columns)

    found = {tuple(places(number)) for number in call.recording.living()}
    if len(found) > 1:
        either = sorted({place for each in found for place in each if any(place not in other for other in found)})
        refuse(
            f"columns chosen by dtypes that differ by rows ({', '.join(repr(labels[each]) for each in either)})",
            ONE_ROW,
            "cast them first, or choose the columns in `fit` and keep their names on `self`",
        )
    kept = list(found.pop())
    return call.recording.perform(
        call.name,
        lambda number: frame._reals[number].iloc[:, kept],
        lambda reals: [frame._values[place] for place in kept],
        frame._rows,
    )


@rule("frame", "squeeze", raw=True)
def squeeze(call: Call, axis: Any = None) -> Any:
    """The only column, as a Series."""
    if axis not in (1, "columns") or len(call.values) != 1:
        refuse(
            "squeeze() of rows or of several columns",
            "for one row it gives one value, not a column",
            "write squeeze('columns') of one column, or X['a']",
        )
    return column(call.owner, 0)


@rule("frame", "to_numpy", raw=True)
def to_numpy(call: Call, dtype: Any = None, copy: bool = False) -> Any:
    """The columns as an array of one dtype."""
    return _array(call, dtype, copy=copy)


@rule("frame", "values", attribute=True, raw=True)
def values(call: Call) -> Any:
    """The columns as an array of one dtype, which may be a view."""
    return _array(call, None)


def _array(call: Call, dtype: Any, *, copy: bool = False) -> Any:
    frame = call.owner

    def real(number: int) -> Any:
        return frame._reals[number].to_numpy(copy=copy, **({} if dtype is None else {"dtype": dtype}))

    def write(reals: list[Any]) -> list[Value]:
        return [as_item(call, value, reals[0].dtype) for value in frame._values]

    made = call.recording.perform(call.name, real, write, frame._rows)
    if not copy:
        share(made, made)
    return made


def as_item(call: Call, value: Value, dtype: Any) -> Value:
    """A column as part of an array of a NumPy dtype."""
    if dtype.kind == "f" and value.kind in ("int64", "bool", "float64"):
        return call.build.number(value)
    if dtype.kind in "iu" and value.kind in ("int64", "bool"):
        return call.build.integer(value)
    same = value.kind == {"b": "bool", "O": "str", "M": "datetime", "m": "duration"}.get(dtype.kind)
    if not same and dtype.kind == "O":
        refuse(
            "an array of objects, of columns of several dtypes",
            "it computes with Python's values one by one",
            "select columns of one kind first; cast bools with astype(int)",
        )
    if not same:
        refuse(f"{value.kind} columns as an array of {dtype}", "the recorder has no rule for it", "cast them first")
    return value
