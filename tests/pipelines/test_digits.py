"""The digit pipeline that nbs/pipelines/digits.ipynb exports, on its real images."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline_lib.compiled.pipeline import CompiledPipeline
from pipeline_lib.compiler.compile import compile_pipeline
from pipeline_lib.errors import InputError
from pipeline_lib.pipelines import digits
from pipeline_lib.rows.model import schema_of

Parts = tuple[pd.DataFrame, pd.DataFrame, pd.Series, pd.Series]
GIVEN = digits.Params.model_validate(
    {
        "test_share": 0.25,
        "seed": 0,
        "features": {"directions": 8, "cell": 4, "stride": 2, "components": 20},
        "estimator": {"strength": 3, "max_iter": 500},
        "business": {"by_hand": 2, "misread": 60},
    }
)


@pytest.fixture(scope="module")
def parts() -> Parts:
    return digits.split(digits.load(), GIVEN)


@pytest.fixture(scope="module")
def model(parts: Parts) -> CompiledPipeline:
    fitted = digits.build(GIVEN).fit(parts[0], parts[2])
    return compile_pipeline(fitted, like=parts[0], row=schema_of(digits.Row))


@pytest.mark.parametrize("data", [np.zeros((3, 63)), np.full((3, 64), 17.0), np.full((3, 64), 0.5)])
def test_other_images_than_the_known_ones_are_refused(monkeypatch: pytest.MonkeyPatch, data: Any) -> None:
    monkeypatch.setattr("sklearn.datasets.load_digits", lambda **options: (data, np.zeros(3)))
    with pytest.raises(InputError, match="expected 64 whole numbers from 0 to 16; install"):
        digits.load()


def test_a_row_is_its_64_pixels_in_the_frames_order() -> None:
    assert [*digits.Row.model_fields] == digits.PIXELS == [*digits.load()][:64]
    assert digits.PIXELS[:9:8] == ["pixel_0_0", "pixel_1_0"]


def test_every_image_is_on_one_side_and_every_digit_on_both(parts: Parts) -> None:
    X_train, X_test, y_train, y_test = parts
    assert sorted([*X_train.index, *X_test.index]) == list(range(1797))
    assert set(y_train) == set(y_test) == set(range(10))


def test_the_pipeline_reads_digits_and_knows_when_it_does_not(model: CompiledPipeline, parts: Parts) -> None:
    values = digits.metrics(parts[3], model.predict(parts[1]), GIVEN, model.predict_proba(parts[1]))
    assert values["accuracy"] > 0.97
    assert values["misread"] < 0.01
    assert values["by_hand"] < 0.25
    assert values["cents_saved"] > 1.3


def test_an_image_alone_has_the_bits_of_the_batch(model: CompiledPipeline, parts: Parts) -> None:
    assert model.exact
    rows = parts[1].head(25)
    alone = [model.predict_proba_row(row) for row in rows.to_dict("records")]
    assert np.array(alone).tobytes() == model.predict_proba(rows).tobytes()


def test_a_blank_image_has_an_answer(model: CompiledPipeline) -> None:
    traced = model.trace_row(dict.fromkeys(digits.PIXELS, 0))
    assert 0 <= traced["outputs"]["prediction"] <= 9
    assert [value for name, value in traced["views"].items() if "moments" in name or "strokes" in name] == [0.0] * 78


@pytest.mark.parametrize("value", [17, -1, 3.5, "black", None])
def test_a_pixel_that_is_no_grey_value_is_named(model: CompiledPipeline, value: Any) -> None:
    with pytest.raises(InputError, match="pixel_3_4: found"):
        model.predict_row({**dict.fromkeys(digits.PIXELS, 0), "pixel_3_4": value})


def test_cents_are_what_a_hand_computes() -> None:
    certain, doubtful = np.eye(10)[3], np.full(10, 0.1)
    values = digits.metrics([3, 5, 0], [3, 3, 0], GIVEN, [certain, 0.99 * certain + 0.001, doubtful])
    assert (values["misread"], values["by_hand"], values["cents"]) == (1 / 3, 1 - 2 / 3, 62 / 3)


@pytest.mark.parametrize("target", [[10, 1], [1, 2, 3]])
def test_metrics_refuse_what_are_no_digits(target: list[int]) -> None:
    with pytest.raises(InputError, match=r"expected only the classes 0, 1, .*, 9, one column"):
        digits.metrics(target, [1, 1], GIVEN, np.full((2, 10), 0.1))
