"""What each feature column is used as: a number, a flag, a category, words, a date; or why it is left out."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

import pandas as pd

from pipeline_lib.project.drafting.columns import Column
from pipeline_lib.project.drafting.sensitive import looks_sensitive

MANY_CATEGORIES = 50
"""With more labels than this a column is worth a second look: most labels then count as rare."""
_ID_NAME = re.compile(
    r"(?:^|[ _.-])(?:id|ids|uuid|guid|key|index|no|nr|num|number|row|rownames|rowid|code)$"
    r"|^unnamed: \d+$|(?-i:[a-z]I[dD]$)|^__index_level_\d+__$",
    re.IGNORECASE,
)
_WORDS = 4  # mean number of words from which text is read word by word
_LOOKED_AT = 2000


@dataclass
class Roles:
    """Names of the columns by what they are used as; `left_out` and `sensitive` with the reason."""

    numbers: list[str] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)
    categories: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    dates: list[str] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    sensitive: dict[str, str] = field(default_factory=dict)

    @property
    def features(self) -> set[str]:
        """All columns that are used."""
        return {*self.numbers, *self.flags, *self.categories, *self.words, *self.dates}


def assign_roles(columns: Iterable[Column], sensitive: Collection[str], unreadable: dict[str, str]) -> Roles:
    """The roles of the feature columns; `unreadable` ones are left out with their type."""
    roles = Roles(left_out={name: f"no Row can declare its type {kind}" for name, kind in unreadable.items()})
    for column in columns:
        personal = "marked with --sensitive" if column.name in sensitive else ""
        looks = "" if personal else looks_sensitive(column.name, column.known)
        if personal or looks:
            roles.sensitive[column.name] = personal or f"looks like {looks}"
        reason = _left_out(column, looks=bool(looks))
        if reason:
            roles.left_out[column.name] = reason
            continue
        getattr(roles, _role(column)).append(column.name)
    return roles


def _left_out(column: Column, *, looks: bool) -> str:
    """Why a column is not used; empty where it is."""
    known, rows = column.known, len(column.values)
    if column.problem:
        return column.problem
    if known.empty:
        return "it has no values"
    if column.distinct == 1 and not column.values.isna().any():
        return "all rows have the same value"
    if looks and column.distinct > rows / 2:
        return "it says who a row is about"
    if column.kind == "integer" and column.distinct == rows:
        steps = column.values.diff().iloc[1:]
        consecutive = bool((steps == 1).all()) and column.values.iloc[0] in (0, 1)
        return "each row has its own value" if consecutive or _ID_NAME.search(column.name) else ""
    if column.kind == "text" and column.distinct > 0.9 * len(known) and _words(known) < _WORDS:
        which = "each row" if column.distinct == rows else "almost every row"
        return "; ".join([f"{which} has its own value", *column.notes])
    return ""


def _role(column: Column) -> str:
    if column.kind == "text":
        known = column.known
        free = column.distinct > max(20, len(known) / 2) and _words(known) >= _WORDS
        return "words" if free else "categories"
    return {"integer": "numbers", "number": "numbers", "boolean": "flags", "date": "dates"}[column.kind]


def _words(known: pd.Series) -> float:
    return float(known.iloc[:_LOOKED_AT].str.count(r"\S+").mean())
