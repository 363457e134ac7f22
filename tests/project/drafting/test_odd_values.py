"""Values that make a column of numbers or dates text are counted, shown with their place, and come with a remedy."""

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from drafts import ROWS, draft, loans, notebooks, trial, written

from pipeline_lib.errors import InputError
from pipeline_lib.project.drafting.draft import Draft
from pipeline_lib.project.drafting.findings import findings
from pipeline_lib.project.drafting.notebooks import decisions

NUMBERS = [str(n * 7 % 30) for n in range(ROWS)]
DAYS = [f"2024-{1 + n % 12:02}-{1 + n % 28:02}" for n in range(ROWS)]
AGAIN = "remove the files below and run this again with"


def with_words(values: list[str], *words: str, first: int = 4) -> list[str]:
    """The values with these words from row `first` on."""
    return [*values[:first], *words, *values[first + len(words) :]]


def said(made: Draft) -> list[str]:
    """What is said of values that are odd."""
    return [line for line in findings(made) if line.startswith("not ")]


def of(folder: Path, values: Any, suffix: str = ".csv", **options: Any) -> list[str]:
    return said(draft(written(folder, loans(x=values), suffix), **options))


def test_words_among_numbers_are_counted_and_the_first_one_is_found(tmp_path: Path) -> None:
    assert of(tmp_path, with_words(NUMBERS, "n/a?", "abc", "abc")) == [
        "not numbers: x, 3 of 60 values are not numbers (the first: 'n/a?', line 6), so it is text; correct them in "
        f"the file, or take them as missing: {AGAIN} --missing 'n/a?' --missing abc"
    ]
    assert of(tmp_path, NUMBERS) == []
    assert of(tmp_path, [f"A{n}" for n in range(40)] + NUMBERS[:20]) == []  # a code, some of whose values are numbers
    assert of(tmp_path, with_words([f"{n:03}" for n in range(ROWS)], "abc")) == []


def test_a_column_that_is_left_out_says_why_it_is_text(tmp_path: Path) -> None:
    made = draft(written(tmp_path, loans(x=with_words([str(n) for n in range(100, 160)], "abc"))))
    assert "so it is left out; " in said(made)[0]
    assert made.roles.left_out["x"] == ("each row has its own value; 1 of 60 values are not numbers, so it is text")
    assert "1 of 60 values are not numbers" in str(notebooks(made)[0])


def test_what_is_said_works(tmp_path: Path) -> None:
    path = written(tmp_path, loans(x=with_words(NUMBERS, "n/a?", "abc")))
    made = draft(path, missing=("n/a?", "abc"))
    assert (made.profile.columns["x"].kind, made.profile.columns["x"].nullable) == ("number", True)
    assert said(made) == []
    assert trial(made, path) == ""
    assert 'MISSING = ["", "abc", "n/a?"]' in str(notebooks(made)[0]).replace("\\n", "\n")


@pytest.mark.parametrize(
    ("suffix", "missing", "words"),
    [
        (".csv", "abd", "found no cell that holds 'abd', expected one at least; did you mean 'abc'"),
        (".csv", "?", "found no cell that holds '?'"),
        (".parquet", "abc", "found a file or a query with missing values of its own"),
    ],
)
def test_a_word_that_means_nothing_missing_is_refused(tmp_path: Path, suffix: str, missing: str, words: str) -> None:
    path = written(tmp_path, loans(x=with_words(NUMBERS, "abc")), suffix)
    with pytest.raises(InputError) as caught:
        draft(path, missing=(missing,))
    assert str(caught.value).startswith(f"--missing: {words}")


@pytest.mark.parametrize("options", [{}, {"task": "regression"}])
def test_a_target_with_a_word_is_refused_with_the_word(tmp_path: Path, options: dict[str, Any]) -> None:
    rates = with_words([str(n * 1.5) for n in range(ROWS)], "abc")
    path = written(tmp_path, loans(rate=rates))
    with pytest.raises(InputError) as caught:
        draft(path, **options)
    found, remedy = "found that in 'rate' 1 of 60 values are not numbers (the first: 'abc', line 6)", "--missing abc"
    assert found in str(caught.value)
    assert str(caught.value).endswith(f"; correct them in the file, or take them as missing: add {remedy}")
    assert "classification" not in str(caught.value)
    assert draft(path, missing=("abc",), **options).target.gaps == 1


