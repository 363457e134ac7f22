"""Edge rows beside the plan: what no training row holds, asked of the fitted step itself.

A plan that treats a rare value otherwise than `transform` passes the training rows when none of them has it. So each
step is asked once more, on real rows with one value replaced:

    raw rows, one value replaced --+
                                   v
    input of the step, one value replaced --> step.transform --> expected  ---+   within the plan's error bounds,
                                   |                                          |   row by row
                                   +--------> plan -------------> result   ---+
                                                       |
    the library's output of these rows, and rows of the next step's input  -->  the next step

Rows that the step or its plan refuses are counted, not compared: both may refuse by design. A step with own code is
refused where an answer differs, a library's step has such rows counted in the report.
"""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from pipeline_lib.compiled.columns import PlanColumn
from pipeline_lib.compiled.library_columns import pandas_frame
from pipeline_lib.compiled.operations.refusals import RefusedRowsError
from pipeline_lib.compiled.plan import Plan
from pipeline_lib.compiler.builder import Value
from pipeline_lib.compiler.code_constants import OwnCode, own_code
from pipeline_lib.compiler.edge_batches import (
    EVERY_COLUMN,
    Edge,
    Rows,
    integer_columns,
    join,
    replace_in_tables,
    replace_values,
    same_layout,
    spread,
    take,
    thinned,
    within,
)
from pipeline_lib.compiler.edge_differences import EdgeCounts, differences, message_of
from pipeline_lib.compiler.edge_values import input_columns, training_values, values_to_try
from pipeline_lib.compiler.fidelity import StepPlan
from pipeline_lib.compiler.output_names import side_by_side
from pipeline_lib.compiler.own_steps import check_input_kept
from pipeline_lib.compiler.refused_rows import answered_rows
from pipeline_lib.errors import InputError
from pipeline_lib.rows.frames import Frames
from pipeline_lib.rows.schema import RowSchema

MAX_ROWS = 400
"""Edge rows of one step; up to half of them come from earlier steps."""
_FEWEST_ROWS = 100  # of a library's estimator; more where there are many training rows, whose check takes longer
_MAX_CALLS = 24  # of a step that refuses rows, to find those that it answers
Columns = Mapping[str, PlanColumn]
ConvertRaw = Callable[[Any], Columns | None]


@dataclass(frozen=True)
class _Batch:
    """Edge rows as the input of a step, and in the columns of its plan; `parts` are those without refused rows."""

    data: Any
    edges: Sequence[Edge]
    columns: Columns
    parts: dict[bytes, tuple[Any, Columns]] = field(default_factory=dict)
    accepted: dict[int, tuple[Plan, Rows]] = field(default_factory=dict)

    def rows_of(self, plan: Plan) -> Rows:
        """The rows that a plan does not refuse; outputs of one estimator share the plan."""
        if id(plan) not in self.accepted:
            self.accepted[id(plan)] = (plan, answered_rows(plan, self.columns, len(self.edges)))
        return self.accepted[id(plan)][1]


