"""The program by which a project's image predicts: JSON lines in, predictions out."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline

from pipeline_lib.compiler.compile import compile_pipeline
from pipeline_lib.errors import InputError
from pipeline_lib.project.init import __file__ as init_file

TEMPLATE = Path(init_file).parent / "templates" / "project" / "house" / "LIBRARY" / "predict.py"


class Year(TransformerMixin, BaseEstimator):
    def fit(self, X: Any, y: Any = None) -> "Year":
        return self

    def transform(self, X: Any) -> Any:
        return pd.DataFrame({"year": X["day"].dt.year, "size": X["size"]})


@pytest.fixture(scope="module")
def predictions() -> Callable[..., Any]:
    scope: dict[str, Any] = {"__name__": "predict"}
    exec(TEMPLATE.read_text().replace("LIBRARY", "pipeline_lib"), scope)  # noqa: S102
    function: Callable[..., Any] = scope["predictions"]
    return function


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> str:
    X = pd.DataFrame({"day": pd.date_range("2020-01-01", periods=6, freq="200D"), "size": [1.0, 2, 3, 4, 5, 7]})
    model = compile_pipeline(make_pipeline(Year(), LinearRegression()).fit(X, X["size"]), like=X)
    folder = tmp_path_factory.mktemp("predict") / "artifact"
    model.save(folder)
    return str(folder)


@pytest.mark.parametrize("day", ["2020-01-01T00:00:00", "2020-01-01"])
def test_dates_are_iso_text(predictions: Callable[..., Any], artifact: str, day: str) -> None:
    found = list(predictions(artifact, [f'{{"day": "{day}", "size": 3.0}}', "", '{"day": "2022-03-01", "size": 5}']))
    assert found == pytest.approx([3.0, 5.0])


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{"day": "yesterday", "size": 1.0}', "line 1: day: found 'yesterday', expected a date such as"),
        ('{"day": 5, "size": 1.0}', "line 1: day: found"),
        ("[1]", "line 1: found list, expected a row as an object"),
        ("{", "line 1: found no JSON"),
    ],
)
def test_a_row_that_does_not_fit_is_named(
    predictions: Callable[..., Any], artifact: str, line: str, words: str
) -> None:
    with pytest.raises(InputError) as caught:
        list(predictions(artifact, [line]))
    assert words in str(caught.value)
