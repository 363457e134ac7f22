"""The `Row` that a notebook declares, a pydantic model or several in `Tables`, and the schema that follows from it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import Enum
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

from pipeline_lib.errors import InputError
from pipeline_lib.rows.column import BOUNDS, Column
from pipeline_lib.rows.conform import conform
from pipeline_lib.rows.schema import RowSchema

if TYPE_CHECKING:
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
# Options of a Row's model_config that do not change which rows it accepts.
_HARMLESS_OPTIONS = {
    "alias_generator", "allow_inf_nan", "frozen", "from_attributes", "json_schema_extra", "populate_by_name",
    "protected_namespaces", "strict", "title", "use_attribute_docstrings", "use_enum_values",
    "validate_assignment", "validate_by_alias", "validate_by_name",
}  # fmt: skip
_MARKS = ("sensitive", "protected", "entity", "time")  # options that json_schema_extra holds
_DECLARABLE = {*BOUNDS, "min_length", "max_length", "pattern"}
_REMEDY = (
    "int, float, str, bool, datetime, date, Literal or Enum of text or int, each perhaps `| None`, with "
    "ge, gt, le, lt, min_length, max_length, pattern; check the rest in a step of the pipeline"
)


@dataclass(frozen=True)
class Lookup:
    """A table to look up, among `Tables`: at most one row for each value of the columns `by`.

    The main table has these columns, too. A row belongs to every main row with the same values; a main row may have
    none, and rows that belong to no main row are not used.

    `model` is the pydantic model of a row, `by` the names of one or more of its columns: whole numbers, text, dates or
    datetimes, never missing.

        >>> from pydantic import BaseModel
        >>> from pipeline_lib import Lookup
        >>> class Weather(BaseModel):
        ...     origin: str
        ...     hour: int
        ...     wind: float | None
        >>> Lookup(Weather, by=("origin", "hour")).by
        ('origin', 'hour')
    """

    model: "type[BaseModel]"
    by: tuple[str, ...]


class Tables:
    """The `Row` of a pipeline over several raw tables: a pydantic model for a row of each table.

    The first table is the main one: each of its rows gets a prediction. The rows of another table belong to the main
    row with the same value in the column `key`, which every table has, or are looked up by other columns (`Lookup`).

    A pipeline over such a `Row` is fitted on, and predicts from, a mapping of each table's name to its DataFrame.

    Raises `InputError` for fewer than two tables, and for a first table that is a `Lookup`.

        >>> from pydantic import BaseModel
        >>> from pipeline_lib import Tables
        >>> class Household(BaseModel):
        ...     household_id: int
        ...     city: str
        >>> class Transaction(BaseModel):
        ...     household_id: int
        ...     amount: float
        >>> Row = Tables("household_id", households=Household, transactions=Transaction)
        >>> list(Row.models)
        ['households', 'transactions']
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

    Of `Tables` it is the schema of the main table, with the others as its children. A pattern may match anywhere in
    the text, as RE2 searches it. Raises `InputError` naming every field whose meaning cannot be declared, such as one
    with a validator.
    """
    from pydantic import BaseModel

    if isinstance(row, Tables):
        main, *children = (_table_schema(name, model, row.key) for name, model in row.models.items())
        return replace(main, children=tuple(children))
    if not (isinstance(row, type) and issubclass(row, BaseModel)):
        raise InputError(f"Row: found {row!r}, expected a subclass of pydantic.BaseModel")
    problems = list(_code_problems(row))
    columns = []
    for name, field in row.model_fields.items():
        try:
            columns.append(_column_of_field(name, field, row))
        except InputError as error:
            problems.append(f"{row.__name__}.{name}: {error}")
    if problems:
        raise InputError("\n".join(problems))
    schema = RowSchema(tuple(columns))
    for column in columns:
        if not column.required:
            conform([{column.name: column.default}], RowSchema((column,)))
    return schema


def _table_schema(name: str, model: "type[BaseModel] | Lookup", key: str) -> RowSchema:
    if isinstance(model, Lookup):
        return replace(schema_of(model.model), name=name, by=tuple(model.by))
    return replace(schema_of(model), name=name, key=key)


def _code_problems(row: "type[BaseModel]") -> Iterator[str]:
    """Validators and other code of the model: production checks rows by the schema alone."""
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
        if option not in _HARMLESS_OPTIONS and (option, value) != ("extra", "ignore"):
            yield f"{row.__name__}: found {option}={value!r} in model_config, expected {_REMEDY}"


def _column_of_field(name: str, field: "FieldInfo", row: "type[BaseModel]") -> Column:
    column = name if field.validation_alias is None else field.validation_alias
    if not isinstance(column, str):
        raise InputError(f"found {column!r}, expected one alias, the raw column's name")
    base, metadata, nullable = _unwrap(field.annotation, list(field.metadata))
    options: dict[str, Any] = {"nullable": nullable}
    kind, allowed = _kind_of(base)
    if row.model_config.get("allow_inf_nan") is False and kind == "number":
        options["finite"] = True
    for item in metadata:
        options |= _options(item, kind)
    extra = field.json_schema_extra
    if isinstance(extra, dict):
        options |= {name: extra[name] for name in _MARKS if name in extra}
    if field.default_factory is not None:
        raise InputError("found default_factory, expected a plain default value")
    if not field.is_required():
        default = field.default.value if isinstance(field.default, Enum) else field.default
        options |= {"required": False, "default": default}
    return Column(column, kind, allowed=allowed, **options)


def _unwrap(annotation: Any, metadata: list[Any]) -> tuple[Any, list[Any], bool]:
    """The type inside aliases, `Annotated` and `| None`, all its metadata, and whether None is allowed."""
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
    """One item of a field's metadata as options of `Column`."""
    if type(item).__name__ == "FieldInfo":  # Field(...) inside a union
        parts = [_options(inner, kind) for inner in item.metadata]
        return {key: value for part in parts for key, value in part.items()}
    if not hasattr(item, "__dict__") and not hasattr(item, "__slots__"):
        raise InputError(f"found {item!r}, expected {_REMEDY}")
    values = vars(item) if hasattr(item, "__dict__") else {key: getattr(item, key) for key in item.__slots__}
    declared = {key: value for key, value in values.items() if value is not None and key != "strict"}
    options: dict[str, Any] = {}
    if declared.pop("allow_inf_nan", None) is False and kind == "number":
        options["finite"] = True
    if not type(item).__module__.startswith(("pydantic", "annotated_types")) or not set(declared) <= _DECLARABLE:
        raise InputError(f"found {item!r}, expected {_REMEDY}")
    for key, value in declared.items():
        is_whole = kind == "integer" and isinstance(value, float) and value.is_integer()
        options[key] = int(value) if is_whole else value
    return options
