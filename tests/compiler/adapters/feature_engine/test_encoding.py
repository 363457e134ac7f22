from difflib import SequenceMatcher

import numpy as np
import pandas as pd
import pytest
from fe_plans import check_refused, checked, fitted
from feature_engine.encoding import (
    CountFrequencyEncoder,
    DecisionTreeEncoder,
    MeanEncoder,
    OneHotEncoder,
    OrdinalEncoder,
    RareLabelEncoder,
    StringSimilarityEncoder,
    WoEEncoder,
)
from plans import check_transformer, plan_dtype

from pipeline_lib.compiler.adapters.catalog import transform
from pipeline_lib.compiler.adapters.feature_engine import encoding as fe_encoding
from pipeline_lib.compiler.adapters.registry import NoPlanError
from pipeline_lib.compiler.builder import Builder
from pipeline_lib.errors import InputError

X = pd.DataFrame(
    {
        "word": ["a", "b", "a", "c", "b", "a", "d", "a"],
        "const": ["k"] * 8,
        "code": [1, 2, 1, 3, 2, 1, 4, 1],
        "size": [0.5, 2.0, 0.5, np.inf, 2.0, 0.5, -1.0, 0.5],
        "left": [1.0, np.nan, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0],
    }
)
Y = pd.Series([1.0, 2.5, 3.0, 0.5, 2.0, 1.5, 9.0, 1.0])
BINARY = pd.Series([0, 1, 1, 0, 0, 1, 1, 0])
UNSEEN = X.assign(word=["z", *X["word"][1:]], code=[9, *X["code"][1:]], size=[9.5, *X["size"][1:]])
MISSING = X.assign(word=[*X["word"][:-1], None])
NUMERIC = {"variables": ["word", "code", "size"], "ignore_format": True}
LEARNED = [
    (CountFrequencyEncoder, {"encoding_method": "count"}),
    (CountFrequencyEncoder, {"encoding_method": "frequency"}),
    (MeanEncoder, {}),
    (MeanEncoder, {"smoothing": "auto"}),
    (OrdinalEncoder, {"encoding_method": "ordered"}),
    (OrdinalEncoder, {"encoding_method": "arbitrary"}),
]


@pytest.mark.parametrize(("kind", "options"), LEARNED)
@pytest.mark.parametrize("unseen", ["ignore", "encode"])
def test_fitted_numbers_of_text_and_numbers(kind, options, unseen):
    step = fitted(kind(**options, **NUMERIC, unseen=unseen), X, Y)
    checked(step, X)
    checked(step, UNSEEN)
    check_refused(step, MISSING, "found a missing value in column 'word'")


@pytest.mark.parametrize(("kind", "options"), LEARNED)
@pytest.mark.parametrize("unseen", ["ignore", "encode"])
@pytest.mark.parametrize("dtype", ["str", "object", "category"])
def test_missing_text_that_is_let_through_counts_as_unseen(kind, options, unseen, dtype):
    rows = MISSING.astype({"word": dtype, "const": dtype})
    step = fitted(kind(**options, unseen=unseen, missing_values="ignore"), rows, Y)
    checked(step, rows)


@pytest.mark.parametrize(("kind", "options"), LEARNED)
def test_unseen_categories_are_refused_where_the_option_says_so(kind, options):
    step = fitted(kind(**options, **NUMERIC, unseen="raise", missing_values="ignore"), X, Y)
    checked(step, X)
    check_refused(step, UNSEEN.iloc[::-1].reset_index(drop=True), "found 'z' in column 'word', expected one of '")
    check_refused(step, MISSING, "found a missing value in column 'word'")
    number = UNSEEN.assign(word=X["word"], size=X["size"]).iloc[::-1].reset_index(drop=True)
    check_refused(step, number, "found 9 in column 'code', expected one of ")


def test_a_category_that_no_row_had_counts_as_unseen():
    rows = X.assign(word=pd.Categorical(X["word"], categories=[*"abcdz"]))
    step = fitted(MeanEncoder(variables=["word"], unseen="encode"), rows, Y)
    checked(step, rows.assign(word=pd.Categorical(UNSEEN["word"], categories=[*"abcdz"])))


