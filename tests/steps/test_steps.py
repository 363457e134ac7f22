"""The transformers that nbs/steps exports: scikit-learn's contract first, then their own rules."""

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from fe_plans import checked
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline

from pipeline_lib.errors import InputError
from pipeline_lib.steps.clocks import BlockTime
from pipeline_lib.steps.labels import LabelScores
from pipeline_lib.steps.marks import MissingMarks
from pipeline_lib.steps.moments import MOMENTS, PixelMoments
from pipeline_lib.steps.parts import TextParts
from pipeline_lib.steps.party import PerHead
from pipeline_lib.steps.strokes import PixelStrokes
from pipeline_lib.steps.to_date import YearToDate
from pipeline_lib.steps.waves import SeasonalWaves
from pipeline_lib.steps.years import ElapsedYears

NAN = math.nan
GRADES = {"Missing": 0, "TA": 3, "Gd": 4.5}


def sales() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "built": [1990, 2009],
            "garage": [NAN, 2207.0],
            "kitchen": pd.Series(["TA", "Gd"], index=[7, 3], dtype="str").array,
            "sold": [2010, 2008],
        },
        index=[7, 3],
    )


def elapsed(**changes: Any) -> ElapsedYears:
    return ElapsedYears(**{"columns": ["built", "garage"], "reference": "sold", **changes})


def scored(**changes: Any) -> LabelScores:
    return LabelScores(**{"scales": {"kitchen": GRADES}, **changes})


def unmarked(**changes: Any) -> MissingMarks:
    return MissingMarks(**{"texts": ["kitchen"], "numbers": [], "marks": ["TA"], **changes})


def parted(**changes: Any) -> TextParts:
    return TextParts(**{"parts": {"first": ["kitchen", "^([A-Z])"]}, **changes})


def per_head(**changes: Any) -> PerHead:
    return PerHead(**{"relatives": ["built", "garage"], "shared": ["sold"], **changes})


def waves(**changes: Any) -> SeasonalWaves:
    return SeasonalWaves(**{"variable": "sold", "period": 4.0, **changes})


def to_date(**changes: Any) -> YearToDate:
    """Of these rows each has a year of its own, so that none counts another."""
    return YearToDate(**{"variable": "built", "year": "sold", **changes})


def block(**changes: Any) -> BlockTime:
    return BlockTime(**{"arrival": "sold", "clock": "built", **changes})


STEPS = [elapsed, scored, unmarked, parted, per_head, waves, to_date, block]


@pytest.fixture(params=STEPS, ids=[type(make()).__name__ for make in STEPS])
def step(request: pytest.FixtureRequest) -> Any:
    return request.param()


def test_clone_has_the_same_parameters_and_is_not_fitted(step: Any) -> None:
    copy = clone(step.fit(sales()))
    assert copy.get_params() == step.get_params()
    with pytest.raises(NotFittedError):
        copy.transform(sales())


def test_set_params_changes_what_get_params_returns() -> None:
    assert elapsed().set_params(drop_reference=False).get_params()["drop_reference"] is False
    assert scored().set_params(scales={"kitchen": {"TA": 1}}).get_params() == {"scales": {"kitchen": {"TA": 1}}}


def test_the_constructor_keeps_its_arguments_as_they_are() -> None:
    columns, scales = ["built"], {"kitchen": GRADES}
    assert elapsed(columns=columns).columns is columns
    assert scored(scales=scales).scales is scales


def test_fit_returns_the_step_and_remembers_the_columns(step: Any) -> None:
    assert step.fit(sales()) is step
    assert step.n_features_in_ == 4
    assert list(step.feature_names_in_) == ["built", "garage", "kitchen", "sold"]


def test_not_fitted_is_an_error(step: Any) -> None:
    with pytest.raises(NotFittedError):
        step.transform(sales())


def test_feature_names_out_are_the_columns_that_come_out(step: Any) -> None:
    assert list(step.fit(sales()).get_feature_names_out()) == list(step.transform(sales()))


def test_feature_names_out_refuses_other_names_than_fit_saw(step: Any) -> None:
    with pytest.raises(ValueError, match="input_features"):
        step.fit(sales()).get_feature_names_out(["other"])


