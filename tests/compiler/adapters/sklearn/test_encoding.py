"""Encoders of scikit-learn: their own results, the same bits everywhere."""

import math

import numpy as np
import pandas as pd
import pytest
from plans import check_transformer, same_bits
from sklearn.preprocessing import (
    LabelBinarizer,
    LabelEncoder,
    MultiLabelBinarizer,
    OneHotEncoder,
    OrdinalEncoder,
    TargetEncoder,
)

from pipeline_lib.compiler.adapters.catalog import transform
from pipeline_lib.compiler.adapters.registry import NoPlanError, RefusedStepError
from pipeline_lib.compiler.adapters.sklearn import encoding as adapters
from pipeline_lib.compiler.builder import Builder
from pipeline_lib.errors import InputError

NAN = math.nan
FIT = pd.DataFrame(
    {
        "town": ["a", "b", "b", "c", "c", "c", "d", "e", "é", "b"],
        "rooms": [1, 2, 2, 3, 3, 3, 1, 4, 2, 2],
        "flag": [True, False] * 5,
        "size": [0.5, 1.5, 1.5, -2.0, 0.5, 0.5, 3.0, 3.0, 0.5, 1.5],
        "same": ["x"] * 10,
    }
)
GAPS = FIT.assign(town=[*FIT["town"][:7], None, None, "b"], size=[NAN, *FIT["size"][1:9], NAN])
UNSEEN = FIT.assign(town=["zz", *FIT["town"][1:]], rooms=[9, *FIT["rooms"][1:]], size=[-0.0, *FIT["size"][1:]])
TARGET = np.array([3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0, 5.0, 3.5])


def written(step, rows):
    """The plan's columns for `rows`, without the library."""
    return same_bits(lambda columns, build: transform(step, dict(columns), build), rows)


@pytest.mark.filterwarnings("ignore:Found unknown categories")
@pytest.mark.parametrize("handle", ["error", "ignore", "infrequent_if_exist"])
@pytest.mark.parametrize("drop", [None, "first", "if_binary"])
@pytest.mark.parametrize("grouped", [{}, {"min_frequency": 2}, {"max_categories": 2}, {"max_categories": 1}])
def test_one_hot(handle, drop, grouped):
    encoder = OneHotEncoder(handle_unknown=handle, drop=drop, **grouped).fit(GAPS)
    check_transformer(encoder, GAPS)
    if handle != "error":
        check_transformer(encoder, UNSEEN)
        encoder.fit(FIT)
        check_transformer(encoder, GAPS)
    elif grouped != {"max_categories": 1} or drop is None:  # else no column of a plan is left to refuse
        with pytest.raises(ValueError, match="unknown categor"):
            encoder.transform(UNSEEN)
        with pytest.raises(InputError, match=r"row 0: OneHotEncoder: found 'zz' in column 'town', expected one of"):
            written(encoder, UNSEEN)


@pytest.mark.parametrize("drop", [["c", 3, True, 0.5, "x"], None])
@pytest.mark.parametrize("dtype", [np.float64, np.int64, np.float32, bool])
def test_one_hot_with_dropped_categories_and_dtypes(drop, dtype):
    encoder = OneHotEncoder(drop=drop, dtype=dtype, sparse_output=False).fit(FIT)
    check_transformer(encoder, FIT)


def test_one_hot_with_given_categories_and_category_dtype():
    encoder = OneHotEncoder(categories=[["b", "a"], [1, 2, 3, 4]], handle_unknown="ignore", sparse_output=False)
    rows = FIT[["town", "rooms"]].astype({"town": "category"})
    check_transformer(encoder.fit(rows), rows)


def test_missing_is_refused_where_it_was_never_seen():
    encoder = OneHotEncoder().fit(FIT)
    with pytest.raises(InputError, match="row 7: OneHotEncoder: found a missing value in column 'town'"):
        written(encoder, GAPS.assign(size=FIT["size"]))
    with pytest.raises(InputError, match="found inf in column 'size'"):
        written(encoder, FIT.assign(size=math.inf))


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int32])
@pytest.mark.parametrize("grouped", [{}, {"min_frequency": 2}, {"max_categories": 2}])
def test_ordinal(dtype, grouped):
    encoder = OrdinalEncoder(dtype=dtype, **grouped).fit(FIT)
    check_transformer(encoder, FIT)
    with pytest.raises(InputError, match="OrdinalEncoder: found 'zz' in column 'town'"):
        written(encoder, UNSEEN)
    known = OrdinalEncoder(
        dtype=dtype, handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2, **grouped
    )
    check_transformer(known.fit(GAPS), UNSEEN)
    check_transformer(known, GAPS)
    check_transformer(known.fit(FIT), GAPS)


def test_ordinal_missing_stays_missing():
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=NAN).fit(GAPS)
    check_transformer(encoder, GAPS)
    check_transformer(encoder, UNSEEN)
    check_transformer(OrdinalEncoder(encoded_missing_value=-0.1, dtype=np.float32).fit(GAPS), GAPS)


@pytest.mark.parametrize("y", [TARGET, TARGET > 3, np.array(list("uvwuvwuvwu"))], ids=["number", "two", "three"])
@pytest.mark.parametrize("smooth", ["auto", 3.0])
def test_target_encoding_by_category_and_class(y, smooth):
    encoder = TargetEncoder(smooth=smooth, cv=2).fit(GAPS, y)
    check_transformer(encoder, GAPS)
    check_transformer(encoder, UNSEEN)
    check_transformer(TargetEncoder(smooth=smooth, cv=2).fit(FIT, y), GAPS)


class Labels:
    """A label transformer as a step: it takes the one column of a frame."""

    def __init__(self, inner):
        self.inner = inner

    def transform(self, rows):
        return self.inner.transform(rows.iloc[:, 0])

    def plan(self, columns, build):
        return transform(self.inner, columns, build)


@pytest.mark.parametrize("column", ["town", "rooms", "flag", "same"])
def test_labels(column):
    for inner in (LabelEncoder(), LabelBinarizer(), LabelBinarizer(neg_label=-2, pos_label=3)):
        # of one class, LabelBinarizer's answer for a row depends on the other rows
        check_transformer(Labels(inner.fit(FIT[column])), FIT[[column]], edge_rows=column != "same")


def test_unseen_labels():
    check_transformer(Labels(LabelBinarizer().fit(FIT["town"])), UNSEEN[["town"]])
    with pytest.raises(InputError, match="LabelEncoder: found 'zz' in column 'town'"):
        written(LabelEncoder().fit(FIT["town"]), UNSEEN[["town"]])


def test_lists_of_labels_are_refused():
    with pytest.raises(RefusedStepError, match="rows are lists of labels"):
        transform(MultiLabelBinarizer().fit([["a"], ["b"]]), {}, Builder())


def test_categories_of_another_kind_than_the_column_are_refused():
    build = Builder()
    encoder = OneHotEncoder().fit(pd.DataFrame({"a": [1, 2]}))
    with pytest.raises(NoPlanError, match="found category 1 of str column 'a', expected text in a text column"):
        transform(encoder, {"a": build.input("a", "str")}, build)


def test_an_adapter_that_ignores_infrequent_categories_is_refused(monkeypatch):
    encoder = OrdinalEncoder(min_frequency=2).fit(FIT)
    monkeypatch.setattr(adapters, "_infrequent_mapping", lambda step, index: None)
    with pytest.raises(InputError, match="cannot be compiled faithfully"):
        check_transformer(encoder, FIT)
