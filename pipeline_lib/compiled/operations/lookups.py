"""Look-ups in tables of words and numbers."""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from pipeline_lib.compiled.operations.hash_index import IntegerPlaces
from pipeline_lib.compiled.operations.python_source import Code
from pipeline_lib.compiled.operations.refusals import refuse, shown
from pipeline_lib.compiled.operations.registry import Settings, operation
from pipeline_lib.compiled.operations.text_columns import TextColumn, Words
from pipeline_lib.errors import InputError

_PYTHON: dict[str, Callable[[Any], Any]] = {"float64": float, "int64": int, "bool": bool, "str": str}
_HASHED = 512  # so many keys and more are found by hashing
EMPTY: dict[str, float | None] = {"float64": math.nan, "str": None}  # other dtypes are never missing


def _values(settings: Settings) -> tuple[dict[Any, Any], Any]:
    """The table with None for missing, and what an unseen word gives."""
    gives = settings["gives"]
    table = dict(zip(settings["keys"], (_typed(value, gives) for value in settings["values"]), strict=True))
    table[None] = _typed(settings["missing"], gives)
    return table, _typed(settings["unseen"], gives)


def _typed(value: Any, gives: str) -> Any:
    return EMPTY.get(gives, 0) if value is None else _PYTHON[gives](value)


def _message(settings: Settings, word: Any) -> str:
    known = ", ".join(map(repr, settings["keys"][:12])) + (", …" if len(settings["keys"]) > 12 else "")
    known = f"{len(settings['keys'])} values" if settings.get("hidden") else known
    return (
        f"{settings['where']}: found {shown(settings, word)} in column {settings['name']!r}, expected one of {known}; "
        "correct the row, or fit on rows that hold it"
    )


def _bind_lookup(settings: Settings) -> Callable[[Any], Any]:
    table, unseen = _values(settings)
    mode, gives, key, refused = settings["mode"], settings["gives"], object(), object()

    def looked_up(words: Sequence[str | None]) -> Any:
        if mode == "keep":
            return [table.get(word, word) for word in words]
        found = [table.get(word, unseen) for word in words]
        return found if gives == "str" else np.array(found, dtype=gives)

    def lookup(text: Any) -> Any:
        text = text if isinstance(text, TextColumn) else TextColumn.of([text])
        if mode == "refuse":
            _refuse(text, table, settings, refused)
        return text.texts(key, looked_up) if gives == "str" else text.numbers(key, looked_up)

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
    return f"{code.bind(table, 'table')}.get({inputs[0]}, {_literal(unseen)})"


def _literal(value: Any) -> str:
    return f"float({str(value)!r})" if isinstance(value, float) and not math.isfinite(value) else repr(value)


def _looked_up_abs_max(settings: Settings, maxima: Sequence[float]) -> float:
    """The largest value that a row can get; a word that is never missing never gets what missing gives."""
    values = list(settings["values"])
    if settings["mode"] == "default":
        values += [settings["unseen"]]
    if not (math.isfinite(maxima[0]) or (settings["mode"] == "refuse" and settings["missing"] is None)):
        values += [settings["missing"]]
    if settings["gives"] == "str":
        return math.inf if None in values else 0.0
    numbers = [math.nan if value is None else abs(float(value)) for value in values]
    return max(numbers) if all(map(math.isfinite, numbers)) else math.inf


# A word's value: `keys` to `values`, `missing` for missing (None: missing again), `unseen` for any other word in
# mode `default`; mode `keep` leaves other words as they are; mode `refuse` refuses them, and missing if it is None.
operation(
    "lookup",
    ("str",),
    lambda settings, dtypes: str(settings["gives"]),
    column=_bind_lookup,
    writer=_write_lookup,
    abs_max=_looked_up_abs_max,
)


def _number_tables(settings: Settings) -> tuple[Any, Any]:
    keys = np.array(settings["keys"])
    order = np.argsort(keys, kind="stable")
    values = [_typed(value, settings["gives"]) for value in settings["values"]]
    return keys[order], [values[place] for place in order]


def _bind_lookup_number(settings: Settings) -> Callable[[Any], Any]:
    keys, values = _number_tables(settings)
    gives, mode = settings["gives"], settings["mode"]
    missing, unseen = _typed(settings["missing"], gives), _typed(settings["unseen"], gives)
    if gives == "str":
        whole = TextColumn.of([*values, missing, unseen])
        codes, words = whole.codes, whole.words
    else:
        table = np.array([*values, missing, unseen], dtype=gives)
    hashed = IntegerPlaces(keys) if len(keys) >= _HASHED and keys.dtype == np.int64 else None

    def places(numbers: Any) -> tuple[Any, Any]:
        """Where each number stands among the keys, and whether it does."""
        if not len(keys):
            return np.zeros(numbers.shape, dtype=np.int64), np.zeros(numbers.shape, dtype=bool)
        if hashed is not None and numbers.dtype == np.int64:
            place = hashed(numbers)
            return place, place >= 0
        place = np.minimum(np.searchsorted(keys, numbers), len(keys) - 1)
        return place, keys[place] == numbers

    def lookup(numbers: Any) -> Any:
        numbers = np.asarray(numbers)
        place, found = places(numbers)
        absent = numbers != numbers
        if mode == "refuse":
            refuse(numbers, found if settings["missing"] is None else found | absent, partial(_message, settings))
        if gives == "str":
            spread = np.where(found, place, np.where(absent, len(values), len(values) + 1))
            return TextColumn(codes[spread], words)
        kept = numbers.astype(np.float64) if mode == "keep" else table[-1]
        return np.where(found, table[place], np.where(absent, table[-2], kept))

    return lookup


def _bind_lookup_number_row(settings: Settings) -> Callable[[Any], Any]:
    keys, values = _number_tables(settings)
    gives, mode = settings["gives"], settings["mode"]
    table = dict(zip(keys.tolist(), values, strict=True))
    missing, unseen = _typed(settings["missing"], gives), _typed(settings["unseen"], gives)

    def lookup(number: Any) -> Any:
        if number != number:
            if mode == "refuse" and settings["missing"] is None:
                raise InputError(_message(settings, number))
            return missing
        found = table.get(number, unseen if mode != "keep" else float(number))
        if mode == "refuse" and number not in table:
            raise InputError(_message(settings, number))
        return found

    return lookup


# The same for numbers, NaN being missing; mode `keep` gives float64.
operation(
    "lookup_number",
    ("float64|int64|bool|datetime",),
    lambda settings, dtypes: str(settings["gives"]),
    column=_bind_lookup_number,
    row=_bind_lookup_number_row,
    abs_max=lambda settings, maxima: _looked_up_abs_max(settings, maxima) if settings["mode"] != "keep" else math.inf,
)


def _bind_choose(settings: Settings) -> Callable[[Any], Any]:
    values, gives = settings["values"], settings["gives"]
    if gives == "str":
        words = Words([*values, None])
        return lambda place: TextColumn(np.atleast_1d(place).astype(np.int32), words)
    table = np.array([_typed(value, gives) for value in values], dtype=gives)
    return lambda place: table[place]


# The value at a place of a list, such as a class by its number.
operation(
    "choose",
    ("int64",),
    lambda settings, dtypes: str(settings["gives"]),
    column=_bind_choose,
    row=lambda settings: [_typed(value, settings["gives"]) for value in settings["values"]].__getitem__,
    abs_max=lambda settings, maxima: _looked_up_abs_max({**settings, "mode": "refuse", "missing": None}, maxima),
)
