"""The report page: results without code, scripts or requests."""

import http.server
import re
import shutil
import subprocess
import threading
from pathlib import Path
from typing import ClassVar

import pytest

from pipeline_lib.records.record import Record, create_record
from pipeline_lib.records.report import _facts, _summary, clean_html

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


@pytest.mark.parametrize(
    ("source", "kept"),
    [
        ("<p>a<script>evil()</script>b</p>", "<p>ab</p>"),
        ("<STYLE type='x'>p {}\n</STYLE >after", "after"),
        ('<img src="data:image/png;base64,AA==" onerror="evil()">', '<img src="data:image/png;base64,AA==">'),
        ('<a href="javascript:evil()">x</a>', "<a>x</a>"),
        ('<iframe src="https://example.org"></iframe>t', "t"),
        ('<p title="t" style="color: red">1</p>', '<p title="t">1</p>'),
        ("<details><summary>more</summary>text</details>", "<details><summary>more</summary>text</details>"),
    ],
)
def test_only_harmless_html_is_kept(source: str, kept: str) -> None:
    assert clean_html(source) == kept


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


def test_columns_of_numbers_are_marked_labels_and_texts_are_not() -> None:
    head = "<thead><tr><th></th><th>price</th><th>town</th></tr></thead>"
    body = "<tbody><tr><th>0</th><td>1,200</td><td>Ames</td></tr><tr><th>1</th><td>-3.5%</td><td>12</td></tr></tbody>"
    shown = clean_html(f"<table>{head}{body}</table>")
    assert '<th></th><th class="number">price</th><th>town</th>' in shown
    assert '<th>0</th><td class="number">1,200</td><td>Ames</td>' in shown
    assert '<th>1</th><td class="number">-3.5%</td><td>12</td>' in shown


def test_the_heading_is_the_title_and_the_box_says_how_the_run_ended(houses_record: Record) -> None:
    page = houses_record.report.read_text(encoding="utf-8")
    assert "<title>What is a house in Ames worth?</title>" in page
    assert page.count(">What is a house in Ames worth?<") == 2
    box = page[page.index('<section class="summary good">') : page.index("</section>")]
    assert re.search(r"<p>finished in [\d.]+ s</p><p><span>rmse_log 0\.\d+, better than the best baseline \(", box)
    assert re.search(r"<p><span>value -[\d,]+ dollars a row, better than the best baseline \(", box)
    assert '<th class="number">mean</th><th class="number">median</th>' in box
    assert "<td>value (dollars a row)</td>" in box
    assert page.index("This run") > page.index("data:image/png;base64,")


class Listener(http.server.BaseHTTPRequestHandler):
    """A proxy that keeps the requested addresses and answers nothing."""

    requested: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.requested.append(self.path)
        self.send_error(404)

    def do_CONNECT(self) -> None:
        self.do_GET()

    def log_message(self, *words: object) -> None:
        pass


def requests_of(page: Path, profile: Path) -> list[str]:
    """Addresses that Chromium requests while it shows a page."""
    Listener.requested.clear()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Listener) as proxy:
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        words = [str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--dump-dom"]
        words += ["--disable-background-networking", "--disable-component-update", f"--user-data-dir={profile}"]
        words += [f"--proxy-server=http://127.0.0.1:{proxy.server_port}", page.as_uri()]
        subprocess.run(words, check=True, capture_output=True, timeout=120)  # noqa: S603
        proxy.shutdown()
    return [path for path in Listener.requested if not re.search(r"(google\w*|gvt1)\.com", path)]  # its own updates


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_opened_in_a_browser_the_report_requests_nothing(houses_record: Record, tmp_path: Path) -> None:
    control = tmp_path / "control.html"
    control.write_text("<link rel=stylesheet href='http://example.org/a.css'><img src='http://example.org/b.png'>")
    requested = requests_of(control, tmp_path / "profile")
    assert {"http://example.org/a.css", "http://example.org/b.png"} <= set(requested)
    assert requests_of(houses_record.report, tmp_path / "profile") == []


def test_parameters_have_their_dotted_names(houses_record: Record) -> None:
    page = houses_record.report.read_text(encoding="utf-8")
    assert "<td>  business.over_cost</td><td>0.2</td>" in page
    assert "<td>  imputation.numbers</td><td>mean</td>" in page
    assert "{&#39;" not in page


def test_a_run_that_reached_little_says_nothing_about_the_rest(tmp_path: Path) -> None:
    git = {"commit": "0123456789abcdef", "changed": True, "untracked": ["a", "b"]}
    manifest = {"status": "failed", "times": {"started": "now", "seconds": 1.0}, "parameters_file": "p.yml"}
    manifest |= {"git": git, "hashes": {"artifact": None}, "error": {"message": "found <b>, expected text"}}
    record = create_record(tmp_path, "houses")
    facts = dict(_facts(record, manifest))
    assert facts["git commit"] == "0123456789ab with uncommitted changes + 2 untracked files"
    assert not {"artifact", "python"} & set(facts)
    box = _summary(record, manifest)
    assert box.startswith('<section class="summary bad"><p>failed in 1.0 s</p>')
    assert '<span class="error">found &lt;b&gt;, expected text</span>' in box
    assert "to check" not in box
