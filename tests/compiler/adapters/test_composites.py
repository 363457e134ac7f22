"""Column transformers and unions: every part on its columns, side by side, dense and sparse."""

import math

import numpy as np
import pandas as pd
import pytest
from plans import check_estimator, check_transformer, named, same_bits
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.feature_selection import SelectKBest, chi2
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline, make_union
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    OrdinalEncoder,
    StandardScaler,
)
from sklearn.tree import DecisionTreeRegressor

from pipeline_lib.compiler.adapters import composites
from pipeline_lib.compiler.adapters.catalog import transform
from pipeline_lib.compiler.adapters.registry import NoPlanError
from pipeline_lib.compiler.builder import Builder
from pipeline_lib.errors import InputError

ROWS = pd.DataFrame(
    {
        "text": ["red fox", "a red red dog", "", "blue dog fox", "green", "red", "nothing else here", "fox fox"],
        "town": ["x", "y", "x", None, "z", "y", "y", "x"],
        "size": [1.5, math.nan, 3.0, -2.0, 0.0, 8.0, 1.0, 2.0],
        "count": [1, 2, 0, 4, 5, 6, 3, 2],
        "flag": [True, False] * 4,
    }
)
Y = np.array([0, 1, 0, 1, 1, 0, 1, 0])
NUMBERS = ("numbers", make_pipeline(SimpleImputer(), StandardScaler()), ["size", "count"])
TOWNS = ("towns", OneHotEncoder(handle_unknown="ignore"), ["town"])
WORDS = ("words", TfidfVectorizer(), "text")
COUNTS = ("counts", CountVectorizer(ngram_range=(1, 2)), "text")


@pytest.mark.parametrize("remainder", ["drop", "passthrough", MinMaxScaler()], ids=named)
@pytest.mark.parametrize("weights", [None, {"numbers": 0.3, "remainder": 2}])
def test_dense_parts_remainder_and_weights(remainder, weights):
    rows = ROWS[["town", "size", "count", "flag"]]
    parts = [NUMBERS, ("skip", "drop", ["town"]), ("keep", "passthrough", ["count"]), ("none", StandardScaler(), [])]
    step = ColumnTransformer(parts, remainder=remainder, transformer_weights=weights).fit(rows)
    check_transformer(step, rows)
    check_transformer(step, rows.head(1))


