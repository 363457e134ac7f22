"""Parts of a text that become columns."""

import pandas as pd
import pytest
from sales import sales

from pipeline_lib.errors import InputError
from pipeline_lib.steps.parts import TextParts


def test_a_part_is_the_patterns_group_or_missing() -> None:
    frame = pd.DataFrame({"name": ["Allen, Miss. Ann", "Allen", None]}, dtype="str")
    parts = TextParts({"title": ("name", r", (\w+)\.")}).fit_transform(frame)
    assert parts["title"].isna().to_list() == [False, True, True]
    assert parts.loc[0, "title"] == "Miss"


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
