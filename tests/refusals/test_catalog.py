"""Every place that raises an error has a kind with a code, and every kind says what it means, what to do and where."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from example import ROOT
from pages import anchors, read

from pipeline_lib.errors import InputError, PipelineLibError
from pipeline_lib.refusals.catalog import OWN_CODE, SUBJECTS, code_of, kinds

PACKAGE = ROOT / "pipeline_lib"
RAISED_BY_NONE = {"files", "project-files", "record-file", "run-begin"}
"""Kinds that no place may have: of errors of Python, and of whole rooms."""


@dataclass(frozen=True)
class Site:
    """A call that makes an error: where it is, and its message with `x` for what is filled in."""

    place: str
    module: str
    message: str


def error_names(trees: list[ast.Module]) -> set[str]:
    """The classes of errors: PipelineLibError, and whatever derives from one of them."""
    names = {"PipelineLibError"}
    while True:
        more = {
            node.name
            for tree in trees
            for node in ast.walk(tree)
            if isinstance(node, ast.ClassDef)
            and any(isinstance(base, ast.Name) and base.id in names for base in node.bases)
        }
        if more <= names:
            return names
        names |= more


def template(node: ast.expr) -> str:
    """The text of a message, with `x` for each value."""
    match node:
        case ast.Constant():
            return str(node.value)
        case ast.JoinedStr():
            return "".join(str(part.value) if isinstance(part, ast.Constant) else "x" for part in node.values)
        case ast.BinOp():
            return template(node.left) + template(node.right)
    return "x"


@cache
def own_sites() -> tuple[Site, ...]:
    """Those of this library, read once."""
    return tuple(sites(PACKAGE))


def sites(package: Path) -> Iterator[Site]:
    """Every call in the package that makes one of its errors."""
    paths = [path for path in sorted(package.rglob("*.py")) if "templates" not in path.parts]
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in paths]
    names = error_names(trees)
    for path, tree in zip(paths, trees, strict=True):
        module = ".".join(path.relative_to(package).with_suffix("").parts).removesuffix(".__init__")
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names and node.args:
                yield Site(f"{path.relative_to(package)}:{node.lineno}", module, template(node.args[0]))


def without_kind(found: list[Site]) -> list[Site]:
    """The places whose errors have no kind of their own; those of steps and pipelines are a project's own code."""
    return [site for site in found if code_of(site.message, site.module) == OWN_CODE and "steps" not in site.module]


def test_every_place_that_raises_an_error_has_a_kind() -> None:
    found = list(own_sites())
    assert len(found) > 800
    assert without_kind(found) == []  # name the module in one of pipeline_lib/refusals/*.toml


def test_a_place_without_a_kind_is_seen(tmp_path: Path) -> None:
    (tmp_path / "garden").mkdir()
    (tmp_path / "errors.py").write_text("class PipelineLibError(Exception): ...\n")
    source = (
        "class WeedError(PipelineLibError): ...\ndef f(n):\n    raise WeedError(f'found {n} weeds, expected none')\n"
    )
    (tmp_path / "garden" / "beds.py").write_text(source)
    assert without_kind(list(sites(tmp_path))) == [
        Site("garden/beds.py:3", "garden.beds", "found x weeds, expected none")
    ]


def test_every_kind_is_raised_somewhere() -> None:
    assert kinds().keys() - {code_of(site.message, site.module) for site in own_sites()} <= RAISED_BY_NONE


@pytest.mark.parametrize("code", kinds())
def test_a_kind_is_explained_in_plain_words_and_leads_to_a_page(code: str) -> None:
    kind = kinds()[code]
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", code)
    assert kind.title[0].islower() or kind.title[0] == "`"
    assert kind.meaning.endswith(".")
    assert kind.remedy.endswith(".")
    assert kind.subject in SUBJECTS.values()
    page, _, anchor = kind.page.partition("#")
    if page == "command-line.md":  # which is generated
        return
    assert (ROOT / "docs" / page).is_file()
    assert not anchor or anchor in anchors(read(ROOT / "docs" / page))


def test_modules_of_kinds_exist() -> None:
    for kind in kinds().values():
        for module in kind.modules:
            path = PACKAGE.joinpath(*module.split("."))
            assert path.is_dir() or path.with_suffix(".py").is_file(), (kind.code, module)


@pytest.mark.parametrize(
    ("message", "module", "code"),
    [
        ("Lot.Area: found 'large' in row 3, expected a number; correct it, or Row", "rows.conform", "row-value"),
        (
            "found no package 'uvicorn', expected the extra serve; pip install 'nb-pipeline-lib[serve]'",
            "",
            "package-missing",
        ),
        ("OutlierTrimmer: found a step that drops rows, expected one row out for each", "", "step-drops-rows"),
        ("found something new, expected it elsewhere", "records.transfer", "transfer"),
        ("found something new, expected it elsewhere", "", OWN_CODE),
        (
            "step far: found `mean` of a Series: for one row it would answer otherwise than for many; nor can "
            "its library: a step that draws numbers, or whose rows affect each other, cannot be served",
            "compiler.tracing",
            "trace-other-rows",
        ),
    ],
)
def test_the_kind_follows_from_the_message_else_from_the_module(message: str, module: str, code: str) -> None:
    assert code_of(message, module) == code


def test_an_error_knows_its_code_where_it_is_caught() -> None:
    from pipeline_lib.rows.context import Context

    with pytest.raises(InputError) as caught:
        Context(rows=0)
    assert caught.value.code == "context-declaration"
    with pytest.raises(PipelineLibError) as own:
        raise InputError("found weeds, expected none; pull them out")
    assert own.value.code == OWN_CODE


def test_the_phrases_of_a_kind_count_only_within_its_rooms() -> None:
    message = "column price: found text, expected numbers; cast it"
    assert code_of(message, "compiler.adapters.inputs") == "step-column-type"
    assert code_of(message, "project.query_columns") == "query-types"
