"""Rules compile as own steps do: exact, in the same places, with the same refusals, and each remedy works."""

import linecache
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pytest
from rules import (
    by_area,
    by_area_of_known_places,
    chance,
    first_bools,
    learn_prices,
    learn_shares,
    women_and_children,
    words,
    younger,
)
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import VotingClassifier, VotingRegressor
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from pipeline_lib import InputError, RuleModel, compile_pipeline, trace
from pipeline_lib.compiler.adapters.registry import RefusedStepError
from pipeline_lib.compiler.code_constants import own_code

ROWS = 120
PRICE = RuleModel(by_area, learn=learn_prices, kind="regressor")
CHANCE = RuleModel(chance, learn=learn_shares, probability=True)


def people() -> tuple[pd.DataFrame, pd.Series]:
    draws = np.random.default_rng(0)
    X = pd.DataFrame({"sex": draws.choice(["male", "female"], ROWS), "age": draws.integers(0, 80, ROWS) * 1.0})
    X.loc[::7, "age"] = np.nan
    return X, pd.Series(draws.integers(0, 2, ROWS))


def homes() -> tuple[pd.DataFrame, pd.Series]:
    draws = np.random.default_rng(1)
    X = pd.DataFrame({"place": draws.choice(["hill", "river", "park"], ROWS), "area": draws.integers(30, 200, ROWS)})
    return X, X["area"] * draws.uniform(900, 2900, ROWS)


def compiled(estimator: Any, X: pd.DataFrame, y: Any) -> tuple[Any, Any]:
    """A fitted pipeline of one estimator, and its exact model, which gives the same bits for all rows."""
    fitted = make_pipeline(estimator).fit(X, y)
    model = compile_pipeline(fitted, like=X)
    assert model.exact
    assert model.predict(X).tolist() == fitted.predict(X).tolist()
    return fitted, model


@pytest.mark.parametrize(
    ("rule", "labels"),
    [
        (women_and_children, [0, 1]),
        (first_bools, [0, 1]),
        (first_bools, [False, True]),
        (women_and_children, [0.0, 1.0]),
        (words, ["no", "yes"]),
        (partial(younger, than=15), [0, 1]),
        (lambda X: np.select([X["sex"] == "female", X["age"] < 15], [1, 1]), [0, 1]),
        (lambda X: X["sex"].map({"female": 1.0, "male": 0.0}).fillna(0), [0, 1]),
        (lambda X: X.apply(lambda row: 1 if row["sex"] == "female" or row["age"] < 15 else 0, axis=1), [0, 1]),
        (lambda X: np.full(len(X), 1), [0, 1]),
    ],
)
def test_a_rule_of_labels_is_exact(rule: Any, labels: list[Any]) -> None:
    X, y = people()
    fitted, model = compiled(RuleModel(rule), X, [labels[each] for each in y])
    assert model.classes == tuple(labels)
    for row in ({"sex": "female", "age": None}, {"sex": "male", "age": 14.0}, {"sex": "other", "age": 15.0}):
        assert model.predict_row(row) == fitted.predict(pd.DataFrame([row]).astype({"age": float}))[0]


def test_a_rule_with_learned_numbers_is_exact_and_answers_for_a_group_that_it_never_saw() -> None:
    X, y = homes()
    fitted, model = compiled(PRICE, X, y)
    learned = fitted[-1].learned_
    assert model.predict_row({"place": "river", "area": 70}) == 70 * learned["here"]["river"]
    assert model.predict_row({"place": "market", "area": 70}) == 70 * learned["anywhere"]
    assert model.reads == ("place", "area")


def test_a_rule_of_probabilities_is_exact() -> None:
    X, y = people()
    fitted, model = compiled(CHANCE, X, y)
    assert model.predict_proba(X).tobytes() == fitted.predict_proba(X).tobytes()
    assert model.predict_proba_row({"sex": "male", "age": 3.0})[1] == fitted[-1].learned_["first"]


def test_a_rule_alone_and_after_steps_compiles() -> None:
    X, y = homes()
    assert compile_pipeline(clone(PRICE).fit(X, y), like=X).exact
    doubled = make_pipeline(FunctionTransformer(lambda X: X.assign(area=X["area"] * 2)), PRICE).fit(X, y)
    assert compile_pipeline(doubled, like=X).predict(X).tobytes() == doubled.predict(X).tobytes()


