"""The declarative schema of a raw row: what production knows of `Row` without the notebook's code."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pipeline_lib.errors import InputError
from pipeline_lib.rows.column import Column

if TYPE_CHECKING:
    import pyarrow as pa

ONE_TABLE_FORMAT, TABLES_FORMAT, LOOKUP_FORMAT = 1, 2, 3  # the JSON of a table, of a main table, of a looked-up one


@dataclass(frozen=True)
class RowSchema:
    """The columns of a raw row, in order. Its JSON holds everything that a row is checked for.

    Where a pipeline reads several tables, this is the main one, whose rows get a prediction each, and `children` are
    the others. Every table then has a `name`. There are two kinds of child:

        key          the child's rows belong to the main row that has the same value in the column `key`
        by           the child is looked up: it has at most one row for each value of the columns `by`, which belongs
                     to every main row with the same values

    In `names` a child's column is called `table.column`. The columns that link a child (`key` or `by`) are left out
    there, since the main row has them.
    """

    columns: tuple[Column, ...]
    name: str = "rows"
    key: str | None = None
    children: tuple["RowSchema", ...] = ()
    by: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse two columns of one name, no columns, and tables that are not linked."""
        twice = sorted(name for name, count in Counter(self.names).items() if count > 1)
        if twice or not self.columns:
            found = f"{', '.join(twice)} twice" if twice else "no columns"
            raise InputError(f"Row: found {found}, expected one or more columns, each once")
        for mark in ("entity", "time"):
            _check_mark(self, mark)
        if self.children:
            _check_links(self)

    @property
    def tables(self) -> tuple["RowSchema", ...]:
        """The main table alone, without its children, then each child."""
        return (replace(self, children=()), *self.children)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The raw columns' names, in order; a child's are `table.column`."""
        of_children = (f"{child.name}.{column.name}" for child in self.children for column in child.own)
        return (*(column.name for column in self.columns), *of_children)

    @property
    def links(self) -> tuple[str, ...]:
        """Names of the columns by which a child's rows are matched with main rows."""
        return self.by or (str(self.key),)

    @property
    def own(self) -> tuple[Column, ...]:
        """The columns without those that link the tables."""
        return tuple(column for column in self.columns if column.name not in self.links)

    @property
    def sensitive(self) -> tuple[str, ...]:
        """The names of the columns marked sensitive."""
        return tuple(name for name, column in self.by_name.items() if column.sensitive)

    @property
    def protected(self) -> tuple[str, ...]:
        """The names of the columns marked protected."""
        return tuple(name for name, column in self.by_name.items() if column.protected)

    @property
    def entity(self) -> str | None:
        """The column that says whose row it is: the one marked `entity`; of several tables else the key."""
        return _marked(self, "entity") or self.key

    @property
    def time(self) -> str | None:
        """The column marked `time`, by which rows are ordered."""
        return _marked(self, "time")

    @cached_property
    def by_name(self) -> dict[str, Column]:
        """Every raw column by its name in `names`."""
        of_children = [column for child in self.children for column in child.own]
        return dict(zip(self.names, [*self.columns, *of_children], strict=True))

    def keep(self, names: Collection[str]) -> "RowSchema":
        """The schema of these raw columns alone, at least one; of several tables also their keys."""
        children = tuple(
            replace(child, columns=columns)
            for child in self.children
            if len(columns := tuple(c for c in child.columns if _is_kept(child, c, names))) > len(child.links)
        )
        keys = {self.key, *(name for child in children for name in child.links)} if self.children else set()
        columns = tuple(column for column in self.columns if column.name in names or column.name in keys)
        return replace(self, columns=columns or self.columns[:1], children=children)

    @cached_property
    def arrow(self) -> "pa.Schema":
        """The Arrow schema of a conformed table; a field is nullable when its column is.

        A child's column is a list for each main row.
        """
        import pyarrow as pa

        from pipeline_lib.rows.arrow_arrays import ARROW_TYPES

        fields = [pa.field(c.name, ARROW_TYPES[c.kind], c.nullable) for c in self.columns]
        for child in self.children:
            for column in child.own:
                item = pa.field("element", ARROW_TYPES[column.kind], column.nullable)
                fields.append(pa.field(f"{child.name}.{column.name}", pa.large_list(item), nullable=False))
        return pa.schema(fields)

    def to_json(self) -> dict[str, Any]:
        """The schema as JSON values."""
        columns = [column.to_json() for column in self.columns]
        if self.by:
            return {"format": LOOKUP_FORMAT, "columns": columns, "name": self.name, "by": list(self.by)}
        if self.key is None:
            return {"format": ONE_TABLE_FORMAT, "columns": columns}
        children = [child.to_json() for child in self.children]
        return {"format": TABLES_FORMAT, "columns": columns, "name": self.name, "key": self.key, "children": children}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "RowSchema":
        """Read what `to_json` wrote. Raises `InputError` for another format, key or type."""
        found = values.get("format") if isinstance(values, Mapping) else type(values).__name__
        keys = {ONE_TABLE_FORMAT: {"format", "columns"}}
        keys[TABLES_FORMAT] = keys[ONE_TABLE_FORMAT] | {"name", "key", "children"}
        keys[LOOKUP_FORMAT] = keys[ONE_TABLE_FORMAT] | {"name", "by"}
        if not isinstance(values, Mapping) or found not in keys:
            raise InputError(
                f"row schema: found format {found!r}, expected {ONE_TABLE_FORMAT}, {TABLES_FORMAT} or "
                f"{LOOKUP_FORMAT}; read it with the release of this library that wrote it"
            )
        columns, children = values.get("columns"), values.get("children", [])
        if set(values) != keys[found] or not isinstance(columns, list) or not isinstance(children, list):
            raise InputError(
                f"row schema: found keys {sorted(values)}, expected a list of columns, and format; compile again"
            )
        return cls(
            columns=tuple(map(Column.from_json, columns)),
            name=values.get("name", "rows"),
            key=values.get("key"),
            children=tuple(map(cls.from_json, children)),
            by=tuple(values.get("by", ())),
        )