@pytest.mark.parametrize("changed", [2, ROWS])
def test_decimal_points_in_a_file_of_decimal_commas(tmp_path: Path, changed: int) -> None:
    points = (np.arange(ROWS) % 30 + 0.25).astype(str)
    mixed = [point if n < changed else point.replace(".", ",") for n, point in enumerate(points)]
    text = loans(x=mixed).to_csv(index=False, sep=";", decimal=",")
    made = draft(written(tmp_path, text.encode()))
    assert made.raw.text.decimal == ","
    assert made.profile.columns["income"].kind == made.profile.columns["rate"].kind == "number"
    assert said(made) == [
        f"not numbers: x, {changed} of 60 values have another decimal mark than the file (the first: '0.25', line 2), "
        "so it is text; write decimal commas alone in the file"
    ]


def test_a_decimal_comma_in_a_file_of_decimal_points(tmp_path: Path) -> None:
    values = ["1,5", *(np.arange(1, ROWS) % 30 + 0.25).astype(str)]
    assert "'1,5', line 2), so it is text; write decimal points alone" in of(tmp_path, values)[0]


def test_dates_of_which_one_is_none_or_has_another_format(tmp_path: Path) -> None:
    for word in ("unknown", "13.02.2024"):
        (line,) = of(tmp_path, with_words(DAYS, word))
        assert line.startswith(f"not dates: x, 1 of 60 values are not dates as %Y-%m-%d (the first: '{word}', line 6)")
    assert of(tmp_path, DAYS) == []


def test_the_line_counts_lines_not_rows(tmp_path: Path) -> None:
    rows = [f'{n},"two\nlines",{n * 1.5}' for n in range(ROWS)]
    rows[7] = '"a\nb",x,1'
    text = "x,note,rate\n\n" + "\n".join(rows) + "\n"
    path = tmp_path / "loans.csv.gz"
    path.write_bytes(gzip.compress(text.encode()))
    (line,) = said(draft(path))
    at = text[: text.index('"a\nb"')].count("\n") + 1
    assert f"(the first: 'a\\nb', line {at})" in line


def test_the_rows_of_other_formats_are_numbered(tmp_path: Path) -> None:
    words = with_words(NUMBERS, "abc")
    (line,) = of(tmp_path, words, ".parquet")
    assert line.endswith("(the first: 'abc', row 5), so it is text; make them numbers or missing in the file")
    mixed = [word if word == "abc" else int(word) for word in words]
    (line,) = of(tmp_path, mixed, ".xlsx")
    assert "1 of 60 values are not numbers (the first: 'abc', row 6 of the sheet)" in line
    assert said(draft(written(tmp_path, loans(x=mixed), ".xlsx"), missing=("abc",))) == []


def test_a_sensitive_value_is_not_shown(tmp_path: Path) -> None:
    made = draft(written(tmp_path, loans(x=with_words(NUMBERS, "Ms Miller"))), sensitive=("x",))
    (line,) = said(made)
    assert "1 of 60 values are not numbers (the first: line 6)" in line
    assert "--missing TEXT for each" in line
    assert not any("Miller" in text for text in (*findings(made), *decisions(notebooks(made)[0])))


def test_many_different_words_are_not_listed(tmp_path: Path) -> None:
    (line,) = of(tmp_path, with_words(NUMBERS, "a", "b", "c", "d"))
    assert line.endswith("--missing TEXT for each")


def test_a_draft_of_numbers_with_words_runs(tmp_path: Path) -> None:
    path = written(tmp_path, pd.DataFrame(loans(x=with_words(NUMBERS, "abc"), rate=np.arange(ROWS) % 2)))
    made = draft(path)
    assert "x: 1 of 60 values are not numbers, so it is text" in decisions(notebooks(made)[0])
    assert trial(made, path) == ""
