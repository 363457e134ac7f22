"""The documentation site: its generated pages name everything, its navigation loses no page, its build is clean."""

import os
import shutil
import subprocess
from pathlib import Path

import click
import pytest
from example import ROOT

import pipeline_lib
from pipeline_lib.cli.main import commands
from pipeline_lib.refusals.catalog import anchor, kinds
from tools.site import api_page, command_pages, gallery, refusals_page
from tools.site.assemble import assemble, site_links
from tools.site.build import build
from tools.site.check import problems
from tools.site.navigation import TASKS, listed_pages
from tools.site.walk import Command, missing_lines
from tools.site.walk import commands as commands_of

FROM_CSV = ROOT / "docs" / "from-csv.md"


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages of the site, without the gallery."""
    folder = tmp_path_factory.mktemp("site") / "source"
    assemble(folder, gallery=False)
    return folder


def test_every_page_has_a_place_in_the_navigation(source: Path) -> None:
    assert {path.stem for path in source.glob("*.md")} <= listed_pages()  # name it in tools/site/navigation.py


def test_ten_pages_are_by_task() -> None:
    assert len(TASKS) == 10
    assert all((ROOT / "docs" / f"{page}.md").is_file() for page in TASKS)


def test_every_command_and_option_is_in_the_reference() -> None:
    text = command_pages.page()
    for name, command in commands.commands.items():
        if not command.hidden:
            section = text.split(f"(command-{name})=\n")[1].split("\n(command-")[0]
            assert all(
                option in section for parameter in command.params for option in parameter.opts if option[0] == "-"
            )


def test_choices_of_an_option_stay_in_their_cell() -> None:
    context = click.Context(commands.commands["new"])
    option = next(option for option in context.command.params if option.name == "task")
    assert isinstance(option, click.Option)
    row = command_pages.option_row(option, context)
    assert row.startswith(r"| `--task [regression \| classification \| text]` | Of a draft: ")


def test_every_public_name_is_in_the_reference() -> None:
    text = api_page.page()
    assert all(f"pipeline_lib.{name}" in text for name in pipeline_lib.__all__)
    assert "lambda" not in text


def test_examples_of_docstrings_are_blocks() -> None:
    def double(value: float = 1.0) -> float:
        """Twice the value.

            >>> 1 + 1
            2

        That is all.
        """
        return 2 * value

    assert api_page.docstring(double).split("\n") == [
        "Twice the value.", "", "", "```pycon", ">>> 1 + 1", "2", "```", "", "That is all.",
    ]  # fmt: skip
    assert api_page.signature(double) == "(value: float=1.0) -> float"


def test_every_error_code_has_an_anchor() -> None:
    text = refusals_page.page()
    assert all(f"({anchor(code)})=\n### {code}\n" in text for code in kinds())


def test_links_lead_within_the_site() -> None:
    assert (
        site_links("[a](docs/runs.md#x) [b](../CHANGELOG.md) [c](../setup.py) [d](native/fuzz/README.md)")
        == "[a](runs.md#x) [b](changelog.md) c d"
    )


def test_a_notebook_of_the_gallery_has_no_local_paths_and_its_figures_have_texts() -> None:
    output = {"output_type": "display_data", "data": {"image/png": "eA=="}}
    warning = {"output_type": "stream", "name": "stderr", "text": "old"}
    code = {"cell_type": "code", "metadata": {}, "source": "plot('/home/me/x.csv')", "outputs": [output, warning]}
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": ["# Prices\n", "text"]},
        {"cell_type": "code", "metadata": {"tags": ["injected-parameters"]}, "source": "a = 1", "outputs": []},
        code,
    ]
    _, page = gallery.cleaned({"metadata": {"papermill": {}}, "cells": cells}, "/home/me")["cells"]
    assert page["source"] == "plot('x.csv')"
    assert page["outputs"] == [output]
    assert page["metadata"]["mystnb"]["image"]["alt"] == "Figure of the section: Prices"


def test_dead_links_foreign_hosts_and_images_without_a_text_are_found(tmp_path: Path) -> None:
    (tmp_path / "style.css").write_text("@font-face { src: url(https://fonts.example/a.woff) }")
    (tmp_path / "b.html").write_text("<p id='there'>")
    (tmp_path / "a.html").write_text(
        "<script src='https://cdn.example/x.js'></script><a href='b.html#there'>1</a><a href='b.html#gone'>2</a>"
        "<a href='c.html'>3</a><a href='https://example.org'>4</a><img src='data:x'>"
        "<link rel='stylesheet' href='no.css'>"
    )
    assert problems(tmp_path) == [
        "a.html: loads https://cdn.example/x.js",
        "a.html: loads no.css, which is not there",
        "a.html: dead link b.html#gone",
        "a.html: dead link c.html",
        "a.html: an image without a text, data:x",
        "style.css: loads https://fonts.example/a.woff",
    ]


def test_the_page_from_a_csv_is_a_walk_from_draft_to_service() -> None:
    words = [command.text.split()[1] for command in commands_of(FROM_CSV) if command.text.startswith("pipeline-lib ")]
    assert words == ["new", "run", "report", "run", "parity", "promote", "package", "predict", "drift", "serve"]


def test_output_that_a_page_shows_and_a_command_does_not_print_is_found() -> None:
    command = Command("run", ("parity: exact (60 rows)", "record: runs/loans/20261130T220947250-e25413"))
    printed = "parity: exact (61 rows)\n\nrecord: runs/loans/20270101T000000000-abcdef\n"
    assert missing_lines(command, printed) == []
    assert missing_lines(command, printed.replace("exact", "DIFFERENT")) == list(command.lines)


@pytest.mark.slow
def test_the_site_builds_without_warnings_and_without_network(tmp_path: Path) -> None:
    isolated = ["unshare", "--net", "--map-root-user"]
    if not shutil.which("unshare") or subprocess.run([*isolated, "true"], check=False).returncode:  # noqa: S603
        isolated = []
    code = (
        f"from pathlib import Path; from tools.site.build import build; build(Path({str(tmp_path)!r}), gallery=False)"
    )
    variables = os.environ | {"PYTHONPATH": ""}
    done = subprocess.run(  # noqa: S603 (our own words)
        [*isolated, str(ROOT / ".venv" / "bin" / "python"), "-c", code],
        cwd=ROOT, env=variables, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    html = tmp_path / "html"
    assert problems(html) == []
    assert "Search.setIndex" in (html / "searchindex.js").read_text(encoding="utf-8")
    assert "error-row-value" in (html / "refusals.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_page_with_a_warning_fails_the_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.site.command_pages.page", lambda: "# Commands\n\n[nowhere](nowhere.md)\n")
    with pytest.raises(SystemExit, match="found warnings of Sphinx"):
        build(tmp_path, gallery=False)