class EdgeChecks:
    """The edge rows of one compilation, carried from step to step."""

    def __init__(
        self, row: RowSchema, convert_raw: ConvertRaw, *, enabled: bool = True, left_out: Sequence[str] = ()
    ) -> None:
        self._row = row
        self._enabled = enabled
        self._links = {str(row.key), *(name for child in row.children for name in child.links)} if row.key else set()
        self._links |= set(left_out)  # columns that raw rows do not hold
        self._convert_raw = convert_raw
        self._carried: tuple[Any, list[Edge]] | None = None

    def transformer(self, name: str, step: Any, plan: StepPlan, data: Any, training: Columns) -> EdgeCounts:
        """Ask a transformer whose plan passed the training rows `data`. Raises InputError for own code that differs."""
        if not self._enabled:
            return EdgeCounts()
        own = own_code(step)
        batch = self._batch(plan, data, training, own)
        counts, answered, output = self._ask(f"step {name}", step.transform, plan, batch, own)
        self._carry(output, [batch.edges[row] for row in answered])
        return counts

    def estimator(
        self, name: str, final: Any, plans: Mapping[str, StepPlan], data: Any, training: Columns
    ) -> EdgeCounts:
        """Ask an estimator: `plans` are those of its outputs, by method. Raises InputError as `transformer` does."""
        if not self._enabled:
            return EdgeCounts()
        own = own_code(final)
        batch, total = None, EdgeCounts()
        limit = MAX_ROWS if own.names else min(MAX_ROWS, max(_FEWEST_ROWS, data.shape[0] // 10))
        for method, plan in plans.items():
            batch = batch or self._batch(plan, data, training, own, limit)
            answer = _as_one_array(getattr(final, method))
            counts, _, _ = self._ask(f"step {name}, {method}", answer, plan, batch, own)
            total = counts.worst(total)
        return total

    def opaque(self, step: Any) -> None:
        """Carry the edge rows through a step without a plan."""
        if self._carried is not None:
            data, edges = self._carried
            answers = self._answers(step.transform, data, np.arange(len(edges)), _MAX_CALLS)
            self._carried = None
            if answers is not None:
                self._carry(answers[1], [edges[row] for row in answers[0]])

    def _batch(self, plan: StepPlan, data: Any, training: Columns, own: OwnCode, limit: int = MAX_ROWS) -> _Batch:
        count, carried = data.shape[0], self._carried
        looks_back = _looks_back(plan)
        if carried is not None and (looks_back or not same_layout(carried[0], data)):
            carried = None
        if carried is not None:
            carried = thinned(*carried, limit // 2)
        room = limit - (len(carried[1]) if carried else 0)
        if isinstance(data, Frames):  # child rows belong to one main row, so each is taken once
            edges = within(self._edges(plan, data, training, own, limit), min(room, count), repeats=1)
            changed: Any = replace_in_tables(data, self._row, self._short_rows(training, len(edges)), edges)
        else:
            edges = within(self._edges(plan, data, training, own, limit), min(room, count) if looks_back else room)
            changed = replace_values(data, np.arange(len(edges)) if looks_back else spread(count, len(edges)), edges)
        if carried is not None:
            changed, edges = join([carried[0], changed]), [*carried[1], *edges]
        return _Batch(changed, edges, self._convert_raw(changed) or plan.columns(changed))

    def _edges(self, plan: StepPlan, data: Any, training: Columns, own: OwnCode, limit: int) -> list[list[Edge]]:
        """The edges of each input column; of a library's step in at most `limit` columns that its plan uses."""
        raw = {name: column for name, column in self._row.by_name.items() if name not in self._links}
        texts = {*plan.before, *self._row.by_name}
        constants = [value for value in own.constants if value not in texts]
        columns = [each for each in input_columns(plan.before, plan.plan, raw) if each.name not in self._links]
        whole = [] if isinstance(data, Frames) else integer_columns(data)
        lists = []
        used = [each for each in sorted(columns, key=lambda each: not each.is_used) if each.is_used or own.names]
        if not own.names and len(used) > limit:
            used = [used[number] for number in spread(len(used), limit)]
        for column in used:
            if column.kind == "number" and whole and whole[column.index]:
                column = replace(column, kind="integer")
            values = values_to_try(column, training_values(column, training), constants)
            hidden = self._is_sensitive(plan.before[column.source])
            lists.append([Edge(column.index, column.name, value, hidden) for value in values])
        if hasattr(data, "tocsr"):
            lists.append([Edge(EVERY_COLUMN, "every column", 0.0)])
        return lists

    def _short_rows(self, training: Columns, rows: int) -> Rows:
        """The main rows with the fewest child rows, some of each table where there are any."""
        lists = [training[f"{child.name}.{child.own[0].name}"] for child in self._row.children if not child.by]
        lengths = [np.diff(column.starts) for column in lists]
        count = len(next(iter(training.values())))
        total = np.sum([np.where(each > 0, each, each.max(initial=0) + 1) for each in lengths], axis=0)
        order = np.argsort(np.broadcast_to(total, (count,)), kind="stable")
        return np.sort(order[:rows])

    def _is_sensitive(self, value: Value) -> bool:
        """Whether a column depends on a sensitive raw column."""
        sensitive = self._row.sensitive
        return bool(sensitive) and not set(sensitive).isdisjoint(Plan(value.build.nodes, {}).columns_read([value.node]))

    def _ask(
        self, where: str, method: Callable[[Any], Any], plan: StepPlan, batch: _Batch, own: OwnCode
    ) -> tuple[EdgeCounts, Rows, Any]:
        """Ask a step's method and compare; the rows that both answered, and the method's output for them."""
        rows, columns = len(batch.edges), batch.columns
        nothing = (EdgeCounts(rows, rows), np.arange(0), None)
        if not rows:
            return nothing
        accepted = batch.rows_of(plan.plan)
        by_hand = hasattr(type(getattr(method, "__self__", None)), "plan")  # recorded code may write into its input
        kept_in = where if own.names and by_hand else ""
        answers = self._answers(method, batch.data, accepted, 1 if _looks_back(plan) else _MAX_CALLS, kept_in=kept_in)
        if answers is None:
            return nothing
        answered, output = answers
        data, refused = batch.data, rows - len(answered)
        if refused:
            key = answered.tobytes()
            if key not in batch.parts:  # of another output of the same estimator
                part = self._take(data, answered)
                batch.parts[key] = (part, self._convert_raw(part) or plan.columns(part))
            data, columns = batch.parts[key]
        try:
            differ = differences(plan.compare(f"{where}, edge rows", data, output, columns))
        except RefusedRowsError:  # a row that looks back to one that was left out
            return nothing
        if not differ:
            return EdgeCounts(rows, refused), answered, output
        asked = [batch.edges[row] for row in answered]
        message = message_of(asked, differ, hidden=bool(self._row.sensitive))
        if own.names:
            raise InputError(f"{where}, {message}")
        good = np.array([row for row in range(len(answered)) if row not in differ], dtype=np.intp)
        return EdgeCounts(rows, refused, len(differ), message), answered[good], take(output, good)

    def _answers(
        self, method: Callable[[Any], Any], data: Any, rows: Rows, calls: int, *, kept_in: str = ""
    ) -> tuple[Rows, Any] | None:
        """The rows that a step answers, and its output for them; None where it answers none.

        Where it raises, both halves of the rows are asked, and so on, up to a number of calls. A step named `kept_in`
        must leave its input as it is.
        """
        waiting, parts = [rows] if len(rows) else [], []
        while waiting and calls:
            part = waiting.pop(0)
            calls -= 1
            given = self._take(data, part)
            try:
                with warnings.catch_warnings():  # of values that its author did not think of
                    warnings.simplefilter("ignore")
                    parts.append((part, pandas_frame(method(given))))
            except Exception:  # the step refuses a row, in whatever words
                middle = len(part) // 2
                waiting += [part[:middle], part[middle:]] if middle else []
            if kept_in:
                check_input_kept(kept_in, self._take(data, part), given)
        if not parts:
            return None
        answered = np.concatenate([part for part, _ in parts])
        order = np.argsort(answered, kind="stable")
        output = join([output for _, output in parts])
        return (answered, output) if len(parts) == 1 else (answered[order], take(output, order))

    def _take(self, data: Any, rows: Rows) -> Any:
        """A copy of some rows of a step's input, which the step may change."""
        if len(rows) == data.shape[0]:
            return data.copy()
        if isinstance(data, Frames):
            return replace_in_tables(data, self._row, rows, [None] * len(rows))
        return take(data, rows)

    def _carry(self, output: Any, edges: list[Edge]) -> None:
        self._carried = None
        if output is not None and edges:
            self._carried = thinned(output, edges, MAX_ROWS // 2)


def _as_one_array(answer: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """An estimator's method with the probabilities of several targets side by side."""
    return lambda rows: side_by_side(answer(rows))


def _looks_back(plan: StepPlan) -> bool:
    """Whether a row's output depends on earlier rows: then successive rows are asked, in one call."""
    return any(value.lookback for value in plan.roots)