def test_works_in_a_pipeline_and_keeps_the_index(step: Any) -> None:
    result = make_pipeline(step).set_output(transform="pandas").fit_transform(sales())
    assert isinstance(result, pd.DataFrame)
    assert list(result.index) == [7, 3]


def test_the_input_is_not_changed(step: Any) -> None:
    frame = sales()
    step.fit(frame).transform(frame)
    pd.testing.assert_frame_equal(frame, sales())


def test_fitting_again_forgets_the_first_fit(step: Any) -> None:
    wider = sales().assign(extra=1)
    assert list(step.fit(wider).fit(sales()).feature_names_in_) == list(sales())


def test_one_row_alone_gives_what_it_gives_among_others(step: Any) -> None:
    together = step.fit(sales()).transform(sales())
    alone = pd.concat([step.transform(sales().iloc[[position]]) for position in range(2)])
    pd.testing.assert_frame_equal(alone, together)


def test_zero_rows_give_zero_rows_of_the_same_types(step: Any) -> None:
    step.fit(sales())
    none = step.transform(sales().head(0))
    assert len(none) == 0
    assert dict(none.dtypes) == dict(step.transform(sales()).dtypes)


@pytest.mark.parametrize("columns", [["sold", "kitchen", "garage", "built"], ["built", "sold"]])
def test_columns_in_another_order_or_number_are_refused(step: Any, columns: list[str]) -> None:
    step.fit(sales())
    with pytest.raises((InputError, ValueError)):
        step.transform(sales()[columns])


@pytest.mark.parametrize("found", [np.zeros((2, 4)), [[1990, 2010]]])
def test_anything_but_a_frame_is_refused(step: Any, found: Any) -> None:
    with pytest.raises(InputError, match=f"found {type(found).__name__}, expected a DataFrame"):
        step.fit(found)


@pytest.mark.parametrize(
    ("wrong", "column"),
    [
        (elapsed(columns=["bilt"]), "bilt"),
        (elapsed(reference="soled"), "soled"),
        (scored(scales={"kitchin": GRADES}), "kitchin"),
        (unmarked(texts=["kitchin"]), "kitchin"),
        (unmarked(numbers=["age"]), "age"),
        (parted(parts={"first": ["kitchin", "(.)"]}), "kitchin"),
        (per_head(relatives=["kids"]), "kids"),
        (per_head(shared=["fare"]), "fare"),
    ],
)
def test_an_absent_column_is_named_with_the_columns_there_are(wrong: BaseEstimator, column: str) -> None:
    with pytest.raises(InputError, match=f"built, garage, kitchen, sold, expected also '{column}'"):
        wrong.fit(sales())


def test_age_is_the_reference_minus_the_year_and_never_negative() -> None:
    ages = elapsed().fit_transform(sales())
    assert ages["built"].to_list() == [20.0, 0.0]
    assert ages.loc[3, "garage"] == 0.0


def test_a_missing_year_or_reference_stays_missing() -> None:
    frame = sales().assign(sold=[2010, NAN])
    ages = elapsed().fit_transform(frame)
    assert ages.isna().to_numpy().tolist() == [[False, True, False], [True, True, False]]


@pytest.mark.parametrize("dtype", ["int64", "int32", "float64", "float32", "Int64"])
def test_any_numeric_type_gives_float64(dtype: str) -> None:
    ages = elapsed(columns=["built"]).fit_transform(sales().astype({"built": dtype, "sold": dtype}))
    assert ages["built"].dtype == "float64"
    assert ages["built"].to_list() == [20.0, 0.0]


def test_the_reference_is_kept_on_request() -> None:
    assert list(elapsed().fit_transform(sales())) == ["built", "garage", "kitchen"]
    assert list(elapsed(drop_reference=False).fit_transform(sales())) == list(sales())


def test_years_as_text_are_refused_with_the_remedy() -> None:
    with pytest.raises(InputError, match=r"found str in column 'built'.*X\.astype"):
        elapsed().fit(sales().astype({"built": "str"}))


