"""An unchanged run against the start of its libraries, and `runs` over many records. Measured side by side.

python benchmarks/run_cache.py [--records 10000]
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from pipeline_lib.records.record import Record, checks_folder
from pipeline_lib.records.seal import verify
from pipeline_lib.system.files import canonical_json, sha256_bytes

ROOT = Path(__file__).resolve().parents[1]
PROJECT = ("settings.ini", "pyproject.toml", "requirements.lock", "params", "nbs", "pipeline_lib")
COMMAND = str(Path(sys.executable).with_name("pipeline-lib"))
START = (sys.executable, "-c", "import click, pydantic")


def seconds(words: Sequence[str], project: Path) -> float:
    """Wall time of one process that must succeed, in a copy of this project."""
    environment = {**os.environ, "PYTHONPATH": str(project)}
    start = time.perf_counter()
    subprocess.run(words, cwd=project, env=environment, check=True, capture_output=True)  # noqa: S603 (our own)
    return time.perf_counter() - start


def against_start(words: Sequence[str], project: Path, rounds: int = 11) -> tuple[float, float]:
    """Median seconds of a command, and its median ratio to the start of its libraries, taken in turns."""
    pairs = [(seconds(words, project), seconds(START, project)) for _ in range(rounds)]
    return statistics.median(took for took, _ in pairs), statistics.median(took / start for took, start in pairs)


def write_record(runs: Path, pipeline: str, number: int) -> Record:
    """A sealed record, with a parity check, without waiting for the disk."""
    record = Record(runs / pipeline / f"20260101T{number:09}-{number:06x}")
    record.folder.mkdir(parents=True)
    parameters = {"test_share": 0.1, "seed": number, "estimator": {"alpha": number / 1000, "max_iter": 1000}}
    metrics = {"rmse": 30_000 + number % 977, "r2": 0.8, "cost": float(number)}
    files = {"params.json": canonical_json(parameters), "metrics.json": canonical_json(metrics)}
    for name, content in files.items():
        (record.folder / name).write_bytes(content)
    manifest = {
        "format": 1,
        "status": "finished",
        "reference": record.reference,
        "times": {"started": "2026-01-01T00:00:00+00:00", "seconds": 9.5},
        "files": {name: sha256_bytes(content) for name, content in files.items()},
    }
    manifest["digest"] = sha256_bytes(canonical_json(manifest))
    (record.folder / "manifest.json").write_bytes(canonical_json(manifest))
    checks = checks_folder(record)
    checks.mkdir(parents=True)
    (checks / "parity.json").write_text(json.dumps({"exact": True, "text": "parity: exact"}))
    return record


def unchanged(folder: Path, count: int) -> None:
    """Run the houses example once, then run it again unchanged, alone and among many other records."""
    for name in PROJECT:
        source = ROOT / name
        shutil.copytree(source, folder / name) if source.is_dir() else shutil.copy(source, folder / name)
    words = (COMMAND, "run", "params/houses.yml")
    first = seconds((*words, "--no-parity"), folder)
    checked = seconds(words, folder)
    assert len(list((folder / "runs" / "houses").glob("2*"))) == 1
    again, ratio = against_start(words, folder)
    print(f"the run itself {first:.1f} s, its parity check {checked:.1f} s")
    print(f"an unchanged run: {again:.3f} s, {ratio:.2f} times the start of click and pydantic (aim 3)")
    for number in range(count):
        write_record(folder / "runs", "houses", number)
    seconds(words, folder)
    again, ratio = against_start(words, folder)
    print(f"an unchanged run among {count:,} others: {again:.3f} s, {ratio:.2f} times that start")


def many(folder: Path, count: int) -> None:
    """List many records: with no index, then with one."""
    shutil.copy(ROOT / "settings.ini", folder / "settings.ini")
    last = [write_record(folder / "runs", "boats", number) for number in range(count)][-1]
    assert verify(last) == []
    indexing = seconds((COMMAND, "runs"), folder)
    print(f"{count:,} records, {indexing:.2f} s to make the index")
    for options in ((), ("--sort", "rmse", "--limit", "10"), ("--where", "estimator.alpha<0.01"), ("--json",)):
        took, ratio = against_start((COMMAND, "runs", *options), folder, rounds=5)
        print(f"runs {' '.join(options):<30} {took:.3f} s (aim 0.5), {ratio:.1f} times that start")


def main() -> None:
    """Both, in temporary folders."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--records", type=int, default=10_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        many(Path(folder), arguments.records)
    with tempfile.TemporaryDirectory() as folder:
        unchanged(Path(folder), arguments.records)


if __name__ == "__main__":
    main()
