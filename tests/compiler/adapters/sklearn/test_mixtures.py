"""Gaussian mixtures: the library's own components, its probabilities within rounding."""

import numpy as np
import pandas as pd
import pytest
from matrices import slow
from plans import check_estimator
from sklearn.mixture import BayesianGaussianMixture, GaussianMixture

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def rows(seed: int) -> pd.DataFrame:
    """Two groups of numbers, negative, large and repeated."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {"a": rng.normal(size=90), "b": rng.normal(size=90) * 1e3 - 2e5, "count": rng.integers(0, 4, 90).astype(float)}
    )
    frame.loc[:40, "a"] += 6.0
    return pd.concat([frame, frame.head(5)], ignore_index=True)


@pytest.mark.parametrize("seed", [0, slow(1)])
@pytest.mark.parametrize("covariance", ["full", "tied", "diag", "spherical"])
def test_mixtures_of_every_covariance(covariance, seed):
    frame = rows(seed)
    model = GaussianMixture(3, covariance_type=covariance, random_state=seed, max_iter=20).fit(frame)
    outputs = check_estimator(model, frame)
    assert outputs["prediction_0"].tolist() == model.predict(frame).tolist()
    apart = outputs[[f"probability_{i}" for i in range(3)]].to_numpy() - model.predict_proba(frame)
    assert np.abs(apart).max() < 1e-6


@pytest.mark.parametrize("seed", [0, slow(1)])
@pytest.mark.parametrize("kind", ["dirichlet_process", "dirichlet_distribution"])
@pytest.mark.parametrize("covariance", ["full", "tied", "diag", "spherical"])
def test_bayesian_mixtures(covariance, kind, seed):
    frame = rows(seed)
    model = BayesianGaussianMixture(
        n_components=4,
        covariance_type=covariance,
        weight_concentration_prior_type=kind,
        random_state=seed,
        max_iter=15,
    ).fit(frame)
    outputs = check_estimator(model, frame)
    assert outputs["prediction_0"].tolist() == model.predict(frame).tolist()


def test_one_component():
    frame = rows(0)
    outputs = check_estimator(GaussianMixture(random_state=0).fit(frame), frame)
    assert set(outputs["prediction_0"]) == {0}
    assert set(outputs["probability_0"]) == {1.0}
