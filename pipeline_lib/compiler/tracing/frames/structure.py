"""Structure of frames and arrays: columns chosen, ordered or renamed by the library itself, on one row of numbers."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from pipeline_lib.compiler.builder import Value
from pipeline_lib.compiler.tracing.frames.assignment import make_recorded
from pipeline_lib.compiler.tracing.recorded import Call, Recorded, recorded_in
from pipeline_lib.compiler.tracing.refusals import PLAN, refuse


def structure(owner: Recorded, name: str, change: Callable[[Any], Any]) -> Any:
    """A selection, order or renaming of columns, by pandas itself on one row of column numbers.

    `change` is the call; it must not look at values or dtypes.
    """
    return owner._recording.perform(
        name,
        lambda number: change(owner._reals[number]),
        lambda reals: chosen(owner, name, change),
        owner._rows,
        trusted=owner._values,
    )


def chosen(owner: Recorded, name: str, change: Callable[[Any], Any]) -> list[Value]:
    """The columns of a frame that a call chooses."""
    numbers = pd.DataFrame([list(range(len(owner._values)))], columns=owner._reals[0].columns)
    try:
        result = change(numbers)
    except (ValueError, TypeError, IndexError) as error:
        refuse(f"{name}, which looks at rows ({error})", "it must choose columns by name or position", PLAN)
    flat = np.atleast_1d(result.iloc[0] if result.ndim == 2 else result.to_numpy())
    if result.shape[0] != 1 or not np.isfinite(np.asarray(flat, dtype=float)).all():
        refuse(f"{name}, which gives columns that are not in the frame", "the recorder has no rule for it", PLAN)
    return [owner._values[int(number)] for number in flat]


def column(owner: Recorded, index: int) -> Any:
    """One column of a frame or array, by its number, as a recorded object of its own."""
    reals = [None if real is None else _column(real, index) for real in owner._reals]
    return make_recorded(owner, reals, [owner._values[index]])


def column_call(call: Call, index: int, place: int | None = None) -> Call:
    """The call on one column of a frame, so that the rules of a Series can write it.

    `place` is the number of the column in the result, where it is another.
    """
    at = index if place is None else place
    reals = [None if real is None else _column(real, at) for real in call.reals]
    return Call(call.recording, column(call.owner, index), call.name, reals)


def _column(real: Any, index: int) -> Any:
    if real.ndim == 1:
        return real
    return real.iloc[:, index] if hasattr(real, "iloc") else real[:, index]


def refuse_recorded(name: str, arguments: Any) -> None:
    """Refuse columns that are chosen by the rows at hand."""
    if recorded_in(arguments):
        refuse(
            f"{name} of columns chosen by the rows at hand",
            "production needs the same columns for any rows",
            "choose them in `fit` and keep their names on `self`",
        )
