"""The format of dates in text."""

import pandas as pd
import pytest

from pipeline_lib.project.drafting.dates import DateFormat, date_format, parsed


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["2024-01-31", "2024-02-01"], DateFormat("%Y-%m-%d")),
        (["31.01.2024", "01.02.2024"], DateFormat("%d.%m.%Y")),
        (["01/31/2024", "02/01/2024"], DateFormat("%m/%d/%Y")),
        (["31/01/2024", "01/02/2024"], DateFormat("%d/%m/%Y")),
        (["2024-01-31 10:05:07"], DateFormat("%Y-%m-%d %H:%M:%S")),
        (["2024-01-31T10:05:07+02:00", "2024-07-31T10:05:07Z"], DateFormat("%Y-%m-%dT%H:%M:%S%z", zoned=True)),
        (["2024-01-31", "2024-01-31T10:00:00"], DateFormat("ISO8601")),
        (["31 Jan 2024"], DateFormat("%d %b %Y")),
        (["2024-01-31", "soon"], None),
        (["10-12", "11-13"], None),
        (["2024-13-31"], None),
        (["1.5.2"], None),
    ],
)
def test_formats(values: list[str], expected: DateFormat | None) -> None:
    assert date_format(pd.Series(values, dtype="str")) == expected


def test_an_order_of_day_and_month_that_is_not_certain_is_told() -> None:
    values = pd.Series(["01/02/2024", "03/04/2024"], dtype="str")
    assert date_format(values) == DateFormat("%m/%d/%Y", other="%d/%m/%Y")
    assert date_format(values, day_first=True) == DateFormat("%d/%m/%Y", other="%m/%d/%Y")


def test_moments_with_a_zone_become_utc() -> None:
    values = pd.Series(["2024-01-31T10:00:00+02:00"], dtype="str")
    found = date_format(values)
    assert found is not None
    assert parsed(values, found).tolist() == [pd.Timestamp("2024-01-31 08:00")]
