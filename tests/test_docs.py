"""Pages name what exists: files, links, commands, options, Python names; their code runs."""

import ast
import doctest
import inspect
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
from example import ROOT
from pages import PAGES, anchors, blocks, console, links, read, spans

import pipeline_lib
from pipeline_lib.cli.main import commands
from pipeline_lib.compiled.operations.catalog import OPERATIONS
from pipeline_lib.compiled.pipeline import CompiledPipeline
from pipeline_lib.compiler.builder import Builder
from pipeline_lib.evidence.evidence import read_evidence
from pipeline_lib.project.init import create_project
from pipeline_lib.project.notebooks import read_notebook
from pipeline_lib.records.record import Record
from pipeline_lib.rows.frames import to_frame
from pipeline_lib.runner.research_run import Run
from tools.site.navigation import listed_pages

by_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
RECORD = next((ROOT / "tests" / "data" / "records" / "titanic").iterdir())
EXAMPLES = {"penguins": "houses", "NAME": "houses", "VARIANT": "quick", "VERSION": "3.11"}
"""Placeholders in paths, and what stands for them in this checkout."""
TEMPLATE = ROOT / "pipeline_lib" / "project" / "templates" / "new" / "research.ipynb"
HOUSE = ROOT / "pipeline_lib" / "project" / "templates" / "project" / "house"
_PATH = re.compile(r"[\w.*-]*(/[\w.*-]+)+/?|[\w-]+/|[\w.-]+\.(py|md|toml|ini|yml|yaml|ipynb|lock|json|html|parquet)")
_ELSEWHERE = (
    "/",  # routes of a server
    "runs/",
    "champions/",
    "retrain/",  # branches
    "data/",
    "houses/",
    "git.diff",
    "columns.json",
    "value.json",
    "baseline.json",
    "threshold.json",
    "training_rows.parquet",
    "snapshots/",
    "NN_",
    "nbs/steps/NN_",
    "nbs/research/_lab_",
)
"""Beginnings of what is no file of the checkout: records, references to runs, examples of own files."""


def missing_paths(text: str, *folders: Path) -> list[str]:
    """Paths in code spans that are in none of the folders, the checkout or a record."""
    missing = []
    for span in spans(text):
        if not _PATH.fullmatch(span) or span.startswith(_ELSEWHERE):
            continue
        for placeholder, example in EXAMPLES.items():
            span = span.replace(placeholder, example)
        if span.startswith(_ELSEWHERE):
            continue
        if not any(list(folder.glob(span)) for folder in (ROOT, RECORD, RECORD / "evidence", *folders)):
            missing.append(span)
    return missing


@by_page
def test_every_path_exists(page: Path, tmp_path: Path) -> None:
    if page.name.startswith("coming-from-"):  # which names files of other tools
        return
    rooms = page.name in ("design.md", "CONTRIBUTING.md")  # which name a room, or the `__init__.py` of any
    folders = [ROOT / "pipeline_lib"] if rooms else []
    if page.name == "projects.md":
        create_project(tmp_path / "credit-lab")
        folders = [tmp_path / "credit-lab"]
    assert missing_paths(read(page), *folders) == []


def test_a_path_that_does_not_exist_is_seen() -> None:
    text = "`pipeline_lib/errors.py` `setup.py` `docs/nowhere.md` `nbs/nowhere/` `no.toml` `params/NAME.yml`"
    assert missing_paths(text) == ["docs/nowhere.md", "nbs/nowhere/", "no.toml"]


def broken_links(text: str, page: Path) -> list[str]:
    """Links to pages, and to headings of pages, that are not there."""
    broken = []
    for link in links(text):
        target, _, anchor = link.partition("#")
        path = page.parent / target if target else page
        if "://" not in link and not (path.is_file() and (not anchor or anchor in anchors(read(path)))):
            broken.append(link)
    return broken


@by_page
def test_every_link_leads_somewhere(page: Path) -> None:
    assert broken_links(read(page), page) == []


def test_a_broken_link_is_seen() -> None:
    page = ROOT / "docs" / "runs.md"
    text = "[a](nowhere.md) [b](sharing.md) [c](parity.md#nowhere) [d](parity.md#as-a-test)"
    assert broken_links(text, page) == ["nowhere.md", "parity.md#nowhere"]


