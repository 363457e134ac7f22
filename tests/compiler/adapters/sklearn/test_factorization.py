"""NMF with a fixed number of iterations, and sparse codes: within rounding of the library."""

import numpy as np
import pandas as pd
import pytest
from plans import check_transformer, same_bits
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import NMF, DictionaryLearning, MiniBatchDictionaryLearning, MiniBatchNMF, SparseCoder
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline

from pipeline_lib.compiled.operations.catalog import OPERATIONS
from pipeline_lib.compiler.adapters.catalog import transform
from pipeline_lib.compiler.adapters.registry import NoPlanError, RefusedStepError
from pipeline_lib.compiler.builder import Builder
from pipeline_lib.errors import InputError

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning", "ignore:.*Orthogonal matching pursuit ended prematurely"
)


def rows(seed: int) -> pd.DataFrame:
    """Negative, large and repeated numbers, and a row of zeros."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(rng.normal(size=(40, 5)) * [1.0, 5.0, 0.2, 1.0, 2.0], columns=list("abcde"))
    frame["n"] = rng.integers(0, 3, 40).astype(float)
    return pd.concat([frame, frame.head(4), frame.head(1) * 0.0], ignore_index=True)


def refused(step, frame, match, kind=NoPlanError):
    build = Builder()
    with pytest.raises(kind, match=match):
        transform(step, {name: build.input(name, "float64") for name in frame}, build)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(
    "options",
    [{}, {"alpha_W": 0.01, "l1_ratio": 0.5}, {"init": "random", "max_iter": 20}, {"alpha_W": 0.1}],
    ids=str,
)
def test_factors_of_a_fixed_number_of_iterations(options, seed):
    frame = rows(seed).abs()
    step = NMF(3, tol=0, random_state=seed, **({"max_iter": 60} | options)).fit(frame)
    found = check_transformer(step, frame)
    np.testing.assert_allclose(found, step.transform(frame), rtol=1e-7, atol=1e-9)


def test_factors_of_texts():
    texts = ["red apple", "green apple", "red pear", "blue sea", "blue sky", "", "sky sea sky", "green pear"] * 2
    frame = pd.DataFrame({"text": texts})
    words = ColumnTransformer([("words", TfidfVectorizer(), "text")], sparse_threshold=1.0)
    check_transformer(make_pipeline(words, NMF(3, tol=0, max_iter=50, random_state=0)).fit(frame), frame)


def test_factors_that_depend_on_the_batch_are_refused():
    frame = rows(0).abs()
    step = NMF(3, random_state=0).fit(frame)
    alone = np.concatenate([step.transform(frame.iloc[[row]]) for row in range(len(frame))])
    assert (alone != step.transform(frame)).any()
    refused(step, frame, r"found tol=0.0001, which stops .* fit NMF\(solver='cd', tol=0\)", RefusedStepError)
    refused(NMF(3, solver="mu", tol=0).fit(frame), frame, "found solver='mu', which starts", RefusedStepError)
    refused(MiniBatchNMF(3, random_state=0).fit(frame), frame, "starts from the mean of all rows", RefusedStepError)
    refused(NMF(3, tol=0, shuffle=True).fit(frame), frame, "found shuffle=True, expected False")
    with pytest.raises(InputError, match="not negative"):
        same_bits(lambda columns, build: transform(NMF(2, tol=0).fit(frame), columns, build), frame.assign(b=-1.0))


CODES = [
    {"transform_algorithm": "omp"},
    {"transform_algorithm": "omp", "transform_n_nonzero_coefs": 3},
    {"transform_algorithm": "omp", "transform_n_nonzero_coefs": 2, "split_sign": True},
    {"transform_algorithm": "threshold", "transform_alpha": 0.3},
    {"transform_algorithm": "threshold"},
    {"transform_algorithm": "threshold", "transform_alpha": 0.1, "split_sign": True},
]


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("options", CODES, ids=str)
def test_codes_of_learned_atoms(options, seed):
    frame = rows(seed)
    for kind in (DictionaryLearning, MiniBatchDictionaryLearning):
        step = kind(4, max_iter=5, random_state=seed, **options).fit(frame)
        found = check_transformer(step, frame)
        np.testing.assert_allclose(found, step.transform(frame), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("options", CODES, ids=str)
def test_codes_of_a_dictionary(options):
    frame = rows(0)
    atoms = np.vstack([np.eye(6), np.random.default_rng(0).normal(size=(3, 6))])
    check_transformer(SparseCoder(atoms, **options).fit(frame), frame)
    positive = SparseCoder(atoms, transform_algorithm="threshold", positive_code=True).fit(frame)
    check_transformer(positive, frame)


def test_codes_of_equal_atoms_end_early():
    frame = rows(1)
    atoms = np.vstack([np.eye(6)[:2], np.eye(6)[:2]])
    step = SparseCoder(atoms, transform_algorithm="omp", transform_n_nonzero_coefs=4).fit(frame)
    assert (check_transformer(step, frame).to_numpy() != 0).sum(axis=1).max() == 2


def test_other_codes_are_refused_by_name():
    frame = rows(0)
    step = SparseCoder(np.eye(6), transform_algorithm="lasso_lars").fit(frame)
    refused(step, frame, "found transform_algorithm='lasso_lars', expected 'omp' or 'threshold'")


def test_a_wrong_atom_is_seen(monkeypatch):
    frame = rows(0)
    step = SparseCoder(np.eye(6), transform_algorithm="omp", transform_n_nonzero_coefs=2).fit(frame)
    pursuit = OPERATIONS["matching_pursuit"]
    wrong = {"column": lambda settings: lambda products: pursuit.column(settings)(products)[::-1]}
    monkeypatch.setitem(OPERATIONS, "matching_pursuit", type(pursuit)(**{**vars(pursuit), **wrong}))
    with pytest.raises(InputError, match="cannot be compiled faithfully"):
        check_transformer(step, frame)
