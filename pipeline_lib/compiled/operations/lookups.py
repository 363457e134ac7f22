"""Look-ups: a word's or a number's value in a table of the plan.

Words are looked up once per distinct word of a batch, not once per row:

    rows    "b"  "a"  "b"  "b"        TextColumn: words ["a", "b"], codes [1, 0, 1, 1]
    table   {"a": 1.5, "b": 2.0}      values of the words [1.5, 2.0]
    result  2.0  1.5  2.0  2.0        values[codes]

The values are kept in the words' cache, so a second block of the same batch looks nothing up. Numbers are found by
binary search in the sorted keys, or by hashing where there are many (`hash_index`). One row is one `dict.get`.

A table has three kinds of answers: a key's value, `missing` for a missing value, and for any other value what `mode`
says: `unseen` (default), the value itself (keep), or an error (refuse; missing is refused, too, if `missing` is None).
"""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline_lib.compiled.operations.hash_index import IntegerIndex
from pipeline_lib.compiled.operations.python_source import Code
from pipeline_lib.compiled.operations.refusals import NAT, refuse, shown
from pipeline_lib.compiled.operations.registry import Settings, operation
from pipeline_lib.compiled.operations.setting_types import SCALAR, SCALARS_OR_NONE, TEXT, one_of, or_none
from pipeline_lib.compiled.operations.text_columns import TextColumn, Words, text_column
from pipeline_lib.errors import InputError

_PYTHON: dict[str, Callable[[Any], Any]] = {"float64": float, "int64": int, "bool": bool, "str": str}
_PYTHON |= {"datetime": int, "duration": int}
GIVES = tuple(_PYTHON)
_HASHED = 512  # integer keys from which on they are hashed; fewer stay in the cache for binary search
EMPTY: dict[str, float | None] = {
    "float64": math.nan,
    "str": None,
    "datetime": NAT,
    "duration": NAT,
}  # other dtypes are never missing
_TABLE = {
    "keys": SCALARS_OR_NONE,
    "values": SCALARS_OR_NONE,
    "gives": one_of(GIVES),
    "missing": or_none(SCALAR),
    "unseen": or_none(SCALAR),
    "mode": one_of(("default", "keep", "refuse")),
    "name": TEXT,
    "where": TEXT,
}


def _values(settings: Settings) -> tuple[dict[Any, Any], Any]:
    """The table, with the key None for missing, and the value of unseen words."""
    gives = settings["gives"]
    table = dict(zip(settings["keys"], (typed(value, gives) for value in settings["values"]), strict=True))
    table[None] = typed(settings["missing"], gives)
    return table, typed(settings["unseen"], gives)


def typed(value: Any, gives: str) -> Any:
    """A table's value as a dtype; None is missing, 0 where the dtype has no missing values."""
    return EMPTY.get(gives, 0) if value is None else _PYTHON[gives](value)


def array_of(values: Sequence[Any], gives: str) -> NDArray[Any]:
    """Typed values of a table as an array."""
    return np.array(values, dtype="int64" if gives in ("datetime", "duration") else gives)


def _message(settings: Settings, word: Any) -> str:
    known = ", ".join(map(repr, settings["keys"][:12])) + (", …" if len(settings["keys"]) > 12 else "")
    known = f"{len(settings['keys'])} values" if settings.get("hidden") else known
    return (
        f"{settings['where']}: found {shown(settings, word)} in column {settings['name']!r}, expected one of {known}; "
        "correct the row, or fit on rows that hold it"
    )


def _bind_lookup(settings: Settings) -> Callable[[Any], Any]:
    table, unseen = _values(settings)
    mode, gives = settings["mode"], settings["gives"]
    values_key, refused_key = object(), object()  # of this look-up in the words' cache

    def looked_up(words: Sequence[str | None]) -> Any:
        if mode == "keep":
            return [table.get(word, word) for word in words]
        values = [table.get(word, unseen) for word in words]
        return values if gives == "str" else array_of(values, gives)

    def lookup(text: Any) -> Any:
        text = text_column(text)
        if mode == "refuse":
            _refuse(text, table, settings, refused_key)
        return text.texts(values_key, looked_up) if gives == "str" else text.numbers(values_key, looked_up)

    return lookup


def _refuse(text: TextColumn, table: dict[Any, Any], settings: Settings, key: object) -> None:
    known = set(table) if settings["missing"] is not None else set(table) - {None}
    good = text.numbers(key, lambda words: np.array([word in known for word in words]))
    refuse(text, good, partial(_message, settings))


def _bind_lookup_row(settings: Settings) -> Callable[[Any], Any]:
    table, unseen = _values(settings)
    get = table.get
    if settings["mode"] == "keep":
        return lambda word: get(word, word)
    if settings["mode"] == "default":
        return lambda word: get(word, unseen)
    if settings["missing"] is None:
        del table[None]

    def refusing(word: Any) -> Any:
        try:
            return table[word]
        except KeyError:
            raise InputError(_message(settings, word)) from None

    return refusing