def test_scores_replace_labels_as_float64() -> None:
    scores = scored().fit_transform(sales())
    assert scores["kitchen"].to_list() == [3.0, 4.5]
    assert scores["kitchen"].dtype == "float64"
    assert list(scores) == list(sales())


def test_several_labels_may_share_a_score() -> None:
    scores = scored(scales={"kitchen": {"TA": 1, "Gd": 1}}).fit_transform(sales())
    assert scores["kitchen"].to_list() == [1.0, 1.0]


@pytest.mark.parametrize("dtype", ["str", "object", "category"])
def test_labels_may_come_as_any_type_of_text(dtype: str) -> None:
    scores = scored().fit_transform(sales().astype({"kitchen": dtype}))
    assert scores["kitchen"].dtype == "float64"


@pytest.mark.parametrize("when", ["fit", "transform"])
def test_a_label_off_the_scale_is_named_with_its_column_and_the_known_labels(when: str) -> None:
    step = scored().fit(sales())
    message = r"found 'gd' in column 'kitchen', expected one of 'Missing', 'TA', 'Gd'; correct"
    with pytest.raises(InputError, match=message):
        getattr(step, when)(sales().assign(kitchen=["TA", "gd"]))


@pytest.mark.parametrize("missing", [None, NAN, pd.NA])
@pytest.mark.parametrize("when", ["fit", "transform"])
def test_a_missing_label_is_refused_with_the_remedy(when: str, missing: Any) -> None:
    step = scored().fit(sales())
    with pytest.raises(InputError, match=r"found 1 missing in column 'kitchen'.*impute first"):
        getattr(step, when)(sales().assign(kitchen=["TA", missing]))


@pytest.mark.parametrize("scale", [{}, {"TA": NAN, "Gd": 1}, {"TA": math.inf, "Gd": 1}])
def test_a_scale_without_labels_or_finite_scores_is_refused(scale: dict[str, float]) -> None:
    with pytest.raises(InputError, match="expected at least one label and finite scores"):
        scored(scales={"kitchen": scale}).fit(sales())


def test_marks_become_missing_and_numbers_are_read() -> None:
    frame = pd.DataFrame({"age": ["29", "?", "0.9167"], "cabin": ["B5", "?", "??"]}, dtype="str")
    read = MissingMarks(texts=["cabin"], numbers=["age"]).fit_transform(frame)
    pd.testing.assert_frame_equal(read, pd.DataFrame({"age": [29.0, NAN, 0.9167], "cabin": ["B5", None, "??"]}))


@pytest.mark.parametrize("word", ["twelve", "1,5", "", " 1", "inf"])
def test_text_that_is_no_number_is_refused(word: str) -> None:
    frame = pd.DataFrame({"age": ["29", word]}, dtype="str")
    with pytest.raises(InputError, match=f"found {word!r} in column 'age', expected decimal numbers or one of '\\?'"):
        MissingMarks(texts=[], numbers=["age"]).fit(frame).transform(frame)


@pytest.mark.parametrize(
    "wrong", [unmarked(texts=["built"]), unmarked(numbers=["built"]), parted(parts={"first": ["built", "(.)"]})]
)
def test_numbers_where_text_is_expected_are_refused(wrong: BaseEstimator) -> None:
    with pytest.raises(InputError, match=r"found int64 in column 'built', expected text; cast it"):
        wrong.fit(sales())


def test_text_where_numbers_are_expected_is_refused() -> None:
    with pytest.raises(InputError, match=r"found str in column 'kitchen', expected numbers; cast it"):
        per_head(shared=["kitchen"]).fit(sales())


def test_a_part_is_the_patterns_group_or_missing() -> None:
    frame = pd.DataFrame({"name": ["Allen, Miss. Ann", "Allen", None]}, dtype="str")
    found = TextParts({"title": ("name", r", (\w+)\.")}).fit_transform(frame)
    assert found["title"].isna().to_list() == [False, True, True]
    assert found.loc[0, "title"] == "Miss"


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"a": ["kitchen", "T"]}, "found 0 groups in the pattern 'T' of 'a', expected one"),
        ({"a": ["kitchen", "(T)(A)"]}, "found 2 groups"),
        ({"a": ["kitchen", "(T"]}, "found the pattern '\\(T' of 'a': .*expected a regular expression"),
        ({"sold": ["kitchen", "(T)"]}, "found the columns 'sold' already, expected new names"),
    ],
)
def test_a_part_that_cannot_be_taken_is_refused(parts: dict[str, list[str]], message: str) -> None:
    with pytest.raises(InputError, match=message):
        TextParts(parts).fit(sales())


