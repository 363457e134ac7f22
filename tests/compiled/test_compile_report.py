"""The compile report tells of every output what differs and why; its headline hides nothing."""

import pytest

from pipeline_lib.compiled.compile_report import CompileReport, OutputReport, StepReport

STEP = StepReport("model", "sklearn.x.Y", 2, 1, exact=True)


def report(*outputs: OutputReport) -> CompileReport:
    return CompileReport(300, 2, (STEP,), (), outputs=outputs)


@pytest.mark.parametrize(
    ("output", "line"),
    [
        (OutputReport("labels", 300), "labels: equal to the libraries' own in all 300 rows"),
        (
            OutputReport("labels", 300, 22, reason="ties", detail="ties at the k-th neighbour"),
            "labels: 22 of 300 labels differ: ties at the k-th neighbour",
        ),
        (
            OutputReport("probabilities", 300, 4, 8.8e-5, 8.8e-5, 4e11, "cancellation"),
            "probabilities: 4 of 300 rows differ, by at most 8.8e-05: large terms cancel in the library",
        ),
        (
            OutputReport("predictions", 300, 9, 2e-16, 2e-16, 1, "rounding"),
            "predictions: 9 of 300 rows differ, by at most 2e-16 (1 ULP): rounding",
        ),
    ],
)
def test_each_output_has_its_line(output: OutputReport, line: str) -> None:
    shown = str(report(output)).splitlines()
    assert f"  {line}" in shown
    assert shown[0] == "compiled: exact; 2 of 2 raw columns reach the output"


def test_the_headline_names_a_difference_without_a_reason() -> None:
    unexplained = OutputReport("labels", 300, 3)
    shown = str(report(unexplained))
    assert shown.splitlines()[0].startswith(
        "compiled: exact, but 3 of 300 labels differ from the libraries' own for no known reason;"
    )
    assert "the reason is not known" in shown
    assert 'class="box warn"' in report(unexplained)._repr_html_() or "warn" in report(unexplained)._repr_html_()
    assert report(unexplained).unexplained == [unexplained]


def test_reports_of_earlier_releases_are_read() -> None:
    values = report(OutputReport("labels", 300)).to_json()
    assert CompileReport.from_json(values) == report(OutputReport("labels", 300))
    for name in ("outputs", "notes"):
        del values[name]
    values["changed"] = 22
    old = CompileReport.from_json(values)
    assert old.outputs == ()
    assert "22 of 300 predictions differ from the libraries' own" in str(old)
    assert "at most 0" not in str(old)
