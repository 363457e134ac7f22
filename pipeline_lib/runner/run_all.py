"""Every pipeline of a project, one run each, on one page."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline_lib.errors import InputError, PipelineLibError
from pipeline_lib.parity.check import read_or_check_parity
from pipeline_lib.project.project import Project
from pipeline_lib.records.layout import COMPILE_REPORT, METRICS, PARITY_PAGE, RUNS_PAGE
from pipeline_lib.records.record import Record, checks_folder
from pipeline_lib.records.report import title_and_question
from pipeline_lib.records.report_body import plain_text
from pipeline_lib.records.report_checked import best_report
from pipeline_lib.runner.run import run_pipeline
from pipeline_lib.system.files import read_json
from pipeline_lib.system.html_page import Kind, Markup, element, folded, joined, summary_box, table, write_page
from pipeline_lib.system.signals import EXIT_CODES


@dataclass(frozen=True)
class PipelineResult:
    """One pipeline's run: its record and parity, or the error that stopped it."""

    pipeline: str
    seconds: float
    record: Record | None = None
    parity: dict[str, Any] | None = None
    error: PipelineLibError | None = None

    @property
    def exit_code(self) -> int:
        """0 for success, 1 for a difference, else the error's own code."""
        if self.error:
            return self.error.exit_code
        return 0 if self.parity and self.parity["exact"] else 1

    @property
    def verdict(self) -> str:
        """Success or failure in a few words."""
        if self.error or self.record is None:
            return "failed"
        opaque = _opaque(self.record)
        exact = "parity exact" if self.exit_code == 0 else "parity DIFFERENT"
        return f"{exact}, opaque: {', '.join(opaque)}" if opaque else exact

    @property
    def metrics(self) -> str:
        """The record's metrics in one line."""
        metrics = (self.record.read_json(METRICS) if self.record else None) or {}
        return ", ".join(f"{name} {value:,.6g}" for name, value in metrics.items())


def base_parameters(project: Project) -> list[Path]:
    """The parameters file of each pipeline, without variants. Raises InputError where there is none."""
    files = sorted(path for path in project.params.glob("*.yml") if "." not in path.stem)
    if not files:
        raise InputError(
            f"found no NAME.yml in {project.shown(project.params)}, expected one for each pipeline; "
            "`pipeline-lib new NAME` creates one"
        )
    return files


def run_all(project: Project, progress: Callable[[PipelineResult], None] = lambda result: None) -> list[PipelineResult]:
    """Run each pipeline with its own parameters and check parity; then write `index.html` in the runs folder.

    A pipeline that has not changed since its last finished run is not run again. A failure does not stop the other
    pipelines; an interruption does. `progress` is called after each. Raises InputError where there are no parameters.
    """
    results = []
    for params_file in base_parameters(project):
        result = _run(params_file, project)
        results.append(result)
        progress(result)
        if result.error and result.exit_code in EXIT_CODES:
            raise result.error
    write_page(project.runs / RUNS_PAGE, f"Do all pipelines of {project.library} repeat?", _page(project, results))
    return results


def _run(params_file: Path, project: Project) -> PipelineResult:
    started = time.perf_counter()
    record = parity = failure = None
    try:
        record = run_pipeline(params_file)
        parity = read_or_check_parity(record, project.library)
    except PipelineLibError as error:
        failure = error
    return PipelineResult(params_file.stem, time.perf_counter() - started, record, parity, failure)


def _opaque(record: Record) -> list[str]:
    report = record.read_json(COMPILE_REPORT) or {}
    return [step["name"] for step in report.get("steps", []) if not step["exact"]]


def _page(project: Project, results: list[PipelineResult]) -> Markup:
    """The counts, each pipeline's question and verdict with links to its pages, and how long each run took."""
    exact = sum(result.exit_code == 0 for result in results)
    bad = [result.pipeline for result in results if result.exit_code]
    box = summary_box(
        f"{len(results)} pipelines, {exact} exact",
        facts=[("failed or different", ", ".join(bad))] if bad else (),
        kind="bad" if bad else "good",
    )
    kinds: list[Kind] = ["bad" if result.exit_code else "good" for result in results]
    reports = [(result.pipeline, _report(project, result), _parity(project, result)) for result in results]
    runs = [
        (result.pipeline, result.record.reference if result.record else "", result.metrics, f"{result.seconds:.1f}")
        for result in results
    ]
    return joined(
        box,
        table(("pipeline", "report", "parity"), reports, kinds=kinds),
        folded("Records and metrics", table(("pipeline", "record", "metrics", "seconds"), runs, numbers=("seconds",))),
    )


def _report(project: Project, result: PipelineResult) -> object:
    """Title and question of a run's report, linked where there is one; of a failed run the error."""
    if result.record is None:
        return str(result.error)
    cells = (read_json(result.record.notebook) or {}).get("cells", [])
    title, question = title_and_question(result.record, cells)
    return joined(
        _link(project, best_report(result.record) or result.record.report, plain_text(title)),
        element("small", question),
    )


def _parity(project: Project, result: PipelineResult) -> object:
    if result.record is None:
        return result.verdict
    return _link(project, checks_folder(result.record) / PARITY_PAGE, str(result.error or result.verdict))


def _link(project: Project, path: Path, text: str) -> object:
    """Text that links a page by its address below the runs folder, where there is such a page."""
    if not path.is_file():
        return text
    return element("a", text, href=path.resolve().relative_to(project.runs.resolve()).as_posix())
