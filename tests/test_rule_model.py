"""A function as an estimator: its answers, what `fit` learns and refuses, and what scikit-learn asks of it."""

import pickle
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pytest
from rules import (
    by_area,
    chance,
    first_bools,
    learn_prices,
    learn_shares,
    passengers,
    prices,
    women_and_children,
    words,
    younger,
)
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import check_estimator

from pipeline_lib import InputError, RuleModel

PRICE = RuleModel(by_area, learn=learn_prices, kind="regressor")
CHANCE = RuleModel(chance, learn=learn_shares, probability=True)


def test_a_rule_answers_without_learning() -> None:
    X, y = passengers()
    model = RuleModel(women_and_children)
    assert model.fit(X, y) is model
    assert model.predict(X).tolist() == y.tolist()
    assert model.classes_.tolist() == [0, 1]
    assert model.predict(X).dtype == "int64"
    assert not hasattr(model, "learned_")
    assert not hasattr(model, "predict_proba")


def test_a_rule_learns_from_the_training_rows_alone_and_says_what_an_unknown_group_gets() -> None:
    X, y = prices()
    model = clone(PRICE).fit(X, y)
    assert model.learned_["here"].to_dict() == {"hill": 2.0, "river": 3.0}
    other = pd.DataFrame({"place": ["river", "market"], "area": [10, 10]})
    assert model.predict(other).tolist() == [30.0, 10 * model.learned_["anywhere"]]
    assert model.predict(other).dtype == "float64"
    assert not hasattr(model, "classes_")
    assert model.score(X, y) == 1.0


def test_a_rule_may_give_probabilities() -> None:
    X, y = passengers()
    model = clone(CHANCE).fit(X, y)
    both = model.predict_proba(X)
    assert both.shape == (len(X), 2)
    assert (both.sum(axis=1) == 1).all()
    assert set(both[:, 1]) == {model.learned_["first"], model.learned_["others"]}
    assert model.predict(X).tolist() == (both[:, 1] > 0.5).astype(int).tolist()


@pytest.mark.parametrize(
    ("rule", "labels"),
    [
        (first_bools, [0, 1]),
        (first_bools, [False, True]),
        (first_bools, [0.0, 1.0]),
        (women_and_children, [False, True]),
        (women_and_children, [0.0, 1.0]),
        (lambda X: women_and_children(X).astype("float64"), [0, 1]),
        (words, ["no", "yes"]),
    ],
)
def test_predictions_have_the_type_of_the_classes(rule: Any, labels: list[Any]) -> None:
    X, y = passengers()
    model = RuleModel(rule).fit(X, [labels[each] for each in y])
    assert model.predict(X).tolist() == [labels[each] for each in y]
    assert model.predict(X).dtype.kind == model.classes_.dtype.kind


@pytest.mark.parametrize(
    ("target", "kind"),
    [
        (["a", "b", "c", "a"], "classifier"),
        ([True, False, True, True], "classifier"),
        ([3, 7, 7, 3], "classifier"),
        ([0.0, 1.0, 1.0, 0.0], "classifier"),
        ([0.5, 1.0, 2.0, 3.0], "regressor"),
    ],
)
def test_the_target_decides_the_kind(target: list[Any], kind: str) -> None:
    X = pd.DataFrame({"a": [1.0, 2.0, 3.0, 4.0]})
    model = RuleModel(lambda X: np.full(len(X), target[0])).fit(X, target)
    assert model.kind_ == kind
    assert (is_classifier(model), is_regressor(model)) == (kind == "classifier", kind == "regressor")


def test_whole_numbers_may_be_labels_or_amounts_so_the_kind_is_asked_for() -> None:
    X, target = pd.DataFrame({"a": [1.0, 2.0, 3.0]}), [1, 2, 3]
    rule = RuleModel(lambda X: X["a"].astype("int64"))
    with pytest.raises(InputError, match=r'whole numbers, 3 different ones.*write kind="regressor" for amounts'):
        rule.fit(X, target)
    assert rule.set_params(kind="regressor").fit(X, target).predict(X).dtype == "float64"
    assert rule.set_params(kind="classifier").fit(X, target).predict(X).tolist() == target


