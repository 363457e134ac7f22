"""Steps without a plan run through their library: any number of rows, with the bits that each row has alone."""

import copy
import pickle
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest
from opaque_models import assert_same_for_any_batch, labels, numbers, opaque, reloaded, without_plan, words
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest, RandomForestClassifier, RandomTreesEmbedding
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.gaussian_process import GaussianProcessClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.mixture import GaussianMixture
from sklearn.multioutput import MultiOutputClassifier
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from pipeline_lib.compiled.opaque import BLOCK_ROWS, OpaqueRunner
from pipeline_lib.errors import InputError

LAST_STEPS = {
    "clusters": KMeans(3, random_state=0, n_init=1),
    "mixture": GaussianMixture(2, random_state=0),
    "outliers": IsolationForest(n_estimators=20, random_state=0),
    "tree": DecisionTreeClassifier(max_depth=4, random_state=0),
    "forest": RandomForestClassifier(10, n_jobs=2, random_state=0),
    "k-d tree": KNeighborsClassifier(3, algorithm="kd_tree"),
    "ball tree": KNeighborsRegressor(3, algorithm="ball_tree", metric="manhattan", weights="distance"),
    "Gaussian process": GaussianProcessClassifier(random_state=0),
    "network": MLPRegressor(hidden_layer_sizes=(8,), max_iter=20, random_state=0),
    "several targets": KNeighborsRegressor(3),
}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", LAST_STEPS)
def test_a_last_step_answers_any_number_of_rows(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The step before gives an array: blocks of it had as many rows as the whole batch at most."""
    frame, target = numbers(), labels()
    last = LAST_STEPS[name]
    fitted = make_pipeline(StandardScaler(), last).fit(
        frame, np.column_stack([target, target * 2.0]) if name == "several targets" else target
    )
    without_plan(monkeypatch, type(last).__name__)
    model = reloaded(opaque(fitted, frame), tmp_path)
    predicted = model.predict(frame)
    library = fitted.predict(frame)
    assert predicted.dtype.kind == library.dtype.kind
    if predicted.dtype.kind == "i":
        assert predicted.tolist() == library.tolist()
    else:
        np.testing.assert_allclose(predicted, library, rtol=1e-12)
    assert_same_for_any_batch(model, frame)


@pytest.mark.parametrize(
    "target", [labels(classes=2), labels(classes=2) == 1, np.array(["no", "yes"])[labels(classes=2)]]
)
def test_labels_keep_their_type(target: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    frame = numbers()
    fitted = make_pipeline(StandardScaler(), LogisticRegression()).fit(frame, target)
    without_plan(monkeypatch, "LogisticRegression")
    model = reloaded(opaque(fitted, frame), tmp_path)
    assert model.classes == tuple(np.unique(target).tolist())
    assert model.predict(frame).tolist() == fitted.predict(frame).tolist()
    assert type(model.predict_row(frame.iloc[0].to_dict())) is type(target.tolist()[0])
    np.testing.assert_allclose(model.predict_proba(frame), fitted.predict_proba(frame), rtol=1e-12)


def test_several_targets_of_classes_have_probabilities_of_each(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    frame, first = numbers(), labels()
    target = np.column_stack([first, first % 2])
    fitted = make_pipeline(StandardScaler(), MultiOutputClassifier(LogisticRegression())).fit(frame, target)
    without_plan(monkeypatch, "MultiOutputClassifier")
    model = reloaded(opaque(fitted, frame), tmp_path)
    assert model.predict(frame).dtype == np.int64
    assert model.predict(frame).tolist() == fitted.predict(frame).tolist()
    ours, theirs = model.predict_proba(frame), fitted.predict_proba(frame)
    assert [part.shape for part in ours] == [(300, 3), (300, 2)]
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)
    assert_same_for_any_batch(model, frame)


def test_a_step_takes_a_sparse_matrix_and_gives_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    frame = words()
    fitted = make_pipeline(OneHotEncoder(), PCA(2), LinearRegression()).fit(frame[["city", "kind"]], frame["a"])
    assert hasattr(fitted[0].transform(frame[["city", "kind"]]), "tocsr")
    without_plan(monkeypatch, "OneHotEncoder", "PCA")
    model = reloaded(opaque(fitted, frame[["city", "kind"]]), tmp_path)
    assert next(node.dtype for node in model.plan.nodes if node.operation == "opaque_part") == "bag"
    np.testing.assert_allclose(model.predict(frame), fitted.predict(frame[["city", "kind"]]), rtol=1e-9)
    assert_same_for_any_batch(model, frame[["city", "kind"]])


def test_an_estimator_may_be_a_transformer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Distances to centres as features; as a last step the same class predicts."""
    frame = numbers()
    fitted = make_pipeline(KMeans(3, random_state=0, n_init=1), LinearRegression()).fit(frame, frame["a"])
    without_plan(monkeypatch, "KMeans")
    model = reloaded(opaque(fitted, frame), tmp_path)
    assert [node.settings["method"] for node in model.plan.nodes if node.operation == "opaque"] == ["transform"]
    np.testing.assert_allclose(model.predict(frame), fitted.predict(frame), rtol=1e-9)
    assert_same_for_any_batch(model, frame)


def test_a_step_takes_text_as_a_series(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    frame = words()
    columns = ColumnTransformer([("count", CountVectorizer(), "city"), ("scale", StandardScaler(), ["a"])])
    fitted = make_pipeline(columns, LogisticRegression()).fit(frame, labels())
    without_plan(monkeypatch, "CountVectorizer")
    model = opaque(fitted, frame)
    assert model.report
    assert [step.name for step in model.report.steps if not step.exact] == ["columntransformer__count"]
    model = reloaded(model, tmp_path)
    assert model.predict(frame).tolist() == fitted.predict(frame).tolist()
    assert_same_for_any_batch(model, frame)


def test_a_step_sees_the_dtypes_that_it_was_fitted_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Seen(TransformerMixin, BaseEstimator):
        dtypes: ClassVar[list[Any]] = []

        def fit(self, X: Any, y: Any = None) -> "Seen":
            return self

        def transform(self, X: Any) -> Any:
            Seen.dtypes.append(list(map(str, X.dtypes)))
            return np.nextafter(X[["size"]].to_numpy(dtype=float), np.inf)

    frame = pd.DataFrame(
        {
            "size": np.arange(300, dtype="f4"),
            "floor": np.arange(300, dtype="i2"),
            "town": pd.Categorical(np.resize(["a", "b"], 300), categories=["b", "a", "z"]),
            "sold": pd.date_range("2020", periods=300).astype("datetime64[ns]"),
            "old": np.resize([True, False], 300),
        }
    )
    fitted = make_pipeline(Seen(), Ridge()).fit(frame, frame["size"])
    Seen.__module__, Seen.__qualname__ = "pipeline_lib.steps.seen", "Seen"
    monkeypatch.setitem(__import__("sys").modules, "pipeline_lib.steps.seen", type("M", (), {"Seen": Seen}))
    model = opaque(fitted, frame)
    Seen.dtypes.clear()
    model.predict(frame.head(3))
    assert Seen.dtypes == [["float32", "int16", "category", "datetime64[ns]", "bool"]]


def test_rows_need_no_blocks_only_where_every_shape_gave_the_same_bits(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A tree compares; the sums of a projection are BLAS's, whose last bits depend on the shape."""
    frame = numbers()
    fitted = make_pipeline(StandardScaler(), DecisionTreeClassifier(random_state=0)).fit(frame, labels())
    without_plan(monkeypatch, "DecisionTreeClassifier")
    nodes = [node for node in opaque(fitted, frame).plan.nodes if node.operation == "opaque"]
    assert {node.settings["block"] for node in nodes} == {300}


def test_sums_in_float32_may_differ_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last bits of float32 depend on the batch, too; random numbers would differ by far more."""
    draw = np.random.default_rng(3)
    frame = pd.DataFrame(draw.normal(size=(300, 40)), columns=[f"x{index}" for index in range(40)], dtype="float32")
    fitted = make_pipeline(PCA(5), LinearRegression()).fit(frame, frame["x0"])
    assert fitted[0].transform(frame).dtype == np.float32
    without_plan(monkeypatch, "PCA", "LinearRegression")
    model = opaque(fitted, frame)
    np.testing.assert_allclose(model.predict(frame), fitted.predict(frame), rtol=0, atol=1e-5)
    assert_same_for_any_batch(model, frame)


class Doubled:
    """A step of a library whose rows keep their bits, and that records the shapes of its batches."""

    def __init__(self) -> None:
        self.shapes: list[int] = []

    def transform(self, X: Any) -> Any:
        self.shapes.append(len(X))
        if (X < 0).any():
            raise ValueError("a size below 0\nand more")
        return X * 2.0


def runner(step: Any, **more: Any) -> OpaqueRunner:
    settings = {"step": "own", "method": "transform", "dtypes": ["float64"], "names": None, **more}
    return OpaqueRunner(step, settings, ["float64"])


@pytest.mark.parametrize(("block", "shapes"), [(None, [256, 256]), (1, [1] * 300), (300, [300]), (257, [257, 43])])
def test_blocks_are_as_the_artifact_says(block: int | None, shapes: list[int]) -> None:
    """Artifacts of earlier releases say nothing: padded blocks of 256."""
    step, more = Doubled(), {} if block is None else {"block": block}
    column = np.arange(300.0)
    assert BLOCK_ROWS == 256
    assert runner(step, **more)(column)[0].tolist() == (column * 2).tolist()
    assert step.shapes == shapes


def test_a_row_that_the_library_refuses_is_named() -> None:
    column = np.arange(300.0)
    column[280] = -1.0
    with pytest.raises(
        InputError, match=r"step own: found a row that its library refuses \(ValueError: a size below 0\)"
    ) as caught:
        runner(Doubled())(column)
    assert caught.value.row == 280  # type: ignore[attr-defined]
    with pytest.raises(InputError, match=r"\(ValueError; its message is hidden\)"):
        runner(Doubled(), hidden=True)(column)


def test_no_rows_have_the_dtypes_of_the_plan() -> None:
    settings = {
        "step": "own",
        "method": "predict",
        "names": None,
        "dtypes": ["int64", "str", "bool", "bag"],
        "width": 5,
    }
    empty = OpaqueRunner(type("M", (), {"predict": None}), settings, ["float64"])(np.zeros(0))
    assert [len(column) for column in empty] == [0, 0, 0, 0]
    assert (empty[0].dtype, empty[2].dtype, empty[3].width) == (np.int64, np.bool_, 5)


def test_encoded_integers_stay_integers_for_the_next_step(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = words()[["city", "kind"]]
    fitted = make_pipeline(
        OrdinalEncoder(dtype=np.int64), RandomTreesEmbedding(5, random_state=0), LogisticRegression()
    )
    fitted.fit(frame, labels())
    without_plan(monkeypatch, "OrdinalEncoder", "RandomTreesEmbedding")
    model = opaque(fitted, frame)
    described = [node.settings["kinds"] for node in model.plan.nodes if node.operation == "opaque"]
    assert described == [["str", "str"], ["int64"]]
    assert model.predict(frame).tolist() == fitted.predict(frame).tolist()


def test_copies_of_an_opaque_model_load_its_steps_from_their_state(monkeypatch: pytest.MonkeyPatch) -> None:
    """A library's own object may not survive a copy: those of CatBoost with text features end the process."""
    frame, target = numbers(), labels()
    fitted = make_pipeline(StandardScaler(), KMeans(3, random_state=0, n_init=1)).fit(frame, target)
    without_plan(monkeypatch, "KMeans")
    model = opaque(fitted, frame)
    expected = model.predict(frame).tolist()
    loaded = next(
        node.settings["runner"] for node in model.evaluators.batches._plan.nodes if node.operation == "opaque"
    )
    for copied in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):  # noqa: S301
        assert copied.predict(frame).tolist() == expected
        runners = [
            node.settings["runner"] for node in copied.evaluators.batches._plan.nodes if node.operation == "opaque"
        ]
        assert loaded not in runners