def test_boolean_categories():
    rows = pd.DataFrame({"true": [True, False, True], "maybe": pd.Series([True, np.nan, False], dtype=object)})
    step = fitted(CountFrequencyEncoder(ignore_format=True, missing_values="ignore", unseen="encode"), rows)
    assert checked(step, rows)["maybe"].tolist() == [1.0, 0.0, 1.0]


@pytest.mark.parametrize("unseen", ["ignore", "raise"])
@pytest.mark.parametrize("fill_value", [0.25, 0])
def test_weight_of_evidence(unseen, fill_value):
    step = fitted(WoEEncoder(**NUMERIC, unseen=unseen, fill_value=fill_value), X, BINARY)
    if fill_value == 0.25:
        checked(step, X)
    if unseen == "ignore":
        checked(step, UNSEEN)
    else:
        check_refused(step, UNSEEN.iloc[::-1].reset_index(drop=True), "found 'z'")
    check_refused(step, MISSING, "column 'word'")


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"precision": 1, "encoding_method": "ordered"},
        {"unseen": "encode", "fill_value": -7},
        {"unseen": "raise"},
        {"regression": False, "scoring": "roc_auc", "cv": 2},
    ],
)
def test_decision_tree(options):
    y = BINARY if options.get("regression") is False else Y
    step = fitted(DecisionTreeEncoder(**{"cv": 2, "random_state": 0} | options, variables=["word", "const"]), X, y)
    checked(step, X)
    if options.get("unseen") != "raise":
        checked(step, UNSEEN)
    check_refused(step, MISSING, "in column 'word'")


@pytest.mark.parametrize(
    "options", [{}, {"top_categories": 2}, {"drop_last": True}, {"drop_last_binary": True}, NUMERIC]
)
@pytest.mark.parametrize("dtype", ["str", "object", "category"])
def test_one_hot(options, dtype):
    rows = X.assign(two=["x", "y"] * 4).astype({"word": dtype, "two": dtype})
    step = fitted(OneHotEncoder(**options), rows)
    checked(step, rows)
    check_refused(step, rows.assign(word=[*X["word"][:-1], None]), "found a missing value in column 'word'")


def test_one_hot_of_an_unseen_category_is_0_everywhere():
    result = checked(fitted(OneHotEncoder(**NUMERIC), X), UNSEEN)
    assert result.filter(regex="^(word|code|size)_").iloc[0].sum() == 0


def test_one_hot_names_that_meet_are_refused():
    rows = pd.DataFrame({"a": ["b_c", "d"], "a_b": ["c", "e"]})
    step = fitted(OneHotEncoder(), rows)
    with pytest.raises(NoPlanError, match="second column 'a_b_c'"):
        transform(step, _inputs(rows), Builder())


@pytest.mark.parametrize("dtype", ["str", "object"])
@pytest.mark.parametrize(
    "options",
    [{}, {"tol": 0.3, "replace_with": "other"}, {"max_n_categories": 1}, {"n_categories": 9}, {"tol": 0.5}],
)
def test_rare_labels(dtype, options):
    rows = X.astype({"word": dtype, "const": dtype})
    step = fitted(RareLabelEncoder(**{"n_categories": 0, "tol": 0.2} | options), rows)
    checked(step, rows)
    checked(step, UNSEEN.astype({"word": dtype, "const": dtype}))
    check_refused(step, MISSING, "found a missing value in column 'word'")


def test_rare_labels_of_dtype_category():
    rows = X.astype({"word": "category"})
    checked(fitted(RareLabelEncoder(0.2, 0, variables=["word"]), rows), rows)


def test_rare_labels_let_missing_through():
    step = fitted(RareLabelEncoder(0.2, 0, missing_values="ignore"), MISSING)
    assert checked(step, MISSING)["word"].fillna("-").tolist() == ["a", "b", "a", "Rare", "b", "a", "Rare", "-"]


@pytest.mark.parametrize("missing", ["raise", "ignore"])
def test_rare_numbers_become_a_number(missing):
    options = {"ignore_format": True, "replace_with": -5, "missing_values": missing}
    variables = ["code", "size", "left"] if missing == "ignore" else ["code", "size"]
    step = fitted(RareLabelEncoder(0.2, 1, variables=variables, **options), X)
    checked(step, X)
    checked(step, UNSEEN)


def test_rare_numbers_keep_the_sign_of_zero():
    rows = pd.DataFrame({"a": [0.0, -0.0, 0.0, 1.0]})
    step = fitted(RareLabelEncoder(0.3, 0, replace_with=2.0, ignore_format=True), rows)
    assert str(checked(step, rows)["a"].tolist()) == "[0.0, -0.0, 0.0, 2.0]"


