"""What writes a plan: values with operators, so that an adapter reads like the formula that it stands for.

`Builder` writes the nodes, one `Value` for each column; what the operations do is in `operations`.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pipeline_lib.compiled.operations.catalog import OPERATIONS
from pipeline_lib.compiled.operations.list_columns import LIST
from pipeline_lib.compiled.plan import Node, Scalar
from pipeline_lib.errors import InputError


@dataclass(frozen=True, eq=False)
class Value:
    """One column of a plan while it is written.

    `dtype` is one of `plan.DTYPES`: datetime is int64 microseconds since 1970; vector is several float64 numbers a
    row; bag is a sparse vector; `width` is how many numbers these hold. `abs_max`: every value is finite and at
    most so large in magnitude, and none is missing (of text, only that); inf where that is not known. `back`:
    how many earlier rows it rests upon. A dtype that ends in `[]` is a column of the child table `table`.
    """

    build: "Builder" = field(repr=False)
    node: int
    dtype: str
    abs_max: float = math.inf
    width: int = 1
    back: int = 0
    table: str = ""

    @property
    def kind(self) -> str:
        """The dtype of each value; of child rows that of one."""
        return self.dtype.removesuffix(LIST)

    def _with(self, other: "Value | Scalar", operation: str, *, swapped: bool = False) -> "Value":
        left, right = self, self.build.value(other)
        if swapped:
            left, right = right, left
        return self.build.arithmetic(operation, left, right)

    def __add__(self, other: "Value | Scalar") -> "Value":
        return self._with(other, "add")

    def __radd__(self, other: Scalar) -> "Value":
        return self._with(other, "add", swapped=True)

    def __sub__(self, other: "Value | Scalar") -> "Value":
        return self._with(other, "subtract")

    def __rsub__(self, other: Scalar) -> "Value":
        return self._with(other, "subtract", swapped=True)

    def __mul__(self, other: "Value | Scalar") -> "Value":
        return self._with(other, "multiply")

    def __rmul__(self, other: Scalar) -> "Value":
        return self._with(other, "multiply", swapped=True)

    def __truediv__(self, other: "Value | Scalar") -> "Value":
        return self._with(other, "divide")

    def __rtruediv__(self, other: Scalar) -> "Value":
        return self._with(other, "divide", swapped=True)

    def __neg__(self) -> "Value":
        return self.build.apply("negative", self.build.number(self))

    def __abs__(self) -> "Value":
        return self.build.apply("absolute", self.build.number(self))

    def __lt__(self, other: "Value | Scalar") -> "Value":
        return self._with(other, "less")

    def __le__(self, other: "Value | Scalar") -> "Value":
        return self._with(other, "less_equal")

    def __gt__(self, other: "Value | Scalar") -> "Value":
        return self._with(other, "less", swapped=True)

    def __ge__(self, other: "Value | Scalar") -> "Value":
        return self._with(other, "less_equal", swapped=True)

    def __and__(self, other: "Value") -> "Value":
        return self.build.apply("and", self, other)

    def __or__(self, other: "Value") -> "Value":
        return self.build.apply("or", self, other)

    def __invert__(self) -> "Value":
        return self.build.apply("not", self)

    def equals(self, other: "Value | Scalar") -> "Value":
        """Whether both are the same number (bool); never true of NaN."""
        return self._with(other, "equal")

    def missing(self) -> "Value":
        """Whether the value is missing (bool): NaN, missing text, NaT."""
        if math.isfinite(self.abs_max) or self.kind in ("int64", "bool"):
            return self.build.value(False)
        return self.build.apply("is_missing", self)


class Builder:
    """Writes a plan. Equal operations on equal values are written once.

    With `checking`, `allow_ulps` is kept: the plan then knows how far a reference may be from it. `context` is how many
    earlier rows production will have for each row.
    """

    def __init__(self, *, checking: bool = False, context: int = 0) -> None:
        self.nodes: list[Node] = []
        self.checking = checking
        self.context = context
        self._known: dict[tuple[Any, ...], Value] = {}

    def input(
        self, column: str, dtype: str, abs_max: float = math.inf, *, width: int = 1, table: str = "rows"
    ) -> Value:
        """A raw column; `width` is how many numbers a row of a vector or bag holds."""
        return self._write("input", (), {"table": table, "column": column}, dtype, abs_max, width, table=table)

    def value(self, value: Value | Scalar) -> Value:
        """A value as it is, a Python or NumPy scalar as a constant."""
        if isinstance(value, Value):
            return value
        if isinstance(value, np.generic):
            value = value.item()
        if not isinstance(value, bool | int | float | str):
            raise TypeError(f"found {type(value).__name__} as a constant, expected a number, bool or str")
        dtype = {bool: "bool", int: "int64", float: "float64", str: "str"}[type(value)]
        known = isinstance(value, int | float) and math.isfinite(value)
        return self._write("constant", (), {"value": value}, dtype, abs(float(value)) if known else math.inf)

    def apply(self, operation: str, *inputs: Value | Scalar, **settings: Any) -> Value:
        """The result of an operation of the table on values and constants."""
        found = OPERATIONS.get(operation)
        if found is None:
            raise TypeError(f"found operation {operation!r}, expected one of {', '.join(sorted(OPERATIONS))}")
        values = [self.value(value) for value in inputs]
        table = _child_table(operation, values)
        one_by_one = bool(table) and not found.of_lists
        dtypes = [value.kind if one_by_one else value.dtype for value in values]
        if found.takes is not None and not _match(found.takes, dtypes):
            raise InputError(f"{operation}: found values of {', '.join(dtypes)}, expected {', '.join(found.takes)}")
        dtype = found.gives if isinstance(found.gives, str) else found.gives(settings, dtypes)
        abs_max = found.abs_max(settings, [value.abs_max for value in values])
        width = found.width(settings, [value.width for value in values])
        back = max((value.back for value in values), default=0) + int(settings.get("back", 0))
        if one_by_one:
            dtype += LIST
        elif dtype.endswith(LIST):
            table = f"{table} where {values[-1].node} holds"
        return self._write(operation, tuple(v.node for v in values), settings, dtype, abs_max, width, back, table)

    def arithmetic(self, operation: str, left: Value, right: Value) -> Value:
        """An operation on two numbers as NumPy types it: int64 with int64 stays int64, else float64."""
        compares = operation in ("less", "less_equal", "equal")
        whole = {"int64", "bool"}
        if {left.kind, right.kind} <= whole and operation != "divide":
            return self.apply(f"{operation}_int", self.integer(left), self.integer(right))
        if left.kind == right.kind == "datetime" and compares:
            return self.apply(f"{operation}_int", left, right)
        return self.apply(operation, self.number(left), self.number(right))

    def number(self, value: Value | Scalar) -> Value:
        """The value as float64; text, dates and vectors are refused."""
        value = self.value(value)
        return value if value.kind == "float64" else self.apply("to_float", value)

    def integer(self, value: Value | Scalar) -> Value:
        """A bool or int64 value as int64."""
        value = self.value(value)
        return value if value.kind == "int64" else self.apply("to_int", value)

    def where(self, condition: Value, then: Value | Scalar, other: Value | Scalar) -> Value:
        """`then` where the condition holds, else `other`; numbers of unlike dtypes become float64."""
        then, other = self.value(then), self.value(other)
        known = self.nodes[condition.node]
        if then.kind != other.kind:
            then, other = self.number(then), self.number(other)
        if known.operation == "constant":
            return then if known.settings["value"] else other
        return self.apply("where", condition, then, other)

    def clip(self, value: Value, low: Value | float, high: Value | float) -> Value:
        """The number within bounds; missing stays missing."""
        return self.apply("smaller", self.apply("larger", value, low), high)

    def fill(self, value: Value, filler: Value | Scalar) -> Value:
        """The value, and `filler` where it is missing."""
        if value.kind == "str" and isinstance(filler, str):
            return self.lookup(value, {}, "str", missing=filler, mode="keep")
        return self.where(value.missing(), filler, value)

    def lookup(
        self,
        value: Value,
        table: Mapping[Any, Any],
        gives: str,
        *,
        missing: Scalar | None = None,
        unseen: Scalar | None = None,
        mode: str = "default",
        name: str = "",
        where: str = "",
    ) -> Value:
        """Each word's (number's) value in `table`, as dtype `gives`: None is missing.

        `missing` is what missing gives, `unseen` what any other word gives; with mode `keep` it stays as it is,
        with `refuse` it is refused at predict, and so is missing where `missing` is None; `name` of the column
        and `where` then say whose it is.
        """
        operation = "lookup" if value.kind == "str" else "lookup_number"
        if value.kind == "bool":
            value, table = self.integer(value), {int(key): found for key, found in table.items()}
        plain = {_plain(key): _plain(found) for key, found in table.items()}
        return self.apply(
            operation,
            value,
            keys=list(plain),
            values=list(plain.values()),
            gives=gives,
            missing=_plain(missing),
            unseen=_plain(unseen),
            mode=mode,
            name=name,
            where=where,
        )

    def choose(self, place: Value, values: Sequence[Any], gives: str) -> Value:
        """The value at an int64 place of a list, such as a class by its number."""
        return self.apply("choose", place, values=[_plain(value) for value in values], gives=gives)

    def dot(self, values: Sequence[Value], weights: Sequence[float], start: float | None = None) -> Value:
        """Sum of values times weights, left to right, then `start`; terms of weight 0 are left out."""
        pairs = [(v, float(w)) for v, w in zip(values, weights, strict=True) if w != 0]
        if not pairs:
            return self.value(0.0) if start is None else self.value(float(start))
        total = self.apply("dot", *(self.number(v) for v, _ in pairs), weights=[w for _, w in pairs])
        return total if start is None else total + float(start)

    def sum(self, values: Sequence[Value]) -> Value:
        """Sum of values, left to right."""
        return self.apply("dot", *(self.number(value) for value in values), weights=[1.0] * len(values))

    def finite(self, value: Value | Scalar, name: str, where: str) -> Value:
        """The value as float64, refused at predict where it is NaN or infinite; `name` and `where` say whose."""
        value = self.number(value)
        return value if math.isfinite(value.abs_max) else self.apply("finite", value, name=name, where=where)

    def stack(self, values: Sequence[Value]) -> Value:
        """Numbers as one vector."""
        return self.apply("stack", *(self.number(value) for value in values))

    def items(self, vector: Value) -> list[Value]:
        """The numbers of a vector, each as a column."""
        return [self.apply("item", vector, place=place) for place in range(vector.width)]

    def earlier(self, value: Value, rows: int, where: str) -> Value:
        """The value (float64) of the row that stands `rows` rows before; refused beyond the declared context."""
        value = self.number(value)
        if value.back + rows > self.context:
            raise InputError(
                f"{where}: found a value that rests upon {value.back + rows} earlier rows, expected at most the "
                f"declared context of {self.context}; in production a row comes alone: compile with "
                f"context={value.back + rows}, or make such columns in `load`"
            )
        return self.apply("earlier", value, back=rows)

    def keep(self, value: Value, where: Value) -> Value:
        """The child rows for which a condition holds; they go with others that were kept by the same one."""
        return self.apply("list_keep", value, where)

    def count(self, value: Value) -> Value:
        """How many child rows each main row has (int64); of truths, how many hold."""
        return self.total(value) if value.kind == "bool" else self.apply("list_count", value)

    def total(self, value: Value) -> Value:
        """The sum over each main row's child rows: int64 of integers, else float64 rounded once."""
        return self.apply("list_sum" if value.kind == "float64" else "list_sum_int", value)

    def extreme(self, value: Value, which: str) -> Value:
        """The `min` or `max` over each main row's child rows, missing ones aside: datetime of dates, else float64."""
        value = value if value.kind == "datetime" else self.number(value)
        return self.apply(f"list_{which}", value, dates=value.kind == "datetime")

    def allow_ulps(self, value: Value, ulps: float, scale: Value | None = None) -> Value:
        """The same value, which a reference computes another way: within `ulps` of `scale` (of itself if None)."""
        if not self.checking:
            return value
        return self.apply("allow_ulps", value, value if scale is None else scale, ulps=float(ulps))

    def _write(
        self,
        operation: str,
        inputs: tuple[int, ...],
        settings: dict[str, Any],
        dtype: str,
        abs_max: float,
        width: int = 1,
        back: int = 0,
        table: str = "",
    ) -> Value:
        key = (operation, inputs, dtype, _key(settings))
        known = self._known.get(key)
        if known is None:
            table = table if dtype.endswith(LIST) else ""
            known = Value(self, len(self.nodes), dtype, abs_max, width, back, table)
            self.nodes.append(Node(operation, inputs, settings, dtype))
            self._known[key] = known
        return known


