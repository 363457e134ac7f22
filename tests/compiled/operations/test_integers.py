"""Python's integers are wrapped to the 64 bits that columns have."""

import pytest

from pipeline_lib.compiled.operations.integers import wrap

pytestmark = pytest.mark.core


def test_integers_wrap_as_64_bits_do():
    assert wrap(2**63) == -(2**63)
    assert wrap(-(2**63) - 1) == 2**63 - 1
