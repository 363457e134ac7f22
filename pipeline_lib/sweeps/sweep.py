"""One parameters file, many runs: a grid or a search, each member a record of its own."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from pipeline_lib.errors import InputError, PipelineLibError
from pipeline_lib.project.project import project_of
from pipeline_lib.records.layout import SWEEP, SWEEP_PAGE, SWEEPS
from pipeline_lib.records.record import Record
from pipeline_lib.runner.shared_answers import shared_answers
from pipeline_lib.runner.warm.client import WarmServer
from pipeline_lib.runner.warm.module_list import RUNNER, preload_names
from pipeline_lib.sweeps.grid import parse_grid
from pipeline_lib.sweeps.local_pool import LocalPool, Pool, check_workers
from pipeline_lib.sweeps.member_result import MemberResult
from pipeline_lib.sweeps.members import Member, SweepPlan, plan_sweep
from pipeline_lib.sweeps.metric import check_direction, check_earlier_runs, with_default
from pipeline_lib.sweeps.page import write_sweep_page
from pipeline_lib.sweeps.plot import import_plotting
from pipeline_lib.sweeps.request import ParityChoice, PoolRequest, SweepRequest, parse_search
from pipeline_lib.sweeps.result import Sweep, check_metric, ordered, with_parity
from pipeline_lib.sweeps.search import Grid, Search
from pipeline_lib.sweeps.task import Task, TaskResult
from pipeline_lib.system.files import canonical_json, write_atomic


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
    parity: ParityChoice = "best",
    workers: int | None = None,
    cold: bool = False,
    dask: str | None = None,
    store: str | None = None,
    runs: Path | None = None,
    timeout: int | None = None,
    force: bool = False,
    progress: Callable[[str], None] = lambda line: None,
) -> Sweep:
    """Run a pipeline's research notebook with every combination of a grid, or with a sample that a search draws.

    `grid` has `key=value,value` texts or maps dotted keys to lists of values, or to such a text: `"0..4"`, and for a
    search `"0.001..0.1"` or `"0.001..0.1:log"`; `overrides` are the same for all members.
    `random` or `bayes` is the number of members that Optuna draws, with `seed`. `metric` sorts the table, best
    first, by default METRIC of the pipeline; `direction` is `minimize` or `maximize`, needed where neither METRIC nor
    the metric's name says it. `parity` says whose parity
    is checked: the best member's (the first one's without a metric), all or none. Members run in `workers`
    processes, by default three for every two CPUs, whose kernels are forked from a process that has imported the
    packages, unless `cold`; or on the Dask scheduler `dask`, with records handed over through the fsspec URL `store`
    where its workers do not share this folder. For a member that equals a finished run, that run is returned, unless
    `force`.

    All combinations are checked before the first kernel starts: InputError lists what is wrong, nothing is written.
    A failed member does not stop the others. Ctrl-C returns what is finished, `interrupted`; the same call continues.
    """
    check_earlier_runs(Path(params_file), runs, metric)
    metric, direction = with_default(Path(params_file), metric, direction)
    search = parse_search(random, bayes, seed)
    axes = parse_grid(grid)
    if not axes:
        raise InputError("found no --grid, expected one at least, for example --grid seed=0..4")
    request = SweepRequest(
        Path(params_file),
        tuple(axes),
        tuple(overrides),
        search,
        metric,
        check_direction(metric, direction),
        parity,
        timeout,
        force,
    )
    return _run_sweep(request, PoolRequest(workers, cold, dask, store), runs, progress)


def _run_sweep(request: SweepRequest, pool: PoolRequest, runs: Path | None, progress: Callable[[str], None]) -> Sweep:
    metric, direction = request.metric, request.direction
    with shared_answers(), ExitStack() as preloading:  # while the checks that follow run
        server = None if pool.cold or pool.dask else _preloaded(request.params_file, preloading)
        plan = plan_sweep(request)
        search = _search(plan, request)
        folder = (runs or plan.base.project.runs).resolve()
        members = _Members(plan, request, folder, search.count, progress)
        if server:
            import_plotting()  # while the server is not ready yet: the page needs it
        interrupted = members.run(search, lambda: _pool(plan, pool, server))
    results = ordered(members.results, metric, direction)
    if request.parity == "best" and not interrupted:
        results = _check_best(results, plan.base.project.library)
    page = folder / SWEEPS / plan.name / SWEEP_PAGE
    sweep = Sweep(plan.name, plan.base.pipeline, results, metric, direction, page, search.count, interrupted)
    page.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(page.with_name(SWEEP), canonical_json(sweep.to_json()))
    write_sweep_page(sweep)
    return sweep


def _search(plan: SweepPlan, request: SweepRequest) -> Grid | Search:
    if request.search is None:
        return Grid(plan, request.axes)
    return Search(plan, request.axes, request.search, request.metric, request.direction)


class _Members:
    """The members of a sweep while they run: their results so far, and a line of progress for each."""

    def __init__(
        self, plan: SweepPlan, request: SweepRequest, runs: Path, count: int, progress: Callable[[str], None]
    ) -> None:
        self._plan, self._request, self._runs, self._count, self._progress = plan, request, runs, count, progress
        self.results: list[MemberResult] = []
        self._began = float("inf")
        self._ran = 0
        self._cache_miss = ""

    def run(self, search: Grid | Search, pool: Callable[[], Pool]) -> bool:
        """Run batch after batch; True where the sweep was interrupted."""
        try:
            with pool() as workers:
                for members in search.batches():
                    batch = []
                    for index, answer in workers.work([self._task(member) for member in members]):
                        batch.append(self._result(members[index], answer))
                        with suppress(BrokenPipeError):  # the reader of the progress has ended
                            self._report(batch[-1], answer.cache_miss)
                        check_metric(batch[-1], self._request.metric)
                    search.learn(batch)
        except KeyboardInterrupt:
            return True
        return False

    def _task(self, member: Member) -> Task:
        plan, request = self._plan, self._request
        return Task(
            params_file=str(plan.base.params_file.resolve()),
            overrides=plan.overrides(member),
            runs=str(self._runs),
            library=plan.base.project.library,
            sources=plan.sources,
            packages=plan.packages,
            sweep=plan.name,
            parameters=member.resolved,
            parity=request.parity == "all",
            force=request.force,
            timeout=request.timeout,
        )

    def _result(self, member: Member, answer: TaskResult) -> MemberResult:
        folder = Path(answer.folder) if answer.folder else None
        result = MemberResult(
            member,
            Record(folder).reference if folder else None,
            folder,
            dict(answer.metrics or {}),
            answer.error,
            answer.parity,
            answer.cached,
            answer.seconds,
        )
        self.results.append(result)
        return result

    def _report(self, result: MemberResult, cache_miss: str) -> None:
        """One line for a member that has ended; before the first, why no finished run could be returned."""
        metric = self._request.metric
        if cache_miss and not self._cache_miss:
            self._cache_miss = cache_miss
            self._progress(f"  {result.member.label}: {cache_miss}")
        left = self._time_left(result)
        shown = [(metric, result.metrics.get(metric))] if metric else list(result.metrics.items())
        values = ", ".join(f"{name} {value:,.6g}" for name, value in shown[:3] if value is not None)
        ended = f"FAILED {result.error}" if result.error is not None else values
        took = "known   " if result.known else f"{result.seconds:6.1f} s"
        self._progress(f"  {len(self.results):>3} of {self._count}  {took}  {result.member.label}  {ended}{left}")

    def _time_left(self, result: MemberResult) -> str:
        """An estimate for the other members from the time since the first one began; known ones take none."""
        now = time.monotonic()
        if not result.known:
            self._ran += 1
            self._began = min(self._began, now - result.seconds)
        others = self._count - len(self.results)
        return f"  about {(now - self._began) / self._ran * others:,.0f} s left" if self._ran and others else ""


def _preloaded(params_file: Path, preloading: ExitStack) -> WarmServer | None:
    """A server that imports what the members will need; none where the checks that follow will complain."""
    try:
        names = preload_names(project_of(params_file), params_file.name.partition(".")[0])
    except (PipelineLibError, OSError, ValueError, KeyError):
        return None
    return preloading.enter_context(WarmServer(names, RUNNER))


def _pool(plan: SweepPlan, request: PoolRequest, server: WarmServer | None) -> Pool:
    names = None if request.cold else preload_names(plan.base.project, plan.base.pipeline)
    if request.dask is not None:
        from pipeline_lib.sweeps.dask_pool import DaskPool

        return DaskPool(request.dask, names, request.store)
    if request.store is not None:
        raise InputError("found --store without --dask, expected both: local workers write where the records belong")
    return LocalPool(check_workers(request.workers), names, server)


def _check_best(results: tuple[MemberResult, ...], library: str) -> tuple[MemberResult, ...]:
    """Check the parity of the first finished member, which is the best where a metric was named."""
    from pipeline_lib.parity.check import read_or_check_parity

    first = next((result for result in results if result.error is None and result.folder), None)
    if first is None or first.folder is None:
        return results
    return with_parity(results, first, read_or_check_parity(Record(first.folder), library)["exact"])
