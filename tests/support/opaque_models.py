"""Pipelines that run through their libraries, for the tests of opaque steps: classes with a plan can be made to."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline_lib import compile_pipeline, load_model
from pipeline_lib.compiled.pipeline import CompiledPipeline
from pipeline_lib.compiler.adapters import registry
from pipeline_lib.compiler.adapters.registry import NoPlanError

ROWS = 300
SIZES = (0, 1, 7, 256, 257, 1000)
_SCRIPT = """
import hashlib, json, sys
import numpy as np, pandas as pd
from pipeline_lib import load_model
request = json.load(sys.stdin)
frame = pd.read_parquet(request["rows"])
answers = {}
for name, (folder, trust, columns) in request["models"].items():
    model = load_model(folder, trust=tuple(trust))
    answers[name] = hashlib.sha256(repr(model.predict(frame[columns]).tolist()).encode()).hexdigest()
print(json.dumps(answers))
"""


def numbers(rows: int = ROWS) -> pd.DataFrame:
    """Four columns of positive numbers."""
    draw = np.random.default_rng(11)
    return pd.DataFrame(np.abs(draw.normal(size=(rows, 4))), columns=list("abcd"))


def words(rows: int = ROWS) -> pd.DataFrame:
    """Two columns of words and two of numbers."""
    draw = np.random.default_rng(12)
    text = pd.StringDtype(na_value=np.nan)
    frame = numbers(rows)[["a", "b"]]
    frame["city"] = pd.Series(draw.choice(["Łódź", "Åre", "Rome", "Lima"], rows), dtype=text)
    frame["kind"] = pd.Series(draw.choice(["flat", "house"], rows), dtype=text)
    return frame


def labels(rows: int = ROWS, classes: int = 3) -> Any:
    """Integer labels."""
    return np.random.default_rng(13).integers(0, classes, rows)


def without_plan(monkeypatch: pytest.MonkeyPatch, *classes: str) -> None:
    """Make classes, by name, such that no adapter knows them; all classes where none is named."""
    find = registry._find_adapter

    def missing(adapters: Any, step: Any, role: str) -> Any:
        if not classes or type(step).__name__ in classes:
            raise NoPlanError(f"{type(step).__name__}: found no plan")
        return find(adapters, step, role)

    monkeypatch.setattr(registry, "_find_adapter", missing)


def opaque(fitted: Any, like: Any, *, trust: Sequence[str] = (), **options: Any) -> CompiledPipeline:
    """The compiled pipeline, some steps of which run through their libraries."""
    model = compile_pipeline(fitted, like=like, allow_opaque=True, trust=trust, **options)
    assert not model.exact
    return model


def reloaded(model: CompiledPipeline, folder: Path, **options: Any) -> CompiledPipeline:
    """The model, saved and loaded again."""
    model.save(folder)
    return load_model(folder, **options)


def assert_same_for_any_batch(model: CompiledPipeline, frame: pd.DataFrame) -> None:
    """Each row has the same bits alone, in batches of several sizes, in another order."""
    many = pd.concat([frame] * (SIZES[-1] // len(frame) + 1), ignore_index=True).iloc[: SIZES[-1]]
    whole = model.predict(many)
    for size in SIZES:
        part = model.predict(many.iloc[:size])
        assert part.shape[0] == size
        assert part.dtype == whole.dtype
        assert part.tolist() == whole[:size].tolist()
    assert model.predict(many.iloc[::-3]).tolist() == whole[::-3].tolist()
    for row in (0, 1, 100, 255, 256, 299, 999):
        alone = model.predict_row(many.iloc[row].to_dict())
        assert np.array(alone).tolist() == whole[row].tolist()


def answers_of_a_fresh_process(
    models: Mapping[str, tuple[Path, Sequence[str], Sequence[str]]], frame: pd.DataFrame, folder: Path
) -> dict[str, str]:
    """A digest of each model's predictions, made by another process: folder, trust and columns by name."""
    rows = folder / "rows.parquet"
    frame.to_parquet(rows)
    request = {
        "rows": str(rows),
        "models": {name: (str(path), list(trust), list(columns)) for name, (path, trust, columns) in models.items()},
    }
    done = subprocess.run(  # noqa: S603  this Python
        [sys.executable, "-c", _SCRIPT], input=json.dumps(request), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    answers: dict[str, str] = json.loads(done.stdout)
    return answers
