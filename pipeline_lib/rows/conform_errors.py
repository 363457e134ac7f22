"""Why a column does not take its values: the error that its checks raise, and the words of its message."""

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline_lib.errors import InputError
from pipeline_lib.rows.column import Column

HIDDEN = "a value (hidden: sensitive)"
_REMEDY = "correct it, or Row"


class ColumnError(Exception):
    """Values that a column does not take: what was expected, in which rows (None: in the whole column), what to do.

    `conform` gathers these and raises one `InputError` with a line for each.
    """

    def __init__(
        self, expected: str, rows: "Sequence[int] | None" = None, found: str = "", remedy: str = _REMEDY
    ) -> None:
        super().__init__(expected)
        self.expected, self.rows, self.found, self.remedy = expected, rows, found, remedy


@dataclass(frozen=True)
class Problem:
    """What is wrong with one raw column: `rows` are the numbers of the refused rows, None for the whole column.

    `value` is the first refused value as a message shows it, "" where there is none to show; `type` says of which type
    it is, where that is what is wrong. `label` is what a frame calls the first row, where that is not its number.
    `column` is "" for columns that are absent, `table` is "" where there is only one.
    """

    column: str
    rows: tuple[int, ...] | None
    value: str
    type: str
    expected: str
    remedy: str
    label: str = ""
    table: str = ""

    def text(self, where: str | None = None) -> str:
        """The line of a message; `where` is the place of the first row in words of the caller's, by default its number.

        An empty `where` names no place.
        """
        found = f"{self.value} ({self.type})" if self.value and self.type else self.value or self.type
        if where is None:
            where = f" in {describe_rows(self.rows)}{self.label}" if self.rows is not None else ""
        name = "".join(f"{part}: " for part in (self.table, self.column) if part)
        return f"{name}found {found}{where}, expected {self.expected}; {self.remedy}"


class RefusedColumnsError(InputError):
    """Rows that `conform` refuses, with every problem of theirs; the message has a line for each."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(problem.text() for problem in problems))
        self.problems = tuple(problems)


def describe_rows(rows: Sequence[int], limit: int = 5) -> str:
    """The numbers of the first rows, and how many more there are."""
    first = ", ".join(str(row) for row in rows[:limit])
    more = f" and {len(rows) - limit:,} more" if len(rows) > limit else ""
    return f"row{'s' if len(rows) > 1 else ''} {first}{more}"


def refuse_rows(rows: Sequence[int], expected: str, remedy: str = _REMEDY) -> None:
    """Raise `ColumnError` if there are any rows."""
    if rows:
        raise ColumnError(expected, rows, remedy=remedy)


def expected_values(column: Column) -> str:
    """What a column of this kind holds, for a message."""
    return {
        "integer": "a whole number of 64 bits (as a float at most 2**53)",
        "number": "a number (an integer at most 2**53)",
        "string": "text",
        "boolean": "True or False",
        "datetime": "a naive datetime in whole microseconds",
        "date": "a date",
    }[column.kind]


def conversion_remedy(kind: str, type_name: str) -> str:
    """What to do about values of another type in a column of this kind."""
    if kind not in ("datetime", "date"):
        return "convert the column first"
    if "zone" in type_name or "tz=" in type_name:
        return "bring it to one time zone and drop the zone: value.astimezone(UTC).replace(tzinfo=None)"
    return f"convert it first: {kind}.fromisoformat(text), or pandas.to_datetime(column)"
