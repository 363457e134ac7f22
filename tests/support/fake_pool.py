"""A pool that answers a sweep's tasks without kernels."""

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from pipeline_lib.sweeps.task import Task, TaskResult

Fake = Callable[..., "FakePool"]


class FakePool:
    """Answers tasks from their overrides, in the reverse of their order.

    Tasks whose overrides contain `fails` fail; after `stops_after` tasks the sweep is interrupted, by the signal `by`.
    """

    def __init__(self, runs: Path, *, fails: str = "", stops_after: int | None = None, by: int = 0) -> None:
        self.runs, self.fails, self.stops_after, self.tasks = runs, fails, stops_after, list[Task]()
        self.by = by

    def work(self, tasks: Sequence[Task]) -> Iterator[tuple[int, TaskResult]]:
        for index, task in reversed(list(enumerate(tasks))):
            if self.stops_after is not None and len(self.tasks) >= self.stops_after:
                if self.by:
                    os.kill(os.getpid(), self.by)
                raise KeyboardInterrupt
            self.tasks.append(task)
            yield index, self.result(task, len(self.tasks))

    def result(self, task: Task, number: int) -> TaskResult:
        overrides = dict(text.split("=") for text in task.overrides)
        alpha = float(overrides.get("estimator.alpha", "0.001"))
        error = "found <b>, expected nothing" if self.fails and self.fails in " ".join(task.overrides) else None
        metrics = None if error else {"rmse": abs(alpha - 0.01) * 1000, "rmse_log": abs(alpha - 0.01), "r2": 1 - alpha}
        folder = str(self.runs / "houses" / f"20260101T000000-{number:06x}")
        return TaskResult(folder, metrics, error=error, seconds=0.5)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass
