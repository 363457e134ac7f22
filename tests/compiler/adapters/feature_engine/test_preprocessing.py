import numpy as np
import pandas as pd
import pytest
from fe_plans import check_refused, checked, fitted
from feature_engine.preprocessing import MatchCategories, MatchVariables
from feature_engine.scaling import MeanNormalizationScaler
from plans import plan_dtype

from pipeline_lib.compiler.adapters.catalog import transform
from pipeline_lib.compiler.adapters.registry import NoPlanError
from pipeline_lib.compiler.builder import Builder
from pipeline_lib.errors import InputError

ROWS = pd.DataFrame(
    {
        "word": ["a", "b", "a", "c"],
        "level": [1, 2, 1, 3],
        "number": [0.5, 2.0, -1.0, 0.5],
        "truth": [True, False, True, True],
        "day": np.array(["2020-01-01", "2021-02-03", "1999-12-31", "2000-01-01"], dtype="datetime64[us]"),
    }
)


def inputs(rows):
    build = Builder()
    return {name: build.input(name, plan_dtype(rows[name])) for name in rows}


@pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")  # of the library's own way to make a category
@pytest.mark.parametrize("dtype", ["str", "object", "category"])
@pytest.mark.parametrize("missing_values", ["raise", "ignore"])
def test_categories_of_text(dtype, missing_values):
    rows = ROWS.astype({"word": dtype})
    step = fitted(MatchCategories(["word"], missing_values=missing_values), rows)
    checked(step, rows)
    other = ROWS.assign(word=["a", "b", "a", "new"]).astype({"word": dtype})
    if missing_values == "raise":
        check_refused(step, other, "MatchCategories: found 'new' in column 'word', expected one of 'a', 'b', 'c'")
        check_refused(step, ROWS.assign(word=["a", "b", "c", None]), "found a missing value in column 'word'")
    else:
        assert checked(step, other)["word"].isna().tolist() == [False, False, False, True]
        checked(step, ROWS.assign(word=["a", None, np.nan, "d"]).astype({"word": dtype}))


def test_categories_of_numbers():
    step = fitted(MatchCategories(["level", "number"], ignore_format=True, missing_values="ignore"), ROWS)
    checked(step, ROWS)
    checked(step, ROWS.assign(level=[1, 7, 3, 2], number=[0.5, np.nan, 7.0, 2.0]))
    step = fitted(MatchCategories(["level", "number"], ignore_format=True), ROWS)
    assert str(checked(step, ROWS)["level"].dtype) == "int64"
    check_refused(step, ROWS.assign(level=[1, 2, 3, 7]), "found 7 in column 'level', expected one of 1, 2, 3")


@pytest.mark.parametrize("options", [{}, {"missing_values": "ignore"}, {"match_dtypes": True, "verbose": False}])
def test_variables_dropped_and_put_in_order(options):
    step = fitted(MatchVariables(**options), ROWS[["number", "word", "level", "day", "truth"]])
    checked(step, ROWS.assign(extra="x"))
    if "missing_values" not in options:
        check_refused(step, ROWS.assign(number=[1.0, 2.0, 3.0, np.nan]), "a missing value in column 'number'")


@pytest.mark.parametrize("fill_value", [np.nan, 0, -1.5, "gone"])
def test_absent_variables_are_filled(fill_value):
    step = fitted(MatchVariables(fill_value=fill_value, missing_values="ignore"), ROWS.assign(late=1))
    checked(step, ROWS)


def test_arrays_match_by_position():
    step = fitted(MatchVariables(), ROWS[["level", "number"]].to_numpy())
    build = Builder()
    result = transform(step, {"p": build.input("p", "float64"), "q": build.input("q", "float64")}, build)
    assert list(result) == ["x0", "x1"]


@pytest.mark.parametrize(
    ("name", "dtype"),
    [("level", "float64"), ("truth", "int64"), ("truth", "float64"), ("number", "float32"), ("level", "float32")],
)
def test_variables_cast_to_their_dtype(name, dtype):
    step = fitted(MatchVariables(match_dtypes=True, verbose=False), ROWS.astype({name: dtype}))
    checked(step, ROWS.assign(number=[0.1, 1 / 3, 1e300, -0.0]))


@pytest.mark.parametrize("dtype", ["str", "category"])
def test_categories_that_were_not_seen_become_missing_by_cast(dtype):
    step = fitted(MatchVariables(match_dtypes=True, verbose=False), ROWS.astype({"word": "category"}))
    result = checked(step, ROWS.assign(word=["a", "d", "c", "b"]).astype({"word": dtype}))
    assert result["word"].fillna("gone").tolist() == ["a", "gone", "c", "b"]


@pytest.mark.parametrize(("name", "dtype"), [("number", "int64"), ("level", "str"), ("level", "int32"), ("day", "str")])
def test_other_casts_are_refused_by_name(name, dtype):
    step = fitted(MatchVariables(match_dtypes=True, verbose=False), ROWS.astype({name: dtype}))
    with pytest.raises(NoPlanError, match=f"column '{name}' to cast to {dtype}"):
        transform(step, inputs(ROWS), Builder())


@pytest.mark.parametrize("rows", [ROWS[["level", "number"]], ROWS[["number"]].astype("float32").astype("float64")])
def test_mean_normalization(rows):
    step = fitted(MeanNormalizationScaler(), rows)
    checked(step, rows * 3)
    check_refused(step, rows.iloc[:2].assign(number=[0.5, np.inf]), "found inf in column 'number'")
    check_refused(step, rows.iloc[:2].assign(number=[0.5, np.nan]), "found a missing value in column 'number'")


def test_wrong_learned_numbers_are_found():
    step = fitted(MeanNormalizationScaler(["number"]), ROWS)
    expected = step.transform(ROWS)
    step.transform = lambda rows: expected
    step.range_ = {"number": np.nextafter(step.range_["number"], 9.0)}
    with pytest.raises(InputError, match="as the library computes it"):
        checked(step, ROWS)


def test_an_ignored_category_is_found():
    step = fitted(MatchCategories(["word"], missing_values="ignore"), ROWS)
    expected = step.transform(ROWS)
    step.transform = lambda rows: expected
    step.category_dict_ = {"word": ["a", "b"]}
    with pytest.raises(InputError, match="found None from the plan in row 3, expected 'c'"):
        checked(step, ROWS)
