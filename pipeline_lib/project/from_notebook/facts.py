"""What only running the original can tell, as the drafts of the new notebooks need it."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Facts:
    """The table before the split, as the original had it.

    `is_frame` is whether it was a DataFrame, `columns` its column names (numbers where `named` is false), `names_of`
    the source of an expression that has the names of an array's columns. `target_form` is "series", "frame" or
    "array". `row` is the source of the `Row` class. `literals` are the values of names that came from the data, `best`
    the parameters that a search has chosen. `rows` are row counts before and after a statement, by its index.
    """

    is_frame: bool
    columns: tuple[str, ...]
    named: bool
    names_of: str
    target_form: str
    target_name: str
    same_index: bool
    row: str
    classifier: bool
    literals: dict[str, Any] = field(default_factory=dict)
    best: dict[str, Any] = field(default_factory=dict)
    rows: dict[int, tuple[int, int]] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    """The path from the project's root of each data file, by the path that the original reads."""
    failed: dict[int, str] = field(default_factory=dict)
    """The errors that cells raised, by the cell's number."""
    casts: dict[str, str] = field(default_factory=dict)
    """The dtype that production delivers, by the columns that have another one."""


NO_FACTS = Facts(True, (), True, "", "series", "target", True, "", False)
"""Before the original has run."""
