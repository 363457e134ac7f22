"""The scenarios: faults of runners, and what must be true afterwards."""

import os
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

from pipeline_lib.records.index import summaries
from pipeline_lib.records.record import Record
from pipeline_lib.records.seal import seal, verify
from pipeline_lib.system.locks import PREFIX
from tools.faults.injection import Injection
from tools.faults.stage import PATIENCE, Ended, Stage
from tools.faults.tampering import TAMPERINGS, flipped_bits

KERNEL_ENDS = 5.0
"""Seconds after a runner's end by which its kernel must have ended."""
DEATHS = {
    "SIGKILL": "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)",
    "SIGSEGV": "import ctypes\nctypes.string_at(0)",
    "os._exit(0)": "import os\nos._exit(0)",
    "sys.exit(0)": "import sys\nsys.exit(0)",
    "memory": "import resource\nresource.setrlimit(resource.RLIMIT_AS, (1 << 29, 1 << 29))\nbytearray(1 << 40)",
}
STUBBORN = {
    "computes": "while True:\n    pass",
    "ignores": "import signal, time\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\ntime.sleep(600)",
    "compiled": "import re\nre.match(r'(a+)+$', 'a' * 60 + 'b')",
}
"""Cells that do not react: endless Python, a handler that ignores interrupts, compiled code that holds the GIL."""


@dataclass
class Row:
    """One line of the table: how trials ended, and the problems."""

    name: str
    trials: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    slowest_kernel: float = 0.0

    def judge(self, stage: Stage, ended: Ended, codes: Sequence[int], *, runs: Path | None = None) -> list[Record]:
        """Count a trial whose runner has ended, and its problems; the records it left."""
        self.trials += 1
        self.slowest_kernel = max(self.slowest_kernel, self._until_no_kernel(stage))
        records = stage.new_records(runs)
        self.ends[f"{','.join(record.status() for record in records) or 'no record'}, exit {ended.code}"] += 1
        self.wrong += stage.faults_of(records)
        if ended.code not in codes:
            self.wrong.append(f"exit {ended.code}, expected {' or '.join(map(str, codes))}: {ended.output[-500:]}")
        if "Traceback (most recent call last)" in ended.output:
            self.wrong.append(f"a traceback: {ended.output[-800:]}")
        if ended.code == 0 and [record.status() for record in records] != ["finished"]:
            self.wrong.append("exit 0 without a finished record")
        return records

    def _until_no_kernel(self, stage: Stage) -> float:
        began = time.monotonic()
        while stage.kernels():
            if time.monotonic() - began > KERNEL_ENDS:
                self.wrong.append(f"a kernel lives {KERNEL_ENDS:.0f} s after its runner")
                break
            time.sleep(0.02)
        return time.monotonic() - began


def duration(stage: Stage) -> float:
    """Seconds that a run without a fault takes; RuntimeError when it does not finish."""
    began = time.monotonic()
    ended = stage.wait(stage.start())
    if ended.code:
        raise RuntimeError(f"found a run without a fault that ended with {ended.code}, expected 0: {ended.output}")
    stage.forget(stage.new_records())
    return time.monotonic() - began


def signals(stage: Stage, number: signal.Signals, trials: int) -> Row:
    """Send a signal to runners at random times."""
    row = Row(f"{number.name} to the runner")
    longest = duration(stage) * 1.1
    for _ in range(trials):
        runner = stage.start()
        time.sleep(stage.draw.uniform(0, longest))
        os.kill(runner, number)
        ended = stage.wait(runner)
        records = row.judge(stage, ended, (0, 128 + number))
        row.wrong += [
            f"{record.id}: failed, but the message does not say interrupted: {error}"
            for record in records
            if record.status() == "failed" and "interrupted" not in (error := record.manifest()["error"]["message"])
        ]
        stage.forget(records)
    return row


def stubborn(stage: Stage, number: signal.Signals) -> Row:
    """Send a signal while a cell runs that no interrupt reaches."""
    row = Row(f"{number.name} while a cell ignores interrupts")
    for source in STUBBORN.values():
        sign = stage.folder / "sign"
        sign.unlink(missing_ok=True)
        runner = stage.start(cells=[f"open({str(sign)!r}, 'w').close()\n{source}"])
        while not sign.exists():
            time.sleep(0.02)
        time.sleep(0.2)
        began = time.monotonic()
        os.kill(runner, number)
        records = row.judge(stage, stage.wait(runner), [128 + number])
        row.slowest_kernel = max(row.slowest_kernel, time.monotonic() - began)
        if number != signal.SIGKILL:
            row.wrong += [f"{record.id}: is {record.status()}" for record in records if record.status() != "failed"]
        stage.forget(records)
    return row


def deaths(stage: Stage, *, every: int = 1) -> Row:
    """Let the kernel die in each cell and in each way, or in every `every`-th combination."""
    row = Row("kernel dies in each cell")
    for index in range(len(stage.cells)):
        for name in list(DEATHS)[index % every :: every]:
            source = DEATHS[name]
            cells = [text if n != index else f"{source}\n{text}" for n, text in enumerate(stage.cells)]
            ended = stage.wait(stage.start(cells=cells))
            records = row.judge(stage, ended, [3])
            errors = [record.manifest().get("error") or {} for record in records]
            if [error.get("cell") for error in errors] != [
                index + 2
            ]:  # in the research notebook, after its cell of parameters
                row.wrong.append(f"{name} in cell {index + 2}: recorded as {errors}")
            stage.forget(records)
    return row


