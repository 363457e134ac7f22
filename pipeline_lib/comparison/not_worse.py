"""A test in one line: the newest run is not worse than the champion."""

from pathlib import Path
from typing import Any

from pipeline_lib.comparison.answer import Answer
from pipeline_lib.comparison.compare import compare
from pipeline_lib.comparison.result import Comparison
from pipeline_lib.errors import InputError
from pipeline_lib.parity.check import read_or_check_parity
from pipeline_lib.project.project import Project, find_project
from pipeline_lib.records.champion_record import champion_of, find_champion
from pipeline_lib.records.record import Record
from pipeline_lib.records.reference import as_record

_SHOWN = 12
"""At most so many metrics are in the message."""


def assert_not_worse(
    challenger: Record | str | Path,
    *,
    margin: float,
    champion: Record | str | Path | None = None,
    on: Any = None,
    target: str | None = None,
    strict: bool = False,
    project: Project | None = None,
) -> Comparison:
    """Raise AssertionError unless a run is shown to be at most `margin` worse than the champion of its pipeline.

    `challenger` is a pipeline's name, which means its newest finished run, another reference, or a record; `champion`
    another record than the pipeline's champion. `margin` is in the unit of what decides, and from 0 on: with 0 only a
    run that is shown to be better, or that answers the same, passes. `on`, `target` and `strict` are those of
    `compare`. What was compared is returned, and kept beside the run. Parity is checked where it was not.

    Raises InputError where there is no run or no champion, and what `compare` raises.

        def test_houses_is_not_worse():
            assert_not_worse("houses", margin=250.0)  # dollars a house
    """
    __tracebackhide__ = True  # pytest then shows the line of the test
    if not margin >= 0:
        raise InputError(
            f"margin: found {margin}, expected a number from 0 on, in the unit of what decides; correct it"
        )
    project = project or find_project()
    record = as_record(challenger)
    if champion is None:
        champion_of(project, record.pipeline)  # whose message says how to make one
    present = find_champion(project, record.pipeline) if champion is None else as_record(champion)
    for one in (present, record):
        read_or_check_parity(one, project.library)
    comparison = compare(present, record, on=on, target=target, strict=strict, margin=margin, project=project)
    (answer,) = comparison.answers
    if not answer.not_worse:
        raise AssertionError(failure_text(answer, margin))
    return comparison


def failure_text(answer: Answer, margin: float) -> str:
    """The sentence of an answer, and every metric with its interval, one a line."""
    lines = [answer.sentence, f"expected it to be at most {margin:,g} worse by {answer.criterion}"]
    for each in answer.metrics[:_SHOWN]:
        line = f"  {each.name}: champion {each.champion:,.6g}, challenger {each.challenger:,.6g}"
        if each.difference is not None:
            one = each.difference
            line += f", difference {one.estimate:+,.6g} (95 % interval {one.low:+,.6g} to {one.high:+,.6g})"
        lines.append(f"{line} {each.unit}".rstrip())
    more = len(answer.metrics) - _SHOWN
    return "\n".join([*lines, *([f"  and {more} more"] if more > 0 else []), *answer.notes])
