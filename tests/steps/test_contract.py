"""What scikit-learn and the base class promise of every step that nbs/steps exports."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from fe_plans import checked
from sales import GRADES, STEPS, elapsed, parted, per_head, sales, scored, unmarked
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline

from pipeline_lib.errors import InputError


@pytest.fixture(params=STEPS, ids=[type(make()).__name__ for make in STEPS])
def step(request: pytest.FixtureRequest) -> Any:
    return request.param()


def test_clone_has_the_same_parameters_and_is_not_fitted(step: Any) -> None:
    copy = clone(step.fit(sales()))
    assert copy.get_params() == step.get_params()
    with pytest.raises(NotFittedError):
        copy.transform(sales())


def test_set_params_changes_what_get_params_returns() -> None:
    assert elapsed().set_params(drop_reference=False).get_params()["drop_reference"] is False
    assert scored().set_params(scales={"kitchen": {"TA": 1}}).get_params() == {"scales": {"kitchen": {"TA": 1}}}


def test_the_constructor_keeps_its_arguments_as_they_are() -> None:
    columns, scales = ["built"], {"kitchen": GRADES}
    assert elapsed(columns=columns).columns is columns
    assert scored(scales=scales).scales is scales


def test_fit_returns_the_step_and_remembers_the_columns(step: Any) -> None:
    assert step.fit(sales()) is step
    assert step.n_features_in_ == 4
    assert list(step.feature_names_in_) == ["built", "garage", "kitchen", "sold"]


def test_not_fitted_is_an_error(step: Any) -> None:
    with pytest.raises(NotFittedError):
        step.transform(sales())


def test_feature_names_out_are_the_columns_that_come_out(step: Any) -> None:
    assert list(step.fit(sales()).get_feature_names_out()) == list(step.transform(sales()))


def test_feature_names_out_refuses_other_names_than_fit_saw(step: Any) -> None:
    with pytest.raises(ValueError, match="input_features"):
        step.fit(sales()).get_feature_names_out(["other"])


def test_works_in_a_pipeline_and_keeps_the_index(step: Any) -> None:
    result = make_pipeline(step).set_output(transform="pandas").fit_transform(sales())
    assert isinstance(result, pd.DataFrame)
    assert list(result.index) == [7, 3]


def test_the_input_is_not_changed(step: Any) -> None:
    frame = sales()
    step.fit(frame).transform(frame)
    pd.testing.assert_frame_equal(frame, sales())


def test_fitting_again_forgets_the_first_fit(step: Any) -> None:
    wider = sales().assign(extra=1)
    assert list(step.fit(wider).fit(sales()).feature_names_in_) == list(sales())


def test_one_row_alone_gives_what_it_gives_among_others(step: Any) -> None:
    together = step.fit(sales()).transform(sales())
    alone = pd.concat([step.transform(sales().iloc[[position]]) for position in range(2)])
    pd.testing.assert_frame_equal(alone, together)


def test_zero_rows_give_zero_rows_of_the_same_types(step: Any) -> None:
    step.fit(sales())
    none = step.transform(sales().head(0))
    assert len(none) == 0
    assert dict(none.dtypes) == dict(step.transform(sales()).dtypes)


@pytest.mark.parametrize("columns", [["sold", "kitchen", "garage", "built"], ["built", "sold"]])
def test_columns_in_another_order_or_number_are_refused(step: Any, columns: list[str]) -> None:
    step.fit(sales())
    with pytest.raises((InputError, ValueError)):
        step.transform(sales()[columns])


@pytest.mark.parametrize("data", [np.zeros((2, 4)), [[1990, 2010]]])
def test_anything_but_a_frame_is_refused(step: Any, data: Any) -> None:
    with pytest.raises(InputError, match=f"found {type(data).__name__}, expected a DataFrame"):
        step.fit(data)


@pytest.mark.parametrize(
    ("wrong", "column"),
    [
        (elapsed(columns=["bilt"]), "bilt"),
        (elapsed(reference="soled"), "soled"),
        (scored(scales={"kitchin": GRADES}), "kitchin"),
        (unmarked(texts=["kitchin"]), "kitchin"),
        (unmarked(numbers=["age"]), "age"),
        (parted(parts={"first": ["kitchin", "(.)"]}), "kitchin"),
        (per_head(relatives=["kids"]), "kids"),
        (per_head(shared=["fare"]), "fare"),
    ],
)
def test_an_absent_column_is_named_with_the_columns_there_are(wrong: BaseEstimator, column: str) -> None:
    with pytest.raises(InputError, match=f"built, garage, kitchen, sold, expected also '{column}'"):
        wrong.fit(sales())


@pytest.mark.parametrize(
    "wrong", [unmarked(texts=["built"]), unmarked(numbers=["built"]), parted(parts={"first": ["built", "(.)"]})]
)
def test_numbers_where_text_is_expected_are_refused(wrong: BaseEstimator) -> None:
    with pytest.raises(InputError, match=r"found int64 in column 'built', expected text; cast it"):
        wrong.fit(sales())


def test_text_where_numbers_are_expected_is_refused() -> None:
    with pytest.raises(InputError, match=r"found str in column 'kitchen', expected numbers; cast it"):
        per_head(shared=["kitchen"]).fit(sales())


PLANNED = [
    elapsed(),
    scored(),
    unmarked(),
    parted(),
    per_head(),
    unmarked(texts=[], numbers=["kitchen"], marks=["TA", "Gd"]),
]


@pytest.mark.parametrize("planned", PLANNED, ids=lambda step: type(step).__name__)
def test_the_plan_has_the_steps_own_bits(planned: Any) -> None:
    checked(planned.fit(sales()), sales())
