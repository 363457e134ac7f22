"""Sweeps: what is asked, what is tried, and what is left."""

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self

import pytest
from click.testing import CliRunner
from example import HOUSES

import pipeline_lib.sweeps.sweep as sweeping
from pipeline_lib.cli.main import commands
from pipeline_lib.errors import InputError, RunError
from pipeline_lib.records.record import Record, all_records, create_record, write_manifest
from pipeline_lib.records.seal import seal
from pipeline_lib.runner.warm.client import ADDRESS
from pipeline_lib.sweeps import local_pool as workers
from pipeline_lib.sweeps import worker
from pipeline_lib.sweeps.grid import parse_grid, product
from pipeline_lib.sweeps.local_pool import Answer, Task, check_workers
from pipeline_lib.sweeps.members import sources_of
from pipeline_lib.sweeps.result import check_direction
from pipeline_lib.system.fingerprint import packages_digest

Fake = Callable[..., "FakePool"]


class FakePool:
    """Answers tasks from their overrides, without a kernel; in another order than they were asked."""

    def __init__(self, runs: Path, *, fails: str = "", stops_after: int | None = None, by: int = 0) -> None:
        self.runs, self.fails, self.stops_after, self.asked = runs, fails, stops_after, list[Task]()
        self.by = by

    def work(self, tasks: Sequence[Task]) -> Iterator[tuple[int, Answer]]:
        for place, task in reversed(list(enumerate(tasks))):
            if self.stops_after is not None and len(self.asked) >= self.stops_after:
                if self.by:
                    os.kill(os.getpid(), self.by)
                raise KeyboardInterrupt
            self.asked.append(task)
            yield place, self._answer(task, len(self.asked))

    def _answer(self, task: Task, number: int) -> Answer:
        given = dict(text.split("=") for text in task["overrides"])
        alpha = float(given.get("estimator.alpha", "0.001"))
        error = "found <b>, expected nothing" if self.fails and self.fails in " ".join(task["overrides"]) else None
        folder = str(self.runs / "houses" / f"20260101T000000-{number:06x}")
        metrics = None if error else {"rmse": abs(alpha - 0.01) * 1000, "r2": 1 - alpha}
        return {"folder": folder, "metrics": metrics, "parity": None, "error": error, "known": False, "seconds": 0.5}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fake:
    """Puts a pool of answers in place of kernels, and records into a temporary folder."""

    def put(**options: Any) -> FakePool:
        pool = FakePool(tmp_path / "runs", **options)
        monkeypatch.setattr(sweeping, "_pool", lambda *given: pool)
        monkeypatch.setattr(sweeping, "_checked", lambda outcomes, library: outcomes)
        return pool

    return put


def values(text: str) -> list[dict[str, str]]:
    return product(parse_grid([text]))


def test_a_grid_has_values_ranges_of_whole_numbers_and_lists() -> None:
    assert values("a=0.1,text") == [{"a": "0.1"}, {"a": "text"}]
    assert values("seed=-1..1") == [{"seed": "-1"}, {"seed": "0"}, {"seed": "1"}]
    assert values('l=[1,2],["a,b"]') == [{"l": "[1,2]"}, {"l": '["a,b"]'}]
    assert product(parse_grid(["a=1,2", "b=3,4"]))[1] == {"a": "1", "b": "4"}


