"""States of opaque steps: model files of boosters, frames, damaged trees, versions, a fresh process."""

import hashlib
import io
import json
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import category_encoders
import numpy as np
import pandas as pd
import pytest
import skops.io
from catboost import CatBoostClassifier, CatBoostRegressor
from imblearn.ensemble import BalancedRandomForestClassifier
from lightgbm import LGBMClassifier, LGBMRegressor
from opaque_models import answers_of_a_fresh_process, labels, numbers, opaque, reloaded, without_plan, words
from sklearn.base import clone
from sklearn.cluster import Birch
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier
from xgboost import XGBClassifier, XGBRegressor

from pipeline_lib import load_model
from pipeline_lib.compiled import opaque_versions
from pipeline_lib.compiled.opaque_state import load_state
from pipeline_lib.compiled.opaque_versions import PACKAGES
from pipeline_lib.compiler.opaque_dump import dump_state
from pipeline_lib.errors import InputError

pytestmark = pytest.mark.filterwarnings("ignore:'future.no_silent_downcasting' is deprecated")

BOOSTERS = {
    "LightGBM": (LGBMClassifier(n_estimators=5, verbose=-1, n_jobs=2), "txt"),
    "LightGBM dart": (LGBMRegressor(n_estimators=5, verbose=-1, boosting_type="dart"), "txt"),
    "XGBoost": (XGBClassifier(n_estimators=5, n_jobs=2), "ubj"),
    "XGBoost gblinear": (XGBRegressor(n_estimators=5, booster="gblinear"), "ubj"),
    "CatBoost": (CatBoostClassifier(n_estimators=5, verbose=0, allow_writing_files=False), "cbm"),
    "CatBoost numbers": (CatBoostRegressor(n_estimators=5, verbose=0, allow_writing_files=False), "cbm"),
}


def files(state: bytes) -> list[str]:
    with ZipFile(io.BytesIO(state)) as archive:
        return archive.namelist()


@pytest.mark.parametrize("name", BOOSTERS)
def test_a_booster_is_stored_as_its_librarys_model_file(name: str) -> None:
    model, suffix = clone(BOOSTERS[name][0]), BOOSTERS[name][1]
    X, y = numbers(80).to_numpy(), labels(80)
    model.fit(X, y)
    state = dump_state(model)
    assert [file for file in files(state) if file.startswith("parts/")] == [f"parts/0.{suffix}"]
    assert b"pickle" not in state
    loaded = load_state(state, "pipeline_lib")
    for method in ("predict", "predict_proba"):
        if hasattr(model, method):
            assert np.array_equal(getattr(loaded, method)(X), getattr(model, method)(X))
    assert getattr(loaded, "n_jobs", 1) in (None, 1)
    assert getattr(model, "n_jobs", None) != 1, "the fitted step is left as it was"


def test_a_booster_stops_where_it_was_best() -> None:
    X, y = numbers(200).to_numpy(), labels(200)
    model = LGBMClassifier(n_estimators=60, verbose=-1, early_stopping_round=2, learning_rate=0.5)
    model.fit(X[:150], y[:150], eval_X=X[150:], eval_y=y[150:])
    assert 0 < model.best_iteration_ < 60
    loaded = load_state(dump_state(model), "pipeline_lib")
    assert np.array_equal(loaded.predict_proba(X), model.predict_proba(X))
    assert loaded.booster_.best_iteration == model.booster_.best_iteration == model.best_iteration_


@pytest.mark.parametrize(
    "encoder",
    [
        category_encoders.TargetEncoder,
        category_encoders.WOEEncoder,
        category_encoders.OrdinalEncoder,
        category_encoders.HashingEncoder,
        category_encoders.BinaryEncoder,
        category_encoders.LeaveOneOutEncoder,
        category_encoders.HelmertEncoder,
        category_encoders.JamesSteinEncoder,
        category_encoders.CountEncoder,
    ],
)
def test_frames_inside_a_step_are_stored_as_arrays(encoder: type) -> None:
    frame = words(80)
    fitted = encoder().fit(frame, labels(80, classes=2))
    loaded = load_state(dump_state(fitted), "pipeline_lib", ("category_encoders",))
    unseen = frame.assign(city="Oslo").astype({"city": frame["city"].dtype})
    for rows in (frame, frame.head(1), unseen):
        pd.testing.assert_frame_equal(loaded.transform(rows), fitted.transform(rows))


def test_pandas_objects_keep_their_dtypes() -> None:
    held = LogisticRegression()
    index = pd.Index(["a", "b"], name="word")
    held.frame_ = pd.DataFrame({"n": [1, 2], "f": [0.5, np.nan], "t": ["x", "y"]}, index=index).astype({"t": "str"})
    held.codes_ = pd.Series([1, None], dtype="Int64", name="codes")
    held.words_ = pd.Series(pd.Categorical(["b", None], categories=["b", "a"], ordered=True))
    held.nested_ = {"series": [held.codes_, (held.frame_, 1)]}
    loaded = load_state(dump_state(held), "pipeline_lib")
    pd.testing.assert_frame_equal(loaded.frame_, held.frame_)
    pd.testing.assert_series_equal(loaded.codes_, held.codes_)
    pd.testing.assert_series_equal(loaded.words_, held.words_)
    pd.testing.assert_frame_equal(loaded.nested_["series"][1][0], held.frame_)


def test_birch_predicts_without_its_tree() -> None:
    X = numbers(80).to_numpy()
    model = Birch(n_clusters=3, threshold=0.3).fit(X)
    assert np.array_equal(load_state(dump_state(model), "pipeline_lib").predict(X), model.predict(X))


