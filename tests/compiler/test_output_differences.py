"""Why an output differs from the library's own: each reason, and none where there is none."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.cluster import Birch, KMeans
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge, RidgeClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor

from pipeline_lib import compile_pipeline
from pipeline_lib.compiled.compile_report import OutputReport, StepReport
from pipeline_lib.compiler.opaque_step import describe_input
from pipeline_lib.compiler.output_differences import Differences, LastStep
from pipeline_lib.errors import InputError
from pipeline_lib.rows.conform import conform

ROWS = 60
FLIPS = StepReport("knn", "sklearn.neighbors._classification.KNeighborsClassifier", 2, 1, exact=True, flips=3)


def frame() -> pd.DataFrame:
    draw = np.random.default_rng(5)
    return pd.DataFrame({"a": draw.normal(size=ROWS), "b": draw.normal(size=ROWS) * 3.0})


def labels() -> Any:
    return np.where(frame()["a"] > 0, "yes", "no")


def outputs(
    fitted: Pipeline,
    change: Callable[[str, Any], Any] = lambda method, answer: answer,
    steps: tuple[StepReport, ...] = (),
    last: LastStep | None = None,
) -> dict[str, OutputReport]:
    """The reports where the library's answers are changed."""
    rows = frame()
    model = compile_pipeline(fitted, like=rows)

    def answer(method: str) -> Any:
        return change(method, getattr(fitted, method)(rows))

    table = conform(rows, model.row)
    return {each.kind: each for each in Differences(model, table, None, answer, steps, last).reports()}


def classifier() -> Pipeline:
    return make_pipeline(StandardScaler(), LogisticRegression()).fit(frame(), labels())


def other_label(method: str, answer: Any) -> Any:
    if method == "predict":
        answer[7] = "yes" if answer[7] == "no" else "no"
    return answer


def equal_scores(method: str, answer: Any) -> Any:
    if method == "predict_proba":
        answer[7] = 0.5
    return other_label(method, answer)


def test_probabilities_that_cancel_are_named() -> None:
    draw = np.random.RandomState(3)
    wide = pd.DataFrame(draw.normal(size=(400, 20)) + 1000, columns=[f"x{index}" for index in range(20)])
    fitted = make_pipeline(KNeighborsClassifier(4, weights="distance")).fit(wide, draw.randint(0, 3, 400))
    report = compile_pipeline(fitted, like=wide + 1e-7).report
    assert report is not None
    by_kind = {output.kind: output for output in report.outputs}
    assert by_kind["labels"].changed == 0
    assert by_kind["probabilities"].reason == "cancellation"
    assert by_kind["probabilities"].difference > 1e-5
    assert "large terms cancel in step kneighborsclassifier" in str(report)


FAR = frame() + 1e8  # the columns' spread is a hundred-millionth of their size
TARGET = (FAR["a"] - FAR["b"]).to_numpy()


@pytest.mark.parametrize("step", [KMeans(4, random_state=0, n_init=1), Birch(n_clusters=3)], ids=["kmeans", "birch"])
def test_distances_of_values_far_from_0_are_named_with_the_way_that_works(step: Any) -> None:
    """Squares of 1e8 hold the differences of the rows in their last bits: the library's answers are their rounding."""
    fitted = make_pipeline(step, Ridge()).fit(FAR, TARGET)
    output = compile_pipeline(fitted, like=FAR).report.outputs[0]
    assert 2 * output.changed > ROWS
    assert output.relative > 1e-3
    assert output.reason == "cancellation"
    assert output.detail.endswith("put StandardScaler before it, and fit again")
    scaled = make_pipeline(StandardScaler(), clone(step), Ridge()).fit(FAR, TARGET)
    assert compile_pipeline(scaled, like=FAR).report.outputs[0].relative < 1e-6