def test_the_kind_is_known_before_fit_where_it_is_given() -> None:
    assert is_regressor(PRICE)
    assert is_classifier(CHANCE)
    assert not is_classifier(RuleModel(women_and_children))
    assert not is_regressor(RuleModel(women_and_children))


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (RuleModel("women"), "found str as rule, expected a function"),  # type: ignore[arg-type]
        (RuleModel(words, learn=3), "found int as learn"),  # type: ignore[arg-type]
        (RuleModel(words, kind="forest"), "found kind='forest', expected classifier or regressor"),  # type: ignore[arg-type]
        (RuleModel(chance, kind="regressor", probability=True), "found probability=True with kind"),
        (RuleModel(chance, learn=lambda X, y: None), "<lambda>: found nothing as its result.*end it with return"),
        (RuleModel(lambda X: 1), r"found int of shape \(\) as the rule's answers.*np\.full\(len\(X\), value\)"),
        (RuleModel(lambda X: None), "found nothing as the rule's answers"),
        (RuleModel(lambda X: X[["age"]]), r"found DataFrame of shape \(6, 1\)"),
        (RuleModel(lambda X: X["age"].dropna()), r"found Series of shape \(5,\) .* one for each of 6 rows"),
        (RuleModel(lambda X: np.full(len(X), 2)), "found the answers 2, expected the classes of the target, 0, 1"),
        (RuleModel(words), "found the answers 'no', 'yes', expected the classes of the target, 0, 1"),
        (RuleModel(words, kind="regressor"), "words: found answers of <U3, expected numbers"),
        (
            RuleModel(lambda X: X["age"], kind="regressor"),
            r"found a missing value or infinity.*\.fillna",
        ),
        (RuleModel(lambda X: 1 / (X["age"].fillna(0) - 4), kind="regressor"), "found a missing value or infinity"),
        (RuleModel(lambda X: X["sex"].map({"male": 0})), "found a missing value or infinity"),
        (RuleModel(lambda X: X["age"].fillna(0), probability=True), "found no probability as the rule's answer"),
    ],
)
def test_what_is_no_rule_is_refused_with_a_remedy(model: RuleModel, message: str) -> None:
    with pytest.raises(InputError, match=message):
        model.fit(*passengers())


def test_probabilities_need_two_classes() -> None:
    X, _ = passengers()
    with pytest.raises(InputError, match="found 3 classes in the target, expected two"):
        clone(CHANCE).fit(X, [0, 1, 2, 0, 1, 2])


def test_a_label_that_is_no_whole_number_is_refused_where_it_is_predicted() -> None:
    X, y = passengers()
    model = RuleModel(lambda X: (X["age"].fillna(40) < 15) * 1.0).fit(X, y)
    model.rule = lambda X: X["age"].fillna(0) / 100
    with pytest.raises(InputError, match="found a number as the rule's answer that is no label"):
        model.predict(X)


def test_several_tables_are_refused() -> None:
    X, y = passengers()
    with pytest.raises(InputError, match="found several tables, expected one"):
        RuleModel(women_and_children).fit({"people": X}, y)


def test_a_failed_fit_leaves_nothing_of_an_earlier_one() -> None:
    X, y = prices()
    model = clone(PRICE).fit(X, y)
    with pytest.raises(KeyError):
        model.fit(X[["place"]], y)
    assert not hasattr(model, "learned_")


def test_a_rule_is_not_fitted_before_fit_and_takes_the_columns_of_fit() -> None:
    X, y = passengers()
    model = RuleModel(women_and_children)
    with pytest.raises(NotFittedError):
        model.predict(X)
    model.fit(X, y)
    assert list(model.feature_names_in_) == list(X)
    assert model.n_features_in_ == X.shape[1]
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(X[["age", "sex"]])


def test_a_rule_is_cloned_pickled_and_cross_validated() -> None:
    X, y = passengers()
    model = make_pipeline(RuleModel(partial(younger, than=15), kind="classifier")).fit(X, y)
    again = pickle.loads(pickle.dumps(model))  # noqa: S301  our own bytes
    assert again.predict(X).tolist() == model.predict(X).tolist()
    copied = clone(model)[-1]
    rule = copied.get_params()["rule"]
    assert (rule.func, rule.keywords) == (younger, {"than": 15})
    assert not hasattr(copied, "kind_")
    assert list(model.feature_names_in_) == list(X)
    homes, worth = prices()
    scores = cross_val_score(PRICE, homes.iloc[[0, 2, 1, 3]], worth.iloc[[0, 2, 1, 3]], cv=2)
    assert scores.tolist() == [1.0, 1.0]


def mean_target(X: Any, y: Any) -> float:
    return float(np.mean(y))


def first_class(X: Any, y: Any) -> Any:
    return np.unique(y)[0]


def everywhere(X: Any, learned: Any) -> Any:
    return np.full(len(X), learned)


NO_VALUE_ERROR = "the project's InputError is no ValueError"


@pytest.mark.parametrize(
    ("model", "refused"),
    [
        (RuleModel(everywhere, learn=mean_target, kind="regressor"), {}),
        (RuleModel(everywhere, learn=first_class, kind="classifier"), {}),
        (
            RuleModel(partial(everywhere, learned=0.3), probability=True),
            dict.fromkeys(
                ["check_classifiers_one_label", "check_classifier_not_supporting_multiclass", "check_fit2d_1sample"],
                NO_VALUE_ERROR,
            ),
        ),
    ],
    ids=["regressor", "classifier", "probability"],
)
@pytest.mark.filterwarnings("ignore")
def test_scikit_learns_own_checks_pass(model: RuleModel, refused: dict[str, str]) -> None:
    found = check_estimator(model, on_fail=None, on_skip=None, expected_failed_checks=refused)
    failed = {each["check_name"]: repr(each["exception"]) for each in found if each["status"] == "failed"}
    assert failed == {}
    assert sum(each["status"] == "passed" for each in found) > 45
    assert {each["check_name"] for each in found if each["status"] == "xfail"} == set(refused)