def _child_table(operation: str, values: Sequence[Value]) -> str:
    """The child table whose rows go into an operation; none where only main rows do."""
    tables = sorted({value.table for value in values if value.table})
    if len(tables) > 1:
        raise InputError(
            f"{operation}: found values of the tables {', '.join(tables)}, expected those of one; bring each to the "
            "main rows first, with build.count, build.total or build.extreme"
        )
    return tables[0] if tables else ""


def _match(takes: tuple[str, ...], dtypes: list[str]) -> bool:
    if takes[-1:] == ("...",):
        takes = takes[:-2] + (takes[-2],) * (len(dtypes) - len(takes) + 2)
    return len(takes) == len(dtypes) and all(
        dtype in take.split("|") for take, dtype in zip(takes, dtypes, strict=True)
    )


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _key(setting: Any) -> Any:
    """What tells two settings apart: by bits, so that 0.0 is not -0.0 and 1 is not 1.0 or True."""
    if isinstance(setting, dict):
        return tuple((_key(name), _key(value)) for name, value in setting.items())
    if isinstance(setting, list | tuple):
        return tuple(map(_key, setting))
    if isinstance(setting, np.ndarray):
        return (setting.dtype.str, setting.shape, setting.tobytes())
    return (type(setting).__name__, setting.hex() if isinstance(setting, float) else setting)
