"""The `Row` model that a notebook writes: its first draft from a frame, and its schema for production."""

import json
import keyword
import math
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import Enum
from itertools import product
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

from pipeline_lib.errors import InputError
from pipeline_lib.rows.conform import conform, is_dataframe
from pipeline_lib.rows.schema import BOUNDS, Column, RowSchema
from pipeline_lib.rows.values import value_kind

if TYPE_CHECKING:
    import pandas as pd
    from pydantic import BaseModel
    from pydantic.fields import FieldInfo

_KINDS: dict[Any, str] = {
    int: "integer",
    float: "number",
    str: "string",
    bool: "boolean",
    datetime: "datetime",
    date: "date",
}
_PYTHON = {kind: python.__name__ for python, kind in _KINDS.items()}
# What a Row's model_config may say without changing which rows it accepts.
_HARMLESS = {
    "alias_generator", "allow_inf_nan", "frozen", "from_attributes", "json_schema_extra", "populate_by_name",
    "protected_namespaces", "strict", "title", "use_attribute_docstrings", "use_enum_values",
    "validate_assignment", "validate_by_alias", "validate_by_name",
}  # fmt: skip
_DECLARED = {*BOUNDS, "min_length", "max_length", "pattern"}
_MANY = 8  # columns from which on a draft counts them
_REMEDY = (
    "int, float, str, bool, datetime, date, Literal or Enum of text or int, each perhaps `| None`, with "
    "ge, gt, le, lt, min_length, max_length, pattern; check the rest in a step of the pipeline"
)


@dataclass(frozen=True)
class Lookup:
    """A table to look up, among `Tables`: at most one row for each value of the columns `by`, which a main row has too.

    Its row belongs to every main row with the same values; a main row may have none, and rows that nobody asks for are
    not used.
    """

    model: "type[BaseModel]"
    by: tuple[str, ...]


class Tables:
    """What a pipeline over several raw tables exports as `Row`: a pydantic model for a row of each table.

    The first table is the main one: each of its rows gets a prediction. The rows of the others belong to the main
    row that has the same `key`, the name of a column that every table has, or are looked up by other columns.

        Row = Tables("household_id", households=Household, transactions=Transaction)
        Row = Tables("flight_id", flights=Flight, weather=Lookup(Weather, by=("origin", "weather_hour")))
    """

    def __init__(self, key: str, **models: "type[BaseModel] | Lookup") -> None:
        if len(models) < 2 or isinstance(next(iter(models.values())), Lookup):
            raise InputError(
                f"Row: found tables {', '.join(models) or 'none'}, expected two or more, the main one first; "
                "a pipeline over one table exports its model as Row"
            )
        self.key = key
        self.models = models


def schema_of(row: "type[BaseModel] | Tables") -> RowSchema:
    """Return the declarative schema of a `Row` model; its columns are the fields' aliases, else their names.

    `Tables` give the schema of their main table, with the others as its children. Patterns are searched anywhere in
    the text, by RE2. Raises `InputError` naming every field whose meaning cannot be declared, such as one with a
    validator.
    """
    from pydantic import BaseModel

    if isinstance(row, Tables):
        parts = [_table(name, model, row.key) for name, model in row.models.items()]
        return replace(parts[0], children=tuple(parts[1:]))
    if not (isinstance(row, type) and issubclass(row, BaseModel)):
        raise InputError(f"Row: found {row!r}, expected a subclass of pydantic.BaseModel")
    problems = list(_code(row))
    columns = []
    for name, field in row.model_fields.items():
        try:
            columns.append(_column(name, field, row))
        except InputError as error:
            problems.append(f"{row.__name__}.{name}: {error}")
    if problems:
        raise InputError("\n".join(problems))
    schema = RowSchema(tuple(columns))
    for column in columns:
        if not column.required:
            conform([{column.name: column.default}], RowSchema((column,)))
    return schema


def _table(name: str, model: "type[BaseModel] | Lookup", key: str) -> RowSchema:
    if isinstance(model, Lookup):
        return replace(schema_of(model.model), name=name, by=tuple(model.by))
    return replace(schema_of(model), name=name, key=key)


def _code(row: "type[BaseModel]") -> Iterator[str]:
    decorators = row.__pydantic_decorators__
    for group in (decorators.validators, decorators.field_validators):
        for name, decorator in group.items():
            fields = ", ".join(decorator.info.fields)
            yield f"{row.__name__}.{fields}: found the validator {name}, expected {_REMEDY}"
    for name in [*decorators.root_validators, *decorators.model_validators]:
        yield f"{row.__name__}: found the model validator {name}, expected {_REMEDY}"
    for name in ("__init__", "__new__", "model_post_init", "__get_pydantic_core_schema__"):
        if not str(getattr(getattr(row, name), "__module__", "")).startswith(("pydantic", "None")):
            yield f"{row.__name__}: found its own {name}, expected {_REMEDY}"
    for option, value in row.model_config.items():
        if option not in _HARMLESS and (option, value) != ("extra", "ignore"):
            yield f"{row.__name__}: found {option}={value!r} in model_config, expected {_REMEDY}"