class AnotherAnswer(Pipeline):
    """A pipeline that adds 1 to what its steps predict."""

    def predict(self, X: Any, **parameters: Any) -> Any:
        return super().predict(X, **parameters) + 1.0


def test_predictions_that_differ_in_most_rows_for_no_known_reason_are_refused() -> None:
    fitted = AnotherAnswer([("scale", StandardScaler()), ("sum", Ridge())]).fit(frame(), frame()["a"])
    with pytest.raises(InputError, match=f"in {ROWS} of {ROWS} rows.*though each step alone agrees"):
        compile_pipeline(fitted, like=frame())


def test_rounding_is_the_reason_of_last_bits() -> None:
    found = outputs(classifier(), lambda method, answer: np.nextafter(answer, 1.0) if method != "predict" else answer)
    assert found["labels"] == OutputReport("labels", ROWS)
    assert found["probabilities"].changed > ROWS // 2
    assert {found["probabilities"].reason, found["decision values"].reason} == {"rounding"}


def test_answers_in_float32_are_named() -> None:
    found = outputs(classifier(), lambda method, answer: answer.astype("f4") if method == "predict_proba" else answer)
    assert found["probabilities"].reason == "float32"


@pytest.mark.parametrize(
    ("change", "steps", "reason"),
    [(equal_scores, (), "ties"), (other_label, (FLIPS,), "ties"), (other_label, (), "")],
)
def test_a_label_differs_by_ties_or_for_no_known_reason(
    change: Callable[[str, Any], Any], steps: tuple[StepReport, ...], reason: str
) -> None:
    found = outputs(classifier(), change, steps)["labels"]
    assert (found.changed, found.reason) == (1, reason)
    if steps:
        assert str(found) == f"labels: 1 of {ROWS} labels differ: ties at the k-th neighbour"


def test_numbers_farther_apart_than_rounding_have_no_reason() -> None:
    fitted = make_pipeline(StandardScaler(), LinearRegression()).fit(frame(), frame()["a"] * 2.0)
    found = outputs(fitted, lambda method, answer: answer * (1.0 + 1e-7))["predictions"]
    assert found.unexplained
    assert found.relative == pytest.approx(1e-7, rel=1e-3)


def test_the_last_step_may_enlarge_the_rounding_of_those_before() -> None:
    """The library's tree gives our predictions for our input, so the difference comes from the scaler."""
    fitted = make_pipeline(StandardScaler(), DecisionTreeRegressor(random_state=0)).fit(frame(), frame()["b"])
    last = LastStep(fitted[-1], describe_input(fitted[0].transform(frame())))

    def other(method: str, answer: Any) -> Any:
        answer[3] += 1.0
        return answer

    assert outputs(fitted, other, last=last)["predictions"].reason == "rounding"
    assert outputs(fitted, other, last=None)["predictions"].unexplained

    class Shifted(DecisionTreeRegressor):
        def predict(self, X: Any, check_input: bool = True) -> Any:
            return fitted[-1].predict(X) + 1.0

    assert outputs(fitted, other, last=LastStep(Shifted(), last.given))["predictions"].unexplained


def test_rows_are_counted_that_differ_from_the_pipeline_itself() -> None:
    """Sums of a library depend on the order in memory of the array that the step before gives, here by columns."""
    draw = np.random.default_rng(0)
    rows = pd.DataFrame(draw.normal(size=(200, 17)), columns=[f"c{number}" for number in range(17)])
    rows *= 10.0 ** draw.uniform(-3, 3, 17)
    fitted = make_pipeline(SimpleImputer(), RidgeClassifier()).fit(rows, rows.sum(axis=1) > 0)
    assert fitted[0].transform(rows).flags.f_contiguous
    model = compile_pipeline(fitted, like=rows)
    decision = next(each for each in model.report.outputs if each.kind == "decision values")
    changed = int(np.count_nonzero(model.decision_function(rows) != fitted.decision_function(rows)))
    assert decision.changed == changed > 0
