"""Numbers of the core's operations: those that plans have had stay, so that the fuzzer's corpus stays one of plans."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from pipeline_lib.compiled.native import core

pytestmark = [
    pytest.mark.core,
    pytest.mark.skipif(core.built() is None, reason="found no native core, which needs a C compiler"),
]
FROZEN = Path(__file__).parents[3] / "native" / "fuzz" / "operations.txt"


def moved(frozen: Sequence[str], names: Sequence[str]) -> list[str]:
    """The operations that have another number than before."""
    return [name for number, name in enumerate(frozen) if number >= len(names) or names[number] != name]


def operations() -> list[str]:
    module = core.built()
    assert module is not None
    return [f"{name} {kinds}" for name, kinds in module.operations()]


def test_operations_keep_their_numbers() -> None:
    frozen = FROZEN.read_text(encoding="utf-8").splitlines()
    assert len(set(frozen)) == len(frozen) > 200
    assert not moved(frozen, operations()), "new operations stand at the end; add them to native/fuzz/operations.txt"


def test_an_operation_in_between_is_seen() -> None:
    frozen = FROZEN.read_text(encoding="utf-8").splitlines()
    names = operations()
    assert moved(frozen, [*names[:5], "new d:d", *names[5:]])[:2] == frozen[5:7]
    assert moved(frozen, names[:-1] if len(names) == len(frozen) else names[: len(frozen) - 1]) == frozen[-1:]
    assert not moved(frozen, [*names, "new d:d"])
