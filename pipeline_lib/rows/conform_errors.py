"""Why a column does not take its values: the error that its checks raise, and the words of its message."""

from collections.abc import Sequence

from pipeline_lib.rows.column import Column

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
