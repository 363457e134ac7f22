"""The compiled pipeline: same bits in any batch, nothing loaded that is not allowed."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io
from pydantic import BaseModel
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from pipeline_lib.compiled import compile_pipeline, load_model, read_description
from pipeline_lib.compiled.opaque import CompiledPipeline
from pipeline_lib.errors import InputError
from pipeline_lib.rows import conform, schema_of

LIBRARY = "pipeline_lib"


class Row(BaseModel):
    size: float
    rooms: int


class Foreign(BaseEstimator):
    """An estimator that no notebook exports."""

    def fit(self, X: Any, y: Any = None) -> "Foreign":
        self.fitted_ = True
        return self

    def transform(self, X: Any) -> Any:
        return X


class Halving(Foreign):
    """Keeps every second row."""

    def transform(self, X: Any) -> Any:
        return X[::2]


@pytest.fixture
def frame() -> pd.DataFrame:
    return pd.DataFrame({"size": np.sqrt(np.arange(1.0, 21.0)), "rooms": np.arange(20) % 4})


def compiled(frame: pd.DataFrame, *steps: Any, target: Any = None) -> CompiledPipeline:
    y = frame["size"] * 3 + frame["rooms"] if target is None else target
    fitted = Pipeline([(f"s{i}", step) for i, step in enumerate(steps)]).fit(frame, y)
    return compile_pipeline(fitted, like=frame, row=schema_of(Row), library=LIBRARY)


@pytest.fixture
def model(frame: pd.DataFrame) -> CompiledPipeline:
    return compiled(frame, StandardScaler(), Ridge())


@pytest.fixture
def folder(model: CompiledPipeline, tmp_path: Path) -> Path:
    model.save(tmp_path / "artifact")
    return tmp_path / "artifact"


def test_a_row_gives_the_same_bits_alone_in_a_batch_and_after_loading(
    frame: pd.DataFrame, model: CompiledPipeline, folder: Path
) -> None:
    loaded = load_model(folder)
    together = model.predict(frame)
    alone = [loaded.predict_row(row) for row in frame.to_dict("records")]
    assert [value.hex() for value in alone] == [float(value).hex() for value in together]
    assert loaded.predict(frame[::-1]).tobytes() == together[::-1].tobytes()
    assert np.allclose(together, model.predict_plain(conform(frame, model.row)))


def test_many_blocks_give_the_same_bits_as_one(frame: pd.DataFrame, model: CompiledPipeline) -> None:
    many = pd.concat([frame] * 15, ignore_index=True)
    assert model.predict(many).tobytes() == np.tile(model.predict(frame), 15).tobytes()


def test_columns_are_found_by_name_and_extra_ones_ignored(frame: pd.DataFrame, model: CompiledPipeline) -> None:
    other = frame[["rooms", "size"]].assign(colour="red")
    assert model.predict(other).tobytes() == model.predict(frame).tobytes()


def test_no_rows_give_no_predictions(frame: pd.DataFrame, model: CompiledPipeline) -> None:
    assert model.predict(frame.head(0)).shape == (0,)
    assert model.predict(frame.head(0)).dtype == np.float64
    classifier = compiled(frame, StandardScaler(), LogisticRegression(), target=frame["rooms"] > 1)
    assert classifier.predict_proba(frame.head(0)).shape == (0, 2)


def test_a_classifier_gives_probabilities_and_decisions(frame: pd.DataFrame) -> None:
    target = np.where(frame["rooms"] > 1, "many", "few")
    model = compiled(frame, StandardScaler(), LogisticRegression(), target=target)
    probability = model.predict_proba(frame)
    assert probability.shape == (20, 2)
    assert np.allclose(probability.sum(axis=1), 1)
    assert model.decision_function(frame).shape == (20, 1)
    assert list(model.predict(frame)) == ["many" if row[1] > 0.5 else "few" for row in probability]
    assert model.predict_row({"size": 1.0, "rooms": 3}) == "many"
    names = ["prediction", "probability[few]", "probability[many]", "decision[0]"]
    assert list(model.description["outputs"]) == names


def test_several_targets_become_several_columns(frame: pd.DataFrame) -> None:
    model = compiled(frame, LinearRegression(), target=frame[["size", "rooms"]].to_numpy())
    assert list(model.description["outputs"]) == ["prediction[0]", "prediction[1]"]


def test_a_regressor_gives_no_probabilities(frame: pd.DataFrame, model: CompiledPipeline) -> None:
    with pytest.raises(InputError, match="no probability"):
        model.predict_proba(frame)


def test_steps_are_traced_under_their_names(frame: pd.DataFrame) -> None:
    model = compiled(frame, "passthrough", StandardScaler(), OneHotEncoder(), Ridge())
    steps = model.evaluate(conform(frame, model.row), steps=True).steps
    assert list(steps) == ["s1", "s2"]
    assert steps["s1"].column_names == ["size", "rooms"]
    assert steps["s2"].column_names == ["row", "column", "value"]
    assert steps["s2"].num_rows == 40


def test_a_step_without_names_is_traced_by_number(frame: pd.DataFrame) -> None:
    model = compiled(frame, StandardScaler(), FunctionTransformer(np.abs), Ridge())
    steps = model.evaluate(conform(frame, model.row), steps=True).steps
    assert steps["s1"].column_names == ["x0", "x1"]


def test_sparse_rows_are_numbered_through_all_blocks(frame: pd.DataFrame) -> None:
    model = compiled(frame, OneHotEncoder(), Ridge())
    many = pd.concat([frame] * 15, ignore_index=True)
    rows = model.evaluate(conform(many, model.row), steps=True).steps["s0"].column("row").to_pylist()
    assert sorted(set(rows)) == list(range(300))


def test_frames_between_steps_keep_their_dtypes(frame: pd.DataFrame) -> None:
    model = compiled(frame, StandardScaler().set_output(transform="pandas"), Ridge())
    assert model.evaluate(conform(frame, model.row), steps=True).steps["s0"].column_names == ["size", "rooms"]


def test_the_picture_of_a_model_escapes_names(frame: pd.DataFrame) -> None:
    fitted = Pipeline([("<b>", StandardScaler()), ("end", Ridge())]).fit(frame, frame["size"])
    model = compile_pipeline(fitted, like=frame, row=schema_of(Row), library=LIBRARY)
    assert "&lt;b&gt;" in model._repr_html_()
    assert "<b>" not in model._repr_html_()
    assert repr(model) == "CompiledPipeline(2 raw columns, 2 steps, opaque)"


def test_parallel_steps_run_on_one_job(frame: pd.DataFrame) -> None:
    model = compiled(frame, StandardScaler(), LinearRegression(n_jobs=2))
    assert model._pipeline.get_params()["s1__n_jobs"] == 1


def test_only_a_fitted_pipeline_is_compiled(frame: pd.DataFrame) -> None:
    row = schema_of(Row)
    with pytest.raises(InputError, match="found Ridge, expected a scikit-learn Pipeline"):
        compile_pipeline(Ridge().fit(frame, frame["size"]), like=frame, row=row, library=LIBRARY)
    with pytest.raises(NotFittedError):
        compile_pipeline(Pipeline([("s", Ridge())]), like=frame, row=row, library=LIBRARY)


def test_training_on_other_dtypes_is_refused(frame: pd.DataFrame) -> None:
    with pytest.raises(InputError, match=r"rooms: found dtype float64, expected int64"):
        compiled(frame.astype({"rooms": "float64"}), Ridge())


def test_a_pipeline_must_end_with_an_estimator(frame: pd.DataFrame) -> None:
    with pytest.raises(InputError, match="StandardScaler without predict"):
        compiled(frame, StandardScaler())


def test_state_that_cannot_be_stored_is_refused(frame: pd.DataFrame) -> None:
    with pytest.raises(InputError, match=r"skops cannot store|expected only estimators"):
        compiled(frame, FunctionTransformer(lambda values: values), Ridge())


def test_a_step_that_is_not_exported_is_refused(frame: pd.DataFrame) -> None:
    with pytest.raises(InputError, match=r"Foreign.*expected only estimators"):
        compiled(frame, Foreign(), Ridge())


def test_a_step_that_drops_rows_is_refused(frame: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    model = compiled(frame, StandardScaler(), Ridge())
    monkeypatch.setattr(StandardScaler, "transform", Halving.transform)
    with pytest.raises(InputError, match="step s0: found 128 rows for 256"):
        model.predict(frame)


def test_a_folder_without_artifact_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"found no artifact\.json"):
        load_model(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "damaged description"),
        ("[]", "found format 'list'"),
        ('{"format": 99}', "found format 99, expected 1"),
        ('{"format": 1, "block_rows": 8}', "found blocks of 8 rows"),
    ],
)
def test_a_description_that_is_not_understood_is_refused(folder: Path, content: str, message: str) -> None:
    (folder / "artifact.json").write_text(content)
    with pytest.raises(InputError, match=message):
        load_model(folder)


def test_a_damaged_or_missing_state_is_refused(folder: Path) -> None:
    (folder / "pipeline.skops").write_bytes(b"no zip")
    with pytest.raises(InputError, match="damaged file"):
        load_model(folder)
    (folder / "pipeline.skops").unlink()
    with pytest.raises(InputError, match="incomplete artifact"):
        load_model(folder)


def test_a_state_with_other_code_is_refused_whatever_the_description_says(folder: Path, frame: pd.DataFrame) -> None:
    fitted = Pipeline([("own", Foreign()), ("end", Ridge())]).fit(frame, frame["size"])
    (folder / "pipeline.skops").write_bytes(skops.io.dumps(fitted))
    (folder / "artifact.json").write_text(json.dumps({**read_description(folder), "library": __name__}))
    with pytest.raises(InputError, match="Foreign"):
        load_model(folder)


@pytest.mark.parametrize("name", ["sklearn.nothing.Here", "sklearn.utils.Bunch", "os.system", "pipeline_libx.steps.A"])
def test_names_outside_the_allow_list_are_refused(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr("skops.io.get_untrusted_types", lambda data: [name])
    with pytest.raises(InputError, match=name):
        load_model(folder)


def test_a_state_of_something_else_is_refused(folder: Path) -> None:
    (folder / "pipeline.skops").write_bytes(skops.io.dumps(Ridge()))
    with pytest.raises(InputError, match="found Ridge, expected a scikit-learn Pipeline"):
        load_model(folder)
