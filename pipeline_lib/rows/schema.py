"""The closed description of one raw row: what production knows of `Row` without the notebook's code."""

import math
import re
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import date, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pipeline_lib.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

FORMAT, TABLES_FORMAT, LOOKUP_FORMAT = 1, 2, 3
BOUNDS = ("ge", "gt", "le", "lt")
KINDS = ("integer", "number", "string", "boolean", "datetime", "date")
EXACT = 2**53  # every integer up to here is a float64
_BOUND_TYPES: dict[str, tuple[type, ...]] = {
    "integer": (int,),
    "number": (int, float),
    "datetime": (datetime,),
    "date": (date,),
}
# Their meaning grows with every Unicode version, so that they would depend on the machine.
_UNICODE_CLASS = re.compile(r"(?<!\\)(?:\\\\)*(\\[dDwWsSbBpP]|\(\?\w*i)")

Bound = int | float | datetime | date


@dataclass(frozen=True)
class Column:
    """One raw column: its name, its kind (one of `KINDS`), and what its values may be.

    `allowed` are all values it may take. A column that is not `required` gets `default` where it is
    absent; absent is not the same as missing, which `nullable` allows. `finite` excludes infinities.
    """

    name: str
    kind: str
    nullable: bool = False
    ge: Bound | None = None
    gt: Bound | None = None
    le: Bound | None = None
    lt: Bound | None = None
    finite: bool = False
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None
    allowed: tuple[str, ...] | tuple[int, ...] | None = None
    sensitive: bool = False
    required: bool = True
    default: str | int | float | bool | None = None

    def __post_init__(self) -> None:
        """Refuse what contradicts itself or cannot be checked the same way everywhere."""
        if not isinstance(self.name, str):
            self._refuse(f"{self.name!r} as a name", "text")
        if self.kind not in KINDS:
            self._refuse(f"kind {self.kind!r}", f"one of {', '.join(KINDS)}")
        for option in ("nullable", "finite", "sensitive", "required"):
            if not isinstance(getattr(self, option), bool):
                self._refuse(f"{option} {getattr(self, option)!r}", "true or false")
        for option in BOUNDS:
            self._check_bound(option, getattr(self, option))
        if self.finite and self.kind != "number":
            self._refuse(f"finite in a column of kind {self.kind}", "it only for numbers")
        self._check_text()
        self._check_allowed()
        default = self.default
        if not isinstance(default, str | int | float | None) or (
            isinstance(default, float) and not math.isfinite(default)
        ):
            self._refuse(f"default {default!r}", "a JSON value: text, a finite number, true, false or null")

    def _refuse(self, found: str, expected: str) -> None:
        raise InputError(f"{self.name}: found {found}, expected {expected}; correct the field of Row")

    def _check_bound(self, option: str, bound: Bound | None) -> None:
        if bound is None:
            return
        right = _BOUND_TYPES.get(self.kind, ())
        # bool is an int and datetime is a date, but neither is a bound for the other's columns
        if type(bound) not in right:
            names = " or ".join(kind.__name__ for kind in right)
            self._refuse(f"{option}={bound!r} in a column of kind {self.kind}", names or "no bounds")
        if isinstance(bound, datetime) and bound.tzinfo:
            self._refuse(f"{option}={bound!r} with a time zone", "a naive datetime")
        if isinstance(bound, float) and not math.isfinite(bound):
            self._refuse(f"{option}={bound!r}", "a finite number")
        limit = 2**63 - 1 if self.kind == "integer" else 2**53
        if isinstance(bound, int) and abs(bound) > limit:
            self._refuse(f"{option}={bound!r}", f"a bound that the column can hold, at most {limit}")

    def _check_text(self) -> None:
        for option in ("min_length", "max_length"):
            length = getattr(self, option)
            if length is not None and (self.kind != "string" or type(length) is not int or length < 0):
                self._refuse(f"{option}={length!r} in a column of kind {self.kind}", "a length, and only of text")
        if self.pattern is None:
            return
        if self.kind != "string" or not isinstance(self.pattern, str):
            self._refuse(f"pattern {self.pattern!r} in a column of kind {self.kind}", "text, and only for text")
        unicode_class = _UNICODE_CLASS.search(self.pattern)
        if unicode_class:
            expected = "the characters themselves, such as [0-9] or [A-Za-z_]"
            self._refuse(f"{unicode_class[1]} in pattern {self.pattern!r}, which depends on Unicode", expected)
        import pyarrow as pa  # predicting one row needs no Arrow, unless a pattern stands in the schema
        import pyarrow.compute as pc

        try:
            pc.match_substring_regex(pa.nulls(1, pa.string()), self.pattern)
        except pa.ArrowInvalid as error:
            self._refuse(f"pattern {self.pattern!r} ({error})", "a pattern that RE2 reads")

    def _check_allowed(self) -> None:
        if self.allowed is None:
            return
        kind = {"string": str, "integer": int}.get(self.kind)
        if not self.allowed or any(type(value) is not kind for value in self.allowed):
            self._refuse(f"allowed values {self.allowed!r} for {self.kind}", "at least one, all text or all int")
        if kind is int and any(abs(int(value)) >= 2**63 for value in self.allowed):
            self._refuse(f"allowed values {self.allowed!r}", "integers of 64 bits")


