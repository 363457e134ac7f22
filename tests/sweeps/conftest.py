"""A sweep without kernels."""

from pathlib import Path
from typing import Any

import pytest
from fake_pool import Fake, FakePool

import pipeline_lib.sweeps.sweep as sweeping


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fake:
    """Puts a pool of results in place of kernels; no parity is checked."""

    def put(**options: Any) -> FakePool:
        pool = FakePool(tmp_path / "runs", **options)
        monkeypatch.setattr(sweeping, "_pool", lambda *args: pool)
        monkeypatch.setattr(sweeping, "_preloaded", lambda *args: None)  # no kernel will need the packages
        monkeypatch.setattr(sweeping, "_check_best", lambda results, library: results)
        return pool

    return put
