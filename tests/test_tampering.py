"""Any byte of a real record, changed, is found."""

import numpy as np
import pytest

from pipeline_lib.files import files_below
from pipeline_lib.record import Record, verify

POSITIONS = 25


@pytest.mark.slow
def test_a_changed_byte_anywhere_is_found(copy: Record) -> None:
    assert verify(copy) == []
    random = np.random.default_rng(0)
    for path in files_below(copy.folder):
        whole = path.read_bytes()
        for position in {0, len(whole) - 1, *random.integers(0, len(whole), POSITIONS).tolist()}:
            path.write_bytes(whole[:position] + bytes([whole[position] ^ 1]) + whole[position + 1 :])
            assert verify(copy), f"{path.name}: byte {position}"
        path.write_bytes(whole)
    assert verify(copy) == []
