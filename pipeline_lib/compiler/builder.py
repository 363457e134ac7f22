"""Builder and Value: they write a plan, with Python's operators for arithmetic.

    >>> build = Builder()
    >>> income = build.input("income", "float64")
    >>> ratio = build.log1p(income) / 2.0
    >>> [node.operation for node in build.nodes]
    ['input', 'log1p', 'constant', 'divide']

A `Value` stands for a column; `Builder` appends a node for each operation. The operations are listed in
docs/operations.md.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline_lib.compiled.operations.catalog import OPERATIONS
from pipeline_lib.compiled.operations.list_columns import LIST
from pipeline_lib.compiled.plan import Node, Scalar
from pipeline_lib.compiler.generated_methods import OperationMethods
from pipeline_lib.compiler.lookback import Lookback
from pipeline_lib.compiler.lookup_tables import python_scalar, table_settings
from pipeline_lib.compiler.operation_checks import check_dtypes, check_settings, child_table
from pipeline_lib.compiler.operators import Operators
from pipeline_lib.compiler.plan_constants import abs_max_of, constant, missing_constant
from pipeline_lib.compiler.setting_keys import setting_key
from pipeline_lib.compiler.times import TIMES, microseconds, operation_of


@dataclass(frozen=True, eq=False)
class Value(Operators):
    """One column of a plan that is being written.

    `node` is its number in the plan. `dtype` is one of `plan.DTYPES`: datetime is int64 microseconds since 1970,
    duration int64 microseconds, vector several float64 numbers a row, bag a sparse vector; `width` is how many numbers
    these hold. A finite `abs_max` says that every value is present, finite and at most so large in magnitude (of text:
    present); inf says nothing. `lookback` is how many earlier rows the value depends on. A dtype that ends in `[]` is a
    column of the child table `table`.
    """

    build: "Builder" = field(repr=False)
    node: int
    dtype: str
    abs_max: float = math.inf
    width: int = 1
    lookback: int = 0
    table: str = ""

    @property
    def kind(self) -> str:
        """The dtype of each value; for a column of child rows, that of one child row."""
        return self.dtype.removesuffix(LIST)

    def missing(self) -> "Value":
        """Whether the value is missing (bool): NaN, missing text, a missing date or duration."""
        if math.isfinite(self.abs_max) or self.kind in ("int64", "bool"):
            return self.build.value(False)
        return self.build.is_missing(self)


class Builder(OperationMethods[Value]):
    """Writes a plan. Equal operations on equal values are written once.

    Each operation of docs/operations.md is a method; those that need more than their inputs and settings are defined
    here. With `checking`, `allow_ulps` is written, so that the plan can bound its distance from a reference. `context`
    is how many earlier rows production will have for each row; with `collects_lookback` a longer reach is refused by
    `lookback.check`, once all steps are known.
    """

    def __init__(self, *, checking: bool = False, context: int = 0, collects_lookback: bool = False) -> None:
        self.nodes: list[Node] = []
        self.checking = checking
        self.lookback = Lookback(context, collects=collects_lookback)
        self.traces: Any = None  # recorded own code, by step: `tracing.traces`
        self.opaque: Any = None  # steps that run through their libraries, where that is allowed: `opaque_parts`
        self.known_words: dict[int, tuple[Any, ...]] = {}  # of input columns: `known_words`
        self.float32_nodes: set[int] = set()  # that the library holds in float32: `float32_values`
        self.sparse_input = False  # whether the library's input to the step is a sparse matrix
        self._known: dict[tuple[Any, ...], Value] = {}
        self._values: list[Value] = []  # by node

    def input(
        self, column: str, dtype: str, abs_max: float = math.inf, *, width: int = 1, table: str = "rows"
    ) -> Value:
        """A raw column; `width` is how many numbers a row of a vector or sparse vector holds."""
        return self._write("input", (), {"table": table, "column": column}, dtype, abs_max, width, table=table)

    def value(self, value: Value | Scalar) -> Value:
        """A value unchanged; a Python or NumPy scalar, a datetime or timedelta as a constant."""
        if isinstance(value, Value):
            return value
        return self._constant(*constant(value))

    def date(self, value: Any) -> Value:
        """A date as a constant: ISO text, a datetime, a NumPy datetime64, microseconds since 1970, None for missing."""
        return self._constant(microseconds(value, "datetime"), "datetime")

    def duration(self, value: Any) -> Value:
        """A duration as a constant: a timedelta, a NumPy timedelta64, microseconds, None for missing."""
        return self._constant(microseconds(value, "duration"), "duration")

    def missing(self, dtype: str) -> Value:
        """A missing value as a constant: of float64, str, datetime or duration."""
        return self._constant(missing_constant(dtype), dtype)

    def _constant(self, value: Any, dtype: str) -> Value:
        return self._write("constant", (), {"value": value}, dtype, abs_max_of(value, dtype))

    def apply(self, operation: str, *inputs: Value | Scalar, **settings: Any) -> Value:
        """The result of an operation, by its name on disk. Raises InputError for wrong inputs or settings."""
        entry = OPERATIONS.get(operation)
        if entry is None:
            raise TypeError(f"found operation {operation!r}, expected one of {', '.join(sorted(OPERATIONS))}")
        values = [self.value(value) for value in inputs]
        table = child_table(operation, [value.table for value in values])
        one_by_one = bool(table) and not entry.of_lists
        dtypes = [value.kind if one_by_one else value.dtype for value in values]
        check_dtypes(entry, dtypes)
        check_settings(entry, settings)
        if entry.check is not None:
            entry.check(settings)
        dtype = entry.gives if isinstance(entry.gives, str) else entry.gives(settings, dtypes)
        abs_max = entry.abs_max(settings, [value.abs_max for value in values])
        width = entry.width(settings, [value.width for value in values])
        lookback = max((value.lookback for value in values), default=0) + int(settings.get("back", 0))
        if one_by_one:
            dtype += LIST
        elif dtype.endswith(LIST):
            table = f"{table} where {values[-1].node} holds"
        return self._write(operation, tuple(v.node for v in values), settings, dtype, abs_max, width, lookback, table)

    def copy(self, node: Node, inputs: Sequence[Value]) -> Value:
        """A node of another builder, written with this one on its own values."""
        if node.operation != "constant":
            return self.apply(node.operation, *inputs, **node.settings)
        return self._constant(node.settings["value"], node.dtype)

    def arithmetic(self, operation: str, left: Value, right: Value) -> Value:
        """An operation on two numbers, dates or durations.

        The result type is NumPy's: int64 with int64 stays int64, else float64.
        """
        if left.kind in TIMES or right.kind in TIMES:
            name, swapped = operation_of(operation, left.kind, right.kind)
            return self.apply(name, right, left) if swapped else self.apply(name, left, right)
        if {left.kind, right.kind} <= {"int64", "bool"} and operation != "divide":
            return self.apply(f"{operation}_int", self.integer(left), self.integer(right))
        return self.apply(operation, self.number(left), self.number(right))

    def number(self, value: Value | Scalar) -> Value:
        """The value as float64; text, dates and vectors are refused."""
        value = self.value(value)
        return value if value.kind == "float64" else self.to_float(value)

    def integer(self, value: Value | Scalar) -> Value:
        """A bool or int64 value as int64."""
        value = self.value(value)
        return value if value.kind == "int64" else self.to_int(value)

    def where(self, condition: Value, then: Value | Scalar, other: Value | Scalar) -> Value:
        """`then` where the condition holds, else `other`; numbers of different dtypes become float64."""
        then, other = self.value(then), self.value(other)
        known = self.nodes[condition.node]
        if then.kind != other.kind:
            then, other = self.number(then), self.number(other)
        if known.operation == "constant":
            return then if known.settings["value"] else other
        return self.apply("where", condition, then, other)

    def clip(self, value: Value, low: Value | float, high: Value | float) -> Value:
        """The number, at least `low` and at most `high`; missing stays missing."""
        return self.smaller(self.larger(value, low), high)

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
        """The value of each word (number) in `table`, as dtype `gives`; a value of None is missing.

        `missing` is the result for a missing word, `unseen` for a word that is not in the table. With mode `keep` such
        a word stays as it is. With mode `refuse` predicting raises InputError for it, and for a missing word where
        `missing` is None; the message names the column `name` and the step `where`.
        """
        settings = table_settings(table, value.kind, gives, missing, unseen, mode)
        if value.kind == "bool":
            value = self.integer(value)
        operation = "lookup" if value.kind == "str" else "lookup_number"
        return self.apply(operation, value, **settings, mode=mode, name=name, where=where)

    def choose(self, index: Value, values: Sequence[Any], gives: str) -> Value:
        """The value at an int64 index of a list, such as a class by its number, as dtype `gives`."""
        return self.apply("choose", index, values=[python_scalar(value) for value in values], gives=gives)

    def dot(self, values: Sequence[Value], weights: Sequence[float], start: float | None = None) -> Value:
        """The sum of values times weights, from left to right, plus `start`; terms of weight 0 are left out."""
        pairs = [(v, float(w)) for v, w in zip(values, weights, strict=True) if w != 0]
        if not pairs:
            return self.value(0.0) if start is None else self.value(float(start))
        total = self.apply("dot", *(self.number(v) for v, _ in pairs), weights=[w for _, w in pairs])
        return total if start is None else total + float(start)

    def sum(self, values: Sequence[Value]) -> Value:
        """The sum of values, from left to right."""
        return self.apply("dot", *(self.number(value) for value in values), weights=[1.0] * len(values))

    def finite(self, value: Value | Scalar, name: str, where: str) -> Value:
        """The value as float64; predicting raises InputError where it is NaN or infinite.

        The message names the column `name` and the step `where`.
        """
        value = self.number(value)
        return value if math.isfinite(value.abs_max) else self.apply("finite", value, name=name, where=where)

    def stack(self, values: Sequence[Value]) -> Value:
        """Numbers as one vector: that which they are the items of, if they are all of them in order."""
        numbers = [self.number(value) for value in values]
        vector = self.vector_of(numbers)
        return self.apply("stack", *numbers) if vector is None else vector

    def vector_of(self, values: Sequence[Value]) -> Value | None:
        """The vector whose items some values are, all of them in order; None for other values."""
        nodes = [self.nodes[value.node] for value in values]
        if not nodes or any(node.operation != "item" for node in nodes):
            return None
        vector = self._values[nodes[0].inputs[0]]
        places = [(node.inputs[0], node.settings["place"]) for node in nodes]
        return vector if places == [(vector.node, place) for place in range(vector.width)] else None

    def items(self, vector: Value) -> list[Value]:
        """The numbers of a vector, each as a column."""
        return [self.item(vector, index=index) for index in range(vector.width)]

    def earlier(self, value: Value, rows: int, where: str) -> Value:
        """The value (float64) of the row `rows` rows before. Raises InputError beyond the declared context."""
        value = self.number(value)
        self.lookback.note(value.lookback + rows, where)
        return self.apply("earlier", value, back=rows)

    def keep(self, value: Value, where: Value) -> Value:
        """The child rows for which a condition holds; operations combine them only with rows of the same condition."""
        return self.list_keep(value, where)

    def count(self, value: Value) -> Value:
        """How many child rows each main row has (int64); of bools, how many hold."""
        return self.total(value) if value.kind == "bool" else self.list_count(value)

    def total(self, value: Value) -> Value:
        """The sum over each main row's child rows: int64 of integers, else float64 rounded once."""
        return self.apply("list_sum" if value.kind == "float64" else "list_sum_int", value)

    def extreme(self, value: Value, which: str) -> Value:
        """The `min` or `max` over each main row's child rows without missing ones: datetime of dates, else float64."""
        value = value if value.kind == "datetime" else self.number(value)
        return self.apply(f"list_{which}", value, dates=value.kind == "datetime")

    def allow_ulps(self, value: Value, ulps: float, scale: Value | None = None) -> Value:
        """The same value; a reference may differ by `ulps` ULPs of `scale` (None: of the value itself)."""
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
        lookback: int = 0,
        table: str = "",
    ) -> Value:
        key = (operation, inputs, dtype, setting_key(settings))
        known = self._known.get(key)
        if known is None:
            table = table if dtype.endswith(LIST) else ""
            known = Value(self, len(self.nodes), dtype, abs_max, width, lookback, table)
            self.nodes.append(Node(operation, inputs, settings, dtype))
            self._known[key] = known
            self._values.append(known)
        return known
