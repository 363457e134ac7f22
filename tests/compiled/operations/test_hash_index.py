"""The hash index of integers finds what a dictionary finds."""

import numpy as np
import pytest

from pipeline_lib.compiled.operations.hash_index import IntegerIndex

pytestmark = pytest.mark.core


@pytest.mark.parametrize("count", [1, 7, 5_000])
def test_hashed_places_are_those_of_the_list(count: int) -> None:
    rng = np.random.default_rng(count)
    keys = rng.permutation(np.unique(rng.integers(-(2**63), 2**63 - 1, count)))
    wanted = np.concatenate([rng.permutation(keys), rng.integers(-(2**63), 2**63 - 1, 1_000), [0, -1]])
    index_of = {key: index for index, key in enumerate(keys.tolist())}
    assert IntegerIndex(keys)(wanted).tolist() == [index_of.get(number, -1) for number in wanted.tolist()]