def test_python_values_become_text_that_reads_back_equal() -> None:
    axes = parse_grid({"a": [0.1 + 0.2, None, True], "b": [[1, 2]], "c": range(2)})
    assert [axis.values for axis in axes] == [("0.30000000000000004", "null", "true"), ("[1, 2]",), ("0", "1")]


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["seed"], "no `key=values`"),
        (["a=1,,2"], "empty value"),
        (["a=1,1"], "more than once"),
        (["a=5..1"], "smaller number first"),
        (["a=0..1e3:log"], "above 0"),
        (["a=1", "a=2"], "every key once"),
        (["a=0.1..0.2"], "--random N"),
        (["a=0..99999", "b=0..9"], "at most 100,000"),
    ],
)
def test_what_no_grid_can_be_is_refused(texts: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        product(parse_grid(texts))


def test_a_mapping_gives_lists_or_the_text_of_a_range_and_nothing_else() -> None:
    assert product(parse_grid({"seed": "0..1"})) == [{"seed": "0"}, {"seed": "1"}]
    assert product(parse_grid({"seed": "1,2"})) == [{"seed": "1"}, {"seed": "2"}]
    assert parse_grid({"alpha": "0.1..1:log"})[0].is_range
    for values in (1.0, {"low": 1}):
        with pytest.raises(InputError, match=r"grid\['alpha'\]: found .*, expected a list of values or a text; write"):
            parse_grid({"alpha": values})  # type: ignore[dict-item]


def test_a_sweep_shows_its_summary_and_its_frame_has_numbers(tmp_path: Path, fake: Fake) -> None:
    fake()
    found = sweeping.sweep(HOUSES, {"estimator.alpha": [1, 2.0]}, metric="rmse", runs=tmp_path / "runs")
    assert found.frame["estimator.alpha"].tolist() == [1.0, 2.0]
    assert found.frame["estimator.alpha"].dtype == "float64"
    assert repr(found).startswith("houses: 2 of 2 members finished.\nBest by rmse")
    assert repr(found).endswith(f"page: {found.page}")


@pytest.mark.parametrize("grid", [["estimator.alpha=0.1,much", "seed=0..1"], ["estimator.alpa=1"]])
def test_every_combination_is_checked_before_anything_starts(tmp_path: Path, fake: Fake, grid: list[str]) -> None:
    pool = fake()
    with pytest.raises(InputError, match="alpha"):
        sweeping.sweep(HOUSES, grid, runs=tmp_path)
    assert pool.asked == []
    assert list(tmp_path.iterdir()) == []


def test_two_members_with_the_same_parameters_are_refused(tmp_path: Path, fake: Fake) -> None:
    fake()
    with pytest.raises(InputError, match=r"alpha=0\.10.*same parameters"):
        sweeping.sweep(HOUSES, ["estimator.alpha=0.1,0.10"], runs=tmp_path)


def test_the_best_member_comes_first_and_failed_ones_last(tmp_path: Path, fake: Fake) -> None:
    fake(fails="alpha=0.02")
    lines: list[str] = []
    found = sweeping.sweep(
        HOUSES, {"estimator.alpha": [0.001, 0.02, 0.009]}, metric="rmse", runs=tmp_path, progress=lines.append
    )
    assert [outcome.member.values["estimator.alpha"] for outcome in found.outcomes] == ["0.009", "0.001", "0.02"]
    assert found.best is found.outcomes[0]
    assert [outcome.error for outcome in found.failed] == ["found <b>, expected nothing"]
    assert found.frame["rmse"].iloc[0] == pytest.approx(1.0)
    assert [line.split()[0] for line in lines] == ["1", "2", "3"]
    assert "left" in lines[0]
    assert json.loads(found.page.with_suffix(".json").read_bytes())["best"] == found.best.reference
    page = found.page.read_text()
    assert "<img alt=" in page
    assert "&lt;b&gt;" in page
    assert "<b>" not in page
    assert 'src="http' not in page


def test_an_interrupted_sweep_keeps_what_is_finished(tmp_path: Path, fake: Fake) -> None:
    fake(stops_after=2)
    found = sweeping.sweep(HOUSES, ["seed=0..4"], runs=tmp_path)
    assert found.interrupted
    assert (len(found.outcomes), found.asked) == (2, 5)
    assert "3 not run: interrupted" in found.page.read_text()


def test_the_same_sweep_has_the_same_name_and_another_one_another(tmp_path: Path, fake: Fake) -> None:
    fake()
    names = [sweeping.sweep(HOUSES, [grid], runs=tmp_path).name for grid in ("seed=0..1", "seed=0,1", "seed=0..2")]
    assert names[0] == names[1] != names[2]


def test_a_metric_that_no_member_has_is_refused(tmp_path: Path, fake: Fake) -> None:
    fake()
    with pytest.raises(InputError, match="expected one of: r2, rmse"):
        sweeping.sweep(HOUSES, ["seed=0..1"], metric="rmsle_loss", runs=tmp_path)


def test_a_direction_is_told_by_the_name_or_asked_for() -> None:
    assert check_direction("rmse_log", None) == "minimize"
    assert check_direction("r2", None) == "maximize"
    assert check_direction("r2", "minimize") == "minimize"
    with pytest.raises(InputError, match="add --direction"):
        check_direction("drawn", None)
    with pytest.raises(InputError, match="without a metric"):
        check_direction(None, "minimize")


def test_a_random_search_draws_the_same_members_again(tmp_path: Path, fake: Fake) -> None:
    pytest.importorskip("optuna")
    pool = fake()
    for _ in range(2):
        sweeping.sweep(HOUSES, ["estimator.alpha=0.0001..0.1:log", "seed=0..3"], random=6, runs=tmp_path)
    drawn = [task["overrides"] for task in pool.asked]
    assert len(drawn) == 12
    assert drawn[:6] == drawn[6:]
    assert all(0.0001 <= float(one[0].partition("=")[2]) <= 0.1 for one in drawn)


def test_a_bayesian_search_learns_whatever_the_order_of_answers(tmp_path: Path, fake: Fake) -> None:
    pytest.importorskip("optuna")
    fake()
    options: dict[str, Any] = {"bayes": 24, "metric": "rmse", "runs": tmp_path}
    first, second = (sweeping.sweep(HOUSES, ["estimator.alpha=0.0001..0.1"], **options) for _ in range(2))
    assert [one.member.label for one in first.outcomes] == [one.member.label for one in second.outcomes]
    late = [one.metrics["rmse"] for one in first.outcomes if one.member.number > 12]
    early = [one.metrics["rmse"] for one in first.outcomes if one.member.number <= 12]
    assert sum(late) / len(late) < sum(early) / len(early)


def test_a_search_refuses_a_range_whose_end_params_refuses(tmp_path: Path, fake: Fake) -> None:
    pytest.importorskip("optuna")
    fake()
    with pytest.raises(InputError, match="test_share"):
        sweeping.sweep(HOUSES, ["test_share=0.1..2.5"], random=3, runs=tmp_path)
    with pytest.raises(InputError, match="--bayes without a metric"):
        sweeping.sweep(HOUSES, ["seed=0..3"], bayes=3, runs=tmp_path)
    with pytest.raises(InputError, match="both --random and --bayes"):
        sweeping.sweep(HOUSES, ["seed=0..3"], bayes=3, random=3, runs=tmp_path)


ENDS = [
    ({}, 0),
    ({"fails": "seed=1"}, 3),
    ({"stops_after": 1}, 130),
    ({"stops_after": 1, "by": signal.SIGTERM}, 143),
    ({"stops_after": 1, "by": signal.SIGHUP}, 129),
]


@pytest.mark.parametrize(("options", "code"), ENDS)
def test_the_command_says_how_it_ended(
    tmp_path: Path, fake: Fake, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], code: int
) -> None:
    fake(**options)
    original = sweeping.sweep
    monkeypatch.setattr(sweeping, "sweep", lambda *given, **told: original(*given, **told, runs=tmp_path))
    ended = CliRunner().invoke(commands, ["sweep", str(HOUSES), "--grid", "seed=0..2", "--metric", "r2"])
    assert ended.exit_code == code
    assert f"page: {tmp_path}" in ended.stdout
    assert ("failed: seed=1" in ended.stderr) == (code == 3)


