"""What evaluates the plan of a compiled pipeline: batches, single rows, and the opaque steps inside."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from pipeline_lib.compiled.batch_evaluator import BatchEvaluator
from pipeline_lib.compiled.plan import Plan
from pipeline_lib.compiled.row_evaluator import RowEvaluator
from pipeline_lib.errors import InputError
from pipeline_lib.rows.schema import RowSchema


@dataclass(frozen=True)
class OpaqueSteps:
    """The states of a plan's opaque steps, by name, and what is admitted in them (see `load_state`)."""

    states: Mapping[str, bytes] = field(default_factory=dict)
    library: str = "pipeline_lib"
    trust: Sequence[str] = ()
    other_versions: bool = False

    def in_plan(self, plan: Plan) -> Plan:
        """The plan whose opaque nodes hold the loaded steps that they run. Raises InputError, as `load_state` does."""
        if not self.states:
            return plan
        from pipeline_lib.compiled.opaque_state import load_state

        load = partial(load_state, library=self.library, trust=self.trust, other_versions=self.other_versions)
        try:
            from pipeline_lib.compiled.opaque import OpaqueRunner

            steps = {name: load(state, name=name) for name, state in self.states.items()}
        except ImportError as error:
            raise InputError(
                f"found no package {error.name!r}, expected the libraries that the opaque steps "
                f"{', '.join(self.states)} run through; pip install 'nb-pipeline-lib[opaque]'"
            ) from error
        nodes = list(plan.nodes)
        for number, node in enumerate(nodes):
            if node.operation == "opaque" and node.settings["step"] in steps:  # others reach no result
                dtypes = [nodes[taken].dtype for taken in node.inputs]
                runner = OpaqueRunner(steps[node.settings["step"]], node.settings, dtypes)
                nodes[number] = replace(node, settings={**node.settings, "runner": runner})
        return replace(plan, nodes=nodes)


class Evaluators:
    """A plan's evaluator of batches (`batches`) and that of single rows (`rows`).

    They hold functions, so a copy, and another process, makes them again from the plan. Without `distinct_values`
    batches are evaluated row by row.
    """

    def __init__(self, plan: Plan, row: RowSchema, opaque: OpaqueSteps, *, distinct_values: bool, threads: int) -> None:
        self._made_of = (plan, row, opaque, distinct_values, threads)
        runnable = opaque.in_plan(plan.hiding(row.sensitive))
        self.batches = BatchEvaluator(runnable, row, distinct_values=distinct_values, threads=threads)
        self.rows = RowEvaluator(runnable, row, self.batches, exact=not opaque.states)

    def __reduce__(self) -> tuple[Any, ...]:
        *parts, distinct_values, threads = self._made_of
        return partial(Evaluators, distinct_values=distinct_values, threads=threads), tuple(parts)