def test_a_row_for_which_the_rule_has_no_answer_is_refused_by_name() -> None:
    X, y = homes()
    rule = RuleModel(by_area_of_known_places, learn=learn_prices, kind="regressor")
    fitted, model = compiled(rule, X, y)
    unknown = {"place": "market", "area": 70}
    with pytest.raises(InputError, match=r"found a missing value.*correct the row's area, place"):
        model.predict_row(unknown)
    with pytest.raises(InputError, match=r"as the rule's answer, expected a number; end the rule"):
        fitted.predict(pd.DataFrame([unknown]))


def scaled(X: Any, learned: Any) -> Any:
    return np.log(by_area(X, learned))


def log_prices(X: Any, y: Any) -> dict[str, Any]:
    return learn_prices(X, np.exp(y))


@pytest.mark.parametrize(
    "estimator",
    [
        TransformedTargetRegressor(
            RuleModel(scaled, learn=log_prices, kind="regressor"), func=np.log, inverse_func=np.exp
        ),
        VotingRegressor([("rule", PRICE), ("mean", DummyRegressor())]),
        GridSearchCV(PRICE, {"rule": [by_area, by_area_of_known_places]}, cv=2),
    ],
    ids=["target", "vote", "search"],
)
def test_a_rule_of_numbers_stands_inside_other_estimators(estimator: Any) -> None:
    X, y = homes()
    fitted = make_pipeline(clone(estimator)).fit(X, y)
    model = compile_pipeline(fitted, like=X)
    assert model.exact
    assert np.allclose(model.predict(X), fitted.predict(X), rtol=1e-13)


@pytest.mark.parametrize(
    "estimator",
    [
        FixedThresholdClassifier(CHANCE, threshold=0.3),
        VotingClassifier([("rule", CHANCE), ("shares", DummyClassifier())], voting="soft"),
        CalibratedClassifierCV(CHANCE, cv=2),
    ],
    ids=["threshold", "vote", "calibration"],
)
def test_a_rule_of_probabilities_stands_inside_other_estimators(estimator: Any) -> None:
    X, y = people()
    fitted, model = compiled(clone(estimator), X, y)
    assert np.allclose(model.predict_proba(X), fitted.predict_proba(X), rtol=1e-13)


FAULTS: list[tuple[Any, str]] = [
    (lambda X: (X["age"] > X["age"].mean()).astype(int), r"`mean` of a Series.*a rule has `learn` for that: return"),
    (lambda X: X.groupby("sex")["age"].transform("size").gt(9), r"`groupby` of a DataFrame.*read learned\[\"name\"\]"),
    (lambda X: np.array([int(age < 15) for age in X["age"]]), r"a loop over a Series"),
    (lambda X: np.random.default_rng(0).integers(0, 2, len(X)), r"random"),
    (lambda X: [1] * len(X), r"the number of rows as a number"),
]


@pytest.mark.parametrize(("rule", "message"), FAULTS)
@pytest.mark.parametrize("allow_opaque", [False, True])
def test_a_rule_that_depends_on_other_rows_is_refused_at_its_line(
    rule: Any, message: str, *, allow_opaque: bool
) -> None:
    X, y = people()
    fitted = make_pipeline(RuleModel(rule)).fit(X, y)
    with pytest.raises(RefusedStepError, match=message) as caught:
        compile_pipeline(fitted, like=X, allow_opaque=allow_opaque)
    assert "`plan`" not in str(caught.value)
    assert "compiler/test_rule_model.py, line " in str(caught.value)


def learn_mean(X: Any, y: Any) -> dict[str, float]:
    return {"mean": X["age"].mean()}


@pytest.mark.parametrize(
    ("rule", "learn"),
    [
        (lambda X, learned: (X["age"] > learned["mean"]).astype(int), learn_mean),
        (lambda X, learned: X["sex"].map(learned).gt(9), lambda X, y: X.groupby("sex").size()),
        (lambda X: X["age"].map(lambda age: int(age < 15)), None),
        (lambda X: X["sex"].map({"female": 1, "male": 0}), None),
    ],
)
def test_what_refusals_say_to_write_instead_compiles(rule: Any, learn: Any) -> None:
    X, y = people()
    compiled(RuleModel(rule, learn=learn), X, y)