def test_there_are_three_workers_for_two_cpus(monkeypatch: pytest.MonkeyPatch) -> None:
    for cpu_count, expected in ((1, 2), (2, 3), (3, 5), (8, 12)):
        monkeypatch.setattr(workers, "cpu_count", lambda cpu_count=cpu_count: cpu_count)
        assert check_workers(None) == expected
    assert check_workers(1) == 1
    with pytest.raises(InputError, match="one at least"):
        check_workers(0)


REFUSALS = [("AttributeError: no dom", 2), ("ColdOnlyError: found TZ changed", 2), ("ZeroDivisionError: by zero", 1)]


@pytest.mark.parametrize(("message", "runs"), REFUSALS)
def test_a_name_unknown_in_a_warm_kernel_is_decided_by_a_cold_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, message: str, runs: int
) -> None:
    from jupyter_client.provisioning.factory import KernelProvisionerFactory

    kinds: list[str] = []

    def fail(*given: object) -> Record:
        kinds.append(KernelProvisionerFactory.instance().default_provisioner_name)
        record = create_record(tmp_path, "houses")
        write_manifest(record, {"status": "failed", "error": {"message": message}})
        raise RunError("failed", record.folder)

    monkeypatch.setenv(ADDRESS, "socket")
    monkeypatch.setattr(KernelProvisionerFactory.instance(), "default_provisioner_name", "warm")
    monkeypatch.setattr(worker, "_run_once", fail)
    assert worker.work(a_task(tmp_path), packages_digest())["error"] == "failed"
    assert kinds == ["warm", "local-provisioner"][:runs]


