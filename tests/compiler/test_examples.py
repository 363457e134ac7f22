"""The examples in the compiler's docstrings run and print what they show."""

import doctest
from types import ModuleType

import pytest

from pipeline_lib.compiled.portable_math import functions
from pipeline_lib.compiler import compile as compile_module


@pytest.mark.parametrize("module", [compile_module, functions], ids=lambda module: module.__name__)
def test_examples_of_docstrings_run(module: ModuleType) -> None:
    results = doctest.testmod(module)
    assert (results.failed, results.attempted > 0) == (0, True)
