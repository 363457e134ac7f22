"""The second recording in another process: what it sees, how it ends, and that it leaves nothing behind."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil
import pytest
from own_parts.bases import Step
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline

from pipeline_lib import trace
from pipeline_lib.compiler.compile import compile_pipeline
from pipeline_lib.compiler.tracing import repeat
from pipeline_lib.compiler.tracing.refusals import TraceRefusedError
from pipeline_lib.compiler.tracing.repeat import plan_digest
from pipeline_lib.compiler.tracing.repeat_process import Worker, worker
from pipeline_lib.compiler.tracing.trace import Trace
from pipeline_lib.compiler.tracing.traces import Traces
from pipeline_lib.errors import InputError

ROOT = Path(__file__).parents[3]
X = pd.DataFrame({"a": [1.0, 2.0, 3.5], "b": [3.0, 4.0, -5.0]})
NAMES = {f"column_{number}" for number in range(12)}


class Half(TransformerMixin, BaseEstimator):
    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return X[["a"]] / 2


class Kept(Half):
    """A step that keeps an object."""

    def __init__(self, kept=None):
        self.kept = kept

    def transform(self, X):
        return X[["a"]] * (1 if self.kept is None else 2)


class ByOrder(Half):
    def transform(self, X):
        return X.assign(**dict.fromkeys(NAMES | {"z"}, 0.0))


class ByHash(Half):
    def transform(self, X):
        return X.assign(z="abc".__hash__() % 1_000_003)


class ByDraw(Half):
    def fit(self, X, y=None):
        self.table_ = pd.DataFrame({"q": np.arange(10_000.0)})
        return self

    def transform(self, X):
        return X.assign(z=self.table_["q"].sample(1).iloc[0])


class Sorted(ByOrder):
    def transform(self, X):
        return X.assign(**dict.fromkeys(sorted(NAMES | {"z"}), 0.0))


class Written(ByDraw):
    def transform(self, X):
        self.table_.to_csv("/dev/null")
        return X


class WrittenUnseen(ByDraw):
    def transform(self, X):
        try:
            self.table_.to_csv("/proc/seen.csv")
        except Exception:
            return X * 2
        return X


class InBerlin(Half):
    def transform(self, X):
        return X.assign(z=float(pd.Timestamp("2020-06-01", tz="Europe/Berlin").tz_convert("UTC").hour))


@pytest.mark.parametrize("step", [Half(), Step().fit(X), Sorted(), InBerlin(), Kept(np.arange(3))])
def test_a_step_is_recorded_alike_twice(step: Any) -> None:
    assert trace(step.fit(X), X).returned


@pytest.mark.parametrize("step", [ByOrder(), ByHash(), ByDraw()])
def test_what_differs_between_processes_is_refused(step: Any) -> None:
    with pytest.raises(TraceRefusedError, match=r"found another plan in a second recording, .*sorted\(values\)"):
        trace(step.fit(X), X)


@pytest.mark.parametrize("step", [Written(), WrittenUnseen()])
def test_a_file_that_a_kept_object_opens_is_refused_with_the_line(step: Any) -> None:
    with pytest.raises(
        TraceRefusedError, match=r"line \d+: self.table_.to_csv\(.*\): found the file .* opened by own code"
    ):
        _record(step.fit(X))


def _record(step: Any, seconds: float = 120.0) -> Trace:
    """The trace of a step, once its second recording was compared."""
    traces = Traces()
    traces.repeats.seconds = seconds
    traces.note(step, "transform", X)
    from pipeline_lib.compiler.tracing.view import _columns

    recorded = traces.trace(step, "transform", _columns(X))
    traces.repeats.compare()
    return recorded


def test_a_local_class_and_a_class_of_main_are_recorded_twice() -> None:
    class Local(Half):
        def transform(self, X):
            return X * 3

    assert trace(Local(), X).returned
    program = """
        import pandas as pd
        from sklearn.base import BaseEstimator, TransformerMixin
        from pipeline_lib import trace
        FACTOR = 2
        class Main(TransformerMixin, BaseEstimator):
            def transform(self, X):
                return helper(X)
        def helper(X):
            return X * FACTOR
        print(trace(Main(), pd.DataFrame({"a": [1.5]})).returned)
    """
    done = _python(program)
    assert done.returncode == 0, done.stderr
    assert "'3.0'" in done.stdout
    assert done.stderr == ""


def _python(program: str) -> Any:
    command = [sys.executable, "-c", textwrap.dedent(program)]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)  # noqa: S603


class OnlyHere:
    """An object that comes to another process as something else; here it is itself."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.made = (function, arguments)

    def __deepcopy__(self, memo: Any) -> "OnlyHere":
        return self

    def __reduce__(self) -> Any:
        return self.made


def test_a_step_that_cannot_be_copied_is_refused() -> None:
    with pytest.raises(
        TraceRefusedError, match=r"cannot be copied to another process .*lock.*; keep open files, locks"
    ):
        trace(Kept(threading.Lock()), X)


def test_own_code_that_ends_the_process_is_refused() -> None:
    with pytest.raises(TraceRefusedError, match="found a process that ended without an answer in a second recording"):
        trace(Kept(OnlyHere(os._exit, 3)), X)
    with pytest.raises(TraceRefusedError, match="found SystemExit: 3 in a second recording"):
        trace(Kept(OnlyHere(sys.exit, 3)), X)
    assert trace(Half(), X).returned


