"""The examples in docstrings run."""

import doctest
import importlib
import pkgutil
from itertools import chain

import pytest

from pipeline_lib.project import from_notebook
from pipeline_lib.runner import from_notebook_proof

MODULES = [
    *(f"{from_notebook.__name__}.{module.name}" for module in pkgutil.iter_modules(from_notebook.__path__)),
    from_notebook_proof.__name__,
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_there_are_examples() -> None:
    finder = doctest.DocTestFinder()
    found = chain.from_iterable(finder.find(importlib.import_module(name)) for name in MODULES)
    assert sum(bool(test.examples) for test in found) >= 6
