"""What is to be predicted: the task that a target column asks for, its classes, and the rows that cannot be used."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

from pipeline_lib.errors import InputError
from pipeline_lib.project.drafting.columns import Column

TASKS = ("regression", "classification", "text")
MIN_ROWS = 20
MIN_OF_CLASS = 5
"""A class needs this many rows, so that training and test rows have some."""
MAX_CLASSES = 50
_FEW_NUMBERS = 10
_POSITIVE = {
    "1",
    "yes",
    "y",
    "true",
    "t",
    "positive",
    "pos",
    "bad",
    "churn",
    "default",
    "spam",
    "fraud",
    "ja",
    "oui",
    "si",
}


@dataclass(frozen=True)
class Target:
    """The target column and its task: regression, binary or multiclass; `rare` are classes with too few rows."""

    name: str
    task: str
    kind: str  # as in Column: integer, number, text
    classes: tuple[int | str, ...] = ()
    positive: int | str | None = None
    rare: tuple[int | str, ...] = ()
    notes: tuple[str, ...] = ()
    gaps: int = 0


def find_column(name: str, names: Iterable[str], option: str, shown: str) -> str:
    """The column of that name; raises InputError, with the closest name, where there is none."""
    known = list(names)
    if name in known:
        return name
    near = difflib.get_close_matches(name, known, n=1) or [each for each in known if each.lower() == name.lower()]
    listed = ", ".join(known[:20]) + (f" and {len(known) - 20} more" if len(known) > 20 else "")
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise InputError(f"{option}: found no column {name!r} in {shown}, expected one of {listed}{hint}")


def find_target(column: Column, task: str | None, shown: str) -> Target:
    """The task of a target column; raises InputError for one from which nothing can be learned."""
    name, known = column.name, column.known
    gaps = int(column.values.isna().sum())
    if len(known) < MIN_ROWS:
        raise InputError(
            f"{shown}: found {len(known)} rows with a value of {name!r}, expected {MIN_ROWS} or more, since some are "
            "kept apart to test on; bring more rows"
        )
    if column.kind == "date" or column.problem:
        found = "dates" if column.kind == "date" else f"that {column.problem}"
        raise InputError(
            f"--target: found {found} in {name!r}, expected finite numbers or classes; choose another column"
        )
    if column.distinct == 1:
        raise InputError(f"--target: found one value in all rows of {name!r}, expected two or more; choose another")
    numeric = column.kind in ("integer", "number")
    whole = numeric and bool((known % 1 == 0).all())
    if task == "regression" or (task is None and numeric and not (whole and _are_classes(column))):
        return _regression(column, gaps)
    if numeric and not whole:
        raise InputError(f"--task {task}: found fractions in {name!r}, expected classes; use --task regression")
    return _classification(column, gaps, whole=whole, asked=task is not None, shown=shown)


def _are_classes(column: Column) -> bool:
    """Whether whole numbers look like classes: two of them, or few that follow each other with many rows each."""
    known = column.known
    if column.distinct == 2:
        return True
    low, high = known.min(), known.max()
    consecutive = column.distinct == high - low + 1 and low in (0, 1)
    return bool(column.distinct <= _FEW_NUMBERS and consecutive and len(known) >= 20 * column.distinct)


def _regression(column: Column, gaps: int) -> Target:
    if column.odd:
        raise InputError(
            f"--task regression: found that in {column.name!r} {column.odd.found(hidden=False)}, expected numbers; "
            f"{column.odd.remedy(hidden=False)}"
        )
    if column.kind not in ("integer", "number"):
        raise InputError(
            f"--task regression: found {column.kind} in the target {column.name!r}, expected numbers; use "
            "--task classification, or make it numbers in the file"
        )
    return Target(column.name, "regression", "number" if gaps else column.kind, gaps=gaps)


def _classification(column: Column, gaps: int, *, whole: bool, asked: bool, shown: str) -> Target:
    kind = "text" if column.kind == "text" else "integer"
    known = column.known.astype("int64") if kind == "integer" else column.known
    counts = known.value_counts()
    classes = sorted(counts[counts >= MIN_OF_CLASS].index.tolist())
    rare = sorted(counts[counts < MIN_OF_CLASS].index.tolist())
    if len(classes) < 2 or len(classes) > MAX_CLASSES:
        if column.odd:
            raise InputError(
                f"{shown}: found that in {column.name!r} {column.odd.found(hidden=False)}, expected numbers, or 2 to "
                f"{MAX_CLASSES} classes; {column.odd.remedy(hidden=False)}"
            )
        raise InputError(
            f"{shown}: found {len(classes)} classes with {MIN_OF_CLASS} rows or more in {column.name!r} "
            f"({len(counts)} different values), expected 2 to {MAX_CLASSES}; "
            + ("use --task regression, or " if whole and kind == "integer" else "")
            + "put values together in the file"
        )
    task = "binary" if len(classes) == 2 else "multiclass"
    notes = []
    if task == "multiclass" and whole and not asked and column.kind != "boolean":
        notes.append(f"{len(classes)} whole numbers are taken as classes; --task regression takes them as numbers")
    if rare:
        notes.append(f"rows of {len(rare)} classes with fewer than {MIN_OF_CLASS} rows are left out, or join them")
    sizes = dict(zip(counts.index.tolist(), counts.tolist(), strict=True))
    positive = _positive(classes, sizes) if task == "binary" else None
    return Target(column.name, task, kind, tuple(classes), positive, tuple(rare), tuple(notes), gaps)


def _positive(classes: list[int | str], counts: dict[int | str, int]) -> int | str:
    """The class whose probability is reported: 1 or yes, else the rarer one."""
    likely = [each for each in classes if str(each).strip().lower() in _POSITIVE]
    return likely[0] if len(likely) == 1 else min(classes, key=lambda each: (counts[each], str(each)))
