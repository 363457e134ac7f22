"""A core whose products and sums are fused differs from NumPy, and the comparison with random plans says so."""

import importlib.machinery
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

import pytest
from random_plans import differences, names

from pipeline_lib.compiled.native import core

NATIVE = Path(__file__).parents[3] / "native"
PLANS = range(150)
FUSED = ("-ffp-contract=fast", "-mfma")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::RuntimeWarning"),
    pytest.mark.skipif(core.built() is None, reason="found no native core, which needs a C compiler"),
]


def native_build() -> Any:
    spec = importlib.util.spec_from_file_location("native_build", NATIVE / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def built_with(flags: Sequence[str], folder: Path) -> ModuleType:
    """A core compiled with more flags, as a module of its own."""
    target = folder / "_core.abi3.so"
    native_build().build(target, flags)
    loader = importlib.machinery.ExtensionFileLoader("_core", str(target))
    spec = importlib.util.spec_from_loader("_core", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def differing(module: ModuleType) -> list[str]:
    with patch.object(core, "built", lambda: module):
        return [line for seed in PLANS for line in differences(seed, names()).differences]


@pytest.mark.skipif(not native_build().is_x86(), reason="-mfma is a flag of x86")
def test_fused_products_and_sums_are_seen_at_every_level(tmp_path: Path) -> None:
    found = differing(built_with(FUSED, tmp_path))
    assert {line.split(": ")[1] for line in found} == {core.LEVELS[number] for number in core.built().levels()}  # type: ignore[union-attr]
    assert any("affine" in line or " dot " in line for line in found)
    assert len(found) > 5


def test_the_core_as_it_is_built_differs_in_nothing() -> None:
    module = core.built()
    assert module is not None
    assert sys.modules["pipeline_lib.compiled._core"] is module
    assert differing(module) == []
