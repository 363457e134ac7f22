"""One operation in the core against NumPy's executor, for columns of any dtype; both must refuse the same rows."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from core_bits import levels
from shadowed import same_bits

from pipeline_lib.compiled.column_executor import ColumnExecutor
from pipeline_lib.compiled.columns import slice_rows, take_rows
from pipeline_lib.compiled.native.core import built
from pipeline_lib.compiled.native.encoded import Encoded
from pipeline_lib.compiled.native.executor import core_executor
from pipeline_lib.compiled.native.plan_bytes import PlanWriter
from pipeline_lib.compiled.operations.catalog import OPERATIONS
from pipeline_lib.compiled.operations.refusals import RefusedRowError
from pipeline_lib.compiled.plan import Node, Plan

ROWS = (1, 2, 63, 65, 700)


def one_operation(
    name: str, dtypes: Sequence[str], settings: Mapping[str, Any], constants: Mapping[int, Any] | None = None
) -> Plan:
    """A plan of one operation of the columns c0, c1, …; `constants` by number of the input."""
    known = constants or {}
    nodes = [
        Node("constant", (), {"value": known[at]}, dtype)
        if at in known
        else Node("input", (), {"column": f"c{at}"}, dtype)
        for at, dtype in enumerate(dtypes)
    ]
    gives = OPERATIONS[name].gives
    result = gives if isinstance(gives, str) else gives(dict(settings), dtypes)
    nodes.append(Node(name, tuple(range(len(dtypes))), dict(settings), result))
    return Plan(nodes, {"y": len(dtypes)})


def differing(plan: Plan, columns: Sequence[Any]) -> list[str]:
    """Where a level of the core differs from NumPy's executor: in bits, or in whether a batch is refused.

    The first column is the longest; constants' columns are not used. Rows that NumPy refuses are tried with the rows
    before them, then left out.
    """
    root, inputs = len(plan.nodes) - 1, {f"c{at}": column for at, column in enumerate(columns)}
    reference, found = ColumnExecutor(plan, [root]), []
    for level in levels():
        core = core_executor(plan, [root], ColumnExecutor)
        assert core is not None, level
        assert core.alone, f"{level}: found a plan that NumPy evaluates"
        for rows in ROWS:
            own = {name: slice_rows(column, 0, rows) for name, column in inputs.items()}
            kept, refused = _without_refused(reference, own, rows)
            for at in refused[:5]:
                some = {name: slice_rows(column, 0, at + 1) for name, column in own.items()}
                if core.quick(some, at + 1) is not None:
                    found.append(f"{level}: found answers for row {at}, expected a refusal")
            some = {name: take_rows(column, kept) for name, column in own.items()}
            if not len(kept):
                continue
            result = core.quick(some, len(kept))
            if result is None:
                found.append(f"{level}: found a refusal of {len(kept)} rows, expected answers")
            elif not same_bits(result[0], reference.run(some, len(kept))[0], len(kept)):
                found.append(f"{level}: found other bits in {len(kept)} rows")
    return found


def _without_refused(executor: ColumnExecutor, columns: Mapping[str, Any], rows: int) -> tuple[Any, list[int]]:
    """The rows that an executor accepts, and those that it does not."""
    refused: list[int] = []
    kept = np.arange(rows)
    while len(kept):
        try:
            executor.run({name: take_rows(column, kept) for name, column in columns.items()}, len(kept))
        except RefusedRowError as error:
            refused.append(int(kept[error.row]))
            kept = np.delete(kept, error.row)
        else:
            break
    return kept, sorted(refused)


def wrong_settings(encoded: Encoded, kinds: str, widths: Sequence[int]) -> str:
    """What the core says of one operation with settings that an encoder did not make; "" where it takes them.

    `kinds` are those of the inputs and the output, as in `core_operation`; `widths` those of the same registers.
    """
    writer, (inputs, output) = PlanWriter(), kinds.split(":")
    taken = [writer.register(kind, width) for kind, width in zip(inputs, widths, strict=False)]
    writer.inputs = len(taken)
    writer.instruction(encoded, taken, writer.register(output, widths[-1]))
    module = built()
    assert module is not None
    try:
        module.Plan(writer.to_bytes([len(taken)]), 0)
    except ValueError as error:
        return str(error)
    return ""
