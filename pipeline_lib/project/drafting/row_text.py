"""The cells of a draft's pipeline notebook that declare the raw row: `Row`, its columns by use."""

import pandas as pd

from pipeline_lib.project.drafting.columns import Column
from pipeline_lib.project.drafting.draft import Draft
from pipeline_lib.project.drafting.model_text import date_parts
from pipeline_lib.project.drafting.roles import MANY_CATEGORIES
from pipeline_lib.project.drafting.source_text import WIDTH, assigned, code_span, comments, literal
from pipeline_lib.system.field_names import field_names, quoted

_TYPES = {"integer": "int", "number": "float", "boolean": "bool", "text": "str", "date": "datetime"}
_SHOWN_LABELS = 6
_LISTS = (("INTEGERS", "integer"), ("NUMBERS", "number"), ("FLAGS", "boolean"))


def row_values(draft: Draft) -> dict[str, str]:
    """The placeholders of the cells around `Row`."""
    dates = any(column.kind == "date" for column in draft.row_columns)
    imports = ["from datetime import datetime", ""] if dates else []
    return {
        "row_imports": "\n".join([*imports, "from pydantic import BaseModel, Field"]),
        "target": quoted(draft.target.name),
        "target_doc": _target_doc(draft),
        "row_fields": "\n".join(_fields(draft)),
        "columns": "\n".join(_columns(draft)),
        "all_columns": ", ".join([*(f"*{name}" for name in _list_names(draft)), *_extra(draft)]),
        "left_out_table": _left_out(draft),
    }


def numeric_lists(draft: Draft) -> list[str]:
    """The names of the lists of number columns that the draft has."""
    kinds = {draft.profile.columns[name].kind for name in draft.roles.numbers}
    return [name for name, kind in _LISTS[:2] if kind in kinds]


def list_columns(draft: Draft) -> dict[str, list[str]]:
    """The columns of each list of the `columns` cell, in the file's order."""
    roles = draft.roles
    by_kind = {name: [c.name for c in draft.features if c.kind == kind] for name, kind in _LISTS}
    return by_kind | {"CATEGORIES": roles.categories, "WORDS": roles.words, "DATES": roles.dates}


def _list_names(draft: Draft) -> list[str]:
    return [name for name, columns in list_columns(draft).items() if columns]


def split_constant(draft: Draft) -> str:
    """The name of the constant for the column by which rows are divided."""
    return "TIME" if draft.split.kind == "time" else "GROUP"


def _extra(draft: Draft) -> list[str]:
    return [split_constant(draft)] if draft.extra else []


def _target_doc(draft: Draft) -> str:
    if draft.target.task == "regression":
        known = draft.target_column.known
        return f'"""What is predicted: a number, {_shown(known.min())} to {_shown(known.max())} in the file."""'
    return '"""What is predicted: one of `CLASSES`."""'


def _fields(draft: Draft) -> list[str]:
    columns = draft.row_columns
    lines = comments(["ranges and closed lists of values, from the comments; what may be missing in production"], 4)
    if not draft.raw.whole:
        lines += comments(
            [f"only the first {len(draft.raw.frame):,} rows were looked at: text, dates and numbers may be missing"],
            4,
        )
    for column in columns:
        lines += comments([f"{_plain(column.name)}: {note}" for note in column.notes], 4)
    named = {column.name for column in columns}
    personal = {name: why for name, why in draft.roles.sensitive.items() if name in named}
    guessed = [
        f"{_plain(name)} {why}: is it sensitive, may it be used?" for name, why in personal.items() if "looks" in why
    ]
    lines += comments(guessed, 4)
    for name, column in zip(field_names([c.name for c in columns], _TYPES.values()), columns, strict=True):
        lines.append(_field(name, column, _marks(draft, column), absent=column.name == draft.extra))
    return lines


def _marks(draft: Draft, column: Column) -> list[str]:
    """What `Row` says of a column besides its type."""
    marks = ["sensitive"] if column.name in draft.roles.sensitive else []
    if column.name == draft.split.column:
        marks.append({"group": "entity", "time": "time"}[draft.split.kind])
    return marks


def _field(name: str, column: Column, marks: list[str], *, absent: bool) -> str:
    """The line of a field; production may leave out a column that is `absent` from the features."""
    options = ["None"] if absent else []
    options += [f"alias={quoted(column.name)}"] if name != column.name else []
    marked = ", ".join(f'"{mark}": True' for mark in marks)
    options += [f"json_schema_extra={{{marked}}}"] if marks else []
    optional = " | None" if column.nullable or absent else ""
    default = f" = Field({', '.join(options)})" if options else ""
    line = f"    {name}: {_TYPES[column.kind]}{optional}{default}"
    if len(line) > WIDTH:
        return "\n".join([line[: -len(", ".join(options)) - 1], f"        {', '.join(options)}", "    )"])
    comment = "" if "sensitive" in marks else _comment(column)
    return f"{line}  # {comment}" if comment and len(line) + len(comment) + 4 <= WIDTH else line


