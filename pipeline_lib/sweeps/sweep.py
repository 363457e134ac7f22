"""One parameters file, many runs: a grid or a search, each member a record of its own."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, Literal

from pipeline_lib.errors import InputError, PipelineLibError
from pipeline_lib.project.project import project_of
from pipeline_lib.records.layout import SWEEP, SWEEP_PAGE, SWEEPS
from pipeline_lib.records.record import Record
from pipeline_lib.runner.warm.client import WarmServer
from pipeline_lib.runner.warm.module_list import RUNNER, preload_names
from pipeline_lib.sweeps.grid import parse_grid
from pipeline_lib.sweeps.local_pool import LocalPool, Pool, Task, check_workers
from pipeline_lib.sweeps.members import Member, Plan, plan_sweep
from pipeline_lib.sweeps.plot import import_plotting
from pipeline_lib.sweeps.result import (
    Outcome,
    Sweep,
    check_direction,
    check_known_metric,
    check_metric,
    ordered,
    with_parity,
    write_sweep_page,
)
from pipeline_lib.sweeps.search import Grid, Search
from pipeline_lib.system.files import canonical_json, write_atomic

Checked = Literal["best", "all", "none"]


def sweep(
    params_file: str | Path,
    grid: Sequence[str] | Mapping[str, Iterable[Any]],
    *,
    overrides: Sequence[str] = (),
    random: int | None = None,
    bayes: int | None = None,
    seed: int = 0,
    metric: str | None = None,
    direction: str | None = None,
    parity: Checked = "best",
    workers: int | None = None,
    cold: bool = False,
    dask: str | None = None,
    store: str | None = None,
    runs: Path | None = None,
    timeout: int | None = None,
    force: bool = False,
    progress: Callable[[str], None] = lambda line: None,
) -> Sweep:
    """Run a pipeline's research notebook with every combination of a grid, or with some that a search draws.

    `grid` has `key=value,value` texts or maps dotted keys to lists of values, or to such a text: `"0..4"`, and for a
    search `"0.001..0.1"` or `"0.001..0.1:log"`; `overrides` are the same for all members.
    `random` or `bayes` is how many members Optuna draws, with `seed`. `metric` sorts the table, best first;
    `direction` is `minimize` or `maximize`, needed where the metric's name does not tell. `parity` says whose parity
    is checked: the best member's (the first one's without a metric), all or none. Members run in `workers`
    processes, by default three for every two CPUs, whose kernels are forked from a process that has imported the
    packages, unless `cold`; or on the Dask scheduler `dask`, with records handed over through the fsspec URL `store`
    where its workers do not share this folder. A member that a finished run answers for is not run again, unless
    `force`.

    All combinations are checked before the first kernel starts: InputError lists what is wrong, nothing is written.
    A failed member stops no other. Ctrl-C returns what is finished, `interrupted`; the same call continues.
    """
    if random is not None and bayes is not None:
        raise InputError("found both --random and --bayes, expected one of them; leave one out")
    axes = parse_grid(grid)
    if not axes:
        raise InputError("found no --grid, expected one at least, for example --grid seed=0..4")
    way = check_direction(metric, direction)
    many = random if bayes is None else bayes
    asked: dict[str, Any] = {"grid": sorted(map(str, axes)), "bayes": bayes is not None, "random": random is not None}
    asked |= {"seed": seed, "metric": metric, "direction": way} if many is not None else {}
    with ExitStack() as preloading:  # beside the checks that follow
        server = None if cold or dask else _preloaded(Path(params_file), preloading)
        plan = plan_sweep(Path(params_file), overrides, asked)
        search = Grid(plan, axes) if many is None else Search(plan, axes, many, seed, bayes is not None, metric, way)
        options = {"timeout": timeout, "force": force, "parity": parity == "all", "sweep": plan.name}
        folder = (runs or plan.request.project.runs).resolve()
        check_known_metric(folder, plan.request.pipeline, metric)
        running = _Running(plan, folder, options, search.asked, progress, metric)
        if server:
            import_plotting()  # while the server is not ready yet: the page will need it
        interrupted = running.run(search, lambda: _pool(plan, workers, cold, dask, store, server))
    outcomes = ordered(running.outcomes, metric, way)
    if parity == "best" and not interrupted:
        outcomes = _checked(outcomes, plan.request.project.library)
    page = folder / SWEEPS / plan.name / SWEEP_PAGE
    return _kept(Sweep(plan.name, plan.request.pipeline, outcomes, metric, way, page, search.asked, interrupted))


class _Running:
    """The members of a sweep as they run."""

    def __init__(
        self,
        plan: Plan,
        runs: Path,
        options: Mapping[str, Any],
        asked: int,
        progress: Callable[[str], None],
        metric: str | None,
    ) -> None:
        self._plan, self._runs, self._options, self._asked = plan, runs, options, asked
        self._progress, self._metric = progress, metric
        self.outcomes: list[Outcome] = []
        self._began = float("inf")
        self._ran = 0
        self._again = ""

    def run(self, search: Grid | Search, pool: Callable[[], Pool]) -> bool:
        """Run batch after batch; whether somebody interrupted."""
        try:
            with pool() as workers:
                for members in search.batches():
                    told = [self._task(member) for member in members]
                    batch = []
                    for place, answer in workers.work(told):
                        batch.append(self._outcome(members[place], answer))
                        with suppress(BrokenPipeError):  # nobody reads any more
                            self._tell(batch[-1], answer.get("again", ""))
                        check_metric(batch[-1], self._metric)
                    search.tell(batch)
        except KeyboardInterrupt:
            return True
        return False

    def _task(self, member: Member) -> Task:
        return {
            "params_file": str(self._plan.request.params_file.resolve()),
            "overrides": self._plan.overrides(member),
            "runs": str(self._runs),
            "library": self._plan.request.project.library,
            "sources": self._plan.sources,
            "packages": self._plan.packages,
            **self._options,
        }

    def _outcome(self, member: Member, answer: Mapping[str, Any]) -> Outcome:
        folder = Path(answer["folder"]) if answer["folder"] else None
        outcome = Outcome(
            member,
            Record(folder).reference if folder else None,
            folder,
            answer["metrics"] or {},
            answer["error"],
            answer["parity"],
            bool(answer["known"]),
            answer["seconds"],
        )
        self.outcomes.append(outcome)
        return outcome

    def _tell(self, outcome: Outcome, again: str) -> None:
        """One line for a member that has ended, and before it, once, why a finished run did not answer for it."""
        if again and not self._again:
            self._again = again
            self._progress(f"  {outcome.member.label}: {again}")
        left = self._left(outcome)
        shown = [(self._metric, outcome.metrics.get(self._metric))] if self._metric else list(outcome.metrics.items())
        values = ", ".join(f"{name} {value:,.6g}" for name, value in shown[:3] if value is not None)
        done = len(self.outcomes)
        result = f"FAILED {outcome.error}" if outcome.error is not None else values
        took = "known   " if outcome.known else f"{outcome.seconds:6.1f} s"
        self._progress(f"  {done:>3} of {self._asked}  {took}  {outcome.member.label}  {result}{left}")

    def _left(self, outcome: Outcome) -> str:
        """The time that the others may take, from when the first that ran began; known ones take none."""
        now = time.monotonic()
        if not outcome.known:
            self._ran += 1
            self._began = min(self._began, now - outcome.seconds)
        others = self._asked - len(self.outcomes)
        return f"  about {(now - self._began) / self._ran * others:,.0f} s left" if self._ran and others else ""


def _preloaded(params_file: Path, preloading: ExitStack) -> WarmServer | None:
    """A server that imports what the members will need; none where the checks that follow will complain."""
    try:
        names = preload_names(project_of(params_file), params_file.name.partition(".")[0])
    except (PipelineLibError, OSError, ValueError, KeyError):
        return None
    return preloading.enter_context(WarmServer(names, RUNNER))


def _pool(
    plan: Plan, workers: int | None, cold: bool, dask: str | None, store: str | None, server: WarmServer | None
) -> Pool:
    names = None if cold else preload_names(plan.request.project, plan.request.pipeline)
    if dask is not None:
        from pipeline_lib.sweeps.dask_pool import DaskPool

        return DaskPool(dask, names, store)
    if store is not None:
        raise InputError("found --store without --dask, expected both: local workers write where the records belong")
    return LocalPool(check_workers(workers), names, server)


def _checked(outcomes: tuple[Outcome, ...], library: str) -> tuple[Outcome, ...]:
    """Check the parity of the first finished member, which is the best where a metric was named."""
    from pipeline_lib.sweeps.worker import parity_of

    first = next((outcome for outcome in outcomes if outcome.error is None and outcome.folder), None)
    if first is None or first.folder is None:
        return outcomes
    return with_parity(outcomes, first, parity_of(Record(first.folder), library))


def _kept(found: Sweep) -> Sweep:
    found.page.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(found.page.with_name(SWEEP), canonical_json(found.to_json()))
    write_sweep_page(found)
    return found