def test_who_travels_alone_is_a_party_of_one() -> None:
    frame = pd.DataFrame({"kids": [0, 2, 1], "parents": [0.0, 1.0, NAN], "fare": [8.0, 10.0, 3.0]})
    found = PerHead(["kids", "parents"], shared=["fare"]).fit_transform(frame)
    assert found["party"].fillna(-1).to_list() == [1.0, 4.0, -1.0]
    assert found["fare_per_head"].fillna(-1).to_list() == [8.0, 2.5, -1.0]


PLANNED = [
    elapsed(),
    scored(),
    unmarked(),
    parted(),
    per_head(),
    unmarked(texts=[], numbers=["kitchen"], marks=["TA", "Gd"]),
]


@pytest.mark.parametrize("planned", PLANNED, ids=lambda step: type(step).__name__)
def test_the_plan_has_the_steps_own_bits(planned: Any) -> None:
    checked(planned.fit(sales()), sales())


def image(*rows: str) -> pd.DataFrame:
    """One image as a frame: each row of digits is a row of grey values."""
    return pd.DataFrame([[int(grey) for row in rows for grey in row]]).add_prefix("p")


def test_moments_say_how_much_ink_where_and_how_it_lies() -> None:
    found = PixelMoments(width=3).fit_transform(image("100", "010", "001"))
    assert found.iloc[0].to_dict() == dict(zip(MOMENTS, [3, 1, 1, 2 / 3, 2 / 3, 2 / 3], strict=True))
    lying = PixelMoments(width=3).fit_transform(image("000", "202"))
    assert lying.iloc[0].to_dict() == dict(zip(MOMENTS, [4, 1, 1, 1, 0, 0], strict=True))


def test_a_blank_image_has_moments_and_strokes_of_zero() -> None:
    blank = image("000", "000")
    assert not PixelMoments(width=3).fit_transform(blank).any(axis=None)
    assert not PixelStrokes(width=3, cell=2, stride=1).fit_transform(blank).any(axis=None)


def test_a_stroke_counts_for_the_directions_it_agrees_with() -> None:
    """Grey rises to the right on the left of a bar (6 = 2 rows times 3), and falls on its right."""
    found = PixelStrokes(width=3, directions=4, cell=2, stride=1).fit_transform(image("030", "030"))
    assert list(found) == [f"stroke_0_{x}_{d}" for x in range(2) for d in range(4)]
    assert found.iloc[0].to_list() == [6.0, 3.0, 0.0, 3.0, 0.0, 3.0, 6.0, 3.0]


@pytest.mark.parametrize(
    "wrong",
    [PixelMoments(4), PixelMoments(0), PixelStrokes(4), PixelStrokes(3, cell=3), PixelStrokes(3, stride=0)],
    ids=str,
)
def test_pixels_that_fill_no_image_are_refused(wrong: BaseEstimator) -> None:
    with pytest.raises(InputError, match=f"{type(wrong).__name__}: found 6 columns .*expected .*select the columns"):
        wrong.fit(image("000", "000"))


@pytest.mark.parametrize("planned", [PixelMoments(3), PixelStrokes(3, directions=8, cell=2, stride=1)], ids=str)
def test_pixels_have_a_plan_and_one_image_alone_the_same_numbers(planned: Any) -> None:
    images = pd.concat([image("163", "940"), image("000", "000"), image("111", "999"), image("030", "207")])
    planned.fit(images)
    checked(planned, images.reset_index(drop=True))
    assert list(planned.get_feature_names_out()) == list(planned.transform(images))
    assert clone(planned).get_params() == planned.get_params()
    for frame in (images.to_numpy(), images.astype("str")):
        with pytest.raises(InputError, match=r"expected (a DataFrame|numbers)"):
            clone(planned).fit(frame)