def a_task(runs: Path) -> dict[str, Any]:
    asked = {"params_file": str(HOUSES), "overrides": [], "runs": str(runs), "force": True, "parity": False}
    stands_on = {"sources": sources_of(HOUSES), "packages": packages_digest()}
    return asked | stands_on | {"timeout": None, "sweep": "houses-1"}


def test_a_member_of_other_files_or_packages_than_the_sweep_began_with_does_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, task = packages_digest(), a_task(tmp_path)
    monkeypatch.setattr(worker, "_run_once", lambda task, runs: pytest.fail("it ran"))
    assert "packages changed" in worker.work(task, "what this process imported")["error"]
    assert "packages changed" in worker.work(task | {"packages": "what the sweep began with"}, here)["error"]
    assert "other notebooks, code or parameters" in worker.work(task | {"sources": ""}, here)["error"]
    monkeypatch.setattr(worker, "sources_of", lambda path: (_ for _ in ()).throw(OSError("gone")))
    assert worker.work(task, here)["error"] == "gone"


def test_a_member_during_which_packages_changed_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(task: Task, runs: Path) -> Record:
        if task["overrides"]:
            monkeypatch.setattr(worker, "packages_digest", lambda: "another")
        return create_record(runs, "houses")

    here, task = packages_digest(), a_task(tmp_path)
    monkeypatch.setattr(worker, "_run_once", run)
    assert worker.work(task, here)["error"] is None
    answer = worker.work(task | {"overrides": ["seed=1"]}, here)
    assert "packages changed" in answer["error"]
    assert Path(answer["folder"]).is_dir()


HELPERS = ("tiny/helper.py", "helper.py", "nbs/research/helper.py")


def test_a_members_sources_are_its_own_notebook_the_code_and_the_parameters(tmp_path: Path) -> None:
    (tmp_path / "settings.ini").write_text(
        "[project]\nlib_name = tiny\nnbs_path = nbs\nparams_path = params\nruns_path = runs\n"
    )
    params_file, *files = (
        tmp_path / name for name in ("params/sums.yml", "nbs/research/sums.ipynb", "nbs/steps/more.ipynb", *HELPERS)
    )
    assert sources_of(params_file) == ""
    seen = {""}
    for path in (params_file, *files, params_file):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(str(len(seen)))
        assert sources_of(params_file) not in seen
        seen.add(sources_of(params_file))
    for name in ("nbs/research/others.ipynb", "nbs/sweeping.ipynb"):
        (tmp_path / name).write_text("somebody works on it")
        assert sources_of(params_file) in seen


@pytest.mark.slow
def test_a_sweep_leaves_a_record_for_each_member_and_continues(tmp_path: Path) -> None:
    options: dict[str, Any] = {"metric": "rmse", "runs": tmp_path, "workers": 2}
    first = sweeping.sweep(HOUSES, ["seed=0..1"], **options)
    assert [outcome.error for outcome in first.outcomes] == [None, None]
    assert first.best is not None
    assert first.best.parity is True
    records = all_records(tmp_path)
    assert {record.manifest()["sweep"] for record in records} == {first.name}
    again = sweeping.sweep(HOUSES, ["seed=0..2"], **options)
    assert [outcome.known for outcome in sorted(again.outcomes, key=lambda one: one.member.number)] == [
        True,
        True,
        False,
    ]
    assert len(all_records(tmp_path)) == 3


