"""IsolationForest and EllipticEnvelope: the library's own labels, its decisions within rounding."""

import numpy as np
import pandas as pd
import pytest
from plans import check_estimator
from sklearn.covariance import EllipticEnvelope
from sklearn.ensemble import IsolationForest


def rows(seed: int) -> pd.DataFrame:
    """Negative, large and repeated numbers."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"a": rng.normal(size=90), "b": rng.normal(size=90) * 1e4 - 3e5})
    frame["count"] = rng.integers(0, 4, 90).astype(float)
    return pd.concat([frame, frame.head(9)], ignore_index=True)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"contamination": 0.1},
        {"max_features": 2, "bootstrap": True},
        {"max_samples": 1},
        {"max_samples": 0.3, "contamination": 0.25, "n_jobs": 2},
    ],
    ids=str,
)
def test_isolation_forests(options, seed):
    frame = rows(seed)
    model = IsolationForest(n_estimators=15, random_state=seed, **options).fit(frame)
    outputs = check_estimator(model, frame)
    assert outputs["prediction_0"].tolist() == model.predict(frame).tolist()


@pytest.mark.parametrize("contamination", [0.05, 0.1, 0.2, 0.3])
def test_rows_at_the_offset_are_no_outliers(contamination):
    """Of few different rows many have the same score, which the offset is, too."""
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"a": rng.integers(0, 4, 200).astype(float), "b": rng.integers(0, 3, 200).astype(float)})
    model = IsolationForest(n_estimators=20, contamination=contamination, random_state=0).fit(frame)
    assert (model.decision_function(frame) == 0).any()
    assert check_estimator(model, frame)["prediction_0"].tolist() == model.predict(frame).tolist()


@pytest.mark.filterwarnings("ignore:overflow encountered in cast")
@pytest.mark.parametrize("options", [{}, {"max_samples": 2}, {"max_features": 0.5}], ids=str)
def test_missing_and_infinite_numbers(options):
    frame = rows(0)
    model = IsolationForest(n_estimators=10, random_state=0, **options).fit(frame)
    far = frame.assign(a=np.resize([0.0, np.inf, -np.inf, 1e39, 50.0, -0.3, np.nan], len(frame)))
    assert check_estimator(model, far)["prediction_0"].tolist() == model.predict(far).tolist()


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(
    "options", [{}, {"assume_centered": True}, {"support_fraction": 0.8, "contamination": 0.2}], ids=str
)
def test_elliptic_envelopes(options, seed):
    frame = rows(seed)
    model = EllipticEnvelope(random_state=seed, **options).fit(frame)
    outputs = check_estimator(model, frame)
    assert outputs["prediction_0"].tolist() == model.predict(frame).tolist()
    np.testing.assert_array_equal(outputs["decision_0"], model.decision_function(frame))


def test_a_decision_of_0_but_for_rounding_is_0():
    """The library's power of 2 may be one unit in the last place from ours on another CPU."""
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"a": rng.integers(0, 4, 80).astype(float), "b": rng.integers(0, 3, 80).astype(float)})
    model = IsolationForest(n_estimators=20, contamination=0.2, random_state=0).fit(frame)
    at = model.decision_function(frame) == 0
    assert at.any()
    model.offset_ = np.nextafter(model.offset_, 0.0)
    assert set(model.predict(frame)[at]) == {-1}
    outputs = check_estimator(model, frame)
    assert set(outputs["decision_0"][at]) == {0.0}
    assert set(outputs["prediction_0"][at]) == {1}
