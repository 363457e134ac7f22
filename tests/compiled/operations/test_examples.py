"""The examples in docstrings of operations run and print what they show."""

import doctest
from types import ModuleType

import pytest

from pipeline_lib.compiled.operations import calendar, hash_index, text_extraction, text_numbers, unicode_14

pytestmark = pytest.mark.core


@pytest.mark.parametrize(
    "module", [calendar, hash_index, text_extraction, text_numbers, unicode_14], ids=lambda module: module.__name__
)
def test_examples_of_docstrings_run(module: ModuleType) -> None:
    results = doctest.testmod(module)
    assert (results.failed, results.attempted > 0) == (0, True)
