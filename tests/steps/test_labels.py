"""Labels that become scores."""

import math
from typing import Any

import pandas as pd
import pytest
from sales import NAN, sales, scored

from pipeline_lib.errors import InputError


def test_scores_replace_labels_as_float64() -> None:
    scores = scored().fit_transform(sales())
    assert scores["kitchen"].to_list() == [3.0, 4.5]
    assert scores["kitchen"].dtype == "float64"
    assert list(scores) == list(sales())


def test_several_labels_may_share_a_score() -> None:
    scores = scored(scales={"kitchen": {"TA": 1, "Gd": 1}}).fit_transform(sales())
    assert scores["kitchen"].to_list() == [1.0, 1.0]


@pytest.mark.parametrize("dtype", ["str", "object", "category"])
def test_labels_may_come_as_any_type_of_text(dtype: str) -> None:
    scores = scored().fit_transform(sales().astype({"kitchen": dtype}))
    assert scores["kitchen"].dtype == "float64"


@pytest.mark.parametrize("when", ["fit", "transform"])
def test_a_label_off_the_scale_is_named_with_its_column_and_the_known_labels(when: str) -> None:
    step = scored().fit(sales())
    message = r"found 'gd' in column 'kitchen', expected one of 'Missing', 'TA', 'Gd'; correct"
    with pytest.raises(InputError, match=message):
        getattr(step, when)(sales().assign(kitchen=["TA", "gd"]))


@pytest.mark.parametrize("missing", [None, NAN, pd.NA])
@pytest.mark.parametrize("when", ["fit", "transform"])
def test_a_missing_label_is_refused_with_the_remedy(when: str, missing: Any) -> None:
    step = scored().fit(sales())
    with pytest.raises(InputError, match=r"found 1 missing in column 'kitchen'.*impute first"):
        getattr(step, when)(sales().assign(kitchen=["TA", missing]))


@pytest.mark.parametrize("scale", [{}, {"TA": NAN, "Gd": 1}, {"TA": math.inf, "Gd": 1}])
def test_a_scale_without_labels_or_finite_scores_is_refused(scale: dict[str, float]) -> None:
    with pytest.raises(InputError, match="expected at least one label and finite scores"):
        scored(scales={"kitchen": scale}).fit(sales())