@pytest.mark.parametrize(("column", "rare"), [("word", 0), ("code", "Rare"), ("code", 0.5), ("size", "Rare")])
def test_a_rare_label_of_another_dtype_is_refused(column, rare):
    step = fitted(RareLabelEncoder(0.2, 0, replace_with=rare, ignore_format=True, variables=[column]), X)
    with pytest.raises(NoPlanError, match=f"found replace_with={rare!r} for .* column '{column}'"):
        transform(step, _inputs(X), Builder())


def test_categories_of_two_dtypes_are_refused():
    step = fitted(CountFrequencyEncoder(), pd.DataFrame({"a": pd.Series(["x", 1], dtype=object)}))
    with pytest.raises(NoPlanError, match="found category 1 of str column 'a'"):
        transform(step, {"a": Builder().input("a", "str")}, Builder())


def test_dates_as_categories_are_refused():
    rows = pd.DataFrame({"day": pd.to_datetime(["2001-01-01", "2002-03-04"])})
    step = fitted(CountFrequencyEncoder(ignore_format=True), rows)
    with pytest.raises(NoPlanError, match="of datetime column 'day'"):
        check_transformer(step, rows)


TEXTS = pd.DataFrame({"text": ["river", "Rivers", "", "None", "été", "river road", "xyz"], "n": [1.0] * 7})


@pytest.mark.parametrize(
    "options",
    [{}, {"top_categories": 2}, {"keywords": {"text": ["road", "ER", ""]}}, {"missing_values": "raise"}],
)
def test_string_similarity(options):
    step = fitted(StringSimilarityEncoder(**options), TEXTS)
    checked(step, TEXTS)
    checked(step, TEXTS.assign(text=[*"abcdefg"]))


@pytest.mark.parametrize("missing", ["impute", "ignore"])
@pytest.mark.parametrize("dtype", ["str", "object"])
def test_string_similarity_to_missing_text(missing, dtype):
    rows = TEXTS.assign(text=["river", None, "road", None, "x", "", "river"]).astype({"text": dtype})
    step = fitted(StringSimilarityEncoder(missing_values=missing), rows)
    checked(step, rows)


def test_string_similarity_refuses_missing_text_and_numbers():
    step = fitted(StringSimilarityEncoder(missing_values="raise"), TEXTS)
    check_refused(step, TEXTS.assign(text=[*TEXTS["text"][:-1], None]), "found a missing value in column 'text'")
    with pytest.raises(NoPlanError, match="found float64 column 'n', expected text"):
        transform(
            fitted(StringSimilarityEncoder(variables=["n"], ignore_format=True), TEXTS), _inputs(TEXTS), Builder()
        )


def test_similarity_is_that_of_difflib():
    words = ["", "a", "aab", "baa", "abc", "cab", "ccc", "été"]
    step = fitted(StringSimilarityEncoder(), pd.DataFrame({"text": words}))
    result = checked(step, pd.DataFrame({"text": words}))
    for name in result:
        word = "" if name == "text_nan" else name.removeprefix("text_")
        assert result[name].tolist() == [SequenceMatcher(None, text, word).quick_ratio() for text in words]


def test_an_ignored_option_is_found(monkeypatch):
    def ignores_unseen(step, name, value, table, build):
        return build.lookup(value, table, "float64")

    monkeypatch.setattr(fe_encoding, "_encoded", ignores_unseen)
    step = fitted(OrdinalEncoder(unseen="encode", variables=["word"]), X, Y)
    with pytest.raises(InputError, match=r"found nan from the plan in row 0, expected -1\.0"):
        check_transformer(step, UNSEEN)


@pytest.mark.filterwarnings("ignore:The inplace keyword")
def test_a_dropped_category_is_found():
    step = fitted(OneHotEncoder(), X)
    wrong = fitted(OneHotEncoder(), X)
    wrong.encoder_dict_["word"][0] = "b"
    step.transform = wrong.transform
    with pytest.raises(InputError, match="cannot be compiled faithfully"):
        check_transformer(step, X)


def _inputs(rows):
    build = Builder()
    return {name: build.input(name, plan_dtype(rows[name])) for name in rows}
