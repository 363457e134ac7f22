"""Branches on whether any row of the batch meets a condition: what both ways must have in common.

    if (X["a"] < 0).any():                      if X["b"].isna().any():
        raise ValueError("negative")                X["b"] = X["b"].fillna(0)

Left: an error; the rows that meet the condition are refused, alone as in a batch. Right: both ways give a row that does
not meet the condition the same, so the way in which some row meets it holds for every row. All else depends on the
batch, and is refused.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline_lib.compiled.plan import Node
from pipeline_lib.compiler.builder import Value
from pipeline_lib.compiler.tracing.recording import Recording, RowCheck, UnrecordedTextError
from pipeline_lib.compiler.tracing.refusals import ONE_ROW, TraceRefusedError
from pipeline_lib.compiler.tracing.repeat import plain

_MOST = 64
"""Branches of one step: own code is recorded once for each."""


@dataclass(frozen=True)
class Ways:
    """How one recording decides: its branches by number, and how many values a loop over `unique` sees."""

    decided: Mapping[int, bool] = field(default_factory=dict)
    values: int = 1


@dataclass(frozen=True)
class RecordedWay:
    """One recording and the columns that own code returned."""

    recording: Recording
    outputs: Mapping[str, Value]

    def same_as(self, other: "RecordedWay", number: int | None = None) -> bool:
        """Whether two recordings give the same; with `number` in rows that do not meet the condition of that branch."""
        if list(self.outputs) != list(other.outputs):
            return False
        return self._signature(number) == other._signature(number)

    def _signature(self, number: int | None) -> list[int]:
        recording = self.recording
        false = [] if number is None else [recording.batch.taken[number].node]
        signatures = node_signatures(recording.build.nodes, false)
        checks = [check.condition for check in recording.checks]
        return [signatures[value.node] for value in [*self.outputs.values(), *checks]]


def node_signatures(nodes: Sequence[Node], false: list[int]) -> list[int]:
    """A number for each node, the same for nodes that compute the same in rows where the nodes `false` are false."""
    falses, found = _implied(nodes, false), list[int]()
    for number, node in enumerate(nodes):
        inputs = node.inputs
        if number in falses:
            signature: Any = ("false",)
        elif node.operation == "where" and inputs[0] in falses:
            signature = found[inputs[2]]
        elif node.operation == "where" and nodes[inputs[0]].operation == "not" and nodes[inputs[0]].inputs[0] in falses:
            signature = found[inputs[1]]
        elif _fills(nodes, node, falses):
            signature = found[inputs[0]]
        else:
            settings = json.dumps([[key, node.settings[key]] for key in sorted(node.settings)], default=plain)
            signature = (node.operation, settings, node.dtype, *(found[each] for each in inputs))
        found.append(signature if isinstance(signature, int) else hash(signature))
    return found


def _implied(nodes: Sequence[Node], false: list[int]) -> set[int]:
    """Nodes that are false where some are: with `a or b` both."""
    falses: set[int] = set()
    while false:
        number, *false = false
        falses.add(number)
        if nodes[number].operation == "or":
            false = [*false, *nodes[number].inputs]
    return falses


def _fills(nodes: Sequence[Node], node: Node, falses: set[int]) -> bool:
    """Whether a node only replaces what is missing, where nothing is."""
    missing = [nodes[each].inputs for each in falses if nodes[each].operation == "is_missing"]
    settings = node.settings
    keeps = node.operation == "lookup" and settings.get("mode") == "keep" and not len(settings.get("keys", ()))
    return keeps and node.inputs in missing


Run = Callable[[Ways, Any], RecordedWay]


def record_all_ways(run: Run, data: Any, where: str) -> RecordedWay:
    """Record own code for each way that it may take; `run(ways, data)` is one recording."""
    made, number = run(Ways(), data), 0
    errors: dict[int, str] = {}
    while number < len(made.recording.batch.taken):
        if number == _MOST:
            raise _refused(where, made, number, f"more than {_MOST} branches on all rows")
        batch = made.recording.batch
        before = {each: batch.decided[each] for each in range(number)}
        try:
            other = run(Ways({**before, number: not batch.decided[number]}), _rows(made, number, data))
        except TraceRefusedError:
            raise
        except Exception as error:
            if batch.decided[number]:
                raise _refused(
                    where, made, number, f"a branch that raises {type(error).__name__} in some batches"
                ) from None
            unrecorded = isinstance(error, UnrecordedTextError)
            errors[number] = str(error) if unrecorded else f"{type(error).__name__}: {error}"
        else:
            if not made.same_as(other, number):
                raise _refused(where, made, number)
            made = made if batch.decided[number] else other
        number += 1
    if made.recording.batch.values_seen:
        _check_values(run, made, data, where)
    taken = made.recording.batch.taken
    made.recording.checks.extend(RowCheck(taken[each], message) for each, message in errors.items())
    return made


def _rows(made: RecordedWay, number: int, data: Any) -> Any:
    """The rows for the other way of a branch: those that do not meet the condition, if some do."""
    recording = made.recording
    if not recording.batch.decided[number]:
        return data
    met = recording.evaluated(recording.batch.taken[number], 0)
    rows = recording.shadows[0]
    rest = rows.iloc[~met] if hasattr(rows, "iloc") else rows[~met]
    return rest if rest.shape[0] else data


def _check_values(run: Run, made: RecordedWay, data: Any, where: str) -> None:
    """Refuse a loop over a column's different values in which their number decides."""
    batch = made.recording.batch
    try:
        twice = run(Ways(dict(enumerate(batch.decided)), values=2), data)
        same = made.same_as(twice)
    except TraceRefusedError:
        raise
    except Exception:
        same = False
    if not same:
        raise TraceRefusedError(
            f"{where}: {batch.values_seen[0]}: found a result that depends on how many different values a column has: "
            f"{ONE_ROW}; loop over values that `fit` kept: for word in self.words_"
        )


def _refused(where: str, made: RecordedWay, number: int, found: str = "") -> TraceRefusedError:
    found = found or "a branch on whether any row of the batch meets a condition"
    return TraceRefusedError(
        f"{where}: {made.recording.batch.lines[number]}: found {found}, expected one that raises an error, or that "
        f"changes the rows that meet it alone: {ONE_ROW}; write np.where(condition, then, other)"
    )