class SlowServer:
    """A server of warm processes that is ready just when the sweep ends."""

    address = "nowhere"

    def __init__(self, names: Sequence[str], runner: Sequence[str] = ()) -> None:
        self.awaited, self.given_up = threading.Event(), threading.Event()

    def wait_until_ready(self) -> Self:
        self.awaited.set()
        assert self.given_up.wait(10)
        return self

    def lost(self, patience: float) -> bool:
        return False

    def give_up(self) -> None:
        self.given_up.set()

    def close(self) -> None:
        pass


class StubbornWorker:
    """Works on until it is killed; a request to end is followed by another."""

    made: ClassVar[list["StubbornWorker"]] = []

    def __init__(self, address: str | None) -> None:
        self.working, self.killed = threading.Event(), threading.Event()
        self.made.append(self)

    def work(self, task: Task) -> None:
        self.working.set()
        assert self.killed.wait(10)

    def interrupt(self) -> None:
        raise KeyboardInterrupt

    def kill(self) -> None:
        self.killed.set()

    def close(self) -> None:
        pass


@pytest.fixture
def stubborn(monkeypatch: pytest.MonkeyPatch) -> list[StubbornWorker]:
    monkeypatch.setattr(workers, "Worker", StubbornWorker)
    monkeypatch.setattr(workers, "WarmServer", SlowServer)
    monkeypatch.setattr(StubbornWorker, "made", [])
    return StubbornWorker.made


def interrupted(pool: workers.LocalPool, when: Callable[[], bool]) -> Answer:
    """What a pool answers to a task that is interrupted as soon as this is so."""
    with suppress(KeyboardInterrupt), pool:
        started = pool._threads.submit(pool._one, {})
        until = time.monotonic() + 10
        while not when():
            assert time.monotonic() < until
            time.sleep(0.001)
        raise KeyboardInterrupt
    return started.result()


def test_a_sweep_that_is_interrupted_as_its_workers_start_starts_none(stubborn: list[StubbornWorker]) -> None:
    pool = workers.LocalPool(1, ["numpy"])
    assert isinstance(pool._server, SlowServer)
    answer = interrupted(pool, pool._server.awaited.is_set)
    assert "before it started" in answer["error"]
    assert stubborn == []


def test_a_second_request_ends_a_sweep_at_once(stubborn: list[StubbornWorker]) -> None:
    answer = interrupted(workers.LocalPool(1, None), lambda: bool(stubborn) and stubborn[0].working.is_set())
    assert stubborn[0].killed.is_set()
    assert answer["error"] is not None


def test_a_metric_that_no_finished_run_has_is_refused_before_anything_starts(tmp_path: Path, fake: Fake) -> None:
    pool = fake()
    record = create_record(tmp_path / "runs", "houses")
    (record.folder / "metrics.json").write_text('{"rmse": 1.0}')
    seal(record, {"status": "finished", "reference": record.reference})
    with pytest.raises(InputError, match=r"--metric mae: found no such metric in the finished runs .* one of: rmse;"):
        sweeping.sweep(HOUSES, ["seed=0..1"], metric="mae", runs=tmp_path / "runs")
    assert pool.asked == []


def test_progress_tells_once_why_members_run_again_and_how_long_others_take(
    tmp_path: Path, fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = fake()
    answer = pool._answer
    known = {1: {"known": True}, 2: {"again": "runs again: x"}, 3: {"again": "runs again: y"}}
    monkeypatch.setattr(pool, "_answer", lambda task, number: answer(task, number) | {"seconds": 60.0} | known[number])
    lines: list[str] = []
    sweeping.sweep(HOUSES, ["seed=1..3"], runs=tmp_path / "runs", progress=lines.append)
    assert [line.rpartition("  ")[2] for line in lines if "left" in line] == ["about 60 s left"]
    assert [line for line in lines if "again" in line] == ["  seed=2: runs again: x"]
    assert "known" in lines[0]
    assert "left" not in lines[-1]


def test_progress_of_a_sweep_that_nobody_reads_ends_no_member(tmp_path: Path, fake: Fake) -> None:
    def broken(line: str) -> None:
        raise BrokenPipeError

    fake()
    assert len(sweeping.sweep(HOUSES, ["seed=1..3"], runs=tmp_path / "runs", progress=broken).finished) == 3