def _comment(column: Column) -> str:
    """The range of a column's values, or its commonest labels."""
    known = column.known
    if column.kind in ("integer", "number", "date"):
        return f"{_shown(known.min())} to {_shown(known.max())}"
    if column.kind != "text" or column.distinct > len(known) / 2:
        return ""
    labels = [str(label) for label in known.value_counts().index[:_SHOWN_LABELS]]
    more = column.distinct - len(labels)
    if any(len(label) > 40 or not label.isprintable() for label in labels):
        return f"{column.distinct} different texts"
    return ", ".join(map(literal, labels)) + (f", {more} more" if more > 0 else "")


def _shown(value: object) -> str:
    if isinstance(value, pd.Timestamp):
        return value.strftime("%Y-%m-%d") if value == value.normalize() else value.strftime("%Y-%m-%d %H:%M:%S")
    number = float(str(value))
    return f"{int(number)}" if number.is_integer() and abs(number) < 1e15 else f"{number:.6g}"


def _plain(name: str) -> str:
    """A column's name in a comment or a sentence of code: on one line."""
    return repr(name) if not name.isprintable() or " " in name or not name else name


def _columns(draft: Draft) -> list[str]:
    """Lists of columns by use, with what to decide about each list."""
    lines = []
    for name, columns in list_columns(draft).items():
        if columns:
            lines += comments(_list_notes(draft, name))
            lines.append(assigned(name, columns, "list[str]"))
    if draft.split.column:
        lines.append(f"{split_constant(draft)} = {quoted(draft.split.column)}")
    numeric = [f"*{name}" for name in numeric_lists(draft)]
    if numeric:
        lines.append(f"NUMERIC = [{', '.join(numeric)}]")
    lines += date_parts(draft)
    named = {column.name for column in draft.row_columns}
    sensitive = [name for name in draft.roles.sensitive if name in named]
    lines.append(assigned("SENSITIVE", sensitive, "list[str]"))
    lines.append('"""Columns of personal data: their values are in no plot, message or sample."""')
    return lines


def _list_notes(draft: Draft, name: str) -> list[str]:
    return [*_learned_notes(draft, name), *_use_notes(draft, name)]


def _learned_notes(draft: Draft, name: str) -> list[str]:
    """Sensitive columns of which the fitted pipeline keeps values."""
    if name not in ("CATEGORIES", "WORDS"):
        return []
    personal = [_plain(each) for each in list_columns(draft)[name] if each in draft.roles.sensitive]
    note = f"{', '.join(personal[:8])}: sensitive, and the artifact holds the labels and words that it has learned"
    return [note] if personal else []


def _use_notes(draft: Draft, name: str) -> list[str]:
    columns = draft.profile.columns
    if name == "INTEGERS":
        few = [_plain(each) for each in list_columns(draft)[name] if columns[each].distinct <= 5]
        return (
            [f"numbers or codes of a category: {', '.join(few[:8])}; codes belong to CATEGORIES, as str"] if few else []
        )
    if name == "CATEGORIES":
        many = [_plain(each) for each in draft.roles.categories if columns[each].distinct > MANY_CATEGORIES]
        return (
            [f"many labels, most count as rare: {', '.join(many[:8])}; keep, cut into parts, or leave out"]
            if many
            else []
        )
    if name == "DATES":
        zoned = [_plain(each) for each in draft.roles.dates if (date := columns[each].date) and date.zoned]
        note = f"{', '.join(zoned[:8])}: UTC without a zone from here on; production sends UTC, too"
        return [note] if zoned else []
    return []


def _left_out(draft: Draft) -> str:
    """The columns that are not used, as a list of Markdown."""
    left_out = draft.roles.left_out
    if not left_out:
        return ""
    named = ", ".join(map(_plain, list(left_out)[:_SHOWN_LABELS])) + (", …" if len(left_out) > _SHOWN_LABELS else "")
    lines = [
        "These columns of the file are left out; production need not send them.",
        code_span(f"# decide: are they rightly left out: {named}?"),
        "",
    ]
    return "\n".join([*lines, *(f"- {code_span(name)}: {why}" for name, why in left_out.items())])