def _is_kept(child: RowSchema, column: Column, names: Collection[str]) -> bool:
    return column.name in child.links or f"{child.name}.{column.name}" in names


def _marked(schema: RowSchema, mark: str) -> str | None:
    return next((column.name for column in schema.columns if getattr(column, mark)), None)


def _check_mark(schema: RowSchema, mark: str) -> None:
    """Refuse two columns with a mark that one may have, and a mark in a table whose rows get no prediction."""
    marked = [column.name for column in schema.columns if getattr(column, mark)]
    if len(marked) > 1:
        raise InputError(
            f"Row: found {mark} in the columns {', '.join(marked)}, expected it in one at most; remove it from the "
            "others"
        )
    for child in schema.children:
        if name := _marked(child, mark):
            raise InputError(
                f"Row: found {mark} in {child.name}.{name}, expected it in a column of {schema.name}, whose rows get a "
                "prediction each; mark the column there"
            )


def _check_links(schema: RowSchema) -> None:
    """Refuse tables whose rows cannot be matched."""
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
    """Refuse a looked-up table whose columns `by` the main table does not have, or that has no other columns."""
    columns, of_main = ({column.name: column for column in each.columns} for each in (table, schema))
    for name in table.by:
        pair = [each[name] for each in (columns, of_main) if name in each]
        if len(pair) < 2 or pair[0].kind != pair[1].kind or any(c.nullable or not c.required for c in pair):
            raise InputError(
                f"Row: {table.name}: found no column {name!r} of one kind that is never missing in both {schema.name} "
                f"and {table.name}, expected it, as rows are looked up by it; convert or fill it in `load`"
            )
        if pair[0].kind in ("number", "boolean"):
            raise InputError(
                f"Row: {table.name}.{name}: found a column of kind {pair[0].kind} to look up by, expected whole "
                "numbers, text or dates; convert it in `load`"
            )
    if table.children or table.key is not None or not table.name or not table.own:
        raise InputError(
            f"Row: {table.name!r}: found only the columns {', '.join(table.by)}, expected others to look up; add them"
        )
