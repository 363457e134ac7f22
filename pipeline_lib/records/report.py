"""The report: the executed notebook without its code, in one offline page."""

import re
from collections.abc import Sequence
from functools import cache
from itertools import zip_longest
from pathlib import Path
from typing import Any

from pipeline_lib.records.baseline_scores import RunScores, run_scores
from pipeline_lib.records.champion import Champion
from pipeline_lib.records.layout import ENVIRONMENT
from pipeline_lib.records.metric_direction import Metric
from pipeline_lib.records.record import Record
from pipeline_lib.records.report_body import plain_text, prepare, with_contents
from pipeline_lib.records.report_parameters import parameters_section
from pipeline_lib.records.report_risks import ANCHOR, TITLE, risks
from pipeline_lib.records.report_summary import summary
from pipeline_lib.records.snapshots import Snapshot
from pipeline_lib.system.html_page import Markup, element, folded, table, write_page
from pipeline_lib.system.number_text import number_text

TEMPLATES = Path(__file__).parent / "templates"
_NAMED = ("numpy", "pandas", "scikit-learn", "feature-engine", "scipy", "nb-pipeline-lib")
_TABLE, _ROW = re.compile(r"<table.*?</table>", re.DOTALL), re.compile(r"<tr.*?</tr>", re.DOTALL)
_HEAD = re.compile(r"<thead>(.*?)</thead>", re.DOTALL)
_CELL = re.compile(r"<(t[hd])>(.*?)</t[hd]>", re.DOTALL)
_NUMBER = re.compile(r"\s*(?:[-+$€]*\.?\d|(?:nan|inf|-inf|none)?\s*$)", re.IGNORECASE)
_LONGEST_NUMBER = 24
_DROPPED = re.compile(r"<(style|script)\b.*?</\1\s*>", re.DOTALL | re.IGNORECASE)
# fmt: off
_TAGS = {
    "a", "abbr", "b", "blockquote", "br", "caption", "code", "dd", "del", "details", "div", "dl", "dt", "em", "h1",
    "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "li", "ol", "p", "pre", "s", "section", "small", "span", "strong",
    "sub", "summary", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul",
}
# fmt: on
_ATTRIBUTES = {
    "*": ["class", "id", "title"],
    "a": ["href"],
    "img": ["src", "alt"],
    "td": ["colspan", "rowspan"],
    "th": ["colspan", "rowspan", "scope"],
}  # fmt: skip


def write_report(record: Record, manifest: dict[str, Any], champion: Champion | None = None) -> None:
    """Write the record's executed notebook as `report.html`: no code, no scripts, no requests.

    From top to bottom: what was found and whether to trust it, contents; the notebook; what could go wrong; then,
    folded, every metric, warnings of libraries, parameters, facts of the run. `champion` is that of the pipeline, now.

    The template passes every text and output through `clean_html`; nbconvert's own cleaning would come before
    Markdown has become HTML.
    """
    import nbformat

    notebook = nbformat.read(record.notebook, as_version=4)
    title, _ = title_and_question(record, notebook.cells)
    first = next((cell for cell in notebook.cells if cell.cell_type == "markdown"), None)
    if first:  # the heading is the page's title
        first.source = first.source.replace(f"# {title}", "", 1)
    warnings = prepare(notebook.cells)
    body, _ = _exporter().from_notebook_node(notebook)
    finished = manifest["status"] == "finished"
    could_go_wrong = risks(record) if finished else Markup()
    contents, body = with_contents(body, [(ANCHOR, TITLE)] if could_go_wrong else [])
    write_page(
        record.report,
        plain_text(title),
        summary(record, manifest, notebook.cells, champion),
        contents,
        body,
        could_go_wrong,
        _every_metric(record, manifest) if finished else "",
        warnings.html(),
        parameters_section(record),
        folded("This run", table((), _facts(record, manifest))),
    )


def title_and_question(record: Record, cells: Sequence[Any]) -> tuple[str, str]:
    """The heading and the first paragraph of a notebook's cells; without a heading, the record's reference."""
    texts = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]
    paragraphs = [part.strip() for part in (texts[0] if texts else "").split("\n\n")]
    title = next((part[2:] for part in paragraphs if part.startswith("# ")), record.reference)
    question = next((part for part in paragraphs if part and not part.startswith("#")), "")
    return title, question.replace("**", "")


@cache
def _exporter() -> Any:
    from nbconvert import HTMLExporter

    exporter = HTMLExporter(
        template_name="report",
        extra_template_basedirs=[str(TEMPLATES)],
        exclude_anchor_links=True,  # an empty one would turn what follows it into a link
    )
    exporter.register_filter("clean_html", clean_html)
    return exporter


