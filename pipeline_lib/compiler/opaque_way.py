"""Whether a step without a plan may run through its library: allowed, or offered, once it was tried on this very step.

A refusal says why there is no plan, and then what was tried: `allow_opaque=True` alone, with the package that exports
the step's class, with packages to trust. A remedy that did not work is not offered: its reason is given instead.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pipeline_lib.compiled.compile_report import StepReport
from pipeline_lib.compiled.opaque_state import UntrustedError
from pipeline_lib.compiled.opaque_trust import check_trust
from pipeline_lib.compiled.plan import Plan
from pipeline_lib.compiler.adapters.registry import NoPlanError, RefusedStepError, qualified_name
from pipeline_lib.compiler.builder import Builder, Value
from pipeline_lib.compiler.column_comparison import UnfaithfulPlanError
from pipeline_lib.compiler.edge_batches import take
from pipeline_lib.compiler.fidelity import StepPlan, Write
from pipeline_lib.compiler.opaque_parts import OpaqueParts
from pipeline_lib.compiler.opaque_step import Loading
from pipeline_lib.compiler.tracing.own_code.functions import is_own
from pipeline_lib.errors import InputError
from pipeline_lib.rows.frames import Frames

_TRIED_ROWS = 300  # of a step that is only tried
_TRIES = 4  # each may name further packages


class _LeftOutError(InputError):
    """A step that reads columns that raw rows do not hold."""


@dataclass(frozen=True)
class Unplanned:
    """A fitted step that has no plan, which `error` explains.

    `data` are its training rows, `methods` those that production calls; `write` writes its operations over the columns
    `before`.
    """

    name: str
    step: Any
    data: Any
    methods: Sequence[str]
    error: InputError
    write: Write
    before: Mapping[str, Value]

    @property
    def about(self) -> str:
        """The step's name, and why it has no plan."""
        text = str(self.error)
        return text if text.startswith(f"step {self.name}") else f"step {self.name}: {text}"

    @property
    def reads_stored_zeros(self) -> bool:
        """Whether the step is a model of XGBoost whose input is a sparse matrix that stores zeros."""
        is_sparse = type(self.step).__module__.startswith("xgboost.") and hasattr(self.data, "tocsr")
        return is_sparse and bool((self.data.tocsr().data == 0).any())

    def watched(self, parts: OpaqueParts) -> OpaqueParts:
        """The opaque parts, which know what the step and the steps inside it receive."""
        step, data = self.step, self.data
        parts.watch(self.name, step, data, lambda: [getattr(step, method)(data.copy()) for method in self.methods])
        if isinstance(self.error, UnfaithfulPlanError):
            parts.force(step, self.error)
        return parts


