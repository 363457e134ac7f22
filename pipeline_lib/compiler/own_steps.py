"""What own steps must keep besides their values: their rows in order, the names of columns, their input as it is."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from pipeline_lib.compiler.adapters.registry import Columns, RefusedStepError
from pipeline_lib.errors import InputError
from pipeline_lib.rows.frames import Frames

_SHOWN = 5  # names or labels in a message


def check_order_of_rows(name: str, data: Any, output: Any) -> None:
    """Refuse a step whose output frame has another index than its input: its rows are in another order."""
    given = next(iter(data.values())) if isinstance(data, Frames) else data
    if hasattr(output, "iloc") and hasattr(given, "iloc") and not output.index.equals(given.index):
        raise InputError(
            f"step {name}: found rows with the index {_first(output.index)}, expected {_first(given.index)} as in its "
            "input; transform must keep the rows in their order and their index: sort in `load`, and leave out "
            "set_index"
        )


def check_names(name: str, planned: Sequence[str], output: Any) -> None:
    """Refuse a plan whose columns have other names, or another order, than the frame that `transform` returns."""
    if not hasattr(output, "columns"):
        return
    names = list(map(str, output.columns))
    if names != list(planned):
        raise InputError(
            f"step {name}: found the columns {_first(planned)} from the plan, expected {_first(names)} as transform "
            "returns them; name and order them the same way in both"
        )


def check_input_kept(where: str, before: Any, after: Any) -> None:
    """Refuse a step that has changed the rows that it was given: the caller's frame would change, too."""
    if isinstance(before, Frames):
        for table, frame in before.items():
            check_input_kept(f"{where}, table {table}", frame, after[table])
        return
    if hasattr(before, "iloc"):
        if before.equals(after):
            return
        changed = [str(each) for each in before.columns if each not in after or not before[each].equals(after[each])]
        changed += [str(each) for each in after.columns if each not in before]
        found = f" (columns {_first(changed)})" if changed else ""
    elif hasattr(before, "tocsr"):
        if (before != after).nnz == 0:
            return
        found = ""
    else:
        if np.array_equal(before, after, equal_nan=before.dtype.kind == "f"):
            return
        found = ""
    raise InputError(
        f"{where}: found a transform that changes the rows that it is given{found}, expected that it leaves them as "
        "they are; begin it with X = X.copy()"
    )


def _first(names: Any) -> str:
    shown = [str(each) for each in list(names)[:_SHOWN]]
    return ", ".join(shown) + (", …" if len(names) > len(shown) else "")


def refuse_child_columns(name: str, columns: Columns) -> None:
    """Refuse a step whose output has values for each child row; steps after it read main rows only."""
    below = [column for column, value in columns.items() if value.table]
    if below:
        raise RefusedStepError(
            f"step {name}: found {', '.join(below)} with a value for each row of the table "
            f"{columns[below[0]].table}, expected one for each main row; aggregate them, as build.total does"
        )