def test_a_rule_whose_text_only_this_process_has_is_recorded_alike_in_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a cell of a notebook; the rule's line is named by the plan, since it refuses rows."""
    text = "def rule(X, learned):\n    return X['area'] * X['place'].map(learned['here']).fillna(learned['anywhere'])\n"
    monkeypatch.setitem(linecache.cache, "<cell 7>", (len(text), None, text.splitlines(keepends=True), "<cell 7>"))
    cell: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(text, "<cell 7>", "exec"), cell)  # noqa: S102  the text above
    homes_ = pd.DataFrame({"place": ["hill", "hill", "river"], "area": [100.0, 50.0, 80.0]})
    fitted = RuleModel(cell["rule"], learn=learn_prices, kind="regressor").fit(homes_, homes_["area"] * 2.0)
    model = compile_pipeline(fitted, like=homes_)
    assert any("fillna(learned" in str(node.settings.get("where")) for node in model.plan.nodes)


def counting(X: Any, learned: Any) -> Any:
    learned["calls"] += 1
    return women_and_children(X)


def test_a_rule_that_writes_on_what_it_learned_is_refused() -> None:
    X, y = people()
    fitted = make_pipeline(RuleModel(counting, learn=lambda X, y: {"calls": 0})).fit(X, y)
    with pytest.raises(RefusedStepError, match=r"changed that outlives the call.*a rule has `learn` for that"):
        compile_pipeline(fitted, like=X)


def test_edge_rows_come_from_the_rule_and_from_what_it_learned_not_from_the_class() -> None:
    X, y = people()
    found = own_code(make_pipeline(RuleModel(women_and_children)).fit(X, y))
    assert set(found.constants) == {"sex", "female", "age", 15, 1, 0}
    assert 15 in own_code(RuleModel(partial(younger, than=15)).fit(X, y)).constants
    homes_, worth = homes()
    learned = own_code(clone(PRICE).fit(homes_, worth)).constants
    assert {"hill", "river", "park"} <= set(learned)


def test_a_trace_of_a_rule_shows_its_lines() -> None:
    X, y = people()
    shown = str(trace(RuleModel(women_and_children).fit(X, y), X, "predict"))
    assert shown.startswith("RuleModel.predict: 2 columns in, 1 out")
    assert 'return np.where((X["sex"] == "female") | (X["age"] < 15), 1, 0)' in shown
    assert shown.index("return np.where") < shown.index("the rule's answers") < shown.index("returns")
    assert "rule_model" not in shown  # the lines of the class itself


class Own(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn is untyped
    """A rule that someone wrote as a class."""

    def fit(self, X: Any, y: Any) -> "Own":
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X: Any) -> Any:
        first = np.where(first_bools(X), 0.9, 0.1)
        return np.column_stack([1 - first, first])

    def predict(self, X: Any) -> Any:
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


class OwnPrice(RegressorMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn is untyped
    def fit(self, X: Any, y: Any) -> "OwnPrice":
        self.learned_ = learn_prices(X, y)
        return self

    def predict(self, X: Any) -> Any:
        return by_area(X, self.learned_)


def test_estimators_written_as_classes_compile_in_the_same_way() -> None:
    X, y = people()
    fitted, model = compiled(Own(), X, y)
    assert model.predict_proba(X).tobytes() == fitted.predict_proba(X).tobytes()
    compiled(FixedThresholdClassifier(Own(), threshold=0.3), X, y)
    compiled(OwnPrice(), *homes())


@pytest.mark.parametrize("strategy", ["prior", "most_frequent"])
@pytest.mark.parametrize("labels", [[0, 1], ["no", "yes"], [False, True]])
def test_baselines_of_classes_compile(strategy: str, labels: list[Any]) -> None:
    X, y = people()
    compiled(DummyClassifier(strategy=strategy), X, [labels[each] for each in y])


@pytest.mark.parametrize("strategy", ["mean", "median"])
def test_baselines_of_numbers_compile(strategy: str) -> None:
    _, model = compiled(DummyRegressor(strategy=strategy), *homes())
    assert model.predict_row({"place": "market", "area": 1}) == getattr(homes()[1], strategy)()
