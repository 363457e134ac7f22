"""The values of an original notebook and of the new pipeline, compared bit for bit."""

import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

from pipeline_lib.errors import InputError
from pipeline_lib.evidence.bits import first_difference
from pipeline_lib.project.from_notebook.captures import PARTS, PREDICTIONS, ROWS, TARGET
from pipeline_lib.project.from_notebook.page import Comparison
from pipeline_lib.project.from_notebook.plan import Plan
from pipeline_lib.project.from_notebook.seeds import Draw, unseeded
from pipeline_lib.project.project import Project
from pipeline_lib.runner.from_notebook_original import OriginalRun
from pipeline_lib.runner.from_notebook_worker import OF_ALL_ROWS, OF_ARRAYS, REPEATED, STATE, VALUES
from pipeline_lib.system.locks import locked_temporary_folder

EQUAL, DIFFERS, ABSENT = "equal", "differs", "not compared"
_WORKER = "pipeline_lib.runner.from_notebook_worker"


def new_values(project: Project, name: str, before_split: int = 0) -> dict[str, Any]:
    """What the new pipeline's functions return, in a fresh process.

    `before_split` is how many of its first steps the original applied before its split.
    """
    with locked_temporary_folder("proof") as folder:
        kept = folder / VALUES
        command = [sys.executable, "-m", _WORKER, str(project.root), name, str(folder), str(before_split)]
        done = subprocess.run(command, cwd=project.root, capture_output=True, text=True, check=False)  # noqa: S603
        if not kept.is_file():
            lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
            return {"error": f"the process ended: {lines[-1]}"}
        result: dict[str, Any] = pickle.loads(kept.read_bytes())  # noqa: S301  written by our own process
        if (folder / STATE).is_file():
            result[STATE] = fitted_values(folder / STATE)
    return result


def same_fit(new: dict[str, Any], state: Path) -> bool:
    """Whether the new functions' fit has learned what the fit of a record has, of which this is the fitted state."""
    return STATE in new and state.is_file() and bool(new[STATE].equals(fitted_values(state)))


def draws_anew(new: dict[str, Any]) -> bool:
    """Whether two fits of the new pipeline on the same rows predict differently: something draws without a seed."""
    return REPEATED in new and bool(difference(new[PREDICTIONS], new[REPEATED]))


def fitted_values(path: Path) -> Any:
    """A table of fitted values without measured times."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    return table.filter(pc.not_equal(table["type"], "seconds"))


def compare(plan: Plan, original: OriginalRun, new: dict[str, Any], casts: dict[str, str]) -> list[Comparison]:
    """Every value that both have, in the order in which they are made.

    `casts` are columns whose dtype production does not deliver: the original's values are compared in the other one.
    """
    frame, target = new.get("frame"), new.get("target name")
    found: dict[str, Any] = dict(new)
    if frame is not None:
        found |= {ROWS: frame.drop(columns=target), TARGET: frame[target]}
    found |= {f"score {name}": value for name, value in new.get("metrics", {}).items()}
    result = []
    for key, cell in _keys(plan):
        value = {ROWS: "rows before the split", TARGET: "target before the split"}.get(key, key)
        value = value.replace("score ", "metric ", 1)
        if key not in original.values:
            reason = original.problems.get(key) or f"the original has none ({original.failure() or 'it never ran'})"
            result.append(Comparison(value, cell, ABSENT, reason))
        elif key not in found:
            result.append(Comparison(value, cell, ABSENT, new.get("error", "the new pipeline has no such value")))
        elif key in PARTS[:2] and (moved := _moved_steps(plan)):
            text = f"the original's are transformed by cell {moved}, which is a step of the pipeline now"
            result.append(Comparison(value, cell, ABSENT, text))
        else:
            expected = (
                _cast(original.values[key], found[key], casts) if key in (ROWS, *PARTS[:2]) else original.values[key]
            )
            detail = difference(expected, found[key])
            if detail:
                detail += _cause(plan, key, original.values[key], new)
            if detail and key.startswith("score ") and any(one.result == DIFFERS for one in result):
                detail += "; a value that it follows from differs"
            result.append(Comparison(value, cell, DIFFERS if detail else EQUAL, detail or _size(found[key])))
    return result


def _cast(expected: Any, found: Any, casts: dict[str, str]) -> Any:
    """The original's table with the dtypes of the new one, where production delivers others."""
    import pandas as pd

    if not casts or expected.shape[1] != found.shape[1]:
        return expected
    frame = expected if isinstance(expected, pd.DataFrame) else pd.DataFrame(expected, index=found.index)
    return frame.set_axis(list(found.columns), axis=1).astype(casts)


