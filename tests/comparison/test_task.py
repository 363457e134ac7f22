"""Which models answer the same question."""

from types import SimpleNamespace
from typing import Any

import pytest

from pipeline_lib import InputError
from pipeline_lib.comparison.task import check_question


def model(reference: str, classes: tuple[Any, ...], columns: tuple[str, ...] = ("size",)) -> Any:
    return SimpleNamespace(
        reference=reference, model=SimpleNamespace(classes=classes, row=SimpleNamespace(names=columns))
    )


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ((), ()),
        ((0, 1), (False, True)),
        (("0", "1"), (1, 2)),
        (("no", "yes"), ("no", "yes", "late")),
        (((0, 1), (0, 1)), ((0, 1), (0, 1, 2))),
    ],
)
def test_labels_in_common_are_one_question(first: tuple[Any, ...], second: tuple[Any, ...]) -> None:
    models = [model("a/1", first), model("b/1", second)]
    check_question(models, fresh=False)
    with pytest.raises(InputError, match=r"found labels from|found the labels"):
        check_question([*models, model("c/1", ("other",))], fresh=False)


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        ((0, 1), (), "found labels from a/1 and numbers from b/1"),
        ((), (0, 1), "found labels from b/1 and numbers from a/1"),
        (("no", "yes"), (0, 1), "found the labels 'no', 'yes' from a/1 and 0, 1 from b/1, expected some in common"),
    ],
)
def test_other_predictions_are_another_question(first: tuple[Any, ...], second: tuple[Any, ...], message: str) -> None:
    for fresh in (False, True):
        with pytest.raises(InputError, match=message):
            check_question([model("a/1", first), model("b/1", second)], fresh=fresh)


def test_only_fresh_rows_can_have_the_columns_of_models_that_share_none() -> None:
    models = [model("a/1", ()), model("b/1", (), ("rooms",))]
    with pytest.raises(InputError, match="found no raw column that both a/1 and b/1 have"):
        check_question(models, fresh=False)
    check_question(models, fresh=True)
