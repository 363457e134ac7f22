"""Small pipelines x dtypes and containers of raw rows, each as in the library, row by row, and in a fresh process."""

import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from feature_engine.encoding import CountFrequencyEncoder, MeanEncoder
from feature_engine.imputation import CategoricalImputer, MeanMedianImputer
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from pipeline_lib.compiler.compile import compile_pipeline
from pipeline_lib.rows.conform import conform
from pipeline_lib.rows.split_tables import as_rows

pytestmark = pytest.mark.slow

SHOWN = 20  # rows predicted one by one
FRESH = """
import pickle, sys
from pathlib import Path
from pipeline_lib.compiled.pipeline import load_model
for folder, rows, expected in pickle.loads(Path(sys.argv[1]).read_bytes()):
    found = load_model(folder).predict(rows)
    assert found.tolist() == expected.tolist(), folder
assert "sklearn" not in sys.modules
"""


def numbers(rows: int, seed: int, *, whole: bool) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {"a": draw.normal(size=rows) * 10, "b": draw.normal(size=rows), "k": draw.integers(0, 5, rows)}
    )
    return frame.abs().mul([2, 9, 1]).round() if whole else frame


def words(rows: int, seed: int) -> pd.Series:
    return pd.Series(np.random.default_rng(seed).choice(["red", "green", "blue", "Łódź"], rows))


def classes(frame: pd.DataFrame) -> Any:
    values = np.asarray(frame["a"].astype(float)) + np.asarray(frame["b"].astype(float))
    return (np.nan_to_num(values) > np.nanmedian(values)).astype(int)


NUMERIC = {
    "scaled": make_pipeline(StandardScaler(), LogisticRegression()),
    "histogram": HistGradientBoostingClassifier(max_iter=5),
    "forest": RandomForestClassifier(5, random_state=0),
}
FLOATS = ("float64", "Float32", "Float64", "float[pyarrow]", "double[pyarrow]")
INTEGERS = (
    *(f"{sign}int{width}" for sign in ("", "u") for width in (8, 16, 32, 64)),
    *(f"{sign}Int{width}" for sign in ("", "U") for width in (8, 16, 32, 64)),
    *("int64[pyarrow]", "uint16[pyarrow]"),
)
NULLABLE = tuple(dtype for dtype in (*FLOATS, *INTEGERS) if dtype[0].isupper() or "pyarrow" in dtype)
GAPS = np.random.default_rng(5).random(120) < 0.15
TEXT = {
    "str": lambda column: column,
    "object": lambda column: column.astype(object),
    "None": lambda column: column.astype(object).where(~GAPS, None),
    "NaN": lambda column: column.astype(object).where(~GAPS, np.nan),
    "category": lambda column: column.astype("category"),
    "category with gaps": lambda column: column.where(~GAPS, None).astype("category"),
    "string": lambda column: column.astype("string"),
    "string[pyarrow]": lambda column: column.astype("string[pyarrow]"),
}


def encoded(encoder: Any, final: Any) -> Any:
    return make_pipeline(make_column_transformer((encoder, ["c"]), remainder="passthrough"), final)


