"""The examples in docstrings run."""

import doctest
from types import ModuleType

import pytest

from pipeline_lib.evidence import bits, evidence


@pytest.mark.parametrize("module", [bits, evidence], ids=lambda module: module.__name__)
def test_every_example_runs(module: ModuleType) -> None:
    results = doctest.testmod(module)
    assert results.attempted > 0
    assert results.failed == 0
