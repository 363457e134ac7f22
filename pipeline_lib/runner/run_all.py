"""Every pipeline of a project, one run each, on one page."""

import html
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline_lib.errors import InputError, PipelineLibError
from pipeline_lib.parity.check import check_parity
from pipeline_lib.project.project import Project
from pipeline_lib.records.index import read_parity
from pipeline_lib.records.layout import COMPILE_REPORT, METRICS, PARITY_PAGE, RUNS_PAGE
from pipeline_lib.records.record import Record, checks_folder
from pipeline_lib.runner.run import run_pipeline
from pipeline_lib.system.files import read_json
from pipeline_lib.system.html_page import write_page
from pipeline_lib.system.signals import EXIT_CODES

_STYLE = "td,th{border-bottom:1px solid #ccc;padding:.5em .8em;text-align:left;vertical-align:top}"
_STYLE += ".exact{background:#d3f0d8}.wrong{background:#f7c5c5}small{color:#555}"


@dataclass(frozen=True)
class Ran:
    """What became of one pipeline: its record and parity, or the error that stopped it."""

    pipeline: str
    seconds: float
    record: Record | None = None
    parity: dict[str, Any] | None = None
    error: PipelineLibError | None = None

    @property
    def exit_code(self) -> int:
        """0 as asked, 1 for a difference, else the error's own."""
        if self.error:
            return self.error.exit_code
        return 0 if self.parity and self.parity["exact"] else 1

    @property
    def verdict(self) -> str:
        """In a few words."""
        if self.error or self.record is None:
            return "failed"
        opaque = _opaque(self.record)
        exact = "parity exact" if self.exit_code == 0 else "parity DIFFERENT"
        return f"{exact}, opaque: {', '.join(opaque)}" if opaque else exact

    @property
    def metrics(self) -> str:
        """The record's metrics in one line."""
        kept = (self.record.read_json(METRICS) if self.record else None) or {}
        return ", ".join(f"{name} {value:,.6g}" for name, value in kept.items())


def base_parameters(project: Project) -> list[Path]:
    """The parameters file of each pipeline, without variants. Raises InputError where there is none."""
    found = sorted(path for path in project.params.glob("*.yml") if "." not in path.stem)
    if not found:
        raise InputError(
            f"found no NAME.yml in {project.shown(project.params)}, expected one for each pipeline; "
            "`pipeline-lib new NAME` begins one"
        )
    return found


def run_all(project: Project, done: Callable[[Ran], None] = lambda ran: None) -> list[Ran]:
    """Run each pipeline with its own parameters and check parity; then write `index.html` in the runs folder.

    A finished run that nothing distinguishes answers for a new one. What fails does not stop the others; an
    interruption does. `done` is called after each. Raises InputError where there are no parameters.
    """
    ran = []
    for params_file in base_parameters(project):
        ran.append(_run(params_file, project))
        done(ran[-1])
        if ran[-1].error and ran[-1].exit_code in EXIT_CODES:
            raise ran[-1].error
    title = f"{project.library}: {len(ran)} pipelines, {sum(one.exit_code == 0 for one in ran)} exact"
    write_page(project.runs / RUNS_PAGE, title, _table(project, ran), _STYLE)
    return ran


def _run(params_file: Path, project: Project) -> Ran:
    started = time.perf_counter()
    record = parity = failed = None
    try:
        record = run_pipeline(params_file)
        parity = read_parity(record) or check_parity(record, library=project.library).to_json()
    except PipelineLibError as error:
        failed = error
    return Ran(params_file.stem, time.perf_counter() - started, record, parity, failed)


def _opaque(record: Record) -> list[str]:
    report = record.read_json(COMPILE_REPORT) or {}
    return [step["name"] for step in report.get("steps", []) if not step["exact"]]


def _table(project: Project, ran: list[Ran]) -> str:
    """The runs as HTML; its links are relative to the runs' folder."""
    head = "".join(f"<th>{name}</th>" for name in ("pipeline", "report", "parity", "metrics", "seconds"))
    rows = "".join(_row(project, one) for one in ran)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _row(project: Project, ran: Ran) -> str:
    cells = [f"<strong>{html.escape(ran.pipeline)}</strong>", *_told(project, ran)]
    cells += [html.escape(ran.metrics), f"{ran.seconds:.1f}"]
    kind = "exact" if ran.exit_code == 0 else "wrong"
    filled = "".join(f"<td class='{kind if place == 2 else ''}'>{cell}</td>" for place, cell in enumerate(cells))
    return f"<tr>{filled}</tr>"


def _told(project: Project, ran: Ran) -> Iterator[str]:
    """The report and the parity of a run, linked where there are such pages."""
    if ran.record is None:
        yield html.escape(str(ran.error))
        yield ran.verdict
        return
    title, question = _begins(ran.record)
    yield f"{_link(project, ran.record.report, title)}<br><small>{html.escape(question)}</small>"
    yield _link(project, checks_folder(ran.record) / PARITY_PAGE, str(ran.error or ran.verdict))


def _link(project: Project, path: Path, text: str) -> str:
    if not path.is_file():
        return html.escape(text)
    target = path.resolve().relative_to(project.runs.resolve()).as_posix()
    return f"<a href='{html.escape(target)}'>{html.escape(text)}</a>"


def _begins(record: Record) -> tuple[str, str]:
    """Title and question of a report: the heading and the first paragraph of its notebook."""
    cells = (read_json(record.notebook) or {}).get("cells", [])
    texts = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]
    paragraphs = [part.strip() for part in (texts[0] if texts else "").split("\n\n")]
    title = next((part[2:] for part in paragraphs if part.startswith("# ")), record.reference)
    question = next((part for part in paragraphs if part and not part.startswith("#")), "")
    return title, question.replace("**", "")
