"""This checkout and the template of a project agree where they should: what one learns, the other gets."""

import re
import tomllib
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import pytest
from example import ROOT

from pipeline_lib.project.template import Names, house_files

HOUSE = house_files(Names("pipeline_lib", "nb-pipeline-lib", "0.0"))
"""The template under this checkout's own names."""
MACHINERY = {"bench", "bits", "coverage", "docs", "faults", "first-hour", "fuzz", "mutants", "simulations", "survey"}
MACHINERY |= {"test-slow", "test-whole", "fuzz-core", "fuzz-plans", "sanitize", "wheels", "wheels-arm"}
"""Targets that belong to the framework alone."""
OF_A_PROJECT = {"predict", "wheel"}
SAME_RECIPES = ("check", "champions", "clean", "help", "lab", "report", "run-all", "export")


def text(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def template(path: str) -> str:
    return HOUSE[path].decode()


def recipes(makefile: str) -> dict[str, list[str]]:
    """The lines of each target, but for what it names as the next command."""
    found: dict[str, list[str]] = {}
    for block in re.split(r"\n(?=[a-z-]+:)", makefile):
        name, _, body = block.partition(":")
        lines = [line for line in body.split("\n")[1:] if line.startswith("\t")]
        start = next((number for number, line in enumerate(lines) if '@echo "next:' in line), len(lines))
        found[name] = lines[:start]
    return found


def sections(toml: str) -> dict[str, Any]:
    return tomllib.loads(toml)["tool"]


@pytest.mark.parametrize("path", [".gitignore", ".pre-commit-config.yaml"])
def test_files_that_are_the_same(path: str) -> None:
    assert template(path) == text(path)


def test_git_attributes_are_those_of_this_checkout_and_of_the_kept_template() -> None:
    ours = text(".gitattributes").splitlines()
    assert [line for line in template(".gitattributes").splitlines() if line not in ours] == [
        ".pipeline_lib/** linguist-generated"
    ]


def test_the_makefile_has_the_same_targets() -> None:
    ours, theirs = recipes(text("Makefile")), recipes(template("Makefile"))
    names = set(re.findall(r"^([a-z-]+):.*## ", text("Makefile"), re.MULTILINE))
    others = set(re.findall(r"^([a-z-]+):.*## ", template("Makefile"), re.MULTILINE))
    assert names - others == MACHINERY
    assert others - names == OF_A_PROJECT
    for name in SAME_RECIPES:
        assert ours[name], name
        assert ours[name] == theirs[name], name


def test_a_recipe_that_differs_is_seen() -> None:
    ours = recipes(text("Makefile"))
    changed = recipes(text("Makefile").replace("pipeline-lib clean --check", "pipeline-lib clean"))
    assert [name for name in ours if ours[name] != changed[name]] == ["check"]


@pytest.mark.parametrize(
    ("section", "keys"),
    [
        ("uv", None),
        ("nbdev", None),
        ("ruff", ("line-length", "target-version")),
        ("ruff.lint", ("select", "ignore")),
        ("mypy", ("strict",)),
        ("pytest.ini_options", ("minversion", "addopts", "testpaths", "xfail_strict", "filterwarnings")),
        ("coverage.run", ("source", "branch", "parallel", "patch")),
        ("coverage.report", ("show_missing", "skip_covered", "exclude_also")),
        ("importlinter", None),
    ],
)
def test_settings_of_tools_are_the_same(section: str, keys: tuple[str, ...] | None) -> None:
    ours, theirs = sections(text("pyproject.toml")), sections(template("pyproject.toml"))
    for name in section.split("."):
        ours, theirs = ours[name], theirs[name]
    for key in keys or [name for name in theirs if name != "contracts"]:
        assert theirs[key] == ours[key], key


def test_cells_of_notebooks_are_checked_by_the_same_rules() -> None:
    ours, theirs = sections(text("pyproject.toml")), sections(template("pyproject.toml"))
    for folder, rules in theirs["ruff"]["lint"]["per-file-ignores"].items():
        assert ours["ruff"]["lint"]["per-file-ignores"][folder] == rules


def test_exported_code_is_under_the_same_contract() -> None:
    (theirs,) = sections(template("pyproject.toml"))["importlinter"]["contracts"]
    (ours,) = (
        each for each in sections(text("pyproject.toml"))["importlinter"]["contracts"] if each["name"] == theirs["name"]
    )
    for key in ("type", "source_modules", "forbidden_modules"):
        assert theirs[key] == ours[key]


def settings(content: str) -> ConfigParser:
    facts = ConfigParser()
    facts.read_string(content)
    return facts


def test_settings_have_the_same_keys_and_tools_the_same_bounds() -> None:
    ours, theirs = settings(text("settings.ini")), settings(template("settings.ini"))
    assert set(theirs["project"]) <= set(ours["project"])
    assert theirs["project"]["lib_name"] == ours["project"]["lib_name"]
    build = tomllib.loads(text("pyproject.toml"))["build-system"]["requires"]
    assert tomllib.loads(template("pyproject.toml"))["build-system"]["requires"] == build
    assert set(theirs["extras"]["dev"].split()) <= {*ours["extras"]["dev"].split(), *build}
    extras = re.findall(r"nb-pipeline-lib\[([a-z,]+)\]", theirs["extras"]["research"])
    assert set(extras[0].split(",")) <= set(ours["extras"])


def test_setup_reads_the_same_facts() -> None:
    def keywords(source: str) -> set[str]:
        return set(re.findall(r"^    (\w+)=", source, re.MULTILINE))

    own = {"license", "entry_points", "distclass", "cmdclass"}  # the last two put the native core into wheels
    assert keywords(text("setup.py")) - keywords(template("setup.py")) == own
    assert keywords(template("setup.py")) <= keywords(text("setup.py"))


def test_the_dockerfile_has_ten_lines() -> None:
    assert len(template("Dockerfile").splitlines()) <= 10
    assert "requirements-core.lock" in template("Dockerfile")


def test_continuous_integration_runs_targets_that_exist() -> None:
    targets = recipes(template("Makefile"))
    for path in (".github/workflows/check.yml", ".gitlab-ci.yml"):
        called = re.findall(r"make ([a-z-]+)", template(path))
        assert called == ["setup", "check", "test", "champions"]
        assert set(called) <= targets.keys()
    assert Path(ROOT / ".ci" / "run").is_file()
