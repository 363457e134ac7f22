"""Look-ups by several values of a row, such as a merge with a small table.

Each key is a tuple of one value for each input. The values of one input are numbered, and the tuples are numbered from
left to right, so that each step looks up one integer, a prefix's number and a value's:

    keys ("a", 1) ("a", 2) ("b", 1)    values "a": 0, "b": 1   and   1: 0, 2: 1
    prefixes ("a",): 0, ("b",): 1      tuples (0, 0): 0, (0, 1): 1, (1, 0): 2

A value of None in a key stands for a missing one. A row whose tuple is no key gets `unseen`.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline_lib.compiled.operations.hash_index import IntegerIndex
from pipeline_lib.compiled.operations.lookups import GIVES, array_of, typed
from pipeline_lib.compiled.operations.registry import Settings, operation
from pipeline_lib.compiled.operations.setting_types import SCALAR, SCALARS_OR_NONE, SettingType, one_of, or_none
from pipeline_lib.compiled.operations.text_columns import TextColumn
from pipeline_lib.errors import InputError

_NONE = -1  # the number of a value that is in no key
_SCALAR_LISTS = SettingType(
    "Sequence[Sequence[Scalar | None]]",
    "a list of lists of numbers, bools, texts or None",
    lambda value: isinstance(value, list | tuple) and all(map(SCALARS_OR_NONE.accepts, value)),
)


class KeyValues:
    """The distinct values of one input, numbered in order."""

    def __init__(self, values: Sequence[Any]) -> None:
        self._number = {value: number for number, value in enumerate(dict.fromkeys(values))}
        self._tables: dict[str, tuple[NDArray[Any], NDArray[np.int64]]] = {}
        self._key = object()  # of these values in the words' cache

    def __len__(self) -> int:
        return len(self._number)

    def __getitem__(self, value: Any) -> int:
        return self._number[value]

    def number(self, value: Any) -> int:
        """The number of a value, `_NONE` where it is in no key."""
        return self._number.get(value, _NONE)

    def numbers(self, column: Any) -> NDArray[np.int64]:
        """The number of each value of a column, `_NONE` where it has none."""
        if column is None or isinstance(column, str):
            column = TextColumn.of([column])
        if isinstance(column, TextColumn):
            return column.numbers(
                self._key, lambda words: np.array([self.number(word) for word in words], dtype=np.int64)
            )
        column = np.atleast_1d(np.asarray(column))
        sorted_values, numbers = self.table(column.dtype)
        found = np.minimum(np.searchsorted(sorted_values, column), len(sorted_values) - 1)
        result = np.where(sorted_values[found] == column, numbers[found], _NONE)
        return np.where(np.isnan(column), self.number(None), result) if column.dtype == float else result

    def table(self, dtype: np.dtype[Any]) -> tuple[NDArray[Any], NDArray[np.int64]]:
        """The values that a dtype holds exactly, in ascending order, and their numbers."""
        if dtype.str not in self._tables:
            pairs = [(_exactly(value, dtype), number) for value, number in self._number.items()]
            held = sorted((value, number) for value, number in pairs if value is not None) or [(dtype.type(0), _NONE)]
            values, numbers = zip(*held, strict=True)
            self._tables[dtype.str] = np.array(values, dtype=dtype), np.array(numbers, dtype=np.int64)
        return self._tables[dtype.str]


def _exactly(value: Any, dtype: np.dtype[Any]) -> Any:
    """A key's value as a dtype, None where it is missing, text, or changed by that."""
    if value is None or isinstance(value, str):
        return None
    try:
        converted = dtype.type(value).item()
    except OverflowError:
        return None
    return converted if converted == value else None


def keys_of(settings: Settings) -> list[tuple[Any, ...]]:
    """The keys; a missing value is None."""
    return [tuple(None if value != value else value for value in key) for key in settings["keys"]]


def _bind(settings: Settings) -> Callable[..., Any]:
    gives, keys = settings["gives"], keys_of(settings)
    columns = [KeyValues(values) for values in zip(*keys, strict=True)]
    steps, last = _prefixes(columns, keys)
    results = [typed(value, gives) for value in (*settings["values"], settings["unseen"])]
    of_prefix = np.append(last, len(keys))  # from the number of a whole key to its row; `_NONE` is the last
    words = TextColumn.of(results) if gives == "str" else None
    table = None if gives == "str" else array_of(results, gives)

    def lookup(*inputs: Any) -> Any:
        prefix: Any = np.zeros(1, dtype=np.int64)
        for values, step, column in zip(columns, steps, inputs, strict=True):
            numbers = values.numbers(column)
            pair = np.where((prefix < 0) | (numbers < 0), _NONE, prefix * len(values) + numbers)
            prefix = step(pair)
        rows = of_prefix[prefix]
        return TextColumn(words.codes[rows], words.words) if words is not None else table[rows]  # type: ignore[index]

    return lookup


def _prefixes(
    columns: Sequence[KeyValues], keys: Sequence[tuple[Any, ...]]
) -> tuple[list[IntegerIndex], NDArray[np.int64]]:
    """For each input the number of each pair of a prefix and a value, and the key of each whole tuple."""
    prefixes, steps = [0] * len(keys), []
    for position, values in enumerate(columns):
        pairs = [prefix * len(values) + values[key[position]] for prefix, key in zip(prefixes, keys, strict=True)]
        number = {pair: index for index, pair in enumerate(dict.fromkeys(pairs))}
        steps.append(IntegerIndex(np.array(list(number), dtype=np.int64)))
        prefixes = [number[pair] for pair in pairs]
    rows = np.zeros(len(keys), dtype=np.int64)
    rows[prefixes] = np.arange(len(keys))
    return steps, rows


def _bind_row(settings: Settings) -> Callable[..., Any]:
    gives = settings["gives"]
    table = dict(zip(keys_of(settings), (typed(value, gives) for value in settings["values"]), strict=True))
    unseen = typed(settings["unseen"], gives)
    return lambda *values: table.get(tuple(None if value != value else value for value in values), unseen)


def _check(settings: Settings) -> None:
    keys = keys_of(settings)
    if not keys or len(set(map(len, keys))) != 1 or len(set(keys)) != len(keys):
        raise InputError(
            "lookup_rows: found keys of several lengths, equal keys or none, expected different lists of one value for "
            "each input; correct the table"
        )
    if len(keys) != len(settings["values"]):
        raise InputError(
            f"lookup_rows: found {len(keys)} keys and {len(settings['values'])} values, expected as many; correct them"
        )


def _gives(settings: Settings, dtypes: Sequence[str]) -> str:
    if any(len(key) != len(dtypes) for key in settings["keys"]):
        raise InputError(
            f"lookup_rows: found {len(dtypes)} inputs, expected as many as values in each key; correct the keys"
        )
    return str(settings["gives"])


operation(
    "lookup_rows",
    ("str|float64|int64|bool", "..."),
    _gives,
    doc="The value of a row's tuple of values in a table; None in a key is a missing value.",
    parameters=("columns",),
    settings={
        "keys": _SCALAR_LISTS,
        "values": SCALARS_OR_NONE,
        "gives": one_of(GIVES),
        "unseen": or_none(SCALAR),
    },
    column=_bind,
    row=_bind_row,
    check=_check,
)
