"""The raw columns of a plan: what enters the first step, and that no output depends on a placeholder."""

import math
from dataclasses import dataclass, replace

from pipeline_lib.compiled.operations.list_columns import LIST
from pipeline_lib.compiled.plan import Plan
from pipeline_lib.compiler.adapters.registry import Columns
from pipeline_lib.compiler.builder import Builder, Value
from pipeline_lib.compiler.raw_input import RawInput
from pipeline_lib.errors import InputError
from pipeline_lib.rows.column import Column
from pipeline_lib.rows.schema import RowSchema

_DTYPES = {"integer": "int64", "number": "float64", "string": "str", "boolean": "bool", "datetime": "datetime"}
_LARGEST = 1.7976931348623157e308  # the largest double


def input_columns(raw: RawInput, build: Builder) -> Columns:
    """The input of a pipeline's first step: raw columns in its order, rounded where it has float32; placeholders."""
    columns = raw_columns(raw.row, build)
    if raw.columns is None:
        return columns
    chosen: Columns = {}
    for column in raw.columns:
        value = build.input(column.name, "str") if column.is_placeholder else columns[column.name]
        chosen[column.name] = build.round32(value) if column.is_single else value
    return chosen


def raw_columns(row: RowSchema, build: Builder) -> Columns:
    """Every raw column of a schema, also of child tables."""
    main = {column.name for column in row.columns}
    tables = dict.fromkeys(row.names, row.name) | {
        f"{child.name}.{column.name}": child.name for child in row.children for column in child.own
    }
    return {name: _input(name, column, tables[name], build, main=name in main) for name, column in row.by_name.items()}


def _input(name: str, column: Column, table: str, build: Builder, *, main: bool) -> Value:
    dtype, abs_max = _DTYPES.get(column.kind, "datetime"), math.inf
    if column.nullable and dtype in ("int64", "bool"):
        dtype = "float64"  # as in pandas: NaN is missing
    elif dtype == "float64":
        abs_max = _LARGEST if column.finite and not column.nullable else math.inf
    elif not column.nullable:
        abs_max = {"bool": 1.0, "str": 0.0}.get(dtype, 2.0**63)
    return build.input(name, dtype if main else f"{dtype}{LIST}", abs_max, table=table)


@dataclass(frozen=True)
class RawColumnReads:
    """Which placeholders among the raw columns a plan reads."""

    raw: RawInput

    def without_placeholders(self, plan: Plan) -> Plan:
        """The plan without columns of steps that are, or depend on, a placeholder.

        Raises InputError where an output depends on one.
        """
        names = {column.name for column in self.raw.placeholders}
        if not names:
            return plan
        read = names.intersection(plan.columns_read(plan.outputs.values()))
        if read:
            raise InputError("\n".join(str(each) for each in self.raw.placeholders if each.name in read))
        steps = {
            step: {column: node for column, node in columns.items() if names.isdisjoint(plan.columns_read([node]))}
            for step, columns in plan.steps.items()
        }
        return _needed_nodes(replace(plan, steps=steps))


def _needed_nodes(plan: Plan) -> Plan:
    """The plan with only the nodes that outputs and steps need, renumbered in the same order."""
    roots = [*plan.outputs.values(), *(node for columns in plan.steps.values() for node in columns.values())]
    kept = plan.needed(roots)
    numbers = {old: new for new, old in enumerate(kept)}
    nodes = [replace(plan.nodes[old], inputs=tuple(numbers[taken] for taken in plan.nodes[old].inputs)) for old in kept]
    outputs = {name: numbers[node] for name, node in plan.outputs.items()}
    steps = {step: {column: numbers[node] for column, node in columns.items()} for step, columns in plan.steps.items()}
    return replace(plan, nodes=nodes, outputs=outputs, steps=steps)
