"""Text as values of a raw column: what Row declares, bit for bit what Python's own readers make of it, or refused."""

import math
from datetime import date, datetime

import numpy as np
import pyarrow as pa
import pytest

from pipeline_lib.rows.column import Column
from pipeline_lib.scoring.text_values import values_of_text

NUMBERS = [
    "1",
    "-0",
    "0.1",
    ".5",
    "5.",
    "+1e6",
    "1E-7",
    "4.9e-324",
    "1.7976931348623157e308",
    "inf",
    "-Infinity",
    " 2 ",
]
NO_NUMBERS = [
    "",
    "1,5",
    "1_000",
    "1e999",
    "-1e400",
    "0x1F",
    "$5",
    "1d",
    "--1",
    "٣",
    "NA",
    "null",
    "1 2",
    "nan(1)",
    "0x1p3",
]


def read(kind: str, *texts: str | None, sensitive: bool = False):
    return values_of_text(pa.array(texts, pa.string()), Column("x", kind, nullable=True, sensitive=sensitive))


def test_a_number_has_the_bits_that_python_reads() -> None:
    rng = np.random.default_rng(0)
    random = (np.exp(rng.normal(size=2000) * 100) * rng.choice([-1, 1], 2000)).tolist()
    texts = [*NUMBERS, *map(repr, random), *(f"{value:.20g}" for value in random)]
    values, problems = read("number", *texts)
    assert problems == []
    expected = np.array([float(text) for text in texts])
    assert (np.asarray(values).view(np.int64) == expected.view(np.int64)).all()


def test_nan_is_a_number_and_null_stays_null() -> None:
    values, problems = read("number", "nan", "NaN", None)
    assert problems == []
    assert [math.isnan(value) for value in values.to_pylist()[:2]] == [True, True]
    assert values[2].as_py() is None


@pytest.mark.parametrize("text", NO_NUMBERS)
def test_what_is_no_number_is_refused_with_its_row(text: str) -> None:
    values, problems = read("number", "1", text, "2")
    assert values.to_pylist() == [1.0, None, 2.0]
    (problem,) = problems
    assert problem.rows == (1,)
    assert repr(text) in problem.text()


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("integer", "007", 7),
        ("integer", "+4", 4),
        ("integer", "5.0", 5),
        ("integer", "-5.", -5),
        ("integer", "9223372036854775807", 2**63 - 1),
        ("integer", "9007199254740993.0", 2**53 + 1),
        ("boolean", "True", True),
        ("boolean", "FALSE", False),
        ("boolean", "1", True),
        ("boolean", "0", False),
        ("datetime", "2024-03-01", datetime(2024, 3, 1)),
        ("datetime", "2024-03-01T12:30", datetime(2024, 3, 1, 12, 30)),
        ("datetime", "2024-03-01 12:30:15.123456", datetime(2024, 3, 1, 12, 30, 15, 123456)),
        ("datetime", " 1960-02-29 00:00:01.5 ", datetime(1960, 2, 29, 0, 0, 1, 500000)),
        ("date", "2024-02-29", date(2024, 2, 29)),
        ("string", "007", "007"),
        ("string", "None", "None"),
        ("string", "NA", "NA"),
        ("string", " x ", " x "),
        ("string", "", ""),
    ],
)
def test_values_are_as_declared(kind: str, text: str, value: object) -> None:
    values, problems = read(kind, text, None)
    assert problems == []
    assert values.to_pylist() == [value, None]


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        *(("integer", text) for text in ("0x1F", "5.5", "1e3", "9223372036854775808", "1_0", "", "nan")),
        *(("boolean", text) for text in ("yes", "t", "", "2", "1.0")),
        *(
            ("datetime", text)
            for text in ("2024-03-01T12:00:00Z", "2024-03-01 12:00+01:00", "2024-02-30", "01/02/2024")
        ),
        *(("datetime", text) for text in ("2024-03-01 12:00:00.1234567", "2024-03-01 24:00", "12", "")),
        *(("date", text) for text in ("2024-03-01 00:00", "2024-13-01", "20240301", "1.3.2024")),
    ],
)
def test_another_text_is_refused(kind: str, text: str) -> None:
    values, problems = read(kind, text)
    assert values.to_pylist() == [None]
    (problem,) = problems
    assert problem.rows == (0,)


def test_a_sensitive_text_is_not_shown() -> None:
    _, problems = read("number", "secret", sensitive=True)
    (problem,) = problems
    assert "secret" not in problem.text()


def test_each_refused_text_has_one_problem_with_its_rows() -> None:
    _, problems = read("number", "x", "1", "y", "x", None)
    assert [(problem.value, problem.rows) for problem in problems] == [("'x'", (0, 3)), ("'y'", (2,))]