def clean_html(element: str) -> str:
    """HTML with harmless tags only; styles and scripts go with their content. Columns of numbers are marked."""
    import bleach

    cleaned: str = bleach.clean(
        _DROPPED.sub("", str(element)),
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        protocols=["http", "https", "mailto", "data"],
        strip=True,
    )
    return _TABLE.sub(lambda match: _with_numbers(match[0]), cleaned)


def _one_line(head: re.Match[str]) -> str:
    """A head whose two lines fill each other's gaps, as pandas writes the name of an index, as one line."""
    lines = [[text.strip() for _, text in _CELL.findall(row)] for row in _ROW.findall(head[1])]
    if len(lines) != 2 or len(lines[0]) != len(lines[1]) or any(all(pair) for pair in zip(*lines, strict=True)):
        return head[0]
    cells = (f"<th>{upper or lower}</th>" for upper, lower in zip(*lines, strict=True))
    return f"<thead><tr>{''.join(cells)}</tr></thead>"


def _is_number(text: str) -> bool:
    """Whether a cell is a number with what belongs to it, such as a unit or a spread; a sentence is none."""
    return bool(_NUMBER.match(text)) and len(text) <= _LONGEST_NUMBER


def _with_numbers(table: str) -> str:
    """A table whose columns of numbers, heads included, have the class that aligns them to the right.

    Columns are counted from the right: a label that spans rows, as pandas writes it, is on the left.
    """
    table = _HEAD.sub(_one_line, table)
    rows = [[text if tag == "td" else "label" for tag, text in _CELL.findall(row)] for row in _ROW.findall(table)]
    columns = zip_longest(*(reversed(row) for row in rows if set(row) != {"label"}), fillvalue="label")
    numeric = {index for index, cells in enumerate(columns) if all(map(_is_number, cells))}

    def mark(row: re.Match[str]) -> str:
        indexes = reversed(range(len(_CELL.findall(row[0]))))
        classes = iter(["number" if index in numeric else "" for index in indexes])
        return _CELL.sub(lambda cell: element(cell[1], Markup(cell[2]), class_=next(classes)), row[0])

    return _ROW.sub(mark, table)


def _every_metric(record: Record, manifest: dict[str, Any]) -> Markup:
    """Each metric beside the baselines, folded."""
    return folded("Every metric", _figures(run_scores(record, Metric.from_json(manifest.get("metric")))))


def _figures(scores: RunScores) -> Markup:
    """Each metric, and the value of a row, of the model and of its baselines."""
    heads = ["", "model", *(baseline.name for baseline in scores.baselines)]
    rows = [
        [name, _number(own), *(_number(baseline.metrics.get(name)) for baseline in scores.baselines)]
        for name, own in scores.metrics.items()
    ]
    if scores.value:
        values = [scores.value.mean, *(baseline.value for baseline in scores.baselines)]
        rows.append([f"value ({scores.value.unit} a row)", *map(_number, values)])
    return table(heads, rows, numbers=heads[1:])


def _number(value: float | None) -> str:
    return "" if value is None else number_text(value, digits=4)


def _facts(record: Record, manifest: dict[str, Any]) -> list[tuple[str, str]]:
    """The facts of a run at the end of the page, as name and text; none for parts that the run did not reach."""
    environment = record.read_json(ENVIRONMENT) or {}
    packages = environment.get("packages", {})
    versions = [f"{name} {packages[name]}" for name in _NAMED if name in packages]
    artifact = manifest["hashes"].get("artifact")
    facts = [
        ("run", record.reference),
        ("status", f"{manifest['status']} in {manifest['times']['seconds']:.1f} s"),
        ("started", str(manifest["times"]["started"])),
        ("parameters", str(manifest["parameters_file"])),
        *(("data", _answer(Snapshot(**entry))) for entry in manifest.get("snapshots") or ()),
        ("git commit", _commit(manifest.get("git") or {})),
        ("python", "; ".join([environment.get("python", {}).get("version", ""), ", ".join(versions)]).strip("; ")),
        ("artifact", f"sha256 {artifact[:16]}" if artifact else ""),
    ]
    return [(name, value) for name, value in facts if value]


def _answer(snapshot: Snapshot) -> str:
    rows = "" if snapshot.rows is None else f", {snapshot.rows:,} rows"
    return f"{snapshot.title}{rows}, as of {snapshot.as_of}"


def _commit(git: dict[str, Any]) -> str:
    if not git:
        return "none"
    changed = " with uncommitted changes" if git["changed"] else ""
    untracked = f" + {len(git['untracked'])} untracked files" if git["untracked"] else ""
    return f"{git['commit'][:12]}{changed}{untracked}"
