"""Is loaded code the exported code: changed names, equal definitions, exported twins."""

import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline_lib.errors import InputError
from pipeline_lib.project.code_digest import same_code
from pipeline_lib.project.loaded_code import changed_names, exported_definition, with_exported_definitions
from pipeline_lib.project.project import Project

SOURCE = """
import functools
import os
import numpy as np
LIMIT = 3
TABLE = np.array([1, 2])
class Scale:
    '''Numbers, scaled.'''
    factor: int
    offset: int = 5
    limit = 3
    def __init__(self, factor=2):
        self.factor = factor
    def get_params(self, deep=True):
        return {"factor": self.factor}
    @property
    def double(self):
        return self.factor * 2
    @classmethod
    def unit(cls):
        return cls(1)
    @staticmethod
    def name():
        return "scale"
def twice(x, y=1, *, z=2):
    return [x * 2 for _ in range(1) if x not in {1, 2}]
def make():
    def inner():
        return 1
    return inner
def limited(x):
    '''At most LIMIT.'''
    return min(x, LIMIT), TABLE
def doubled(function):
    @functools.wraps(function)
    def both(x):
        return function(x), function(x)
    return both
@doubled
def wrapped(x):
    return x
@functools.cache
def kept(x):
    return x + 1
def loop(n):
    return n and loop(n - 1) or limited(n)
"""


def module(source: str = SOURCE, name: str = "__main__") -> Any:
    made = types.ModuleType(name)
    exec(compile(source, "cell", "exec"), vars(made))  # noqa: S102 (the text above)
    return made


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


@pytest.mark.parametrize("name", ["Scale", "twice", "make", "limited", "wrapped", "kept", "loop"])
def test_line_numbers_and_module_names_do_not_count(name: str) -> None:
    moved = module("\n\n# moved\n" + SOURCE, "elsewhere")
    assert same_code(getattr(module(), name), getattr(moved, name))


@pytest.mark.parametrize(
    ("old", "new", "name"),
    [
        ("x * 2", "x * 3", "twice"),
        ("y=1", "y=2", "twice"),
        ("z=2", "z=3", "twice"),
        ("{1, 2}", "{1, 3}", "twice"),
        ("return 1\n", "return 1.0\n", "make"),
        ("self.factor * 2", "self.factor * 4", "Scale"),
        ("factor: int", "factor: float", "Scale"),
        ("cls(1)", "cls(2)", "Scale"),
        ('"scale"', '"ruler"', "Scale"),
        ("class Scale:", "class Scale(dict):", "Scale"),
        ("factor=2", "factor=3", "Scale"),
        ("offset: int = 5", "offset: int = 6", "Scale"),
        ("limit = 3", "limit = 4", "Scale"),
        ("LIMIT = 3", "LIMIT = 4", "limited"),
        ("LIMIT = 3", "LIMIT = 4", "loop"),
        ("[1, 2])", "[1, 3])", "limited"),
        ("@doubled\n", "", "wrapped"),
        ("function(x), function(x)", "function(x), x", "wrapped"),
        ("x + 1", "x + 2", "kept"),
        ("@functools.cache\n", "", "kept"),
    ],
)
def test_whatever_changes_behaviour_counts(old: str, new: str, name: str) -> None:
    assert old in SOURCE
    assert not same_code(getattr(module(), name), getattr(module(SOURCE.replace(old, new)), name))


@pytest.mark.parametrize(
    ("old", "new", "name"),
    [("At most", "Never more than", "limited"), ("    '''At most LIMIT.'''\n", "", "limited")],
)
def test_a_docstring_does_not_count(old: str, new: str, name: str) -> None:
    assert old in SOURCE
    assert same_code(getattr(module(), name), getattr(module(SOURCE.replace(old, new)), name))


MODELS = """
from dataclasses import dataclass
from pydantic import BaseModel, Field, field_validator
class Row(BaseModel):
    area: int = Field(gt=0)
    @field_validator("area")
    @classmethod
    def even(cls, value):
        return value
@dataclass
class Point:
    x: int = 3
"""


@pytest.mark.parametrize(
    ("old", "new", "name"),
    [("gt=0", "gt=1", "Row"), ("x: int = 3", "x: int = 4", "Point"), ('("area")', '("area", mode="before")', "Row")],
)
def test_fields_of_models_and_dataclasses_count(monkeypatch: pytest.MonkeyPatch, old: str, new: str, name: str) -> None:
    monkeypatch.setitem(sys.modules, "mine", types.ModuleType("mine"))  # where dataclasses look for types
    first, same, other = (module(text, "mine") for text in (MODELS, MODELS, MODELS.replace(old, new)))
    assert same_code(getattr(first, name), getattr(same, name))
    assert not same_code(getattr(first, name), getattr(other, name))


def loaded(path: Path) -> types.ModuleType:
    made = module(path.read_text(), "loaded")
    made.__file__ = str(path)
    result: types.ModuleType = made
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
    made = types.ModuleType("made")
    made.__file__ = None if file is None else str(tmp_path / file)
    with pytest.raises(InputError, match="made: found no"):
        changed_names(made)


def test_the_exported_definition_of_a_class_is_found(project: Project) -> None:
    exported = exported_definition(module().Scale, project)
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
        exported_definition(getattr(module(source), name), project)


def test_a_pipeline_of_library_code_is_returned_as_it_is(project: Project) -> None:
    fitted = [("step", {"a": {1, 2}, "b": (len, 1.5)})]
    assert with_exported_definitions(fitted, project) is fitted


def test_notebook_definitions_are_replaced_in_a_copy(project: Project) -> None:
    notebook = module()
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
