"""Branches on whether any row of the batch meets a condition: what both ways must have in common.

    if (X["a"] < 0).any():                      if X["b"].isna().any():
        raise ValueError("negative")                X["b"] = X["b"].fillna(0)

Left: an error; the rows that meet the condition are refused, alone as in a batch. Right: both ways give a row that does
not meet the condition the same, so the way in which some row meets it holds for every row. All else depends on the
batch, and is refused.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pipeline_lib.compiled.plan import Node
from pipeline_lib.compiler.builder import Value
from pipeline_lib.compiler.tracing.recording import Recording, RowCheck, UnrecordedTextError
from pipeline_lib.compiler.tracing.refusals import ONE_ROW, TraceRefusedError
from pipeline_lib.compiler.tracing.repeat import plain

_MOST = 64
"""Branches of one step: own code is recorded once for each."""


@dataclass(frozen=True)
class Ways:
    """How one recording decides: its branches by number, and how many values a loop over `unique` sees.

    A trial only looks whether own code raises an error: it has one shadow and compares nothing.
    """

    decided: Mapping[int, bool] = field(default_factory=dict)
    values: int = 1
    is_trial: bool = False


@dataclass(frozen=True)
class RecordedWay:
    """One recording and the columns that own code returned."""

    recording: Recording
    outputs: Mapping[str, Value]

    def same_as(self, other: "RecordedWay", mine: Sequence[int] = (), theirs: Sequence[int] = ()) -> bool:
        """Whether two recordings give the same, in rows that meet none of some branches' conditions, by number."""
        return list(self.outputs) == list(other.outputs) and self._signature(mine) == other._signature(theirs)

    def _signature(self, false: Sequence[int]) -> list[int]:
        recording = self.recording
        conditions = [recording.batch.taken[number].node for number in false]
        signatures = node_signatures(recording.build.nodes, conditions)
        checks = [check.condition for check in recording.checks]
        return [signatures[value.node] for value in [*self.outputs.values(), *checks]]

    def decided(self, way: bool) -> list[int]:
        """The numbers of the branches that were decided in one way."""
        return [number for number, each in enumerate(self.recording.batch.decided) if each is way]


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
    """Record own code for each way that it may take; `run(ways, data)` is one recording.

    First each branch is taken in which own code raises no error; then it is left, and the others are not: that must
    make no difference to rows that do not meet its condition, and neither must all of them together.
    """
    made, number = run(Ways(), data), 0
    errors: dict[int, str] = {}
    while number < len(made.recording.batch.taken):
        decided = made.recording.batch.decided
        if number == _MOST:
            raise _refused(where, made, number, f"more than {_MOST} branches on all rows")
        if not decided[number]:
            ways = {**dict(enumerate(decided[:number])), number: True}
            other, message = _taken(run, ways, data)
            if other is None:
                errors[number] = message
            else:
                made = other
        number += 1
    taken = made.decided(True)
    for left in [*([each] for each in taken), *([taken] if len(taken) > 1 else [])]:
        _check_left(run, made, left, data, where)
    batch = made.recording.batch
    if batch.values_seen:
        _check_values(run, made, data, where)
    made.recording.checks.extend(RowCheck(batch.taken[each], message) for each, message in errors.items())
    return made


def _taken(run: Run, ways: Mapping[int, bool], data: Any) -> tuple[RecordedWay | None, str]:
    """The recording of a way, or None and the error that own code raises on it: most raise one, a trial sees it."""
    try:
        with suppress(TraceRefusedError):
            run(Ways(ways, is_trial=True), data)
        return run(Ways(ways), data), ""
    except TraceRefusedError:
        raise
    except UnrecordedTextError as error:
        return None, str(error)
    except Exception as error:
        return None, f"{type(error).__name__}: {error}"


def _check_left(run: Run, made: RecordedWay, left: Sequence[int], data: Any, where: str) -> None:
    """Refuse branches that make a difference to rows which do not meet their conditions."""
    batch, recording = made.recording.batch, made.recording
    met = np.zeros(recording.shadows[0].shape[0], dtype=bool)
    for number in left:
        met |= recording.evaluated(batch.taken[number], 0)
    rows = recording.shadows[0].iloc[~met] if hasattr(data, "iloc") else recording.shadows[0][~met]
    try:
        other = run(Ways({**dict(enumerate(batch.decided)), **dict.fromkeys(left, False)}), rows if len(rows) else data)
        same = made.same_as(other, [*left, *made.decided(False)], other.decided(False))
    except TraceRefusedError:
        raise
    except Exception:  # own code refuses batches in which no row meets the condition
        same = False
    if not same:
        raise _refused(where, made, left[0])


def _check_values(run: Run, made: RecordedWay, data: Any, where: str) -> None:
    """Refuse a loop over a column's different values in which their number decides."""
    batch = made.recording.batch
    if not any(_same_with_two(run, made, data, is_trial=is_trial) for is_trial in (True, False)):
        raise TraceRefusedError(
            f"{where}: {batch.values_seen[0]}: found a result that depends on how many different values a column has: "
            f"{ONE_ROW}; loop over values that `fit` kept: for word in self.words_"
        )


def _same_with_two(run: Run, made: RecordedWay, data: Any, *, is_trial: bool) -> bool:
    """Whether loops over a column's different values give the same with two of them; a trial is quick to say so."""
    try:
        ways = Ways(dict(enumerate(made.recording.batch.decided)), values=2, is_trial=is_trial)
        return made.same_as(run(ways, data))
    except TraceRefusedError:
        if not is_trial:
            raise
    except Exception:
        return False
    return False


def _refused(where: str, made: RecordedWay, number: int, found: str = "") -> TraceRefusedError:
    found = found or "a branch on whether any row of the batch meets a condition"
    return TraceRefusedError(
        f"{where}: {made.recording.batch.lines[number]}: found {found}, expected one that raises an error, or that "
        f"changes the rows that meet it alone: {ONE_ROW}; write np.where(condition, then, other)"
    )
