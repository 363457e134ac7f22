"""Moments and strokes of images."""

from typing import Any

import pandas as pd
import pytest
from fe_plans import checked
from sklearn.base import BaseEstimator, clone

from pipeline_lib.errors import InputError
from pipeline_lib.steps.moments import MOMENTS, PixelMoments
from pipeline_lib.steps.strokes import PixelStrokes


def image(*rows: str) -> pd.DataFrame:
    """One image as a frame: each row of digits is a row of grey values."""
    return pd.DataFrame([[int(grey) for row in rows for grey in row]]).add_prefix("p")


def test_moments_are_ink_centre_spread_and_lean() -> None:
    moments = PixelMoments(width=3).fit_transform(image("100", "010", "001"))
    assert moments.iloc[0].to_dict() == dict(zip(MOMENTS, [3, 1, 1, 2 / 3, 2 / 3, 2 / 3], strict=True))
    lying = PixelMoments(width=3).fit_transform(image("000", "202"))
    assert lying.iloc[0].to_dict() == dict(zip(MOMENTS, [4, 1, 1, 1, 0, 0], strict=True))


def test_a_blank_image_has_moments_and_strokes_of_zero() -> None:
    blank = image("000", "000")
    assert not PixelMoments(width=3).fit_transform(blank).any(axis=None)
    assert not PixelStrokes(width=3, cell=2, stride=1).fit_transform(blank).any(axis=None)


def test_a_stroke_counts_for_the_directions_it_agrees_with() -> None:
    """Grey rises to the right on the left of a bar (6 = 2 rows times 3), and falls on its right."""
    strokes = PixelStrokes(width=3, directions=4, cell=2, stride=1).fit_transform(image("030", "030"))
    assert list(strokes) == [f"stroke_0_{x}_{d}" for x in range(2) for d in range(4)]
    assert strokes.iloc[0].to_list() == [6.0, 3.0, 0.0, 3.0, 0.0, 3.0, 6.0, 3.0]


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