def writes(stage: Stage, name: str, *, every: int = 1) -> Row:
    """Let the k-th write of the runner fail, for every `every`-th k."""
    row = Row(f"{name} at the k-th write")
    folders = (str(stage.runs), f"{PREFIX}kernel-")
    counting = Injection(name, 0, folders)
    stage.wait(stage.start(prepare=counting.begin))
    stage.forget(stage.new_records())
    for k in range(1, counting.count + 1, every):
        ended = stage.wait(stage.start(prepare=Injection(name, k, folders).begin))
        records = row.judge(stage, ended, (0, 3))
        if ended.code == 3 and "error: " not in ended.output:
            row.wrong.append(f"write {k}: no error message")
        stage.forget(records)
    row.name += f" (of {counting.count})"
    return row


def small_disk(stage: Stage, sizes: Sequence[int]) -> Row:
    """Runs on disks of these sizes in KiB."""
    row = Row("a small disk that is full")
    for size in sizes:
        with _disk(stage.folder / "small", size) as disk:
            if disk is None:
                row.name += " (not permitted here)"
                return row
            row.judge(stage, stage.wait(stage.start(runs=disk)), (0, 3), runs=disk)
    return row


@contextmanager
def _disk(folder: Path, size: int) -> Iterator[Path | None]:
    folder.mkdir(exist_ok=True)
    words = ["mount", "-t", "tmpfs", "-o", f"size={size}k", "none", str(folder)]
    if subprocess.run(words, check=False, capture_output=True).returncode:  # noqa: S603
        yield None
        return
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)  # noqa: S603, S607


def at_once(stage: Stage, runners: int, rounds: int) -> Row:
    """Many runners begin at the same time, while their records are read and listed."""
    row = Row(f"{runners} runners at once")
    for _ in range(rounds):
        begun = [stage.start() for _ in range(runners)]
        codes = []
        looks: set[str] = set()
        while begun:
            looks |= {record.status() for record in stage.new_records()}
            summaries(stage.runs)  # writes the index rows of ended runs
            for runner in [one for one in begun if os.waitid(os.P_PID, one, os.WEXITED | os.WNOHANG | os.WNOWAIT)]:
                begun.remove(runner)
                codes.append(stage.wait(runner).code)
            time.sleep(0.05)
        records = stage.new_records()
        row.trials += runners
        row.ends.update(f"{record.status()}, exit {code}" for record, code in zip(records, codes, strict=False))
        row.wrong += stage.faults_of(records)
        row.wrong += [f"looked {look} while a runner lived" for look in looks - {"running", "finished"}]
        row.wrong += [f"failed: {record.manifest()['error']}" for record in records if record.status() == "failed"]
        times = {record.id.partition("-")[0] for record in records}
        if len(times) != runners or any(codes):
            row.wrong.append(f"{runners} runners left {len(times)} names and exit codes {sorted(set(codes))}")
        stage.forget(records)
    return row


def bits(stage: Stage, flips: int, seed: int) -> Row:
    """Flip single bits of a whole record."""
    row = Row("one bit of a record flipped")
    record = Record(_copied(stage, "flipped"))
    for position in flipped_bits(record, flips, seed):
        row.trials += 1
        refused = bool(verify(record))
        row.ends["refused" if refused else "accepted"] += 1
        row.wrong += [] if refused else [f"accepted: {position}"]
    row.wrong += verify(record)
    return row


def tamperings(stage: Stage, kinds: Mapping[str, Callable[[Record], Any]] = TAMPERINGS) -> Row:
    """Damage whole records in ways that digests of files alone do not show."""
    row = Row("kinds of tampering")
    for number, (name, tamper) in enumerate(kinds.items()):
        record = Record(_copied(stage, f"tampered-{number}"))
        tamper(record)
        row.trials += 1
        refused = bool(verify(record))
        row.ends["refused" if refused else "accepted"] += 1
        row.wrong += [] if refused else [f"accepted: {name}"]
    return row


def _copied(stage: Stage, name: str) -> Path:
    folder = stage.folder / name / "houses" / stage.good.id
    shutil.copytree(stage.good.folder, folder)
    return folder


def control(stage: Stage, trials: int) -> Row:
    """A runner that seals before it runs, and is then killed: this must be reported."""
    row = Row("control: sealed too early")
    early = patch(
        "pipeline_lib.runner.run.write_manifest",
        lambda record, manifest: seal(record, manifest | {"status": "finished", "error": None}),
    )
    for _ in range(trials):
        runner = stage.start(prepare=early.start)
        deadline = time.monotonic() + PATIENCE
        while "finished" not in {record.status() for record in stage.new_records()} and time.monotonic() < deadline:
            time.sleep(0.01)
        os.kill(runner, signal.SIGKILL)
        stage.forget(row.judge(stage, stage.wait(runner), [137]))
    return row
