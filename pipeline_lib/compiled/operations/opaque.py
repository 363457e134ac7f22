"""Steps that run in their own library, as operations: the step's columns together, and one of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline_lib.compiled.operations.python_source import Code
from pipeline_lib.compiled.operations.registry import Settings, lower, operation, write_lifted
from pipeline_lib.compiled.operations.setting_types import FLAG, INTEGER, TEXT, TEXTS, SettingType, optional, or_none
from pipeline_lib.compiled.operations.sparse import SparseColumn
from pipeline_lib.compiled.operations.text_columns import TextColumn

SAME_SHAPE = 1e-9
"""How far, relative to the largest result of a column, a step's rows in blocks may be from those in one batch: BLAS
and pairwise sums change last bits with the shape. Random numbers, and rows that affect each other, change far more."""
SAME_SINGLE = 1e-5
"""The same where the library answers in float32."""
_CATEGORIES = SettingType(
    "Sequence[Any]", "a list of None or [ordered, categories]", lambda value: isinstance(value, list | tuple)
)


@dataclass(frozen=True)
class PartBounds:
    """The error bounds of a step's columns, in order."""

    parts: Sequence[Any]


def _bind(settings: Settings) -> Any:
    return settings["runner"]  # added when the artifact is loaded


def _write_part(code: Code, settings: Settings, inputs: Sequence[str], dtypes: Sequence[str]) -> str:
    return f"{code.bind(lower, 'lower')}({inputs[0]}[{int(settings['place'])}])"


def _bounds(settings: Settings, inputs: Sequence[Any], bounds: Sequence[Any], result: Any) -> PartBounds:
    """Columns of numbers within `SAME_SHAPE`, others exact; any answer where an input is within a bound of its own."""
    unsure: Any = 0.0
    for bound in bounds:
        if np.any(bound):
            moved = np.asarray(bound) > 0
            unsure = unsure + np.where(moved.any(axis=0) if moved.ndim == 2 else moved, np.inf, 0.0)
    return PartBounds([_bound(settings, column) + unsure for column in result])


def _bound(settings: Settings, column: Any) -> Any:
    if isinstance(column, TextColumn):
        return np.zeros(len(column))
    values = column.values if isinstance(column, SparseColumn) else np.asarray(column)
    if values.dtype != np.float64:
        return np.zeros(values.shape)
    finite = np.abs(values[np.isfinite(values)])
    relative = SAME_SINGLE if settings.get("single") else SAME_SHAPE
    return np.full(values.shape, relative * (finite.max() if finite.size else 0.0))


operation(
    "opaque",
    None,
    "parts",
    doc="All columns that a step returns from `method`, computed in the step's own library.",
    parameters=("columns", "..."),
    settings={
        "step": TEXT,
        "method": TEXT,
        "dtypes": TEXTS,
        "names": or_none(TEXTS),
        "form": optional(TEXT),
        "kinds": optional(TEXTS),
        "categories": optional(_CATEGORIES),
        "block": optional(INTEGER),
        "width": optional(INTEGER),
        "single": optional(FLAG),
    },
    column=_bind,
    writer=write_lifted(_bind),
    error_bound=_bounds,
)
operation(
    "opaque_part",
    ("parts",),
    lambda settings, dtypes: str(settings["gives"]),
    doc="One of the columns that `opaque` returned.",
    parameters=("parts",),
    settings={"place": INTEGER, "gives": TEXT, "width": optional(INTEGER)},
    column=lambda settings: lambda parts: parts[settings["place"]],
    writer=_write_part,
    width=lambda settings, widths: int(settings.get("width", 1)),
    error_bound=lambda settings, inputs, bounds, result: bounds[0].parts[settings["place"]],
)