def _write_lookup(code: Code, settings: Settings, inputs: Sequence[str], dtypes: Sequence[str]) -> str:
    if settings["mode"] != "default":
        return f"{code.bind(_bind_lookup_row(settings), 'look')}({inputs[0]})"
    table, unseen = _values(settings)
    return f"{code.bind(table, 'table')}.get({inputs[0]}, {code.literal(unseen)})"


def _looked_up_abs_max(settings: Settings, maxima: Sequence[float]) -> float:
    """The largest value that a row can get; if the input is never missing, without the value of missing."""
    values = list(settings["values"])
    if settings["mode"] == "default":
        values += [settings["unseen"]]
    if not (math.isfinite(maxima[0]) or (settings["mode"] == "refuse" and settings["missing"] is None)):
        values += [settings["missing"]]
    if settings["gives"] == "str":
        return math.inf if None in values else 0.0
    numbers = [math.nan if value is None else abs(float(value)) for value in values]
    return max(numbers) if all(map(math.isfinite, numbers)) else math.inf


operation(
    "lookup",
    ("str",),
    lambda settings, dtypes: str(settings["gives"]),
    doc="A word's value in a table; other words are `unseen`, kept or refused, by `mode`.",
    settings=_TABLE,
    column=_bind_lookup,
    writer=_write_lookup,
    abs_max=_looked_up_abs_max,
)


def _number_tables(settings: Settings) -> tuple[Any, Any]:
    keys = np.array(settings["keys"])
    order = np.argsort(keys, kind="stable")
    values = [typed(value, settings["gives"]) for value in settings["values"]]
    return keys[order], [values[index] for index in order]


def _bind_lookup_number(settings: Settings) -> Callable[[Any], Any]:
    keys, values = _number_tables(settings)
    gives, mode = settings["gives"], settings["mode"]
    missing, unseen = typed(settings["missing"], gives), typed(settings["unseen"], gives)
    if gives == "str":
        whole = TextColumn.of([*values, missing, unseen])
        codes, words = whole.codes, whole.words
    else:
        table = array_of([*values, missing, unseen], gives)
    hashed = IntegerIndex(keys) if len(keys) >= _HASHED and keys.dtype == np.int64 else None

    def index_of(numbers: Any) -> tuple[Any, Any]:
        """Each number's index among the keys, and whether it is one of them."""
        if not len(keys):
            return np.zeros(numbers.shape, dtype=np.int64), np.zeros(numbers.shape, dtype=bool)
        if hashed is not None and numbers.dtype == np.int64:
            index = hashed(numbers)
            return index, index >= 0
        index = np.minimum(np.searchsorted(keys, numbers), len(keys) - 1)
        return index, keys[index] == numbers

    def lookup(numbers: Any) -> Any:
        numbers = np.asarray(numbers)
        index, known = index_of(numbers)
        absent = numbers != numbers
        if mode == "refuse":
            refuse(numbers, known if settings["missing"] is None else known | absent, partial(_message, settings))
        if gives == "str":
            row_codes = np.where(known, index, np.where(absent, len(values), len(values) + 1))
            return TextColumn(codes[row_codes], words)
        kept = numbers.astype(np.float64) if mode == "keep" else table[-1]
        return np.where(known, table[index], np.where(absent, table[-2], kept))

    return lookup


def _bind_lookup_number_row(settings: Settings) -> Callable[[Any], Any]:
    keys, values = _number_tables(settings)
    gives, mode = settings["gives"], settings["mode"]
    table = dict(zip(keys.tolist(), values, strict=True))
    missing, unseen = typed(settings["missing"], gives), typed(settings["unseen"], gives)

    def lookup(number: Any) -> Any:
        if number != number:
            if mode == "refuse" and settings["missing"] is None:
                raise InputError(_message(settings, number))
            return missing
        value = table.get(number, unseen if mode != "keep" else float(number))
        if mode == "refuse" and number not in table:
            raise InputError(_message(settings, number))
        return value

    return lookup


operation(
    "lookup_number",
    ("float64|int64|bool|datetime|duration",),
    lambda settings, dtypes: str(settings["gives"]),
    doc="A number's value in a table, as `lookup`; NaN is missing, and mode `keep` gives float64.",
    settings=_TABLE,
    column=_bind_lookup_number,
    row=_bind_lookup_number_row,
    abs_max=lambda settings, maxima: _looked_up_abs_max(settings, maxima) if settings["mode"] != "keep" else math.inf,
)


def _bind_choose(settings: Settings) -> Callable[[Any], Any]:
    values, gives = settings["values"], settings["gives"]
    if gives == "str":
        words = Words([*values, None])
        return lambda index: TextColumn(np.atleast_1d(index).astype(np.int32), words)
    table = array_of([typed(value, gives) for value in values], gives)
    return lambda index: table[index]


operation(
    "choose",
    ("int64",),
    lambda settings, dtypes: str(settings["gives"]),
    doc="The value at an index of a list, such as a class by its number.",
    parameters=("index",),
    settings={"values": SCALARS_OR_NONE, "gives": one_of(GIVES)},
    column=_bind_choose,
    row=lambda settings: [typed(value, settings["gives"]) for value in settings["values"]].__getitem__,
    abs_max=lambda settings, maxima: _looked_up_abs_max({**settings, "mode": "refuse", "missing": None}, maxima),
)
