"""Traces: own code recorded once, and written into each plan.

    record(where, run, data, columns)    records own code on what it receives
    Trace.write(columns, build)          writes the recorded operations with another builder

A recording is kept as nodes, so that it can be compared, shown and written again.
"""

import copy
import gc
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

import pipeline_lib.compiler.tracing.rules  # noqa: F401  registers the rules
from pipeline_lib.compiled.plan import Node, Plan
from pipeline_lib.compiler.builder import Builder, Value
from pipeline_lib.compiler.tracing.branches import RecordedWay, Ways, record_all_ways
from pipeline_lib.compiler.tracing.fitted import call_fitted
from pipeline_lib.compiler.tracing.own_code.builtin_calls import builtin_stand_ins
from pipeline_lib.compiler.tracing.own_code.functions import Substitution
from pipeline_lib.compiler.tracing.own_code.guards import changed_state, finding_change
from pipeline_lib.compiler.tracing.own_code.own_self import StandInSelf, stand_in_for_step
from pipeline_lib.compiler.tracing.recorded import Recorded
from pipeline_lib.compiler.tracing.recording import RecordedLine, Recording
from pipeline_lib.compiler.tracing.refusals import TraceRefusedError, line_of, refuse
from pipeline_lib.compiler.tracing.series.dtype_rules import refuse_zones
from pipeline_lib.errors import InputError

Run = Callable[[Substitution, Any], Any]


@dataclass(frozen=True)
class Trace:
    """Own code as nodes of a plan: `inputs` are the columns it received, `outputs` the nodes of those it returned."""

    nodes: Sequence[Node]
    inputs: Sequence[str]
    outputs: Mapping[str, int]
    lines: Sequence[RecordedLine]

    def write(self, columns: Mapping[str, Value], build: Builder) -> dict[str, Value]:
        """Write the operations with another builder, on its own columns; the columns that come out, by name."""
        received = dict(zip(self.inputs, columns.values(), strict=True))
        written: list[Value | None] = [None] * len(self.nodes)
        for number in Plan(list(self.nodes), {}).needed(self.outputs.values()):
            node = self.nodes[number]
            inputs = [each for each in (written[taken] for taken in node.inputs) if each is not None]
            if node.operation == "input":
                written[number] = received[node.settings["column"]]
            elif node.operation == "allow_ulps" and not build.checking:
                written[number] = inputs[0]
            else:
                written[number] = build.copy(node, inputs)
        return {name: _present(written[number]) for name, number in self.outputs.items()}


def _present(value: Value | None) -> Value:
    if value is None:
        raise TypeError("found an output before its node was written, expected it after")
    return value


def record(where: str, run: Run, data: Any, columns: Mapping[str, Value]) -> Trace:
    """Record own code: `run(substitution, X)` calls it on the recorded `X`; `data` is what the step receives.

    Raises TraceRefusedError, which names the line, for code that has no exact plan.
    """
    with ONE_AT_A_TIME, _without_collection():
        return _record(where, run, data, columns)


@contextmanager
def _without_collection() -> Iterator[None]:
    """Without Python's search for garbage, which would go through all that research has in memory."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


ONE_AT_A_TIME = threading.RLock()
"""Recordings of several threads wait for each other: Python's warning filters belong to all of them."""


def _record(where: str, run: Run, data: Any, columns: Mapping[str, Value]) -> Trace:
    def record_way(ways: Ways, rows: Any) -> RecordedWay:
        recording, result = _run(where, run, rows, columns, ways)
        return RecordedWay(recording, _outputs(where, recording, result))

    made = record_all_ways(record_way, data, where)
    recording = made.recording
    first = len(recording.build.nodes)
    outputs = _checked(recording, dict(made.outputs), where)
    if recording.checks:
        recording.lines.append(RecordedLine(None, "refused rows", first, len(recording.build.nodes)))
    nodes = {name: value.node for name, value in outputs.items()}
    return Trace(recording.build.nodes, list(recording.inputs), nodes, recording.lines)


