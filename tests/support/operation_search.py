"""Random rows of edge values, and an operation's form for columns compared with its form for one row.

row form       f(1.5, NaN), f(-0.0, 3.0), ...                 a value or a refusal for each row
column form    of the rows that are not refused, at once      the same bits
               of some of them, one at a time                 the same bits
               of a refused row alone                         refused
"""

import struct
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pipeline_lib.compiled.operations.catalog import OPERATIONS
from pipeline_lib.compiled.operations.list_columns import LIST, ListColumn
from pipeline_lib.compiled.operations.python_source import Code
from pipeline_lib.compiled.operations.refusals import NAT
from pipeline_lib.compiled.operations.sparse import SparseColumn
from pipeline_lib.compiled.operations.text_columns import TextColumn
from pipeline_lib.errors import InputError

LOWEST, HIGHEST = -(2**63), 2**63 - 1
TINY, LARGE = 5e-324, 1.7976931348623157e308
FLOATS = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, 2.5, -2.5, 0.1, 3.0, 1e16, -1e16, TINY, -TINY, LARGE, -LARGE]
FLOATS += [float("inf"), float("-inf"), float("nan"), float("nan"), 2.0**52 + 1, 2.0**53, 2.0**63, -(2.0**63)]
FLOATS += [np.nextafter(2.0**63, 0), np.nextafter(-(2.0**63), -np.inf), 3.4028235677973366e38, 1.0000000596046448]
INTS = [0, 1, -1, 2, -2, 7, -7, 10**6, 2**53, 2**53 + 1, -(2**53) - 1, HIGHEST, HIGHEST - 1, LOWEST, LOWEST + 1]
TEXTS = [
    None,
    "",
    " ",
    "a",
    "Ab",
    "é",
    "ß",
    "İ",
    "ﬁ",
    "a b c",
    "12",
    "-1.5e3",
    "x\ty\n",
    "\uff21",
    "日本",
    "a.b.",
    "\0",
    "1e999",
]
DAY = 86_400_000_000
DATES = [NAT, 0, 1, -1, DAY, -DAY - 1, 1_700_000_000_000_000, -62_135_596_800_000_000, 253_402_300_799_999_999]
DURATIONS = [NAT, NAT + 1, HIGHEST, 0, 1, -1, 2**53, 2**53 + 1, -(2**53), DAY, -DAY, 10**15 + 1]
WIDTH = 4  # numbers of a vector, and of a sparse vector

Draw = Callable[[np.random.Generator], Any]


def draw_float(rng: np.random.Generator) -> float:
    """An edge value, a small number that repeats, or any bits."""
    kind = rng.integers(4)
    if kind < 2:
        return float(rng.choice(FLOATS))
    return (
        float(rng.integers(-3, 4) / 2)
        if kind == 2
        else float(rng.integers(LOWEST, HIGHEST, dtype=np.int64).view(np.float64))
    )


def draw_int(rng: np.random.Generator) -> int:
    """An edge value, a small integer, or any."""
    kind = rng.integers(4)
    if kind < 2:
        return int(INTS[rng.integers(len(INTS))])
    return int(rng.integers(-4, 5)) if kind == 2 else int(rng.integers(LOWEST, HIGHEST))


def draw_text(rng: np.random.Generator) -> str | None:
    """A text of the list, or two of them."""
    one, other = (TEXTS[rng.integers(len(TEXTS))] for _ in range(2))
    return one if one is None or other is None or rng.random() < 0.5 else one + other


def draw_vector(rng: np.random.Generator) -> Any:
    """Numbers of one row."""
    return np.array([draw_float(rng) for _ in range(WIDTH)])


def draw_sparse(rng: np.random.Generator) -> Any:
    """A sparse vector of one row; what is 0 is not stored."""
    row = np.where(rng.random(WIDTH) < 0.5, 0.0, draw_vector(rng))
    return SparseColumn.of(row[:, None])


DRAWS: dict[str, Draw] = {
    "float64": draw_float,
    "int64": draw_int,
    "bool": lambda rng: bool(rng.integers(2)),
    "str": draw_text,
    "datetime": lambda rng: int(rng.choice(DATES)) if rng.random() < 0.5 else int(rng.integers(-(10**16), 10**17)),
    "duration": lambda rng: int(DURATIONS[rng.integers(len(DURATIONS))]) if rng.random() < 0.6 else draw_int(rng),
    "vector": draw_vector,
    "bag": draw_sparse,
}


def draw(dtype: str, rng: np.random.Generator) -> Any:
    """A value as the row executor holds it; of a list, the column of its values."""
    if dtype.endswith(LIST):
        return column_of(
            [draw(dtype.removesuffix(LIST), rng) for _ in range(rng.integers(0, 5))], dtype.removesuffix(LIST)
        )
    return DRAWS[dtype](rng)


def draw_row(dtypes: Sequence[str], rng: np.random.Generator) -> tuple[Any, ...]:
    """A row; its lists are of one table, and equally long."""
    row = [draw(dtype, rng) for dtype in dtypes]
    lists = [at for at, dtype in enumerate(dtypes) if dtype.endswith(LIST)]
    for at in lists:
        shortest = min(len(row[other]) for other in lists)
        row[at] = row[at].slice(0, shortest) if isinstance(row[at], TextColumn) else row[at][:shortest]
    return tuple(row)


