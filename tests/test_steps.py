"""The transformers that nbs/steps exports: scikit-learn's contract first, then their own rules."""

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline

from pipeline_lib.errors import InputError
from pipeline_lib.steps.labels import LabelScores
from pipeline_lib.steps.years import ElapsedYears

NAN = math.nan
GRADES = {"Missing": 0, "TA": 3, "Gd": 4.5}


def sales() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "built": [1990, 2009],
            "garage": [NAN, 2207.0],
            "kitchen": pd.Series(["TA", "Gd"], index=[7, 3], dtype="str").array,
            "sold": [2010, 2008],
        },
        index=[7, 3],
    )


def elapsed(**changes: Any) -> ElapsedYears:
    return ElapsedYears(**{"columns": ["built", "garage"], "reference": "sold", **changes})


def scored(**changes: Any) -> LabelScores:
    return LabelScores(**{"scales": {"kitchen": GRADES}, **changes})


@pytest.fixture(params=[elapsed, scored], ids=["ElapsedYears", "LabelScores"])
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


@pytest.mark.parametrize("found", [np.zeros((2, 4)), [[1990, 2010]]])
def test_anything_but_a_frame_is_refused(step: Any, found: Any) -> None:
    with pytest.raises(InputError, match=f"found {type(found).__name__}, expected a DataFrame"):
        step.fit(found)


@pytest.mark.parametrize(
    ("wrong", "column"),
    [
        (elapsed(columns=["bilt"]), "bilt"),
        (elapsed(reference="soled"), "soled"),
        (scored(scales={"kitchin": GRADES}), "kitchin"),
    ],
)
def test_an_absent_column_is_named_with_the_columns_there_are(wrong: BaseEstimator, column: str) -> None:
    with pytest.raises(InputError, match=f"built, garage, kitchen, sold, expected also '{column}'"):
        wrong.fit(sales())


def test_age_is_the_reference_minus_the_year_and_never_negative() -> None:
    ages = elapsed().fit_transform(sales())
    assert ages["built"].to_list() == [20.0, 0.0]
    assert ages.loc[3, "garage"] == 0.0


def test_a_missing_year_or_reference_stays_missing() -> None:
    frame = sales().assign(sold=[2010, NAN])
    ages = elapsed().fit_transform(frame)
    assert ages.isna().to_numpy().tolist() == [[False, True, False], [True, True, False]]


@pytest.mark.parametrize("dtype", ["int64", "int32", "float64", "float32", "Int64"])
def test_any_numeric_type_gives_float64(dtype: str) -> None:
    ages = elapsed(columns=["built"]).fit_transform(sales().astype({"built": dtype, "sold": dtype}))
    assert ages["built"].dtype == "float64"
    assert ages["built"].to_list() == [20.0, 0.0]


def test_the_reference_is_kept_on_request() -> None:
    assert list(elapsed().fit_transform(sales())) == ["built", "garage", "kitchen"]
    assert list(elapsed(drop_reference=False).fit_transform(sales())) == list(sales())


def test_years_as_text_are_refused_with_the_remedy() -> None:
    with pytest.raises(InputError, match=r"found str in column 'built'.*X\.astype"):
        elapsed().fit(sales().astype({"built": "str"}))


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
