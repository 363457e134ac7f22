"""Pages have one look, escape every text, and let nothing be requested."""

import doctest
import re
from pathlib import Path

from pipeline_lib.system import html_page
from pipeline_lib.system.html_page import Markup, bullets, element, folded, image, summary_box, table, write_page

BAD = "<script>alert('1')</script>"


def test_every_text_is_escaped_and_markup_is_not(tmp_path: Path) -> None:
    parts = [
        summary_box(BAD, facts=[(BAD, BAD)]),
        table((BAD,), [(BAD,), (Markup("<b>kept</b>"),)]),
        folded(BAD, BAD),
        bullets([BAD]),
        element("a", BAD, href=f'{BAD}"'),
        image(b"png", BAD),
    ]
    write_page(tmp_path / "page.html", BAD, *parts, BAD)
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert page.count("&lt;script&gt;") == 14
    assert "<b>kept</b>" in page


def test_a_page_forbids_every_request_and_has_its_title_twice(tmp_path: Path) -> None:
    write_page(tmp_path / "page.html", "Is it so?", "yes")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\"" in page
    assert "<title>Is it so?</title>" in page
    assert "<h1>Is it so?</h1>" in page
    assert not re.search(r"(src|href)\s*=|@import|url\(", page)


def test_numbers_are_on_the_right_and_rows_have_their_kind() -> None:
    shown = table(("step", "rows"), [("scale", 3), ("<b>", 4)], numbers=("rows",), kinds=("good", ""))
    assert '<th>step</th><th class="number">rows</th>' in shown
    assert '<tr class="good"><td>scale</td><td class="number">3</td></tr>' in shown
    assert '<tr><td>&lt;b&gt;</td><td class="number">4</td></tr>' in shown


def test_a_table_without_heads_and_a_box_without_facts_have_no_empty_parts() -> None:
    assert table((), [("a", "b")]) == "<table><tbody><tr><td>a</td><td>b</td></tr></tbody></table>"
    assert summary_box("done", kind="bad") == '<section class="summary bad"><p>done</p></section>'


def test_the_examples_run() -> None:
    results = doctest.testmod(html_page)
    assert (results.attempted > 0, results.failed) == (True, 0)


def test_a_wide_image_is_marked_for_phones() -> None:
    head = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
    assert 'class="wide"' in image(head + (968).to_bytes(4, "big"), "two panels")
    assert "class" not in image(head + (484).to_bytes(4, "big"), "one panel")