def _column(name: str, field: "FieldInfo", row: "type[BaseModel]") -> Column:
    raw = name if field.validation_alias is None else field.validation_alias
    if not isinstance(raw, str):
        raise InputError(f"found {raw!r}, expected one alias, the raw column's name")
    base, metadata, nullable = _unwrapped(field.annotation, list(field.metadata))
    options: dict[str, Any] = {"nullable": nullable}
    kind, allowed = _kind_of(base)
    if row.model_config.get("allow_inf_nan") is False and kind == "number":
        options["finite"] = True
    for item in metadata:
        options |= _options(item, kind)
    extra = field.json_schema_extra
    if isinstance(extra, dict) and "sensitive" in extra:
        options["sensitive"] = extra["sensitive"]
    if field.default_factory is not None:
        raise InputError("found default_factory, expected a plain default value")
    if not field.is_required():
        default = field.default.value if isinstance(field.default, Enum) else field.default
        options |= {"required": False, "default": default}
    return Column(raw, kind, allowed=allowed, **options)


def _unwrapped(annotation: Any, metadata: list[Any]) -> tuple[Any, list[Any], bool]:
    nullable = False
    while True:
        if hasattr(annotation, "__value__"):  # a `type X = ...` alias
            annotation = annotation.__value__
        elif get_origin(annotation) is Annotated:
            annotation, *more = get_args(annotation)
            metadata += more
        elif get_origin(annotation) in (Union, UnionType):
            members = [member for member in get_args(annotation) if member is not type(None)]
            if len(members) != 1:
                raise InputError(f"found {annotation}, expected {_REMEDY}")
            annotation, nullable = members[0], True
        else:
            return annotation, metadata, nullable or (None in _literals(annotation))


def _literals(annotation: Any) -> tuple[Any, ...]:
    return get_args(annotation) if get_origin(annotation) is Literal else ()


def _kind_of(base: Any) -> tuple[str, tuple[Any, ...] | None]:
    if base in _KINDS:
        return _KINDS[base], None
    if isinstance(base, type) and base.__name__ == "NaiveDatetime":
        return "datetime", None
    if isinstance(base, type) and issubclass(base, Enum):
        values = tuple(member.value for member in base)
    else:
        values = tuple(value for value in _literals(base) if value is not None)
    for kind in (str, int):
        if values and all(type(value) is kind for value in values):
            return _KINDS[kind], values
    raise InputError(f"found {getattr(base, '__name__', base)}, expected {_REMEDY}")


def _options(item: Any, kind: str) -> dict[str, Any]:
    """What one piece of a field's metadata demands, as options of `Column`."""
    if type(item).__name__ == "FieldInfo":  # Field(...) inside a union
        parts = [_options(inner, kind) for inner in item.metadata]
        return {key: value for part in parts for key, value in part.items()}
    if not hasattr(item, "__dict__") and not hasattr(item, "__slots__"):
        raise InputError(f"found {item!r}, expected {_REMEDY}")
    values = vars(item) if hasattr(item, "__dict__") else {key: getattr(item, key) for key in item.__slots__}
    given = {key: value for key, value in values.items() if value is not None and key != "strict"}
    options: dict[str, Any] = {}
    if given.pop("allow_inf_nan", None) is False and kind == "number":
        options["finite"] = True
    if not type(item).__module__.startswith(("pydantic", "annotated_types")) or not set(given) <= _DECLARED:
        raise InputError(f"found {item!r}, expected {_REMEDY}")
    for key, value in given.items():
        whole = kind == "integer" and isinstance(value, float) and value.is_integer()
        options[key] = int(value) if whole else value
    return options


class Source(str):
    """Source text that shows itself as it is in a notebook."""

    __slots__ = ()

    def __repr__(self) -> str:
        """The text itself."""
        return str(self)


def draft_row(frame: "pd.DataFrame", target: str | None = None) -> Source:
    """Return the source of a first `Row` for a raw DataFrame: one typed field per column but `target`.

    Missing values make a field `| None`; many columns of one type whose names only count, such as pixels, are one
    line. The draft accepts the frame; ranges and allowed values are yours to add. Raises `InputError` naming every
    column that has no type a row can declare.
    """
    names = _draft_names(frame, target)
    columns, problems = [], []
    for name in names:
        try:
            columns.append(_draft_column(frame[name], name))
        except InputError as error:
            problems.append(str(error))
    if problems:
        raise InputError("\n".join(problems))
    conform(frame, RowSchema(tuple(columns)))
    counted = _counted(columns)
    if counted:
        field = (_PYTHON[columns[0].kind] + " | None" * columns[0].nullable, "...")
        made = f'Row = create_model("Row", **dict.fromkeys(COLUMNS, ({", ".join(field)})))'
        return Source("\n".join(["from pydantic import create_model", "", f"COLUMNS = {counted}", made, ""]))
    fields = [_draft_field(c, name) for c, name in zip(columns, _field_names(names), strict=True)]
    dates = sorted({c.kind for c in columns} & {"date", "datetime"})
    lines = [f"from datetime import {', '.join(dates)}", ""] if dates else []
    imports = "BaseModel, Field" if any("Field(" in field for field in fields) else "BaseModel"
    about = f"One raw row, without the target {_quoted(target)[1:-1]}." if target else "One raw row."
    lines += [f"from pydantic import {imports}", "", "", "class Row(BaseModel):", f'    """{about}"""', ""]
    return Source("\n".join([*lines, *fields, ""]))


