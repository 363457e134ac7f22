"""The report page: results without code, scripts or requests."""

import http.server
import re
import shutil
import subprocess
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

import pytest

from pipeline_lib.compiled.compile_report import CompileReport, OutputReport, StepReport
from pipeline_lib.records.champion import Champion, SealedReference
from pipeline_lib.records.record import Record, create_record
from pipeline_lib.records.report import _facts, clean_html
from pipeline_lib.records.report_body import RUN_PARAMETERS, in_short, plain_text, prepare
from pipeline_lib.records.report_checked import best_report, write_checked_report
from pipeline_lib.records.report_risks import risks_of
from pipeline_lib.records.report_summary import summary

_HIDDEN = f'<div class="{RUN_PARAMETERS}"><p>Run loans/1</p></div>'
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
    assert box.startswith('<section class="summary good"><p><span>The model is better than the best answer without a')
    assert "<p>On 293 sales that it had not seen" in box
    assert re.search(r"<dt>rmse log</dt><dd>0\.\d+; without a model 0\.\d+ \(the m[a-z]+ for every row\); smaller", box)
    assert re.search(r"<dt>value</dt><dd>-[\d,]+ dollars a row; without a model -[\d,]+ .*: a gain of [\d,]+</dd>", box)
    assert "<dt>data</dt><dd>fitted on 2,637 rows, judged on 293 others, which the fit did not see</dd>" in box
    assert f"pipeline-lib report {houses_record.reference} names the page with the verdict" in box
    every = page[page.index("<summary>Every metric</summary>") :]
    assert '<th class="number">mean</th><th class="number">median</th>' in every
    assert "<td>value (dollars a row)</td>" in every
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
    meaning = "<td>too high: the house stands empty, then is reduced</td>"
    assert f"<td>business.over_cost</td><td>0.2</td>{meaning}" in page
    assert "<td>imputation.numbers</td><td>mean</td>" in page
    assert page.count("business.over_cost") == 1  # once
    assert "{&#39;" not in page


def test_a_run_that_reached_little_says_nothing_about_the_rest(tmp_path: Path) -> None:
    git = {"commit": "0123456789abcdef", "changed": True, "untracked": ["a", "b"]}
    manifest = {"status": "failed", "times": {"started": "now", "seconds": 1.0}, "parameters_file": "p.yml"}
    manifest |= {"git": git, "hashes": {"artifact": None}, "error": {"message": "found <b>, expected text"}}
    record = create_record(tmp_path, "houses")
    facts = dict(_facts(record, manifest))
    assert facts["git commit"] == "0123456789ab with uncommitted changes + 2 untracked files"
    assert not {"artifact", "python"} & set(facts)
    box = summary(record, manifest)
    assert box.startswith('<section class="summary bad"><p>failed in 1.0 s</p>')
    assert '<span class="error">found &lt;b&gt;, expected text</span>' in box
    assert "to check" not in box


def test_the_page_has_contents_texts_for_plots_and_says_what_could_go_wrong(houses_record: Record) -> None:
    page = houses_record.report.read_text(encoding="utf-8")
    anchors = re.findall(r'<a href="#([^"]+)">', page[page.index('<nav class="contents">') : page.index("</nav>")])
    assert len(anchors) >= 3
    assert all(f'id="{anchor}"' in page for anchor in anchors)
    texts = re.findall(r'<img alt="([^"]*)"', page)
    assert any(text.startswith("Plot: ") for text in texts)  # by the prose before it
    assert any(text.startswith("Scatter plot of 293 rows") for text in texts)  # of run.diagnostics()
    assert all(len(text) > len("Plot: ") for text in texts)
    assert "What could go wrong</h2>" in page
    assert "raw columns do not reach the answer" in page or "every" in page
    assert "is refused with the reason" in page


def test_the_champion_of_the_day_is_in_the_box(houses_record: Record) -> None:
    sealed = SealedReference("houses/20261101T000000-aaaaaa", "a" * 64, "../store")
    since = datetime(2026, 11, 1, tzinfo=UTC)
    champion = Champion(sealed, "first", "Anna", since, metrics={"rmse_log": 0.1311, "other": 1.0})
    box = summary(houses_record, houses_record.manifest(), (), champion)
    assert "<dd>the champion houses/20261101T000000-aaaaaa: rmse_log 0.131, on its own rows</dd>" in box
    assert f"pipeline-lib compare houses@champion {houses_record.reference}" in box
    assert "<dt>in use now</dt>" not in summary(houses_record, houses_record.manifest())


