"""What could go wrong with a model, in plain words: from the compile report and the schema of a raw row."""

from collections.abc import Iterator, Sequence

from pipeline_lib.compiled.compile_report import CompileReport, OutputReport
from pipeline_lib.errors import InputError
from pipeline_lib.records.layout import COMPILE_REPORT
from pipeline_lib.records.record import Record
from pipeline_lib.system.html_page import Markup, bullets, element, joined

TITLE, ANCHOR = "What could go wrong", "what-could-go-wrong"
_NAMED = 12
"""Columns that are not read of which the names are given."""


def risks_of(report: CompileReport) -> list[str]:
    """What a reader should know before trusting the model with new rows, one sentence or two each."""
    rounded = [output for output in report.outputs if output.changed and output.reason == "rounding"]
    others = [output for output in report.outputs if output.changed and output.reason != "rounding"]
    return [
        "A row with a value that is not allowed (out of range, a label that is not declared, missing where it must be "
        "there) is refused with the reason. It is never guessed.",
        *_unread(report),
        *_opaque(report),
        *(
            f"The compiled model is not what the libraries compute: {output}. Production has what this page shows."
            for output in others
        ),
        *_rounding(rounded),
        *_steps(report),
        *report.notes,
    ]


def _unread(report: CompileReport) -> Iterator[str]:
    if report.unread:
        names = ", ".join(report.unread[:_NAMED])
        more = f" and {len(report.unread) - _NAMED} more" if len(report.unread) > _NAMED else ""
        yield (
            f"{len(report.unread)} of {report.raw} raw columns do not reach the answer ({names}{more}): the model does "
            "not notice when they change."
        )


def _opaque(report: CompileReport) -> Iterator[str]:
    for step in report.steps:
        if not step.exact:
            yield (
                f"The step {step.name} runs in its own library ({step.kind.partition('.')[0]}), since {step.why}: "
                "production needs that library in the same version."
            )


def _rounding(outputs: Sequence[OutputReport]) -> Iterator[str]:
    if outputs:
        kinds = " and ".join(output.kind for output in outputs)
        most = max(output.difference for output in outputs)
        yield (
            f"The {kinds} differ from the libraries' own by rounding alone, by {most:.2g} at most. Production has "
            "those of this page."
        )


def _steps(report: CompileReport) -> Iterator[str]:
    for step in report.steps:
        if step.edge_differs:
            where = f"At the edge of its columns the step {step.name}"
            yield f"{where} answers otherwise than its library: {step.edge_example}"
        if step.unsure:
            yield f"In {step.unsure:,} rows the step {step.name} has {step.doubt}."


def risks(record: Record) -> Markup:
    """The section of a report; nothing for a record without a compile report, or with a damaged one."""
    try:
        values = record.read_json(COMPILE_REPORT)
        report = CompileReport.from_json(values) if isinstance(values, dict) else None
    except (InputError, KeyError, TypeError):
        return Markup()
    if report is None:
        return Markup()
    return joined(element("h2", TITLE, id=ANCHOR), bullets(risks_of(report)))
