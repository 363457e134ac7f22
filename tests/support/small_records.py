"""Small records of runs that never happened, for the tests of room records and of what a run leaves."""

import sqlite3
from pathlib import Path
from typing import Any

from pipeline_lib.project.project import Project
from pipeline_lib.records.layout import INDEX
from pipeline_lib.records.record import Record, all_records, create_record, write_manifest
from pipeline_lib.records.seal import seal
from pipeline_lib.system.files import canonical_json


def dated_record(project: Project, name: str, day: int, status: str, *, scratch: bool = False, **facts: str) -> Record:
    """A record of a day in November 2026, so that order and prefixes are known; `facts` are in its manifest."""
    parent = project.runs / name / "scratch" if scratch else project.runs / name
    record = Record(parent / f"202611{day:02}T000000-aaaaaa")
    record.folder.mkdir(parents=True)
    if status in ("finished", "failed"):
        seal(record, {"status": status, **facts})
    else:
        write_manifest(record, {"status": status})
    return record


def sealed_run(runs: Path, pipeline: str = "boats", status: str = "finished", **facts: dict[str, Any]) -> Record:
    """A sealed record with parameters and metrics, `params` and `metrics`."""
    record = create_record(runs, pipeline)
    for name in ("params", "metrics"):
        (record.folder / f"{name}.json").write_bytes(canonical_json(facts.get(name, {})))
    error = {"message": "too windy"} if status == "failed" else None
    times = {"started": f"2026-11-23T10:0{len(all_records(runs))}:00+00:00", "seconds": 2.5}
    seal(record, {"status": status, "reference": record.reference, "times": times, "error": error})
    return record


def only_record(runs: Path) -> Record:
    """The one record in a folder."""
    (record,) = all_records(runs)
    return record


def index_rows(runs: Path) -> int:
    """The number of rows in the index."""
    with sqlite3.connect(runs / INDEX) as database:
        count: int = database.execute("select count(*) from runs").fetchone()[0]
    database.close()
    return count