class OpaqueWay:
    """The opaque steps of one compilation, where they are `allowed`; else what to say about them."""

    def __init__(self, loading: Loading, *, allowed: bool, left_out: Sequence[str] = ()) -> None:
        self.parts = OpaqueParts(loading)
        self._allowed = allowed
        self._left_out = set(left_out)  # columns that raw rows do not hold

    @contextmanager
    def through(self, unplanned: Unplanned) -> Iterator[None]:
        """What has no plan in a step is written as opaque steps.

        Raises NoPlanError where that is not allowed, and says whether it would work; with both reasons where the
        library cannot run the step either.
        """
        error = unplanned.error
        if isinstance(error, UnfaithfulPlanError) and callable(getattr(type(unplanned.step), "plan", None)):
            raise UnfaithfulPlanError(f"{error}; correct its plan")
        if isinstance(error, UnfaithfulPlanError) and unplanned.reads_stored_zeros:
            raise RefusedStepError(
                f"{unplanned.about}; found zeros that the sparse matrix of the step before stores, which are numbers "
                "to XGBoost, as those that it does not store are missing, expected none; make it dense, as "
                "SplineTransformer(sparse_output=False) does, and fit again"
            )
        if isinstance(unplanned.data, Frames):  # a library's step takes one frame
            raise NoPlanError(unplanned.about)
        if not self._allowed:
            raise NoPlanError(self._refusal(replace(unplanned, data=_few(unplanned.data))))
        parts = unplanned.watched(self.parts)
        try:
            with _opaque_in(unplanned.before, parts):
                if self._left_out:
                    self._check_read(unplanned)
                yield
        except UnfaithfulPlanError as failed:
            raise RefusedStepError(
                f"{failed}, in blocks of rows; a step whose rows affect each other, such as one that iterates over all "
                "rows until they no longer change, cannot serve production"
            ) from failed
        except NoPlanError as failed:
            raise NoPlanError(_with_failure(unplanned.about, parts.failure or failed)) from failed

    def _check_read(self, unplanned: Unplanned) -> None:
        """Write the plan of a step. Raises an InputError where its library would read columns that rows do not hold."""
        plan = StepPlan.write(unplanned.write, unplanned.before).plan
        opaque = [number for number, node in enumerate(plan.nodes) if node.operation == "opaque"]
        values = [unplanned.before[name] for name in plan.columns_read(opaque)]
        raw = {name for value in values for name in Plan(value.build.nodes, {}).columns_read([value.node])}
        read = sorted(raw & self._left_out)
        if read:
            raise _LeftOutError(
                f"step {unplanned.name}: found {', '.join(read)} among the columns that it reads, expected columns "
                "that raw rows hold; do for each as follows"
            )

    def states(self, plan: Plan) -> dict[str, bytes]:
        """The states of the opaque steps on which a plan's results depend, by name."""
        roots = [*plan.outputs.values(), *(node for columns in plan.steps.values() for node in columns.values())]
        nodes = [plan.nodes[number] for number in plan.needed(roots)]
        names = dict.fromkeys(node.settings["step"] for node in nodes if node.operation == "opaque")
        return {name: self.parts.steps[name].state for name in names}

    def reports(self, name: str) -> list[StepReport]:
        """A report of each step inside a step, or of itself, that runs through its library."""
        return [
            StepReport(
                part.name,
                qualified_name(type(part.loaded)),
                part.width,
                max(map(len, part.results.values())),
                exact=False,
                why=str(self.parts.why[part.name]).splitlines()[0],
            )
            for part in self.parts.inside(name)
        ]

    def _refusal(self, unplanned: Unplanned) -> str:
        """The message for a step without a plan, with what would run it through its library, once that was tried."""
        loading = self.parts.loading
        for _ in range(_TRIES):
            parts = OpaqueParts(loading)
            try:
                with _opaque_in(unplanned.before, unplanned.watched(parts)):
                    self._check_read(unplanned)
                has_remedy = "; " in unplanned.about and not isinstance(unplanned.error, UnfaithfulPlanError)
                joint = ", or" if has_remedy else ";"
                return f"{unplanned.about}{joint} {_offer(parts, self.parts.loading, unplanned.name)}"
            except _LeftOutError:
                if is_own(type(unplanned.step)):  # its own line says more
                    return unplanned.about
                raise
            except Exception as failed:  # the step's own code, or its library's
                failure = parts.failure or failed
            more = _admitting(loading, failure)
            if more is None or more == loading:
                break
            loading = more
        return _with_failure(unplanned.about, failure)


@contextmanager
def _opaque_in(before: Mapping[str, Value], parts: OpaqueParts) -> Iterator[None]:
    """The builder of these columns writes what has no plan as opaque steps."""
    builds: list[Builder] = list({id(value.build): value.build for value in before.values()}.values())
    try:
        for build in builds:
            build.opaque = parts
        yield
    finally:
        for build in builds:
            build.opaque = None


def _few(data: Any) -> Any:
    return take(data, np.arange(min(data.shape[0], _TRIED_ROWS)))


def _with_failure(about: str, failure: Exception) -> str:
    if isinstance(failure, UntrustedError) and all(name.startswith("__main__.") for name in failure.names):
        return (
            f"{about}; nor can {failure.step} run as an opaque step, since {', '.join(failure.names)} is not exported "
            "from a notebook: put `#| export` on the cell that defines it, and run `make export`"
        )
    return f"{about}; its library cannot run it in production either: {failure}"


def _offer(parts: OpaqueParts, given: Loading, name: str) -> str:
    """The arguments with which compiling was tried, and which steps then run through their library."""
    loading, arguments = parts.loading, ["allow_opaque=True"]
    if loading.library != given.library:
        arguments.append(f"library={loading.library!r}")
    if loading.trust != given.trust:
        arguments.append(f"trust={loading.trust!r}")
    inside = [part.name for part in parts.inside(name)]
    which = "it" if inside == [name] else ", ".join(inside)
    return f"compile with {', '.join(arguments)} to run {which} through its library"


def _admitting(loading: Loading, failure: Exception) -> Loading | None:
    """What else a caller would have to admit for a state to be loaded; None where nothing helps."""
    if not isinstance(failure, UntrustedError):
        return None
    roots = {name.partition(".")[0] for name in failure.names}
    own = {name.partition(".")[0] for name in failure.names if name.split(".")[1:2] in (["steps"], ["pipelines"])}
    if len(own) == 1:
        loading = replace(loading, library=own.pop())
    try:
        trusted = check_trust(sorted(roots - {loading.library} - set(loading.trust)))
    except InputError:
        return None
    return replace(loading, trust=(*loading.trust, *trusted))