def _run(
    where: str, run: Run, data: Any, columns: Mapping[str, Value], ways: Ways, *, watch: bool = False
) -> tuple[Recording, Any]:
    """One recording of own code, and what it returned; with `watch` a change of its state names its line."""
    recording = Recording(data, columns, is_trial=ways.is_trial)
    recording.batch.ways, recording.batch.values = ways.decided, ways.values
    substitution = Substitution(recording)
    substitution.builtins.update(builtin_stand_ins(substitution))
    substitution.call_fitted = call_fitted
    substitution.own_object = lambda thing: StandInSelf(substitution, thing)
    recording.codes.clear()
    try:
        received = recording.wrap(
            "the input",
            [each.copy(deep=False) if hasattr(each, "iloc") else copy.copy(each) for each in recording.shadows],
            recording.columns,
            recording.all_rows,
            trusted=recording.columns,
        )
        with finding_change(substitution.guards) if watch else nullcontext() as lines:
            result = run(substitution, received)
    except TraceRefusedError:
        raise _named(where, recording.refusal) from None
    except Exception as error:
        if recording.refusal is not None:
            raise _named(where, recording.refusal) from None
        if ways.decided:  # a branch that may raise
            raise
        raise _named(where, _from_own_code(recording, error)) from None
    if recording.refusal is not None:
        raise _named(where, recording.refusal)
    changed = substitution.guards.changed()
    if changed is not None and not watch:
        _run(where, run, data, columns, ways, watch=True)
    if changed is not None:
        raise _named(where, changed_state(changed, lines or []))
    return recording, result


def _named(where: str, refusal: TraceRefusedError | None) -> TraceRefusedError:
    return TraceRefusedError(f"{where}: {refusal}")


def _from_own_code(recording: Recording, error: Exception) -> TraceRefusedError:
    """The refusal of code that raises an error while it is recorded, with the last line of own code it came through."""
    traceback, line = error.__traceback__, None
    while traceback is not None:
        if traceback.tb_frame.f_code in recording.codes:
            line = line_of(traceback.tb_frame.f_code, traceback.tb_lineno)
        traceback = traceback.tb_next
    place = f"{line}: " if line else ""
    return TraceRefusedError(
        f"{place}found {type(error).__name__}: {str(error)[:300]} while the step was recorded on its training rows, "
        "expected columns; write the line another way, or give the step a `plan` method"
    )


def _outputs(where: str, recording: Recording, result: Any) -> dict[str, Value]:
    """The columns that own code returned, by name."""
    try:
        if isinstance(result, Recorded):
            refuse_zones(result)
        if not isinstance(result, Recorded) or result._kind not in ("frame", "series", "array"):
            if reason := getattr(type(result), "_no_value", None):
                refuse(*reason)
            found = "nothing" if result is None else type(result).__name__
            refuse(
                f"{found} returned", "columns computed from the row are expected", "return a DataFrame, Series or array"
            )
        if result._rows.condition is not None:
            refuse(
                "some of the rows returned",
                "production predicts each row that it gets",
                "drop rows before the pipeline, in `load` or `split`",
            )
    except InputError as error:
        last = next((each.line for each in reversed(recording.lines) if each.line), None)
        raise TraceRefusedError(f"{where}: {f'{last}: ' if last else ''}{error}") from None
    real = result._reals[0]
    if isinstance(real, pd.DataFrame):
        names = [str(name) for name in real.columns]
    else:
        count = np.shape(real)[1] if np.ndim(real) == 2 else 1
        names = [f"x{index}" for index in range(count)]
    if len(set(names)) < len(names):
        raise TraceRefusedError(f"{where}: found columns of the same name, expected different ones; rename them")
    return dict(zip(names, result._values, strict=True))


def _checked(recording: Recording, outputs: dict[str, Value], where: str) -> dict[str, Value]:
    """The outputs, refused for rows in which own code raises an error.

    A check is put on the outputs that depend on the columns of its condition, or on all of them.
    """
    plan = Plan(recording.build.nodes, {})
    for check in recording.checks:
        read = set(plan.columns_read([check.condition.node]))
        related = [name for name, value in outputs.items() if read & set(plan.columns_read([value.node]))]
        for name in related or list(outputs):
            value = outputs[name]
            checked = recording.build.check(
                value,
                ~check.condition,
                name="",
                where=where,
                expected=f"a row for which the step's code raises {check.message[:300]}, expected one that it accepts",
                advice=f"correct the row's {', '.join(sorted(read))}",
            )
            outputs = outputs | {name: checked}
    return outputs


def run_method(step: Any, name: str) -> Run:
    """A run of a method of a step: `transform`, `predict`."""
    return lambda substitution, X: getattr(stand_in_for_step(substitution, step), name)(X)
