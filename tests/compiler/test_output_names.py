"""Several targets: outputs have the shape of the library's answers, in batches and in rows."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from estimators import THREE, TWO, X, Y
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifier
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from pipeline_lib.compiled.pipeline import load_model
from pipeline_lib.compiler.compile import compile_pipeline

PAIR = np.column_stack([Y, -2 * Y + X["a"]])
LABELS = np.column_stack([Y > 0, X["count"] > 2]).astype(int)
TEXT = np.column_stack([TWO, THREE]).astype(object)


@pytest.mark.parametrize(
    ("unfitted", "target", "outputs"),
    [
        (LinearRegression(), Y, ["prediction"]),
        (LinearRegression(), Y[:, None], ["prediction[0]"]),
        (make_pipeline(StandardScaler(), LinearRegression()), PAIR, ["prediction[0]", "prediction[1]"]),
        (
            MultiOutputClassifier(LogisticRegression()),
            TEXT,
            [
                *("prediction[0]", "prediction[1]", "probability[0][no]", "probability[0][yes]"),
                *("probability[1][x]", "probability[1][y]", "probability[1][z]"),
            ],
        ),
        (
            RandomForestClassifier(3, random_state=0),
            LABELS,
            [
                *("prediction[0]", "prediction[1]", "probability[0][0]", "probability[0][1]"),
                *("probability[1][0]", "probability[1][1]"),
            ],
        ),
        (
            ClassifierChain(LogisticRegression()),
            LABELS,
            [f"{kind}[{target}]" for kind in ("prediction", "probability", "decision") for target in (0, 1)],
        ),
        (
            OneVsRestClassifier(LogisticRegression()),
            LABELS,
            [f"{kind}[{target}]" for kind in ("prediction", "probability", "decision") for target in (0, 1)],
        ),
        (RidgeClassifier(), LABELS, [f"{kind}[{target}]" for kind in ("prediction", "decision") for target in (0, 1)]),
    ],
    ids=str,
)
def test_answers_have_the_shape_of_the_library(unfitted: Any, target: Any, outputs: Any, tmp_path: Path) -> None:
    fitted = unfitted.fit(X, target)
    model = compile_pipeline(fitted, like=X)
    model.save(tmp_path / "artifact")
    model = load_model(tmp_path / "artifact")
    assert list(model.plan.outputs) == outputs
    expected, found = fitted.predict(X), model.predict(X)
    assert found.shape == expected.shape
    assert np.array_equal(found, expected) if found.dtype.kind != "f" else found == pytest.approx(expected, rel=1e-9)
    rows = X.head(7).to_dict("records")
    answers = [model.predict_row(row) for row in rows]
    assert [list(each) if isinstance(each, tuple) else each for each in answers] == found[:7].tolist()
    if hasattr(fitted, "decision_function"):
        assert model.decision_function(X).shape == fitted.decision_function(X).shape
    if hasattr(fitted, "predict_proba"):
        theirs, ours = fitted.predict_proba(X), model.predict_proba(X)
        assert type(ours) is type(theirs)
        assert np.shape(ours if isinstance(ours, np.ndarray) else ours[1]) == np.shape(
            theirs if isinstance(theirs, np.ndarray) else theirs[1]
        )
        assert np.hstack(ours) == pytest.approx(np.hstack(theirs), rel=1e-9)
        one = model.predict_proba_row(rows[0])
        first = [part[0].tolist() for part in ours] if isinstance(ours, list) else ours[0].tolist()
        assert [list(each) if isinstance(each, tuple) else each for each in one] == first


def test_labels_are_kept_by_target(tmp_path: Path) -> None:
    fitted = MultiOutputClassifier(LogisticRegression()).fit(X, TEXT)
    compile_pipeline(fitted, like=X).save(tmp_path / "artifact")
    assert load_model(tmp_path / "artifact").classes == (("no", "yes"), ("x", "y", "z"))
