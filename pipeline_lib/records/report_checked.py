"""The report with the verdict of the parity check: a page among the results of checks, since the record is sealed.

The page is the sealed report, byte for byte, but for its box: there the headline and the line on parity say what the
check found.
"""

import re
from pathlib import Path

from pipeline_lib.records.layout import CHECKED_REPORT, PARITY_PAGE
from pipeline_lib.records.record import Record, checks_folder
from pipeline_lib.system.files import write_atomic
from pipeline_lib.system.html_page import Kind, element, joined

_BOX = re.compile(r'<section class="summary \w*">(.*?)</section>', re.DOTALL)
_FACT = re.compile(r"<dt>parity</dt><dd>.*?</dd>", re.DOTALL)
_KIND = re.compile(r'class="summary \w*"')


def write_checked_report(record: Record, headline: str, verdict: str, kind: Kind) -> None:
    """Write the record's report with a parity verdict; nothing for a record without a report or without a box.

    `headline` is one sentence for the first line of the box, `verdict` what was tried; `kind` is `good` where the
    report keeps its own colour.
    """
    if not record.report.is_file():
        return
    page = record.report.read_text(encoding="utf-8")
    box = _BOX.search(page)
    if box is None:
        return
    link = element("a", "each way of asking", href=PARITY_PAGE)
    fact = joined(element("dt", "parity"), element("dd", f"{verdict} ", link))
    inside = _FACT.sub(lambda _: fact, box[0], count=1)
    if inside == box[0]:  # a report of an earlier version
        inside = box[0].replace("</section>", f"{element('dl', fact)}</section>")
    if kind == "good":
        inside = inside.replace("</p>", f" {element('span', headline)}</p>", 1)
    else:
        inside = _KIND.sub(f'class="summary {kind}"', inside, count=1)
        inside = inside.replace(">", f">{element('p', element('span', headline, class_='error'))}", 1)
    path = checks_folder(record) / CHECKED_REPORT
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, (page[: box.start()] + inside + page[box.end() :]).encode())


def best_report(record: Record) -> Path | None:
    """The page to open: the report with the parity verdict where the record was checked, else the sealed one, if any.

    A copy of a record may come without its checks.
    """
    checked = checks_folder(record) / CHECKED_REPORT if record.report.is_file() else record.report
    return next((path for path in (checked, record.report) if path.is_file()), None)