def column_of(values: Sequence[Any], dtype: str) -> Any:
    """Values of rows as the column executor holds them."""
    if dtype.endswith(LIST):
        starts = np.append(0, np.cumsum([len(value) for value in values])).astype(np.int64)
        inner = dtype.removesuffix(LIST)
        parts = [part.tolist() if isinstance(part, TextColumn) else list(part) for part in values]
        return ListColumn(column_of([value for part in parts for value in part], inner), starts)
    if dtype == "str":
        return TextColumn.of(values)
    if dtype == "vector":
        return np.ascontiguousarray(np.array(values, dtype=np.float64).reshape(len(values), -1).T)
    if dtype == "bag":
        return SparseColumn.of(np.concatenate([value.toarray() for value in values], axis=1))
    return np.array(values, dtype={"bool": np.bool_, "float64": np.float64}.get(dtype, np.int64))


def bits(value: Any) -> Any:
    """What is compared of a value: all NaN are one, -0.0 is not 0.0."""
    if isinstance(value, float):
        return "nan" if value != value else struct.pack("<d", value)
    if isinstance(value, np.ndarray | TextColumn | list):
        return [bits(each) for each in (value if isinstance(value, list) else value.tolist())]
    if isinstance(value, SparseColumn):
        return bits(value.toarray().ravel())
    return (type(value).__name__, value)


def values_of(column: Any) -> list[Any]:
    """The values of a result column, row by row."""
    if isinstance(column, SparseColumn):
        column = column.toarray()
    if isinstance(column, ListColumn):
        parts = zip(column.starts[:-1], column.starts[1:], strict=True)
        values = column.values.tolist()
        return [values[start:stop] for start, stop in parts]
    if isinstance(column, np.ndarray) and column.ndim == 2:
        return [column[:, row] for row in range(column.shape[1])]
    return list(column.tolist())


def row_form(
    name: str, settings: dict[str, Any], dtypes: Sequence[str], literals: dict[int, Any]
) -> Callable[..., Any]:
    """An operation's function of one row; the inputs in `literals` are constants in its source."""
    code = Code()
    names = [code.literal(literals[at]) if at in literals else f"a{at}" for at in range(len(dtypes))]
    code.line(f"return {OPERATIONS[name].row(code, settings, names, dtypes)}")
    function: Callable[..., Any] = code.function("f", ", ".join(f"a{at}" for at in range(len(dtypes))), f"<{name}>")
    return function


def differences(
    name: str,
    settings: dict[str, Any],
    dtypes: Sequence[str],
    rows: Sequence[tuple[Any, ...]],
    constants: Sequence[int] = (),
) -> list[str]:
    """Where the two forms of an operation differ on rows; `constants` are inputs with the value of the first row."""
    literals = {at: rows[0][at] for at in constants}
    rows = [tuple(literals.get(at, value) for at, value in enumerate(row)) for row in rows]
    of_row, of_columns = row_form(name, settings, dtypes, literals), OPERATIONS[name].column(settings)

    def column_results(some: Sequence[tuple[Any, ...]]) -> list[Any]:
        columns = [
            literals[at] if at in literals else column_of([row[at] for row in some], dtype)
            for at, dtype in enumerate(dtypes)
        ]
        with np.errstate(all="ignore"):
            result = of_columns(*columns)
        if isinstance(result, (float, int, str)):  # a constant that is passed on: one value for all rows
            return [result] * len(some)
        return values_of(result)

    alone: list[Any] = []
    for row in rows:
        try:
            alone.append(of_row(*row))
        except InputError:
            alone.append(InputError)
    accepted = [row for row, value in zip(rows, alone, strict=True) if value is not InputError]
    expected = [bits(value) for value in alone if value is not InputError]
    found = []
    try:
        together = column_results(accepted) if accepted else []
        found += compared(name, settings, "together", accepted, together, expected)
        for row, value in list(zip(accepted, expected, strict=True))[:5]:
            found += compared(name, settings, "alone", [row], column_results([row]), [value])
    except InputError as error:
        found.append(f"{name}: the column form refuses what the row form accepts: {error}")
    for row in [row for row, value in zip(rows, alone, strict=True) if value is InputError][:5]:
        try:
            found.append(f"{name} {settings} of {row}: {column_results([row])}, the row form refuses it")
        except InputError:
            continue
    return found


def compared(
    name: str, settings: dict[str, Any], how: str, rows: Sequence[Any], results: Sequence[Any], expected: Sequence[Any]
) -> list[str]:
    """A line for each row whose bits differ."""
    if len(results) != len(rows):
        return [f"{name} {settings}: {len(results)} results of {len(rows)} rows"]
    return [
        f"{name} {settings} {how} of {row}: {bits(result)}, as one row {wanted}"
        for row, result, wanted in zip(rows, results, expected, strict=True)
        if bits(result) != wanted
    ]


def column_digest(name: str, settings: dict[str, Any], dtypes: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> str:
    """The bits of an operation's column form, as text; `refused` where it refuses a row."""
    columns = [column_of([row[at] for row in rows], dtype) for at, dtype in enumerate(dtypes)]
    try:
        with np.errstate(all="ignore"):
            return repr([bits(value) for value in values_of(OPERATIONS[name].column(settings)(*columns))])
    except InputError:
        return "refused"