def test_own_code_that_hangs_is_refused_in_time() -> None:
    start = time.monotonic()
    with pytest.raises(TraceRefusedError, match=r"found no answer within 0\.5 seconds in a second recording"):
        _record(Kept(OnlyHere(time.sleep, 600)), seconds=0.5)
    assert time.monotonic() - start < 30
    assert trace(Half(), X).returned


def test_what_own_code_prints_and_starts_is_gone(capfd: pytest.CaptureFixture[str]) -> None:
    marker = f"sleep 6{os.getpid()}"
    noise = OnlyHere(os.system, f"echo noise; echo noise >&2; {marker} &")
    assert trace(Kept(noise), X).returned
    assert capfd.readouterr() == ("", "")
    time.sleep(0.2)
    assert not [each for each in psutil.process_iter(["cmdline"]) if marker in " ".join(each.info["cmdline"] or [])]


def test_the_process_says_why_it_ended() -> None:
    noise = OnlyHere(_say_and_end)
    with pytest.raises(TraceRefusedError, match=r"ended without an answer \(it said: goodbye\)"):
        trace(Kept(noise), X)


def _say_and_end() -> None:
    os.write(2, b"goodbye")
    os._exit(1)


def test_a_worker_that_is_killed_is_started_again() -> None:
    trace(Half(), X)
    first = worker()
    os.kill(first.pid, signal.SIGKILL)
    assert trace(Half(), X).returned
    assert worker().pid != first.pid
    assert not psutil.pid_exists(first.pid)  # no zombie


def test_a_request_is_asked_again_where_the_worker_was_killed() -> None:
    traces, step = Traces(), Half()
    traces.note(step, "transform", X)
    from pipeline_lib.compiler.tracing.view import _columns

    traces.trace(step, "transform", _columns(X))
    os.kill(worker().pid, signal.SIGKILL)
    traces.repeats.compare()
    assert not traces.repeats.expected


def test_a_worker_that_ends_at_once_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def ended() -> Worker:
        made = Worker()
        os.kill(made.pid, signal.SIGKILL)
        return made

    monkeypatch.setattr(repeat, "worker", ended)
    with pytest.raises(TraceRefusedError, match="found the process gone that records own code a second time"):
        trace(Half(), X)
    monkeypatch.undo()
    assert trace(Half(), X).returned


def test_threads_share_the_worker() -> None:
    found: list[Any] = []
    shared = make_pipeline(Half(), LinearRegression()).fit(
        X, X["b"]
    )  # fitted once: scikit-learn's fit is of one thread

    def work(number: int) -> None:
        try:
            for _ in range(3):
                own = make_pipeline(Kept(np.arange(number + 1)), LinearRegression())
                pipeline = shared if number % 2 else own.fit(X, X["b"])
                model = compile_pipeline(pipeline, like=X, library="test_repeat")
                found.append(model.report.exact)
        except Exception as error:
            found.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 12


def test_a_refused_compilation_leaves_no_answer_to_the_next() -> None:
    traces = Traces()
    step = Half()
    traces.note(step, "transform", X)
    from pipeline_lib.compiler.tracing.view import _columns

    traces.trace(step, "transform", _columns(X))  # asked, and never compared
    with pytest.raises(TraceRefusedError, match="another plan"):
        trace(ByHash(), X)
    assert trace(Half(), X).returned


def test_a_forked_process_starts_a_worker_of_its_own() -> None:
    program = """
        import os, warnings
        import pandas as pd
        from sklearn.base import BaseEstimator, TransformerMixin
        from pipeline_lib import trace
        from pipeline_lib.compiler.tracing.repeat_process import Worker, worker
        warnings.simplefilter("ignore")
        class Main(TransformerMixin, BaseEstimator):
            def transform(self, X):
                return X * 2
        X = pd.DataFrame({"a": [1.5]})
        trace(Main(), X)
        first = worker().pid
        child = os.fork()
        if child == 0:
            trace(Main(), X)
            good = worker().pid != first
            worker().close()
            os._exit(0 if good else 1)
        _, status = os.waitpid(child, 0)
        trace(Main(), X)
        print(status, worker().pid == first)
    """
    done = _python(program)
    assert (done.stdout.strip(), done.stderr) == ("0 True", "")


@pytest.mark.parametrize("way", ["killed", "error"])
def test_the_worker_ends_with_the_compiling_process(way: str) -> None:
    program = f"""
        import os, signal, time
        import psutil
        from pipeline_lib.compiler.tracing.repeat import Repeats
        from pipeline_lib.compiler.tracing.repeat_process import Worker, worker
        class Slow:
            def __reduce__(self):
                return (time.sleep, (600,))
        Repeats().request("here", Slow(), "digest")
        process = psutil.Process(worker().pid)
        while not process.children():
            time.sleep(0.05)
        print(process.pid, process.children()[0].pid, flush=True)
        if {way!r} == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        raise ValueError("as it comes")
    """
    done = _python(program)
    until = time.monotonic() + 20
    for pid in map(int, done.stdout.split()):
        while psutil.pid_exists(pid) and time.monotonic() < until:
            time.sleep(0.05)
        assert not psutil.pid_exists(pid)
    assert len(done.stdout.split()) == 2
    assert "as it comes" in done.stderr if way == "error" else done.stderr == ""


def test_a_digest_is_the_same_for_the_same_plan_alone() -> None:
    first, second = _record(Half()), _record(Half())
    third = _record(Step().fit(X))
    digests = [plan_digest(each.nodes, each.outputs) for each in (first, second, third)]
    assert digests[0] == digests[1] != digests[2]
    assert len(digests[0]) == 64


def test_an_error_of_the_second_recording_is_an_input_error() -> None:
    assert issubclass(TraceRefusedError, InputError)