def test_every_page_is_in_the_table_of_contents() -> None:
    listed = {target.partition("#")[0] for target in links(read(ROOT / "README.md"))}
    listed |= {f"docs/{name}.md" for name in listed_pages()}
    assert {path.relative_to(ROOT).as_posix() for path in PAGES} - {"README.md"} <= listed


def test_the_readme_is_short() -> None:
    assert len(read(ROOT / "README.md").split()) <= 700


def options_of(command: click.Command) -> set[str]:
    """The options of a command and of the commands below it, without --help."""
    if isinstance(command, click.Group):
        return set().union(*map(options_of, command.commands.values()))
    return {name for parameter in command.params for name in parameter.opts if name.startswith("--")}


def documented() -> dict[str, set[str]]:
    """The table of commands: each command with the options in its row."""
    rows = re.findall(r"^\| `pipeline-lib ([a-z-]+)[^`]*`(.*)$", read(ROOT / "docs" / "commands.md"), re.MULTILINE)
    return {name: set(re.findall(r"--[a-z-]+", row)) for name, row in rows}


def test_every_command_and_option_is_documented_and_no_other() -> None:
    shown = {name: command for name, command in commands.commands.items() if not command.hidden}
    assert documented() == {name: options_of(command) for name, command in shown.items()}
    hidden = commands.commands.keys() - shown.keys()
    assert hidden == {"score"}  # a second name, in the row of predict
    assert "`score` is the same command" in read(ROOT / "docs" / "commands.md")


PYTEST_OPTIONS = {"--records", "--parity"}


def test_options_of_pytest_are_declared(pytestconfig: pytest.Config) -> None:
    assert {f"--{name.rpartition('_')[2]}" for name in vars(pytestconfig.option) if "pipeline_lib_" in name} == (
        PYTEST_OPTIONS
    )


def targets() -> set[str]:
    """The targets of the Makefile, and of that of a project of one's own."""
    makefiles = [ROOT / "Makefile", HOUSE / "Makefile"]
    return {target for path in makefiles for target in re.findall(r"^([a-z-]+):", read(path), re.MULTILINE)}


def check_command(line: str) -> None:
    """Parse a command line as the program would, without running it."""
    program, *words = shlex.split(line)
    if program == "make":
        assert {word for word in words if "=" not in word} <= targets()
    elif program == "pytest":
        assert {word.partition("=")[0] for word in words} <= PYTEST_OPTIONS
    else:
        assert program == "pipeline-lib"
        command = commands.commands[words[0]]
        command.make_context(words[0], words[1:], parent=click.Context(commands, **commands.context_settings))


def test_the_readme_and_the_makefile_name_the_same_targets() -> None:
    asked = set(re.findall(r"make ([a-z-]+)", read(ROOT / "README.md"))) - {"and"}
    assert asked
    assert asked <= targets()


@by_page
def test_every_command_that_is_shown_is_real(page: Path) -> None:
    for line, _ in console(read(page)):
        check_command(line)


@pytest.mark.parametrize("line", ["make nothing", "pipeline-lib runs --nothing", "pipeline-lib forget", "pytest --x"])
def test_a_command_that_is_not_real_is_seen(line: str) -> None:
    with pytest.raises((AssertionError, click.UsageError)):
        check_command(line)


@by_page
def test_every_command_in_the_text_is_real(page: Path) -> None:
    known = set().union(PYTEST_OPTIONS, {"--help", "--upgrade"}, *map(options_of, commands.commands.values()))
    for span in spans(read(page)):
        program, _, rest = span.partition(" ")
        if program == "make" and rest:
            assert set(rest.split()) <= targets(), span
        elif program.endswith("pipeline-lib") and rest and rest.split()[0] != "COMMAND":
            command = commands.commands[rest.split()[0]]
            assert set(re.findall(r"--[a-z-]+", rest)) <= options_of(command), span
        elif span.startswith("--"):
            assert re.findall(r"^--[a-z-]+", span)[0] in known, span


CALLABLE = {"run": Run, "model": CompiledPipeline, "build": Builder, "pipeline_lib": pipeline_lib}
SET_BY_INIT = {("run", "params"), ("model", "report"), ("model", "row")}
"""Attributes that instances have and their class does not."""


