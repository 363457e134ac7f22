"""Whether loaded code is the exported code: changed names, and exported definitions in place of a notebook's."""

import sys
import types
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from code_examples import SOURCE, make_module

from pipeline_lib.errors import InputError
from pipeline_lib.project.loaded_code import changed_names, exported_definition, with_exported_definitions
from pipeline_lib.project.project import Project


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    for folder in ("steps", "pipelines"):
        (tmp_path / "twinproj" / folder).mkdir(parents=True)
        (tmp_path / "twinproj" / folder / "__init__.py").touch()
    (tmp_path / "twinproj" / "__init__.py").touch()
    (tmp_path / "twinproj" / "steps" / "a.py").write_text("OTHER = 1\n")
    (tmp_path / "twinproj" / "steps" / "scale.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield Project(tmp_path, "twinproj", tmp_path / "nbs", tmp_path / "params", tmp_path / "runs")
    for name in [name for name in sys.modules if name.partition(".")[0] == "twinproj"]:
        del sys.modules[name]


def loaded(path: Path) -> types.ModuleType:
    module = make_module(path.read_text(), "loaded")
    module.__file__ = str(path)
    result: types.ModuleType = module
    return result


def test_an_untouched_module_has_no_changed_names(tmp_path: Path) -> None:
    path = tmp_path / "m.py"
    path.write_text(SOURCE)
    assert changed_names(loaded(path)) == []


def test_edited_added_and_removed_names_are_listed(tmp_path: Path) -> None:
    path = tmp_path / "m.py"
    path.write_text(SOURCE)
    old = loaded(path)
    edited = SOURCE.replace("LIMIT = 3", "LIMIT = 4").replace("x * 2", "x * 5").replace("def make", "def build")
    path.write_text(edited)
    assert changed_names(old) == ["LIMIT", "build", "limited", "loop", "make", "twice"]


@pytest.mark.parametrize(("old", "new", "name"), [("limit = 3", "limit = 4", "Scale"), ("[1, 2])", "[1, 3])", "TABLE")])
def test_an_edited_value_is_listed(tmp_path: Path, old: str, new: str, name: str) -> None:
    path = tmp_path / "m.py"
    path.write_text(SOURCE)
    before = loaded(path)
    path.write_text(SOURCE.replace(old, new))
    assert name in changed_names(before)


def test_another_import_under_a_name_is_a_change(tmp_path: Path) -> None:
    path = tmp_path / "m.py"
    path.write_text("from json import dumps as write\n")
    old = loaded(path)
    path.write_text("from json import loads as write\n")
    assert changed_names(old) == ["write"]


@pytest.mark.parametrize("file", [None, "absent.py", "module.txt"])
def test_a_module_without_a_python_file_is_refused(tmp_path: Path, file: str | None) -> None:
    (tmp_path / "module.txt").write_text("x = 1\n")
    module = types.ModuleType("sums")
    module.__file__ = None if file is None else str(tmp_path / file)
    with pytest.raises(InputError, match="sums: found no"):
        changed_names(module)


def test_the_exported_definition_of_a_class_is_found(project: Project) -> None:
    exported = exported_definition(make_module().Scale, project)
    assert exported.__module__ == "twinproj.steps.scale"


@pytest.mark.parametrize(
    ("source", "name", "message"),
    [
        ("def absent(): return 1\n", "absent", "found absent, defined in the notebook"),
        (
            "def twice(x): return x\n",
            "twice",
            r"other code in the notebook than in twinproj/steps/scale\.py",
        ),
        (SOURCE.replace("offset: int = 5", "offset: int = 1"), "Scale", "found Scale with other code in the notebook"),
        ("f = lambda x: x\n", "f", "found <lambda> in the fitted pipeline"),
    ],
)
def test_code_that_production_cannot_import_is_refused(project: Project, source: str, name: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        exported_definition(getattr(make_module(source), name), project)


def test_a_pipeline_of_library_code_is_returned_as_it_is(project: Project) -> None:
    fitted = [("step", {"a": {1, 2}, "b": (len, 1.5)})]
    assert with_exported_definitions(fitted, project) is fitted


def test_notebook_definitions_are_replaced_in_a_copy(project: Project) -> None:
    notebook = make_module()
    step = notebook.Scale(5)
    step.functions = [notebook.twice, {"f": notebook.twice}, (notebook.twice, 1)]
    step.itself = step
    moved = with_exported_definitions([("scale", step)], project)[0][1]
    assert type(moved).__module__ == "twinproj.steps.scale"
    assert moved.factor == 5
    assert moved.itself is moved
    replaced = [moved.functions[0], moved.functions[1]["f"], moved.functions[2][0]]
    assert {function.__module__ for function in replaced} == {"twinproj.steps.scale"}
    assert type(step) is notebook.Scale


def test_a_lambda_deep_in_a_pipeline_is_refused(project: Project) -> None:
    with pytest.raises(InputError, match=r"found .*<lambda>"):
        with_exported_definitions([("step", {"func": lambda x: x})], project)


def test_a_function_with_some_of_its_arguments_is_looked_into(project: Project) -> None:
    """As the rule of a RuleModel may be."""
    notebook = make_module()
    moved = with_exported_definitions({"rule": partial(notebook.twice, 3, extra=[notebook.twice])}, project)["rule"]
    assert (moved.func.__module__, moved.args) == ("twinproj.steps.scale", (3,))
    assert moved.keywords["extra"][0] is moved.func
    with pytest.raises(InputError, match=r"found .*<lambda>"):
        with_exported_definitions([partial(lambda x: x, 1)], project)
