"""Real plans of the core as files, from which the fuzzer starts: `python native/fuzz/seeds.py FOLDER [TEST ...]`.

Runs tests (by default those of compiled pipelines) and keeps, of the plans that they encode, a small one for each set
of operations.
"""

import hashlib
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline_lib.compiled.native.plan_bytes import PlanWriter

LARGEST = 48 * 1024
TESTS = ("tests/compiled", "tests/parity", "tests/serving")


class Keeper:
    """A plugin of pytest that keeps plans."""

    def __init__(self) -> None:
        self.plans: dict[frozenset[int], bytes] = {}
        self.to_bytes = PlanWriter.to_bytes

    def pytest_configure(self) -> None:
        """Let each plan be seen as it is written."""
        keeper = self

        def to_bytes(writer: PlanWriter, outputs: Any) -> bytes:
            data = keeper.to_bytes(writer, outputs)
            keeper.keep(data)
            return data

        PlanWriter.to_bytes = to_bytes  # type: ignore[method-assign]

    def keep(self, data: bytes) -> None:
        """Keep a plan that is smaller than others of its operations."""
        known = self.plans.get(operations := _operations(data))
        if len(data) <= LARGEST and (known is None or len(data) < len(known)):
            self.plans[operations] = data


def _operations(data: bytes) -> frozenset[int]:
    """The numbers of a plan's operations, and how many integers each has."""
    word = np.frombuffer(data[: len(data) // 8 * 8], dtype=np.uint64).tolist()
    at, found = 8 + 2 * word[2] + word[4] + 3 * word[6], set()
    for _ in range(word[5]):
        found.add(word[at] * 100 + word[at + 2])
        at += 5 + sum(word[at + 1 : at + 4])
    return frozenset(found)


def main() -> int:
    """Write the plans; 0 where there are some."""
    folder, keeper = Path(sys.argv[1]), Keeper()
    pytest.main(["-q", "-p", "no:cacheprovider", *(sys.argv[2:] or TESTS)], plugins=[keeper])
    folder.mkdir(parents=True, exist_ok=True)
    for data in keeper.plans.values():
        Path(folder, hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)
    print(f"{len(keeper.plans)} plans of {sum(map(len, keeper.plans.values())) // 1024:,} KiB in {folder}")
    return not keeper.plans


if __name__ == "__main__":
    sys.exit(main())