@dataclass(frozen=True)
class RowSchema:
    """The columns of a raw row, in order. Closed: everything it demands is in its JSON.

    Where a pipeline reads several tables, this is its main one, whose rows get a prediction each: `children` are the
    other tables, whose rows belong to the main row that has their `key`. Every table then has a `name` and the
    column `key`. A child with `by` is looked up instead: it has no key, at most one row for each value of the columns
    `by`, and that row belongs to every main row with the same values. In `names` a child's column is called
    `table.column`; those that link it, which are the main row's, are not there.
    """

    columns: tuple[Column, ...]
    name: str = "rows"
    key: str | None = None
    children: tuple["RowSchema", ...] = ()
    by: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse two columns of one name, no columns, and tables that nothing links."""
        twice = sorted({name for name in self.names if self.names.count(name) > 1})
        if twice or not self.columns:
            found = f"{', '.join(twice)} twice" if twice else "no columns"
            raise InputError(f"Row: found {found}, expected one or more columns, each once")
        if self.children:
            _check_links(self)

    @property
    def tables(self) -> tuple["RowSchema", ...]:
        """The main table alone, without its children, then each child."""
        return (replace(self, children=()), *self.children)

    @property
    def names(self) -> tuple[str, ...]:
        """The raw columns' names, in order; a child's are `table.column`."""
        below = (f"{child.name}.{column.name}" for child in self.children for column in child.own)
        return (*(column.name for column in self.columns), *below)

    @property
    def links(self) -> tuple[str, ...]:
        """The columns that say to which main rows a child's rows belong."""
        return self.by or (str(self.key),)

    @property
    def own(self) -> tuple[Column, ...]:
        """The columns without those that link the tables."""
        return tuple(column for column in self.columns if column.name not in self.links)

    @property
    def sensitive(self) -> tuple[str, ...]:
        """The names of the columns marked sensitive."""
        return tuple(name for name, column in self.by_name.items() if column.sensitive)

    @cached_property
    def by_name(self) -> dict[str, Column]:
        """Every raw column by its name in `names`."""
        below = [column for child in self.children for column in child.own]
        return dict(zip(self.names, [*self.columns, *below], strict=True))

    def keep(self, names: Collection[str]) -> "RowSchema":
        """The schema of these raw columns alone, at least one; of several tables also their keys."""
        children = tuple(
            replace(child, columns=columns)
            for child in self.children
            if len(columns := tuple(c for c in child.columns if _kept(child, c, names))) > len(child.links)
        )
        keys = {self.key, *(name for child in children for name in child.links)} if self.children else set()
        columns = tuple(column for column in self.columns if column.name in names or column.name in keys)
        return replace(self, columns=columns or self.columns[:1], children=children)

    @cached_property
    def arrow(self) -> "pa.Schema":
        """The Arrow schema of a conformed table; a field is nullable when its column is. A child's column is a list
        for each main row.
        """
        import pyarrow as pa

        from pipeline_lib.rows.arrow_types import ARROW

        fields = [pa.field(c.name, ARROW[c.kind], c.nullable) for c in self.columns]
        for child in self.children:
            for column in child.own:
                item = pa.field("element", ARROW[column.kind], column.nullable)
                fields.append(pa.field(f"{child.name}.{column.name}", pa.large_list(item), nullable=False))
        return pa.schema(fields)

    def to_json(self) -> dict[str, Any]:
        """Return the schema as JSON values; bounds of dates are ISO 8601 text."""
        plain = {"format": FORMAT, "columns": [_column_json(column) for column in self.columns]}
        if self.by:
            return {**plain, "name": self.name, "by": list(self.by), "format": LOOKUP_FORMAT}
        if self.key is None:
            return plain
        tables = {"name": self.name, "key": self.key, "children": [child.to_json() for child in self.children]}
        return {**plain, **tables, "format": TABLES_FORMAT}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "RowSchema":
        """Read what `to_json` wrote. Raises `InputError` for another format, key or type."""
        found = values.get("format") if isinstance(values, Mapping) else type(values).__name__
        expected = {FORMAT: {"format", "columns"}}
        expected[TABLES_FORMAT] = expected[FORMAT] | {"name", "key", "children"}
        expected[LOOKUP_FORMAT] = expected[FORMAT] | {"name", "by"}
        if not isinstance(values, Mapping) or found not in expected:
            raise InputError(
                f"row schema: found format {found!r}, expected {FORMAT}, {TABLES_FORMAT} or {LOOKUP_FORMAT}; "
                "read it with the release of this library that wrote it"
            )
        columns, children = values.get("columns"), values.get("children", [])
        if set(values) != expected[found] or not isinstance(columns, list) or not isinstance(children, list):
            raise InputError(
                f"row schema: found keys {sorted(values)}, expected a list of columns, and format; compile again"
            )
        read = tuple(_column_from_json(column) for column in columns)
        below = tuple(cls.from_json(child) for child in children)
        return cls(read, values.get("name", "rows"), values.get("key"), below, tuple(values.get("by", ())))


