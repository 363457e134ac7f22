"""What the run of an original tells about its table, as the drafts of the new notebooks need it."""

from typing import TYPE_CHECKING, Any

from pipeline_lib.errors import InputError
from pipeline_lib.project.from_notebook.captures import BEST, CLASSIFIER, NAMES, ROWS, TARGET, names_expression
from pipeline_lib.project.from_notebook.facts import Facts
from pipeline_lib.project.from_notebook.plan import Plan
from pipeline_lib.rows.draft_row import draft_row
from pipeline_lib.runner.from_notebook_original import OriginalRun

if TYPE_CHECKING:
    import pandas as pd


def facts_of(plan: Plan, original: OriginalRun, files: dict[str, str], shown: str) -> Facts:
    """The facts of an original that has run as far as its split.

    `files` are paths from the project's root by the path that the original reads, `shown` how messages call the
    notebook. Raises InputError where the split was not reached, and for rows that no `Row` can describe.
    """
    import numpy as np
    import pandas as pd

    for key in (ROWS, TARGET):
        if key not in original.values:
            stopped = original.failure() or original.problems.get(key) or "found no value of the split"
            raise InputError(
                f"{shown}: {stopped}, expected cells that run from the first to the split; correct the notebook "
                "(Jupyter: Restart Kernel and Run All Cells) and try again"
            )
    rows, target = original.values[ROWS], original.values[TARGET]
    frame, names_of = _table(plan, original, shown)
    form, name = _form(target), _target_name(target, frame)
    casts = _casts(frame)
    first = np.asarray(target).reshape(len(frame), -1)[:, 0]
    try:
        row = draft_row(frame.astype(casts).assign(**{name: first}), target=name)
    except InputError as error:
        raise InputError(f"{shown}: {error} (in the rows that are split)") from error
    is_frame = isinstance(rows, pd.DataFrame)
    return Facts(
        is_frame=is_frame,
        columns=tuple(frame.columns),
        named=is_frame and list(rows.columns) == list(frame.columns),
        names_of=names_of,
        target_form=form,
        target_name=name,
        same_index=not (is_frame and form in ("series", "frame")) or rows.index.equals(target.index),
        row=str(row),
        classifier=bool(original.values.get(CLASSIFIER, first.dtype.kind in "OUSb")),
        literals={
            key.removeprefix("literal "): _plain(value)
            for key, value in original.values.items()
            if key.startswith("literal ")
        },
        best={key: _plain(value) for key, value in original.values.get(BEST, {}).items()},
        rows=_counts(original.values),
        files=files,
        failed=original.failures,
        casts=casts,
    )


def _table(plan: Plan, original: OriginalRun, shown: str) -> tuple["pd.DataFrame", str]:
    """The rows as a DataFrame with names of text, and the source of an expression that has an array's names."""
    import numpy as np
    import pandas as pd

    rows = original.values[ROWS]
    if isinstance(rows, pd.DataFrame):
        named = all(isinstance(column, str) for column in rows.columns)
        return (rows if named else rows.set_axis(_numbered(rows.shape[1]), axis=1)), ""
    if isinstance(rows, np.ndarray) and rows.ndim == 2:
        names = original.values.get(NAMES, ())
        known = len(names) == rows.shape[1] and len(set(names)) == len(names)
        columns = list(names) if known else _numbered(rows.shape[1])
        return pd.DataFrame(rows, columns=columns), f"list({names_expression(plan)})" if known else ""
    raise InputError(
        f"{shown}: cell {plan.cell_of(plan.model.chain.at)}: found {type(rows).__name__} as the rows that are split, "
        "expected a DataFrame or an array of two dimensions; make a table of it, one column for each feature"
    )


def _numbered(count: int) -> list[str]:
    return [f"x{number}" for number in range(count)]


def _form(target: Any) -> str:
    """How the original holds its target: a Series, a DataFrame, an array, or an array of one column."""
    import numpy as np
    import pandas as pd

    if isinstance(target, pd.Series | pd.DataFrame):
        return "series" if isinstance(target, pd.Series) else "frame"
    return "column" if np.ndim(target) == 2 else "array"


def _target_name(target: Any, frame: "pd.DataFrame") -> str:
    """The name of the target's column, which no other column has."""
    name = getattr(target, "name", None)
    columns = list(getattr(target, "columns", []))
    name = columns[0] if len(columns) == 1 else name
    name = name if isinstance(name, str) else "target"
    while name in frame.columns:
        name += "_"
    return name


def _casts(frame: "pd.DataFrame") -> dict[str, str]:
    """The dtypes that production delivers, for columns that have a narrower one, a category, or text as objects."""
    import pandas as pd

    result: dict[str, str] = {}
    for name in frame.columns:
        values = frame[name]
        whole = values.cat.categories if isinstance(values.dtype, pd.CategoricalDtype) else values
        delivered = _delivered(whole)
        if delivered and str(values.dtype) != delivered:
            result[name] = delivered
    return result


def _delivered(values: Any) -> str:
    """The dtype in which production delivers a column, "" where it keeps its own."""
    import pandas as pd

    if pd.api.types.infer_dtype(values, skipna=True) == "string":
        return "str"
    if pd.api.types.is_extension_array_dtype(values.dtype):
        return ""
    return {"i": "int64", "u": "int64", "f": "float64"}.get(values.dtype.kind, "")


def _counts(values: dict[str, Any]) -> dict[int, tuple[int, int]]:
    """Row counts before and after statements, by their index."""
    return {
        int(key.split()[1]): (value, values[f"count {key.split()[1]} after"])
        for key, value in values.items()
        if key.startswith("count ") and key.endswith("before") and f"count {key.split()[1]} after" in values
    }


def _plain(value: Any) -> Any:
    """A value as Python writes it: lists for arrays and indexes."""
    return value.tolist() if hasattr(value, "tolist") else value