def check_names(code: str) -> None:
    """Every call of the library has arguments that fit, every attribute exists."""
    tree = ast.parse(code)
    imported = {alias.asname or alias.name: alias.name for node in _imports(tree) for alias in node.names}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            _check_call(node, imported)
        match node:
            case ast.Attribute(value=ast.Name(id=owner), attr=name) if owner in CALLABLE:
                assert hasattr(CALLABLE[owner], name) or (owner, name) in SET_BY_INIT, ast.unparse(node)


def _imports(tree: ast.AST) -> Iterator[ast.ImportFrom]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "pipeline_lib":
            assert {alias.name for alias in node.names} <= set(pipeline_lib.__all__)
            yield node


def _check_call(node: ast.Call, imported: dict[str, str]) -> None:
    match node.func:
        case ast.Attribute(value=ast.Name(id=owner), attr=name) if owner in CALLABLE:
            function = getattr(CALLABLE[owner], name)
            bound = [None] * (owner != "pipeline_lib")
        case ast.Name(id=name) if name in imported or name in pipeline_lib.__all__:
            function, bound = getattr(pipeline_lib, imported.get(name, name)), []
        case _:
            return
    keywords = {keyword.arg: None for keyword in node.keywords if keyword.arg}
    inspect.signature(function).bind(*bound, *node.args, **keywords)
    if ast.unparse(node.func) == "build.apply" and isinstance(node.args[0], ast.Constant):
        assert node.args[0].value in OPERATIONS


@by_page
def test_every_python_name_exists(page: Path) -> None:
    text = read(page)
    for body in blocks(text, "python"):
        check_names(body)
    for span in spans(text):
        if re.match(r"(run|model|build|pipeline_lib|load_model)\b[.(]", span) and not span.startswith(
            "pipeline_lib.py"
        ):
            check_names(span)


def test_every_public_name_is_documented() -> None:
    words = set(re.findall(r"\w+", " ".join(read(page) for page in PAGES)))
    assert set(pipeline_lib.__all__) <= words


@pytest.mark.parametrize(
    "code",
    ["model.nothing(rows)", "model.predict()", "pipeline_lib.sweep(1, 2, nothing=3)", 'build.apply("nothing", x)'],
)
def test_a_python_name_that_does_not_exist_is_seen(code: str) -> None:
    with pytest.raises((AssertionError, AttributeError, TypeError)):
        check_names(code)


@by_page
def test_examples_print_what_is_shown(page: Path) -> None:
    text = "\n".join(blocks(read(page), "pycon"))
    test = doctest.DocTestParser().get_doctest(text, {}, page.name, str(page), 0)
    output: list[str] = []
    found = doctest.DocTestRunner().run(test, out=output.append)
    assert found.failed == 0, "".join(output)
    assert found.attempted == text.count(">>> ")


def statements(code: str) -> list[str]:
    """The statements of code, one a line, without comments."""
    return [ast.unparse(statement) for statement in ast.parse(code).body]


@pytest.mark.parametrize("page", ["README.md", "docs/start.md"])
def test_the_notebook_that_is_shown_is_the_one_that_new_writes(page: str) -> None:
    written: list[str] = []
    for cell in read_notebook(TEMPLATE, TEMPLATE.name)["cells"]:
        if cell["cell_type"] == "code":
            written += statements("".join(cell["source"]))
    (shown,) = (body for body in blocks(read(ROOT / page), "python") if "start_run(" in body)
    calls = [line for line in statements(shown) if not line.startswith("from ")]
    assert len(calls) == 6
    for line in calls:
        line = line.replace("houses", "pipeline").replace("penguins", "pipeline")
        assert line in written or line in [text.replace("values = ", "", 1) for text in written]


@pytest.mark.parametrize("page", ["README.md", "docs/production.md"])
def test_the_production_code_that_is_shown_runs(page: str, houses_record: Record) -> None:
    (shown,) = (body for body in blocks(read(ROOT / page), "python") if "load_model(" in body)
    evidence = read_evidence(houses_record.evidence)
    frame = to_frame(evidence.inputs)
    names: dict[str, Any] = {"frame": frame, "row": frame.iloc[0].to_dict()}
    *before, last = statements(shown.replace("runs/houses/ID/artifact", str(houses_record.artifact)))
    exec("\n".join(before), names)  # noqa: S102  our own page
    traced = eval(last, names)  # noqa: S307
    expected = evidence.outputs.column("prediction").to_numpy()
    assert np.asarray(names["model"].predict(frame)).tobytes() == expected.tobytes()
    assert traced["outputs"]["prediction"] == expected[0]
