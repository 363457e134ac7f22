"""The base class of own steps: its checks, its names, and what scikit-learn asks of it."""

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from own_steps import STEPS, Centred, Flagged, Halved, Ratio, WeightedMean, loans
from sklearn import config_context
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline

from pipeline_lib import InputError, RowwiseTransformer


@pytest.fixture(params=STEPS, ids=lambda step: step.__name__)
def step(request: pytest.FixtureRequest) -> Any:
    return request.param()


def test_fit_returns_the_step_and_keeps_the_names_of_the_training_rows(step: Any) -> None:
    assert step.fit(loans()) is step
    assert list(step.feature_names_in_) == ["income", "debt"]
    assert step.n_features_in_ == 2
    assert list(step.get_feature_names_out()) == list(step.transform(loans())) == list(step.feature_names_out_)


def test_names_that_come_out_are_those_of_the_transformed_frame() -> None:
    assert list(Ratio("share").fit(loans()).get_feature_names_out()) == ["income", "debt", "share"]
    assert list(Flagged().fit(loans()).get_feature_names_out(["income", "debt"])) == ["income", "debt", "ratio", "flag"]
    with pytest.raises(ValueError, match="input_features is not equal"):
        Ratio().fit(loans()).get_feature_names_out(["debt", "income"])


def test_a_subclass_of_a_subclass_is_checked_once_at_the_outside() -> None:
    fitted = Flagged().fit(loans())
    assert (fitted.median_, fitted.largest_) == (200.0, 100.0)
    pd.testing.assert_frame_equal(fitted.transform(loans()).drop(columns="flag"), Ratio().fit_transform(loans()))
    with pytest.raises(InputError, match=r"^Flagged: found no column 'debt'"):
        fitted.transform(loans()[["income"]])


def test_a_step_is_not_fitted_before_fit(step: Any) -> None:
    for ask in (lambda: step.transform(loans()), step.get_feature_names_out):
        with pytest.raises(NotFittedError):
            ask()


@pytest.mark.parametrize("data", [np.zeros((4, 2)), [[1.0, 2.0]], loans()["debt"], None])
def test_anything_but_a_frame_is_refused(step: Any, data: Any) -> None:
    message = f"^{type(step).__name__}: found {type(data).__name__}, expected a DataFrame; pass one"
    with pytest.raises(InputError, match=message):
        step.fit(data)
    with pytest.raises(InputError, match=message):
        step.fit(loans()).transform(data)


@pytest.mark.parametrize(
    ("columns", "difference"),
    [
        (["income"], "no column 'debt'"),
        (["debt", "income"], "the columns in another order"),
        (["income", "debt", "age"], "also a column 'age'"),
        (["age", "debt"], "no column 'income', also a column 'age'"),
    ],
)
def test_other_columns_than_fit_saw_are_refused(step: Any, columns: list[str], difference: str) -> None:
    step.fit(loans())
    with pytest.raises(InputError, match=f"found {difference}, expected the columns that fit saw; pass all of them"):
        step.transform(loans().reindex(columns=columns))


@pytest.mark.parametrize("names", [[0, 1], ["debt", "debt"], ["debt", None]])
def test_columns_that_have_no_name_of_their_own_are_refused(names: list[Any]) -> None:
    with pytest.raises(InputError, match="expected different names, each of them text; rename them"):
        Halved().fit(loans().set_axis(names, axis="columns"))


@pytest.mark.parametrize("result", [None, 1, Halved()])
def test_a_fit_that_does_not_return_the_step_is_refused_and_the_step_is_not_fitted(result: Any) -> None:
    class Forgetful(Halved):
        def fit(self, X: pd.DataFrame, y: Any = None) -> Any:
            return result

    with pytest.raises(InputError, match=f"Forgetful.fit: found {type(result).__name__} as its result.*`return self`"):
        (unfitted := Forgetful()).fit(loans())
    with pytest.raises(NotFittedError):
        unfitted.transform(loans())


def test_a_fit_may_call_transform_before_it_has_chosen_the_columns() -> None:
    class Varying(RowwiseTransformer):
        def fit(self, X: pd.DataFrame) -> Any:
            self.columns_ = list(X)
            self.columns_ = [name for name in X if self.transform(X)[name].nunique() > 1]
            return self

        def transform(self, X: pd.DataFrame) -> pd.DataFrame:
            return X[self.columns_]

    fitted = Varying().fit(loans().assign(debt=0.0))
    assert list(fitted.get_feature_names_out()) == list(fitted.transform(loans())) == ["income"]


def test_a_fit_that_fails_leaves_nothing_of_an_earlier_fit() -> None:
    fitted = Ratio().fit(loans())
    with pytest.raises(KeyError):
        fitted.fit(loans()[["income"]])
    with pytest.raises(NotFittedError):
        fitted.transform(loans())


