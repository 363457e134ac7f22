"""Marks of missing that become missing, and text that becomes numbers."""

import pandas as pd
import pytest
from sales import NAN

from pipeline_lib.errors import InputError
from pipeline_lib.steps.marks import MissingMarks


def test_marks_become_missing_and_numbers_are_read() -> None:
    frame = pd.DataFrame({"age": ["29", "?", "0.9167"], "cabin": ["B5", "?", "??"]}, dtype="str")
    read = MissingMarks(texts=["cabin"], numbers=["age"]).fit_transform(frame)
    pd.testing.assert_frame_equal(read, pd.DataFrame({"age": [29.0, NAN, 0.9167], "cabin": ["B5", None, "??"]}))


@pytest.mark.parametrize("word", ["twelve", "1,5", "", " 1", "inf"])
def test_text_that_is_no_number_is_refused(word: str) -> None:
    frame = pd.DataFrame({"age": ["29", word]}, dtype="str")
    with pytest.raises(InputError, match=f"found {word!r} in column 'age', expected decimal numbers or one of '\\?'"):
        MissingMarks(texts=[], numbers=["age"]).fit(frame).transform(frame)
