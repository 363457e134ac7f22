"""The task that a target asks for."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from drafts import ROWS, draft, loans, written

from pipeline_lib.errors import InputError
from pipeline_lib.project.drafting.target import Target

EVEN = np.arange(ROWS) % 2


def target(folder: Path, values: Any, **options: Any) -> Target:
    return draft(written(folder, loans(rate=values)), **options).target


@pytest.mark.parametrize(
    ("values", "task", "classes", "positive"),
    [
        (np.linspace(0, 1, ROWS), "regression", (), None),
        (np.arange(ROWS) % 25, "regression", (), None),
        (EVEN, "binary", (0, 1), 1),
        (np.where(EVEN, "yes", "no"), "binary", ("no", "yes"), "yes"),
        (np.where(np.arange(ROWS) < 20, "paid", "due"), "binary", ("due", "paid"), "paid"),
        (EVEN == 1, "binary", ("False", "True"), "True"),
        (np.arange(ROWS) % 3, "multiclass", (0, 1, 2), None),
        (np.array(["a", "b", "c"])[np.arange(ROWS) % 3], "multiclass", ("a", "b", "c"), None),
    ],
)
def test_tasks(tmp_path: Path, values: Any, task: str, classes: tuple[Any, ...], positive: Any) -> None:
    found = target(tmp_path, values)
    assert (found.task, found.classes, found.positive) == (task, classes, positive)


def test_the_task_can_be_asked_for(tmp_path: Path) -> None:
    assert target(tmp_path, np.arange(ROWS) % 3, task="regression").task == "regression"
    assert target(tmp_path, np.arange(ROWS) % 12, task="classification").task == "multiclass"


def test_classes_with_few_rows_are_named_and_left_out(tmp_path: Path) -> None:
    found = target(tmp_path, ["a"] * 30 + ["b"] * 28 + ["c"] * 2)
    assert (found.classes, found.rare) == (("a", "b"), ("c",))
    assert "fewer than 5 rows" in found.notes[0]


@pytest.mark.parametrize(
    ("values", "options", "words"),
    [
        ([1] * ROWS, {}, "found one value in all rows"),
        ([f"name {n}" for n in range(ROWS)], {}, "found 0 classes"),
        (np.linspace(0, 1, ROWS), {"task": "classification"}, "found fractions"),
        (np.where(EVEN, "yes", "no"), {"task": "regression"}, "found text"),
        (np.where(EVEN, "yes", "no"), {"task": "text"}, "found no column of text"),
        ([f"2024-01-{1 + n % 28:02}" for n in range(ROWS)], {}, "found dates"),
        ([None] * 50 + [1.5] * 5 + [2.5] * 5, {}, "found 10 rows with a value"),
        (np.arange(ROWS), {"target": "rates"}, "found no column 'rates' .* did you mean 'rate'"),
        (np.arange(ROWS), {"target": "RATE"}, "did you mean 'rate'"),
        (np.arange(ROWS), {"sensitive": ("rate",)}, "found the target 'rate'"),
        (np.arange(ROWS), {"sensitive": ("incomes",)}, "did you mean 'income'"),
        (np.arange(ROWS), {"time": "home"}, "--time: found text in 'home'"),
        (np.arange(ROWS), {"group": "home"}, "--group: found 3 groups"),
        (np.arange(ROWS), {"time": "months", "group": "home"}, "found --time and --group"),
        (["a"] * 45 + ["b"] * 15, {"time": "row"}, "found no test row of some class"),
    ],
)
def test_what_teaches_nothing_is_refused(tmp_path: Path, values: Any, options: dict[str, Any], words: str) -> None:
    path = written(tmp_path, loans(rate=values, row=np.arange(ROWS)[::-1] + 0.5))
    with pytest.raises(InputError, match=words):
        draft(path, **options)
