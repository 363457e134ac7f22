"""The report page: what people read, and nothing that runs or calls out."""

import re

import pytest

from pipeline_lib.record import Record
from pipeline_lib.report import clean_html


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("<p>a<script>evil()</script>b</p>", "<p>ab</p>"),
        ("<STYLE type='x'>p {}\n</STYLE >after", "after"),
        ('<img src="data:image/png;base64,AA==" onerror="evil()">', '<img src="data:image/png;base64,AA==">'),
        ('<a href="javascript:evil()">x</a>', "<a>x</a>"),
        ('<iframe src="https://example.org"></iframe>t', "t"),
        ('<p title="t" style="color: red">1</p>', '<p title="t">1</p>'),
    ],
)
def test_only_harmless_html_is_kept(given: str, kept: str) -> None:
    assert clean_html(given) == kept


def test_the_page_shows_results_without_code_or_scripts(houses_record: Record) -> None:
    page = houses_record.report.read_text(encoding="utf-8")
    assert houses_record.reference in page
    assert "What is a house in Ames worth?" in page
    assert "data:image/png;base64," in page
    assert "train_test_split" not in page
    assert "start_run(houses" not in page
    assert not re.search(r"<script|<link|@import|src=[\"']https?:", page, re.IGNORECASE)


def test_the_report_of_a_run_has_no_scripts_and_no_stray_links(houses_record: Record) -> None:
    page = houses_record.report.read_text(encoding="utf-8")
    assert "<script" not in page
    assert "anchor-link" not in page
    assert "default-src 'none'" in page
    assert "What is a house in Ames worth?" in page