@pytest.mark.parametrize(
    ("transform", "message"),
    [
        (lambda X: X["debt"], "found Series as its result, expected a DataFrame; return one"),
        (lambda X: X.to_numpy(), "found ndarray as its result, expected a DataFrame; return one"),
        (lambda X: None, "found NoneType as its result"),
        (lambda X: X.dropna(), "found 3 rows for 4, expected one for each"),
        (lambda X: X.set_axis([1, 2], axis="columns"), "found the columns 1, 2, expected different names"),
    ],
)
def test_a_transform_that_does_not_return_a_frame_of_its_rows_is_refused(transform: Any, message: str) -> None:
    class Odd(RowwiseTransformer):
        def transform(self, X: pd.DataFrame) -> Any:
            return transform(X)

    with pytest.raises(InputError, match=f"Odd.transform: {message}"):
        Odd().fit(loans())


def test_columns_that_depend_on_the_rows_at_hand_are_refused() -> None:
    class Dummies(RowwiseTransformer):
        def transform(self, X: pd.DataFrame) -> pd.DataFrame:
            return pd.get_dummies(X)

    homes = pd.DataFrame({"home": ["own", "rent"]})
    fitted = Dummies().fit(homes)
    assert list(fitted.get_feature_names_out()) == ["home_own", "home_rent"]
    with pytest.raises(InputError, match="no column 'home_rent', expected the columns that came out for the training"):
        fitted.transform(homes.head(1))


def test_fit_takes_a_target_where_the_step_does_and_further_arguments() -> None:
    target = pd.Series([1.0, 0.0, 1.0, 0.0])
    assert Ratio().fit(loans()).target_ is None
    assert Ratio().fit(loans(), target).target_ is Ratio().fit(loans(), y=target).target_ is target
    assert WeightedMean().fit(loans(), target, weight=3.0).mean_ == 1.5
    assert list(WeightedMean().fit_transform(loans(), target, weight=3.0)["mean"]) == [1.5] * 4
    for fit in (WeightedMean().fit, WeightedMean().fit_transform):
        with pytest.raises(TypeError, match="'y'"):
            fit(loans())


def test_a_fit_without_a_target_works_in_a_pipeline_that_has_one() -> None:
    model = make_pipeline(Centred(), Halved(), LinearRegression()).fit(loans().fillna(0.0), [1.0, 2.0, 3.0, 4.0])
    assert model.predict(loans().fillna(0.0)).shape == (4,)
    assert list(model[:-1].get_feature_names_out()) == ["income", "debt"]


def test_fit_transform_transforms_the_training_rows_once() -> None:
    once, twice = Centred(), Centred()
    pd.testing.assert_frame_equal(once.fit_transform(loans()), twice.fit(loans()).transform(loans()))
    assert (once.calls_, twice.calls_) == (1, 2)
    assert list(once.get_feature_names_out()) == list(twice.get_feature_names_out())
    assert not [name for name in vars(once) if name.startswith("_")]


def test_a_clone_has_the_parameters_and_is_not_fitted(step: Any) -> None:
    again = clone(step.fit(loans()))
    assert again.get_params() == step.get_params()
    assert vars(again) == step.get_params()
    assert clone(Ratio("share").set_params(name="part")).name == "part"


def test_the_base_class_leaves_the_constructor_to_scikit_learn() -> None:
    own = [base for base in RowwiseTransformer.__mro__ if base.__module__ == "pipeline_lib.authoring"]
    assert RowwiseTransformer in own
    assert not any("__init__" in vars(base) for base in own)


def test_set_output_is_honoured(step: Any) -> None:
    plain = clone(step).fit_transform(loans())
    step.set_output(transform="pandas")
    pd.testing.assert_frame_equal(step.fit_transform(loans()), plain, check_column_type=False)
    pd.testing.assert_frame_equal(step.fit(loans()).transform(loans()), plain, check_column_type=False)
    with config_context(transform_output="pandas"):
        pd.testing.assert_frame_equal(clone(step).fit_transform(loans()), plain, check_column_type=False)


def test_a_column_transformer_takes_the_names() -> None:
    parts = make_column_transformer((Ratio(), ["income", "debt"]), (Halved(), ["debt"])).set_output(transform="pandas")
    assert list(parts.fit_transform(loans())) == ["ratio__income", "ratio__debt", "ratio__ratio", "halved__debt"]


def pickled(step: Any) -> Any:
    return pickle.loads(pickle.dumps(step))  # noqa: S301 (what this test has just written)


@pytest.mark.parametrize("copied", [pickled, copy.deepcopy])
def test_a_copy_of_a_fitted_step_is_fitted(step: Any, copied: Callable[[Any], Any]) -> None:
    again = copied(step.fit(loans()))
    assert isinstance(again, RowwiseTransformer)
    assert list(again.get_feature_names_out()) == list(step.get_feature_names_out())
    pd.testing.assert_frame_equal(again.transform(loans()), step.transform(loans()))