def _cause(plan: Plan, key: str, expected: Any, new: dict[str, Any]) -> str:
    """The cause of a difference, where there is one that is known; "" otherwise."""
    in_load = [draw for draw in unseeded(plan) if draw.statement in plan.load]
    if in_load and key in (ROWS, TARGET, *PARTS):
        return f"; {_drawn(plan, in_load)}, so each load gives other rows"
    if key != PREDICTIONS:
        return ""
    if draws_anew(new):
        others = [draw for draw in unseeded(plan) if draw not in in_load]
        where = f" ({_drawn(plan, others)})" if others else ": something in it draws at random without a seed"
        return f"; two fits of the new pipeline differ, too{where}"
    causes = {
        OF_ARRAYS: "equal when fitted on arrays in C order, as the original was: only the layout in memory differs",
        OF_ALL_ROWS: "equal when the steps before the split learn from all rows, as in the original: they alone differ",
    }
    return next((f"; {text}" for key, text in causes.items() if key in new and not difference(expected, new[key])), "")


def _drawn(plan: Plan, found: list[Draw]) -> str:
    names = dict.fromkeys(f"{draw.name} in cell {plan.cell_of(draw.statement)}" for draw in found)
    return f"{' and '.join(names)} {'has' if len(names) == 1 else 'have'} no seed"


def _keys(plan: Plan) -> list[tuple[str, int]]:
    split, model = plan.roles.split, plan.model
    keys = [(ROWS, plan.cell_of(model.chain.at)), (TARGET, plan.cell_of(plan.target[1]))]
    keys += [(part, plan.cell_of(split.statement)) for part in PARTS] if split else []
    uses = plan.roles.on_test(model)
    keys += [(PREDICTIONS, plan.cell_of(uses[0][0]))] if uses else []
    return keys + [(f"score {score.name}", plan.cell_of(score.statement)) for score in plan.scores]


def _moved_steps(plan: Plan) -> str:
    return " and ".join(str(plan.cell_of(s.statement)) for s in plan.model.chain.steps if s.before_split)


def difference(expected: Any, found: Any) -> str:
    """The first difference in words, "" where every bit is the same.

    >>> import numpy as np
    >>> difference(np.array([1.0, 2.0]), np.array([1.0, 2.0]))
    ''
    """
    import numpy as np
    import pandas as pd

    if isinstance(expected, float | int | np.generic):
        left, right = float(expected), float(found)
        return "" if left.hex() == right.hex() else f"expected {left!r} ({left.hex()}), found {right!r} ({right.hex()})"
    tables = []
    columns = list(found.columns) if isinstance(found, pd.DataFrame) else [0]
    for value in (expected, found):
        array = np.asarray(value)
        frame = value if isinstance(value, pd.DataFrame) else pd.DataFrame(array.reshape(len(array), -1))
        if len(frame.columns) == len(columns):
            frame = frame.set_axis(columns, axis=1)
        tables.append(frame)
    indexes = [getattr(value, "index", None) for value in (expected, found)]
    if all(isinstance(index, pd.Index) and len(index) == len(found) for index in indexes):
        pairs = enumerate(zip(*indexes, strict=True))
        place = next((row for row, (ours, theirs) in pairs if ours != theirs), None)
        if place is not None:
            labels = [value.index[place : place + 1].tolist()[0] for value in (found, expected)]
            return f"row {place} has the index {labels[0]!r}, expected {labels[1]!r}"
    return _first(tables[0], tables[1])


def _first(expected: Any, found: Any) -> str:
    import pyarrow as pa

    expected, found = (frame.set_axis([str(name) for name in frame.columns], axis=1) for frame in (expected, found))
    try:
        left, right = (pa.Table.from_pandas(frame, preserve_index=False) for frame in (expected, found))
        left, right = (table.replace_schema_metadata(None) for table in (left, right))
        result = first_difference(left, right)
    except (pa.ArrowInvalid, pa.ArrowTypeError, InputError) as error:
        return "" if expected.equals(found) else f"values that are not equal ({error})"
    text = str(result) if result else ""
    if list(expected.columns) != ["0"]:  # an array of one dimension has no columns
        return text
    text = text.removeprefix("column '0', ").removesuffix("; differing columns: 1")
    return text.replace("differing rows of this column", "differing rows")


def _size(value: Any) -> str:
    shape = getattr(value, "shape", ())
    return " x ".join(f"{size:,}" for size in shape) if shape else f"{value!r}"
