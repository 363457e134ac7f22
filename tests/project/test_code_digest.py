"""Two definitions are the same code when they do the same, wherever they are defined."""

import sys
import types

import pytest
from code_examples import SOURCE, make_module

from pipeline_lib.project.code_digest import same_code


@pytest.mark.parametrize("name", ["Scale", "twice", "make", "limited", "wrapped", "kept", "loop"])
def test_line_numbers_and_module_names_do_not_count(name: str) -> None:
    moved = make_module("\n\n# moved\n" + SOURCE, "elsewhere")
    assert same_code(getattr(make_module(), name), getattr(moved, name))


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
    assert not same_code(getattr(make_module(), name), getattr(make_module(SOURCE.replace(old, new)), name))


@pytest.mark.parametrize(
    ("old", "new", "name"),
    [("At most", "Never more than", "limited"), ("    '''At most LIMIT.'''\n", "", "limited")],
)
def test_a_docstring_does_not_count(old: str, new: str, name: str) -> None:
    assert old in SOURCE
    assert same_code(getattr(make_module(), name), getattr(make_module(SOURCE.replace(old, new)), name))


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
    first, same, other = (make_module(text, "mine") for text in (MODELS, MODELS, MODELS.replace(old, new)))
    assert same_code(getattr(first, name), getattr(same, name))
    assert not same_code(getattr(first, name), getattr(other, name))
