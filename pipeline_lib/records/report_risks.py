"""What could go wrong with a model, in plain words: from the compile report and the schema of a raw row."""

from collections.abc import Iterator

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
    return [
        "A row that Row does not allow (a value out of range, a label that is not declared, a missing value where none "
        "may be) is refused with the reason. It is never guessed.",
        *_unread(report),
        *_opaque(report),
        *(_output(output) for output in report.outputs if output.changed),
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


def _output(output: OutputReport) -> str:
    if output.reason == "rounding":
        return (
            f"The {output.kind} differ from the libraries' own in the last digits ({output.changed:,} of "
            f"{output.rows:,} rows, by at most {output.difference:.2g}). This is rounding; production has the bits of "
            "this page."
        )
    return f"Where the compiled model is not what the libraries compute: {output}. Production has what this page shows."


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