@pytest.mark.parametrize(
    "model",
    [
        DecisionTreeClassifier(max_depth=3),
        HistGradientBoostingClassifier(max_iter=3),
        KNeighborsClassifier(algorithm="kd_tree"),
        KNeighborsClassifier(algorithm="ball_tree"),
    ],
    ids=lambda model: f"{type(model).__name__} {getattr(model, 'algorithm', '')}",
)
def test_a_tree_that_points_out_of_itself_is_not_loaded(model: Any) -> None:
    """Scikit-learn does not check such indices when it predicts: it would read other memory."""
    model.fit(numbers(80).to_numpy(), labels(80))
    loaded = load_state(dump_state(model), "pipeline_lib")
    assert loaded.predict(numbers(80).to_numpy()).tolist() == model.predict(numbers(80).to_numpy()).tolist()
    with pytest.raises(InputError, match="found a damaged tree"):
        load_state(damaged(dump_state(model)), "pipeline_lib")


def damaged(state: bytes) -> bytes:
    """The state in which every structured array and array of indices names node or row 10,000."""
    changed = io.BytesIO()
    with ZipFile(io.BytesIO(state)) as archive, ZipFile(changed, "w") as other:
        for name in archive.namelist():
            content = archive.read(name)
            if name.endswith(".npy"):
                content = _damaged(content)
            other.writestr(name, content)
    return changed.getvalue()


def _damaged(content: bytes) -> bytes:
    array = np.load(io.BytesIO(content))
    for field in {"left_child", "left", "idx_end"} & set(array.dtype.names or ()):
        array[field][0] = 10_000
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def test_another_version_is_refused_with_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    frame = numbers()
    fitted = make_pipeline(StandardScaler(), DecisionTreeClassifier(max_depth=2)).fit(frame, labels())
    without_plan(monkeypatch, "DecisionTreeClassifier")
    model = opaque(fitted, frame)
    model.save(tmp_path)
    with ZipFile(tmp_path / "opaque_0.skops") as archive:
        packages = json.loads(archive.read(PACKAGES))
    assert packages == {"sklearn": __import__("sklearn").__version__}
    monkeypatch.setattr(opaque_versions, "module_version", lambda package: "1.0")
    match = (
        rf"step decisiontreeclassifier: found sklearn 1\.0, expected sklearn {packages['sklearn']}, .*"
        rf"pip install 'scikit-learn=={packages['sklearn']}', or load_model\(folder, other_versions=True\)"
    )
    with pytest.raises(InputError, match=match):
        load_model(tmp_path)
    assert load_model(tmp_path, other_versions=True).predict(frame).tolist() == model.predict(frame).tolist()
    monkeypatch.setattr(opaque_versions, "module_version", lambda package: None)
    with pytest.raises(InputError, match=r"found sklearn not installed, .* pip install 'scikit-learn==[0-9.]+'$"):
        load_model(tmp_path, other_versions=True)


def test_states_of_earlier_releases_name_no_packages() -> None:
    state = skops.io.dumps(StandardScaler().fit(np.arange(6.0).reshape(3, 2)))
    assert PACKAGES not in files(state)
    assert load_state(state, "pipeline_lib").mean_.tolist() == [2.0, 3.0]


@pytest.mark.slow
def test_a_fresh_process_repeats_every_kind(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Saved, loaded and asked by another process: scikit-learn's trees, boosters, and packages that are trusted."""
    frame, target = words(), labels(classes=2)
    ce, models = ("category_encoders",), {}
    last = {
        "tree": (DecisionTreeClassifier(max_depth=4), ()),
        "neighbours": (KNeighborsClassifier(algorithm="kd_tree"), ()),
        "LightGBM": (clone(BOOSTERS["LightGBM"][0]), ()),
        "XGBoost": (clone(BOOSTERS["XGBoost"][0]), ()),
        "CatBoost": (clone(BOOSTERS["CatBoost"][0]), ()),
        "imbalanced-learn": (BalancedRandomForestClassifier(5, random_state=0), ("imblearn",)),
    }
    pipelines = {
        name: (make_pipeline(StandardScaler(), model), trust, ["a", "b"]) for name, (model, trust) in last.items()
    }
    pipelines["category_encoders"] = (
        make_pipeline(category_encoders.HashingEncoder(), LogisticRegression()),
        ce,
        list(frame.columns),
    )
    without_plan(monkeypatch, "HashingEncoder", *(type(model).__name__ for model, _ in last.values()))
    expected = {}
    for name, (pipeline, trust, columns) in pipelines.items():
        rows = frame[columns]
        model = opaque(pipeline.fit(rows, target), rows, trust=trust)
        folder = tmp_path / name
        expected[name] = hashlib.sha256(repr(reloaded(model, folder, trust=trust).predict(rows).tolist()).encode())
        models[name] = (folder, trust, columns)
    answers = answers_of_a_fresh_process(models, frame, tmp_path)
    assert answers == {name: digest.hexdigest() for name, digest in expected.items()}


def test_a_package_that_a_state_merely_names_is_not_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "planted_package.py").write_text("raise RuntimeError('imported')\n")
    monkeypatch.syspath_prepend(tmp_path)
    state = io.BytesIO(dump_state(LogisticRegression().fit(numbers(20).to_numpy(), labels(20))))
    with ZipFile(state) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    with ZipFile(io.BytesIO(), "w") as archive:
        for name, content in {**contents, PACKAGES: b'{"planted_package": "1.0"}'}.items():
            archive.writestr(name, content)
        stream = archive.fp
    assert stream is not None
    with pytest.raises(InputError, match="found planted_package not installed, expected planted_package 1"):
        load_state(stream.getvalue(), "pipeline_lib")  # type: ignore[attr-defined]
