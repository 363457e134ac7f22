"""What a listing says behind a run: that it is the champion of its pipeline, or the best of the runs."""

import re
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from pipeline_lib.errors import InputError
from pipeline_lib.project.project import Project
from pipeline_lib.records.best import best_of, metric_of
from pipeline_lib.records.champion import champion_path, pointers

_REFERENCE = re.compile(r"^reference: (\S+)$", re.MULTILINE)


def marks_of(project: Project, run_summaries: Sequence[dict[str, Any]], *, best: bool = True) -> dict[str, str]:
    """The mark of each run that has one, by reference: `champion`, and with `best` what `NAME@best` means.

    A pointer or a METRIC that cannot be read marks no run.
    """
    names = sorted({str(run["pipeline"]) for run in run_summaries})
    marks: dict[str, list[str]] = {}
    for name in sorted({*names} & {*pointers(project)}):
        references = _REFERENCE.findall(champion_path(project, name).read_text(encoding="utf-8", errors="replace"))
        if len(references) == 1:  # two where git has merged two promotions
            marks.setdefault(references[0], []).append("champion")
    for name in names if best else ():
        with suppress(InputError):
            own = [run for run in run_summaries if run["pipeline"] == name]
            metric = metric_of(project, name, own)
            if metric and (found := best_of(own, metric)):
                marks.setdefault(found["reference"], []).append(f"best by {metric.name}")
    return {reference: ", ".join(words) for reference, words in marks.items()}
