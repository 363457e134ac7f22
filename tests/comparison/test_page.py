"""The page of a comparison: the answer first, well-formed, escaped, without scripts, requests or sensitive values."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import compared
import numpy as np
import pytest

from pipeline_lib.comparison.differences import differences_by, differences_of
from pipeline_lib.comparison.page import comparison_html, write_comparison_page
from pipeline_lib.comparison.result import Comparison
from pipeline_lib.comparison.scored import Scored

_VOID = {"meta", "img", "br", "hr"}


class Reader(HTMLParser):
    """The elements of a page; fails where one is closed that is not open."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(text)
        assert not self.open, f"not closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    @property
    def words(self) -> str:
        """All text, spaces as one."""
        return re.sub(r"\s+", " ", " ".join(self.text))


def with_one_class() -> Scored:
    """Rows of which none has the event."""
    scored = compared.binary(120)
    return replace(scored, target=np.zeros(120, int))


CASES = {
    "regression": lambda: compared.regression(120),
    "three challengers": lambda: compared.regression(120, skill=(0.3, 0.0, -0.5)),
    "binary": lambda: compared.binary(120, labels=("no", "yes")),
    "multiclass": lambda: compared.multiclass(120),
    "labels alone": lambda: compared.multiclass(120, probable=False),
    "several targets": lambda: compared.several_targets(120),
    "ten rows": lambda: compared.binary(10),
    "two rows": lambda: compared.regression(2),
    "one class": with_one_class,
}


@pytest.mark.parametrize("name", CASES)
def test_every_kind_has_a_page(name: str, tmp_path: Path) -> None:
    comparison = compared.comparison(CASES[name](), margin=0.01, volume=1000)
    write_comparison_page(tmp_path / "page.html", comparison)
    page = Reader((tmp_path / "page.html").read_text(encoding="utf-8"))
    for answer in comparison.answers:
        assert answer.sentence in page.words
    tags = {tag for tag, _ in page.seen}
    assert not tags & {"script", "link", "iframe", "object"}
    for tag, attributes in page.seen:
        assert not {key for key in attributes if key.startswith("on")}
        if tag in ("svg", "img"):
            assert attributes.get("aria-label") or attributes.get("alt"), "every picture has a text"
    assert "nan" not in re.findall(r"\w+", page.words), "a number that is not known is not shown as one"
    assert "inf" not in re.findall(r"\w+", page.words)
    assert json.loads(json.dumps(comparison.to_json(), allow_nan=False))["answers"][0]["metrics"]


def test_text_of_rows_and_labels_is_escaped_and_sensitive_values_are_absent() -> None:
    html = comparison_html(compared.comparison(compared.multiclass(300)))
    assert compared.HTML not in html
    assert "&lt;script&gt;" in html, "the control: the text is there"
    assert "Owner " not in html
    assert "sex: share right" in html, "protected groups are shown"


def test_the_sentence_is_first_and_in_the_colour_of_the_verdict() -> None:
    html = comparison_html(compared.comparison(compared.regression(300, skill=(0.5,))))
    assert html.startswith('<section class="summary good"><p>shops/challenger-1 is better than the champion')
    assert 'class="summary bad"' in comparison_html(compared.comparison(compared.regression(300, skill=(-1.0,))))
    same = compared.regression(300)
    same = replace(same, sides=(same.champion, same.champion))
    assert 'class="summary"' in comparison_html(compared.comparison(same))
    assert 'class="summary warn"' in comparison_html(compared.comparison(compared.regression(20)))


def test_better_on_average_and_worse_in_a_segment_warns_and_names_it() -> None:
    scored = compared.regression(3000, skill=(0.9,), hurt=25.0)
    comparison = compared.comparison(scored)
    assert comparison.answers[0].verdict == "better"
    assert "region north" in comparison.answers[0].sentence
    html = comparison_html(comparison)
    assert html.startswith('<section class="summary warn">')
    assert '<tr class="bad"><td><div style="min-width:8.5rem">region: north' in html


def test_the_plot_shows_every_challenger_the_margin_and_which_side_is_better() -> None:
    html = comparison_html(compared.comparison(compared.regression(200, skill=(0.3, -0.5)), margin=0.4))
    picture = re.search(r"How large is the difference\?</h2>(<svg.*?</svg>)", html)
    assert picture
    drawn = picture[1]
    assert "shops/challenger-1" in drawn
    assert "shops/challenger-2" in drawn
    assert drawn.count("<rect") == 2, "a band of the margin behind each"
    assert "← challenger worse" in drawn, "value: more is better"
    less = comparison_html(compared.comparison(compared.binary(200)))
    assert "← challenger better" in less, "error: less is better"
    assert "do not matter" not in less


def test_identical_models_have_no_plot_and_no_rows() -> None:
    scored = compared.binary(200)
    html = comparison_html(compared.comparison(replace(scored, sides=(scored.champion, scored.champion))))
    assert "How large is the difference?" not in html
    assert "They give the same answer on all 200 rows." in html


def test_rows_seen_in_training_notes_and_money_are_said() -> None:
    comparison = compared.comparison(compared.regression(300), margin=0.1, volume=12000)
    comparison = replace(comparison, scored=replace(comparison.scored, notes=("2 rows without a true value",)))
    words = Reader(comparison_html(comparison)).words
    assert "3 of 303, seen in training: shops/champion 3" in words
    assert "2 rows without a true value" in words
    assert re.search(r"a year \+[\d,]+ dollars \(95 % interval \+[\d,]+ to \+[\d,]+\)", words)


def test_baselines_are_shown_with_their_distance() -> None:
    scored = compared.regression(300)
    mean = replace(
        scored.champion, reference="mean", value=np.zeros(300), losses={"absolute error": np.full(300, 80.0)}
    )
    words = Reader(comparison_html(compared.comparison(replace(scored, baselines=(mean,))))).words
    assert "Distance to the baselines" in words
    assert "mean value (dollars a row) 0" in words
    assert "No baseline" in Reader(comparison_html(compared.comparison(scored))).words


def test_segments_follow_the_criterion_where_it_has_one_number_a_row() -> None:
    scored = compared.binary(300)
    assert differences_by(scored, 1, "log loss", 0.0).segments.measure == "log loss"
    assert differences_by(scored, 1, "AUC", 0.5).segments.measure == "Brier"
    assert differences_by(scored, 1, "AUC", 0.5).segments.margin == 0.0, "a margin of AUC is none of Brier"
    assert differences_of(compared.regression(300)).segments.measure == "value"


def test_a_large_comparison_has_a_small_page(tmp_path: Path) -> None:
    comparison: Comparison = compared.comparison(compared.binary(100_000))
    write_comparison_page(tmp_path / "page.html", comparison)
    assert (tmp_path / "page.html").stat().st_size < 150_000