@pytest.mark.parametrize("sparse_threshold", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("weights", [None, {"words": 0.7, "numbers": 3.0}])
def test_sparse_and_dense_parts_together(sparse_threshold, weights):
    step = ColumnTransformer(
        [NUMBERS, WORDS, TOWNS, COUNTS], sparse_threshold=sparse_threshold, transformer_weights=weights
    ).fit(ROWS)
    check_transformer(step, ROWS)
    check_transformer(step, ROWS.tail(1))


@pytest.mark.parametrize(
    "select", [make_column_selector(dtype_include=float), slice(2, 4), [2, 3], lambda rows: ["size", "count"]]
)
def test_columns_by_name_place_and_selector(select):
    step = ColumnTransformer([("a", MinMaxScaler(), select), ("b", "passthrough", ["count"])]).fit(ROWS)
    check_transformer(step, ROWS)


@pytest.mark.parametrize("verbose_feature_names_out", [True, False])
def test_pandas_output(verbose_feature_names_out):
    towns = ("towns", OrdinalEncoder(encoded_missing_value=-1), ["town"])
    step = ColumnTransformer(
        [NUMBERS, towns, ("keep", "passthrough", ["text", "flag"])], verbose_feature_names_out=verbose_feature_names_out
    )
    step.set_output(transform="pandas").fit(ROWS)
    check_transformer(step, ROWS)
    after = Pipeline([("columns", step), ("again", ColumnTransformer([("s", MinMaxScaler(), [0, 1])]))])
    check_transformer(after.fit(ROWS), ROWS)


def test_text_beside_numbers_passes_through():
    step = ColumnTransformer([("numbers", SimpleImputer(), ["size"]), ("keep", "passthrough", ["town", "count"])])
    check_transformer(step.fit(ROWS), ROWS)


@pytest.mark.parametrize("weights", [None, {"log": 0.5, "raw": 2.0}])
def test_unions(weights):
    rows = ROWS[["count", "flag"]]
    union = FeatureUnion(
        [("log", FunctionTransformer(np.log1p)), ("gone", "drop"), ("raw", "passthrough"), ("scaled", MinMaxScaler())],
        transformer_weights=weights,
    )
    check_transformer(union.fit(rows[["count"]]), rows[["count"]])
    words = make_union(CountVectorizer(), TfidfVectorizer(analyzer="char"))
    check_transformer(ColumnTransformer([("t", words, "text")], sparse_threshold=1.0).fit(ROWS), ROWS)


@pytest.mark.parametrize(
    "after",
    [
        MaxAbsScaler(),
        StandardScaler(with_mean=False),
        Normalizer(norm="l1"),
        TruncatedSVD(3, random_state=0),
        SelectKBest(chi2, k=4),
    ],
    ids=named,
)
def test_steps_behind_a_sparse_matrix(after):
    parts = [("size", make_pipeline(SimpleImputer(), MinMaxScaler()), ["size", "count"]), WORDS, TOWNS]
    pipeline = Pipeline([("columns", ColumnTransformer(parts, sparse_threshold=1.0)), ("after", after)]).fit(ROWS, Y)
    check_transformer(pipeline, ROWS)


@pytest.mark.parametrize("after", [MaxAbsScaler(), StandardScaler(with_mean=False), Normalizer()], ids=named)
def test_steps_behind_a_sparse_matrix_without_words(after):
    parts = [("size", SimpleImputer(), ["size", "count"]), TOWNS]
    pipeline = Pipeline([("columns", ColumnTransformer(parts, sparse_threshold=1.0)), ("after", after)]).fit(ROWS)
    check_transformer(pipeline, ROWS)


@pytest.mark.parametrize("model", [Ridge(), LogisticRegression(), DecisionTreeRegressor(random_state=0)], ids=named)
@pytest.mark.parametrize("sparse_threshold", [0.0, 1.0])
def test_models_behind_dense_and_sparse_parts(model, sparse_threshold):
    features = ColumnTransformer([NUMBERS, WORDS, TOWNS], sparse_threshold=sparse_threshold)
    check_estimator(Pipeline([("features", features), ("model", model)]).fit(ROWS, Y), ROWS)


def test_naive_bayes_of_words():
    features = ColumnTransformer([COUNTS], sparse_threshold=1.0)
    check_estimator(Pipeline([("features", features), ("model", MultinomialNB())]).fit(ROWS, Y), ROWS)


@pytest.mark.parametrize(
    "after", [OneHotEncoder(), OrdinalEncoder(), ColumnTransformer([("s", StandardScaler(), [1, 2])])], ids=named
)
def test_numbers_and_text_in_one_object_array(after):
    mixed = ROWS[["town", "size", "count"]]
    pipeline = Pipeline([("impute", SimpleImputer(strategy="most_frequent")), ("after", after)]).fit(mixed)
    check_transformer(pipeline, mixed)


@pytest.mark.parametrize("part", [NUMBERS, TOWNS, WORDS, COUNTS], ids=lambda part: part[0])
def test_no_rows_make_no_rows(part):
    step = ColumnTransformer([part], sparse_threshold=1.0).fit(ROWS)
    result = same_bits(lambda columns, build: transform(step, dict(columns), build), ROWS.head(0).astype(ROWS.dtypes))
    assert len(result) == 0


def test_single_precision_within_the_library_is_refused():
    rows = ROWS[["count"]].astype("float32") / np.float32(3)
    step = StandardScaler().fit(rows)
    with pytest.raises(InputError, match="cannot be compiled faithfully"):
        check_transformer(step, rows)


def test_parts_whose_names_collide_are_both_kept():
    build = Builder()
    one, two = build.value(1.0), build.value(2.0)
    assert list(composites.side_by_side([("a", {"b__c": one}), ("a__b", {"c": two})]).values()) == [one, two]


def test_selection_from_a_sparse_matrix_is_refused():
    build = Builder()
    step = ColumnTransformer([("a", "passthrough", [0])]).fit(np.eye(2))
    bag = build.apply("bag_join", build.apply("bag_join", build.input("a", "float64"), build.input("b", "float64")))
    with pytest.raises(NoPlanError, match="found sparse input, expected columns that can be selected"):
        transform(step, {"x": bag}, build)


def test_an_adapter_that_ignores_weights_is_refused(monkeypatch):
    step = ColumnTransformer([WORDS], transformer_weights={"words": 0.5}, sparse_threshold=1.0).fit(ROWS)
    monkeypatch.setattr(composites, "_weighted", lambda part, weight, build: part)
    with pytest.raises(InputError, match="cannot be compiled faithfully"):
        check_transformer(step, ROWS)