def _draft_names(frame: Any, target: str | None) -> list[str]:
    if not is_dataframe(frame):
        raise InputError(f"found {type(frame).__name__}, expected a pandas DataFrame of raw rows")
    names = list(frame.columns)
    wrong = [repr(name) for name in names if not isinstance(name, str)]
    if wrong:
        raise InputError(f"found column names {', '.join(wrong)}, expected text: rename the columns")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"found columns {', '.join(map(repr, twice))} twice, expected every name once")
    if target is not None and target not in names:
        raise InputError(f"found no target column {target!r}, expected one of {', '.join(names)}")
    names = [name for name in names if name != target]
    if not names:
        raise InputError("found a frame without columns, expected raw rows")
    return names


def _draft_column(series: Any, name: str) -> Column:
    dtype = getattr(series.dtype, "categories", series).dtype  # a category counts as its values
    kinds = {"b": "boolean", "i": "integer", "u": "integer", "f": "number"}
    kind = kinds.get(dtype.kind)
    if str(dtype).startswith("datetime64") and getattr(dtype, "tz", None) is None:
        kind = "datetime"
    elif str(dtype) in ("str", "string"):
        kind = "string"
    elif dtype.kind == "O":
        kind = _object_kind(series, name)
    if kind is None:
        raise InputError(f"{name}: found dtype {dtype}, expected {', '.join(_PYTHON.values())}: convert the column")
    return Column(name, kind, nullable=bool(series.isna().any()))


def _counted(columns: list[Column]) -> str:
    """The names of many columns of one type as a list that counts them; empty where they do more than count."""
    names = [column.name for column in columns]
    parts = [re.split("([0-9]+)", name) for name in names]
    alike = {(column.kind, column.nullable, *part[::2]) for column, part in zip(columns, parts, strict=True)}
    if len(names) < _MANY or len(alike) > 1 or columns[0].kind in ("date", "datetime") or _field_names(names) != names:
        return ""
    axes = zip(*(map(int, part[1::2]) for part in parts), strict=True)
    ranges = {chr(ord("a") + place): range(min(axis), max(axis) + 1) for place, axis in enumerate(axes)}
    if math.prod(map(len, ranges.values())) != len(names):
        return ""
    template = (
        "".join(f"{stem}{{{letter}}}" for stem, letter in zip(parts[0][::2], ranges, strict=False)) + parts[0][-1]
    )
    made = [template.format(**dict(zip(ranges, numbers, strict=True))) for numbers in product(*ranges.values())]
    loops = [f"for {letter} in {counts}".replace("(0, ", "(") for letter, counts in ranges.items()]
    return f'[f"{template}" {" ".join(loops)}]' if made == names else ""


def _object_kind(series: Any, name: str) -> str:
    types = sorted({type(value) for value in series[series.notna()]}, key=lambda kind: kind.__name__)
    kinds = {value_kind(kind) for kind in types}
    if kinds == {"integer", "number"}:
        return "number"
    kind = kinds.pop() if len(kinds) == 1 else None
    if kind is None:
        found = f"types {', '.join(kind.__name__ for kind in types)}" if types else "no value that is not missing"
        raise InputError(f"{name}: found {found}, expected values of one type; convert or drop the column")
    return kind


def _field_names(columns: list[str]) -> list[str]:
    from pydantic import BaseModel

    taken = {*dir(BaseModel), *_PYTHON.values()}  # a field `date` would hide the type for the fields below
    names = []
    for number, column in enumerate(columns):
        text = re.sub(r"\W+", "_", unicodedata.normalize("NFKC", column))
        text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", text).lower()
        text = re.sub("_+", "_", text).strip("_")
        text = f"x{text}" if text[:1].isdigit() else text
        text = text if text.isidentifier() else f"column_{number}"
        text = f"raw_{text}" if text.startswith("model_") else text  # pydantic keeps these names to itself
        name = f"{text}_" if keyword.iskeyword(text) or text in taken else text
        count = 1
        while name in taken:
            count += 1
            name = f"{text}_{count}"
        taken.add(name)
        names.append(name)
    return names


def _draft_field(column: Column, name: str) -> str:
    optional = " | None" if column.nullable else ""
    alias = f" = Field(alias={_quoted(column.name)})" if name != column.name else ""
    return f"    {name}: {_PYTHON[column.kind]}{optional}{alias}"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False) if text.isprintable() else repr(text)