def _kept(child: RowSchema, column: Column, names: Collection[str]) -> bool:
    return column.name in child.links or f"{child.name}.{column.name}" in names


def _check_links(schema: RowSchema) -> None:
    """Refuse tables whose rows nothing brings together."""
    tables = [table.name for table in (schema, *schema.children)]
    if len(set(tables)) < len(tables):
        raise InputError(f"Row: found tables {', '.join(tables)}, expected a name of its own for each; rename one")
    if set(tables) & {column.name for column in schema.columns}:
        raise InputError(f"Row: found a column with a table's name ({', '.join(tables)}), expected others; rename one")
    main = {column.name: column for column in schema.columns}.get(str(schema.key))
    for table in schema.tables:
        if table.by:
            _check_lookup(table, schema)
            continue
        key = {column.name: column for column in table.columns}.get(str(schema.key))
        if table.children or table.key != schema.key or key is None or not table.name:
            raise InputError(
                f"Row: found table {table.name!r} without the column {schema.key!r}, expected it in every table, as it "
                "says which rows belong together; rename the column in `load`"
            )
        if (
            key.kind not in ("integer", "string")
            or key.nullable
            or not key.required
            or (main and key.kind != main.kind)
        ):
            raise InputError(
                f"Row: {table.name}.{key.name}: found a key of kind {key.kind}{' or missing' if key.nullable else ''}, "
                "expected whole numbers in every table, or text in every table, never missing; convert it in `load`"
            )


def _check_lookup(table: RowSchema, schema: RowSchema) -> None:
    """Refuse a table to look up whose columns `by` are not those of the main table, or which has no others."""
    found, main = ({column.name: column for column in each.columns} for each in (table, schema))
    for name in table.by:
        pair = [each[name] for each in (found, main) if name in each]
        if len(pair) < 2 or pair[0].kind != pair[1].kind or any(c.nullable or not c.required for c in pair):
            raise InputError(
                f"Row: {table.name}: found no column {name!r} of one kind that is never missing in both {schema.name} "
                f"and {table.name}, expected it, as its rows are looked up by it; make it so in `load`"
            )
        if pair[0].kind in ("number", "boolean"):
            raise InputError(
                f"Row: {table.name}.{name}: found a column of kind {pair[0].kind} to look up by, expected whole "
                "numbers, text or dates; convert it in `load`"
            )
    if table.children or table.key is not None or not table.name or not table.own:
        raise InputError(f"Row: {table.name!r}: found no column beside {', '.join(table.by)}, expected some; add them")


def _column_json(column: Column) -> dict[str, Any]:
    plain = Column(column.name, column.kind)
    values = {key: value for key, value in asdict(column).items() if value != getattr(plain, key)}
    values |= {key: values[key].isoformat() for key in BOUNDS if isinstance(values.get(key), date)}
    if column.allowed is not None:
        values["allowed"] = list(column.allowed)
    if not column.required:
        values["default"] = column.default
    return {"name": column.name, "kind": column.kind, **values}


def _column_from_json(values: Any) -> Column:
    known = {field.name for field in fields(Column)}
    if not isinstance(values, Mapping) or not {"name", "kind"} <= set(values) <= known:
        found = sorted(values) if isinstance(values, Mapping) else type(values).__name__
        raise InputError(f"row schema: found a column with {found}, expected name, kind, and any of {sorted(known)}")
    given = dict(values)
    read = {"datetime": datetime.fromisoformat, "date": date.fromisoformat}.get(str(given["kind"]))
    try:
        if read:
            given |= {key: read(given[key]) for key in BOUNDS if key in given}
        if "allowed" in given:
            given["allowed"] = tuple(given["allowed"])
    except (TypeError, ValueError) as error:
        raise InputError(f"row schema: {given['name']}: found {error}, expected a bound or list") from error
    return Column(**given)
