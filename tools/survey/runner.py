"""Runs cases in worker processes, which are ended when they hang and replaced when they die.

Results are appended to a file as they come, so that a run that was stopped goes on where it was.
"""

import json
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from tools.survey.cases import Case
from tools.survey.checks import Result

SECONDS = 240  # for one case, and for the imports before the first
_BATCH = 40  # cases of one process: imports take seconds, and memory grows
_FRESH_SAMPLE = 6  # of the exact models, each sixth is loaded in a fresh process; of the opaque ones, each
Progress = Callable[[Result], None]
ROOT = Path(__file__).parents[2]
_ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def run(cases: Sequence[Case], workers: int, progress: Progress) -> None:
    """The result of every case, given to `progress` as it is there."""
    batches: queue.SimpleQueue[list[str]] = queue.SimpleQueue()
    for part in _batches(cases):
        batches.put(part)
    with ThreadPoolExecutor(workers) as threads:
        for taken in [threads.submit(_take, batches, progress) for _ in range(workers)]:
            taken.result()


def _batches(cases: Sequence[Case]) -> list[list[str]]:
    """The ids of cases in parts, each of one library."""
    parts: list[list[str]] = []
    library = ""
    for case in cases:
        if case.library != library or len(parts[-1]) == _BATCH:
            parts.append([])
            library = case.library
        parts[-1].append(case.id)
    return parts


def _take(batches: "queue.SimpleQueue[list[str]]", progress: Progress) -> None:
    while True:
        try:
            ids = batches.get_nowait()
        except queue.Empty:
            return
        folder = Path(tempfile.mkdtemp(prefix="survey-"))
        try:
            results = _answers(ids, [str(folder)])
            for result in _in_fresh_process(results, folder):
                progress(result)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _in_fresh_process(results: Sequence[Result], folder: Path) -> list[Result]:
    """The results; those whose saved model fails in a fresh process with what happened there."""
    saved = {}
    for number, path in enumerate(sorted(folder.glob("*/case.json"))):  # a model that cannot be saved leaves none
        case = json.loads(path.read_text(encoding="utf-8"))
        opaque = any(result.case == case and result.outcome == "opaque" for result in results)
        if opaque or number % _FRESH_SAMPLE == 0:
            saved[str(path.parent)] = case
    answers = _answers(list(saved), ["--fresh"])
    failed = {
        saved.get(answer.case, answer.case): answer for answer in answers if answer.outcome not in ("exact", "opaque")
    }
    return [
        Result(result.case, failed[result.case].outcome, failed[result.case].why, result.seconds)
        if result.case in failed
        else result
        for result in results
    ]


def _answers(ids: Sequence[str], arguments: Sequence[str]) -> list[Result]:
    """The results of one batch, in as many processes as it takes."""
    results: list[Result] = []
    left = list(ids)
    while left:
        fresh, end = _one_process(left, arguments)
        results += fresh
        left = left[len(fresh) :]
        if left and end:
            results.append(Result(left.pop(0), *end))
    return results


def _one_process(ids: Sequence[str], arguments: Sequence[str]) -> tuple[list[Result], tuple[str, str] | None]:
    """The results until the process ends, and how it ended where it did so early."""
    command = [sys.executable, "-m", "tools.survey.worker", *arguments]
    process = subprocess.Popen(  # noqa: S603  ourselves
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        encoding="utf-8",
        env=os.environ | _ONE_THREAD,
        cwd=ROOT,
    )
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    talk = threading.Thread(target=_talk, args=(process, ids, lines), daemon=True)
    talk.start()
    try:
        return _results(process, len(ids), lines)
    finally:
        process.kill()
        process.wait()
        talk.join()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with suppress(BrokenPipeError):
                    stream.close()


def _results(
    process: "subprocess.Popen[str]", count: int, lines: "queue.SimpleQueue[str]"
) -> tuple[list[Result], tuple[str, str] | None]:
    """As many results as the process gives, and how it ended where it did so early."""
    results: list[Result] = []
    while len(results) < count:
        try:
            line = lines.get(timeout=SECONDS)
        except queue.Empty:
            return results, ("hangs", f"no answer in {SECONDS} s")
        if not line:
            return results, ("crash", f"the process ended with {process.wait()}")
        results.append(Result(**json.loads(line)))
    process.wait()
    return results, None


def _talk(process: "subprocess.Popen[str]", ids: Sequence[str], lines: "queue.SimpleQueue[str]") -> None:
    """Send the ids, pass on each line that comes back, and an empty one at the end."""
    if process.stdin is None or process.stdout is None:
        raise ValueError("the process has no pipes")
    try:
        with process.stdin:
            process.stdin.write("".join(f"{name}\n" for name in ids))
    except BrokenPipeError:  # it has died; what it wrote before is read below
        pass
    for line in process.stdout:
        lines.put(line)
    lines.put("")


def now() -> str:
    """The time of day, for progress."""
    return time.strftime("%H:%M:%S")