def test_warnings_are_listed_once_without_folders_and_leave_the_body() -> None:
    text = "/home/anna/.venv/lib/python3.12/site-packages/sklearn/base.py:42: UserWarning: odd\n  warn(1)\n"
    warned = {"output_type": "stream", "name": "stderr", "text": text}
    printed = {"output_type": "stream", "name": "stdout", "text": "kept"}
    cells = [{"cell_type": "code", "outputs": [warned, printed, dict(warned)]}]
    warnings = prepare(cells)
    assert warnings.lines == ("base.py:42: UserWarning: odd", "warn(1)")
    assert cells[0]["outputs"] == [printed]
    assert "Warnings of libraries (2)" in warnings.html()
    assert "anna" not in warnings.html()
    assert prepare([{"cell_type": "code", "outputs": [printed]}]).html() == ""


def test_a_plot_has_the_text_of_its_output_before_that_of_the_prose() -> None:
    png = {"output_type": "display_data", "data": {"image/png": "AA=="}, "metadata": {}}
    own = {**png, "data": dict(png["data"]), "metadata": {"image/png": {"alt": "Mine"}}}
    cells = [
        {"cell_type": "markdown", "source": "**Errors** by [place](x). More."},
        {"cell_type": "code", "outputs": [png, own]},
    ]
    cells[1]["outputs"] = [
        png,
        own,
        {"output_type": "display_data", "data": {"text/html": _HIDDEN, "text/plain": "Run"}},
    ]
    prepare(cells)
    assert cells[1]["outputs"] == [png, own]  # what is shown elsewhere leaves no line
    assert png["metadata"] == {"alt": "Plot: Errors by place."}
    assert own["metadata"] == {"alt": "Mine"}


def test_risks_name_opaque_steps_unread_columns_and_differences() -> None:
    steps = (StepReport("bins", "category_encoders.woe.WOEEncoder", 2, 2, exact=False, why="its code is not known"),)
    ties = OutputReport("labels", 300, changed=22, reason="ties", detail="ties at the k-th neighbour")
    rounded = OutputReport("predictions", 300, changed=40, difference=1e-12, reason="rounding")
    report = CompileReport(300, 5, steps, ("a", "b"), outputs=(ties, rounded), notes=("a note",))
    text = " ".join(risks_of(report))
    assert "2 of 5 raw columns do not reach the answer (a, b)" in text
    assert "The step bins runs in its own library (category_encoders)" in text
    assert "22 of 300 labels differ: ties at the k-th neighbour" in text
    assert "The predictions differ from the libraries' own by rounding alone, by 1e-12 at most" in text
    assert text.endswith("a note")
    assert len(risks_of(CompileReport(300, 5, (), ()))) == 1


def test_a_head_of_two_lines_becomes_one_and_sentences_are_no_numbers() -> None:
    head = "<thead><tr><th></th><th>value</th></tr><tr><th>metric</th><th></th></tr></thead>"
    shown = clean_html(f"<table>{head}<tbody><tr><th>mailed</th><td>23% of all households are mailed</td></tr></table>")
    assert "<thead><tr><th>metric</th><th>value</th></tr></thead>" in shown
    assert "<td>23%" in shown
    full = "<thead><tr><th></th><th>a</th></tr><tr><th></th><th>b</th></tr></thead>"
    assert clean_html(f"<table>{full}</table>").count("<tr>") == 2


def test_the_conclusion_comes_first_without_what_its_author_has_to_write() -> None:
    shown = {"output_type": "display_data", "data": {"text/markdown": "It is **right**.\n\nSay here what that means."}}
    cells = [
        {"cell_type": "markdown", "source": "## Data\n\nOther."},
        {"cell_type": "markdown", "source": "## Conclusion"},
        {"cell_type": "code", "source": "Markdown(text)", "outputs": [shown]},
    ]
    assert in_short(cells) == ["It is right."]
    assert in_short(cells[:1]) == []
    assert in_short([{"cell_type": "markdown", "source": "## Conclusion\n\nFirst.\n\nSecond."}]) == [
        "First.",
        "Second.",
    ]


def test_the_checked_report_is_the_sealed_one_with_the_verdict(tmp_path: Path, houses_record: Record) -> None:
    record = Record(tmp_path / "houses" / houses_record.id)
    shutil.copytree(houses_record.folder, record.folder)
    sealed = record.report.read_bytes()
    assert best_report(record) == record.report
    write_checked_report(record, "Production gives the same answers.", "all rows agree; see", "good")
    best = best_report(record)
    assert best is not None
    assert best != record.report
    page = best.read_text(encoding="utf-8")
    assert "without a model.</span> <span>Production gives the same answers.</span></p>" in page
    assert '<dt>parity</dt><dd>all rows agree; see <a href="parity.html">' in page
    assert len(page) - len(sealed.decode()) < 200
    write_checked_report(record, "Production does NOT give the same answers.", "one row differs; see", "bad")
    page = best.read_text(encoding="utf-8")
    assert '<section class="summary bad"><p><span class="error">Production does NOT' in page
    assert record.report.read_bytes() == sealed


def test_marks_go_and_names_with_underscores_stay() -> None:
    assert plain_text("# what _really_ predicts `house_price`, [here](x)?") == "what really predicts house_price, here?"