def cases(seed: int) -> dict[str, tuple[Any, Any, Any]]:
    """Unfitted pipeline, rows and target by name."""
    found: dict[str, tuple[Any, Any, Any]] = {}
    for dtype in (*FLOATS, *INTEGERS):
        frame = numbers(120, seed, whole="nt" in dtype).astype(dtype)
        found |= {f"{name} {dtype}": (unfitted, frame, classes(frame)) for name, unfitted in NUMERIC.items()}
    for dtype in NULLABLE:
        frame = numbers(120, seed, whole="nt" in dtype).astype(dtype)
        frame["a"] = frame["a"].mask(GAPS)
        found[f"imputed {dtype}"] = (make_pipeline(SimpleImputer(), Ridge()), frame, classes(frame) * 1.5)
        found[f"histogram with gaps {dtype}"] = (NUMERIC["histogram"], frame, classes(frame))
    for name, of in TEXT.items():
        frame = numbers(120, seed, whole=False).assign(c=of(words(120, seed)))
        one_hot = OneHotEncoder(handle_unknown="ignore")
        ordinal = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
        found[f"one-hot {name}"] = (encoded(one_hot, Ridge()), frame, frame["a"])
        found[f"ordinal {name}"] = (encoded(ordinal, NUMERIC["histogram"]), frame, classes(frame))
        if name in ("str", "object", "category"):
            mean = make_pipeline(MeanEncoder(variables=["c"], unseen="ignore"), MeanMedianImputer(), Ridge())
            found[f"mean {name}"] = (mean, frame, frame["a"])
        elif not name.startswith("string"):
            count = CountFrequencyEncoder(variables=["c"], unseen="encode")
            found[f"count {name}"] = (make_pipeline(CategoricalImputer(), count, Ridge()), frame, frame["a"])
    frame = numbers(120, seed, whole=False)
    for name, like in {
        "array": frame.to_numpy(), "float32 array": frame.to_numpy(np.float32), "lists": frame.to_numpy().tolist(),
        "polars": pl.from_pandas(frame), "integer names": frame.set_axis([0, 1, 2], axis=1),
    }.items():  # fmt: skip
        found[f"forest {name}"] = (NUMERIC["forest"], like, classes(frame))
        if name != "float32 array":
            found[f"scaled {name}"] = (NUMERIC["scaled"], like, classes(frame))
        targets = np.column_stack([classes(frame), frame["k"] > 2]).astype(int)
        found[f"several targets {name}"] = (NUMERIC["forest"], like, targets)
    texts = words(120, seed) + " " + words(120, seed + 1) + " film"
    for name, like in {
        "Series": texts, "object": texts.astype(object), "string": texts.astype("string"),
        "category": texts.astype("category"), "array": texts.to_numpy(object), "text array": texts.to_numpy(str),
        "list": texts.tolist(), "polars": pl.Series(texts.tolist()),
    }.items():  # fmt: skip
        found[f"words {name}"] = (make_pipeline(TfidfVectorizer(), MultinomialNB()), like, classes(frame))
    return found


@pytest.mark.parametrize("seed", [0, 1])
def test_every_pipeline_answers_as_in_the_library(seed: int, tmp_path: Path) -> None:
    kept = []
    for number, (name, (unfitted, like, target)) in enumerate(cases(seed).items()):
        fitted = clone(unfitted).fit(like, target)
        model = compile_pipeline(fitted, like=like)
        for method in ("predict", *(("predict_proba",) if hasattr(fitted, "predict_proba") else ())):
            _check_equal(name, getattr(model, method)(like), getattr(fitted, method)(like))
        rows = as_rows(conform(like, model.row), model.row)[:SHOWN]
        batch = model.predict(like)[:SHOWN].tolist()
        one = [model.predict_row(row) for row in rows]
        assert [list(each) if isinstance(each, tuple) else each for each in one] == batch, name
        assert model.predict(rows).tolist() == batch, name
        model.save(tmp_path / str(number))
        kept.append((tmp_path / str(number), rows, model.predict(rows)))
    (tmp_path / "kept").write_bytes(pickle.dumps(kept))
    subprocess.run([sys.executable, "-c", FRESH, tmp_path / "kept"], check=True)  # noqa: S603  this Python
    assert len(kept) > 100


def _check_equal(name: str, found: Any, expected: Any) -> None:
    """Labels are equal, numbers within 1e-9."""
    compare: Callable[[Any, Any], Any] = _close if np.hstack(expected).dtype.kind == "f" else np.array_equal
    assert np.shape(found) == np.shape(expected), name
    assert compare(np.hstack(found), np.hstack(expected)), name


def _close(found: Any, expected: Any) -> bool:
    return np.allclose(found, expected, rtol=1e-9, atol=1e-12)


def test_a_difference_is_seen() -> None:
    with pytest.raises(AssertionError, match="numbers"):
        _check_equal("numbers", np.array([1.0]), np.array([1.0 + 1e-8]))
    with pytest.raises(AssertionError, match="labels"):
        _check_equal("labels", np.array([1, 2]), np.array([1, 1]))
