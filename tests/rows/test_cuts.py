"""Columns become groups that a person can name; sensitive columns and the entity never do."""

import compared
import numpy as np
import pyarrow as pa
import pytest

from pipeline_lib.rows.column import Column
from pipeline_lib.rows.cuts import MISSING, MOST_VALUES, Cut, by_value, cuts_of, number_label
from pipeline_lib.rows.schema import RowSchema


def cut_column(column: Column, values: list[object]) -> list[Cut]:
    row = RowSchema((column,))
    return list(cuts_of(pa.table([pa.array(values, row.arrow.field(0).type)], schema=row.arrow), row))


def groups(cut: Cut, values: list[object]) -> dict[str, list[object]]:
    return {
        name: [v for v, code in zip(values, cut.codes, strict=True) if code == i] for i, name in enumerate(cut.labels)
    }


def test_each_kind_of_column_is_cut_and_what_must_not_be_is_not() -> None:
    names = {cut.column for cut in cuts_of(compared.rows(300), compared.ROW)}
    assert {"region", "size", "floors", "parking", "sex", "remark", "month of opened", "time of opened"} <= names
    assert not names & {"owner", "shop"}, "sensitive, and the entity"


def test_quartiles_hold_a_quarter_each_and_missing_values_are_a_group() -> None:
    values: list[object] = [*map(float, range(100, 140)), None, float("nan")]
    (cut,) = cut_column(Column("size", "number", nullable=True), values)
    assert cut.labels == ("below 109", "109 to 119", "119 to 129", "129 or more", MISSING)
    assert cut.sizes.tolist() == [9, 10, 10, 11, 2]
    assert groups(cut, values)["109 to 119"] == [float(each) for each in range(109, 119)]


def test_whole_numbers_of_few_values_are_cut_by_value_and_ranges_of_many_name_their_ends() -> None:
    (few,) = cut_column(Column("floors", "integer"), [3, 1, 3, 2])
    assert few.labels == ("1", "2", "3")
    assert few.codes.tolist() == [2, 0, 2, 1]
    (many,) = cut_column(Column("year", "integer"), [*range(1900, 2000)] * 2)
    assert many.labels == ("below 1924", "1924 to 1948", "1949 to 1973", "1974 or more")


def test_whole_numbers_that_are_all_different_name_the_rows() -> None:
    assert cut_column(Column("order", "integer"), list(range(100))) == []
    assert cut_column(Column("price", "number"), [float(each) for each in range(100)])


def test_text_that_holds_numbers_is_cut_as_numbers() -> None:
    values: list[object] = [*map(str, range(40)), "?", "unknown"]
    (cut,) = cut_column(Column("age", "string"), values)
    assert cut.labels == ("below 9", "9 to 19", "19 to 29", "29 or more", "no number")
    assert groups(cut, values)["no number"] == ["?", "unknown"]
    assert cut_column(Column("code", "string"), [f"A{number}" for number in range(40)]) == [], "no numbers"


def test_equal_quartiles_leave_fewer_groups_and_one_value_none() -> None:
    (cut,) = cut_column(Column("pool", "number"), [*[0.0] * 90, *[50.0] * 10])
    assert cut.labels == ("below 50", "50 or more")
    assert cut.sizes.tolist() == [90, 10]
    assert cut_column(Column("pool", "number"), [7.0] * 20) == []
    assert cut_column(Column("pool", "number", nullable=True), [None] * 20) == []


def test_text_of_many_values_is_cut_by_length_if_it_is_prose_and_not_if_it_names() -> None:
    names = [f"n{number}" for number in range(MOST_VALUES + 1)]
    assert cut_column(Column("name", "string"), names) == []
    (prose,) = cut_column(Column("review", "string"), [f"{'so good ' * (3 + n)}{n}" for n in range(MOST_VALUES + 1)])
    assert prose.column == "length of review"
    assert prose.source == "review"


def test_dates_are_cut_by_the_calendar() -> None:
    times = [np.datetime64("2026-11-30T07:30", "us").item(), np.datetime64("2027-01-02T23:00", "us").item()]
    cuts = {cut.column: groups(cut, times) for cut in cut_column(Column("at", "datetime"), times)}
    assert cuts["weekday of at"]["Monday"] == [times[0]]
    assert cuts["weekday of at"]["Saturday"] == [times[1]]
    assert cuts["month of at"]["November"] == [times[0]]
    assert cuts["time of at"]["18 to 23 h"] == [times[1]]
    assert cuts["year of at"]["2027"] == [times[1]]


def test_other_tables_count_by_their_rows_and_looked_up_ones_by_their_columns() -> None:
    orders = RowSchema((Column("key", "integer"), Column("amount", "number")), name="orders", key="key")
    weather = RowSchema((Column("day", "integer"), Column("wind", "string")), name="weather", by=("day",))
    main = (Column("key", "integer"), Column("day", "integer"))
    row = RowSchema(main, name="customers", key="key", children=(orders, weather))
    amounts, winds = [[1.0], [], [1.0, 2.0, 3.0], [5.0]], [["calm"], [], ["storm"], ["calm"]]
    table = pa.table([pa.array([1, 2, 3, 4]), pa.array([1, 1, 1, 1]), amounts, winds], schema=row.arrow)
    cuts = {cut.column: cut for cut in cuts_of(table, row)}
    assert groups(cuts["rows of orders"], amounts)["below 1"] == [[]]
    assert groups(cuts["weather.wind"], winds) == {"calm": [["calm"], ["calm"]], "storm": [["storm"]], MISSING: [[]]}


def test_values_that_are_not_named_are_in_no_group() -> None:
    cut = by_value("label", ["a", "c", "b"], ["a", "b"])
    assert cut.codes.tolist() == [0, -1, 1]
    assert cut.sizes.tolist() == [1, 1]


@pytest.mark.parametrize(
    ("value", "text"), [(1950.0, "1950"), (0.123456, "0.1235"), (12345.6, "12,346"), (-3.0, "-3"), (1e6, "1,000,000")]
)
def test_numbers_are_short(value: float, text: str) -> None:
    assert number_label(value) == text
