"""The doctor's checks of the runs folder: disk, damaged runs, leftovers."""

import shutil
from collections.abc import Iterator

from pipeline_lib.project.project import Project
from pipeline_lib.records.cleanup import find_leftovers
from pipeline_lib.records.index import summaries
from pipeline_lib.records.record import DAMAGED
from pipeline_lib.runner.doctor.finding import Finding, counted

_LITTLE, _TOO_LITTLE = 5e9, 5e8
"""Bytes of free disk: below the first a sweep may fill it, below the second a run may."""


def check_disk(project: Project) -> Iterator[Finding]:
    """Room for further records."""
    folder = project.runs if project.runs.is_dir() else project.root
    free = shutil.disk_usage(folder).free
    text = f"found {free / 1e9:,.1f} GB free for {project.shown(project.runs)}"
    remedy = "make room, for example by `pipeline-lib prune`"
    if free < _TOO_LITTLE:
        yield Finding("disk", "problem", f"{text}, expected at least {_TOO_LITTLE / 1e9} GB; {remedy}")
    elif free < _LITTLE:
        yield Finding("disk", "warn", f"{text}, expected at least {_LITTLE / 1e9:.0f} GB; {remedy}")
    else:
        yield Finding("disk", "ok", f"{free / 1e9:,.1f} GB free for {project.shown(project.runs)}")


def check_runs(project: Project) -> Iterator[Finding]:
    """No run is damaged, as far as manifests, parameters and metrics tell: `runs --reindex` reads every byte."""
    everything = summaries(project.runs)
    damaged = [
        f"{run['reference']}: found a damaged run, expected its bytes as they were sealed; `pipeline-lib verify "
        f"{run['reference']}` names the file: bring it back, or remove {run['folder']}"
        for run in everything
        if run["status"] == DAMAGED
    ]
    yield from counted("runs", "problem", damaged, f"{len(everything):,} runs, none damaged")


def check_leftovers(project: Project) -> Iterator[Finding]:
    """Nothing is left of runs that were killed."""
    lines = [
        f"{project.shown(leftover.path)}: {leftover.description}{leftover.remedy}"
        for leftover in find_leftovers(project)
        if not leftover.in_system_folder
    ]
    if lines:
        lines.insert(
            0,
            f"found what killed runs left ({len(lines)}); `pipeline-lib clean --leftovers --yes` removes them",
        )
    yield from counted("leftovers", "warn", lines, "nothing is left of killed runs")
