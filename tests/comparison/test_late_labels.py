"""Labels that come later belong to rows by a key; a row counts when its label is due, and every other is counted."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from bank_loans import bank, loans, run_of

from pipeline_lib import compare
from pipeline_lib.comparison.late_labels import Joined, LateLabels, join_labels, labelled_files, parse_delay
from pipeline_lib.errors import InputError
from pipeline_lib.scoring.csv_rows import TextOptions

DAY = date(2026, 11, 30)


def joined(folder: Path, text: str, keys: list[Any], times: list[Any] | None = None, *, delay: str = "0d") -> Joined:
    """The labels of rows in a CSV file, as of the last day of November."""
    (folder / "labels.csv").write_text(text)
    late = LateLabels(str(folder / "labels.csv"), "ticket", DAY, parse_delay(delay))
    return join_labels(late, "paid", keys, times, TextOptions())


def test_labels_find_their_rows_in_any_order(tmp_path: Path) -> None:
    result = joined(tmp_path, "ticket,paid\nB,2\nA,1\n", ["A", "B", "A"])
    assert result.values == ["1", "2", "1"]
    assert result.notes == ("2 rows share their ticket with another row, and its label",)


def test_what_does_not_count_is_counted(tmp_path: Path) -> None:
    text = "ticket,paid\nA,1\nA,1\nB,1\nB,2\nC,\nD,4\nE,5\n"
    result = joined(tmp_path, text, ["A", "B", "C", "D", None])
    assert result.values == ["1", None, None, "4", None]
    file = tmp_path / "labels.csv"
    assert result.notes == (
        f"2 rows whose label is due have none in {file}",
        f"1 rows are left out whose ticket has different labels in {file}",
        f"2 values of ticket are more than once in {file}",
        f"1 labels in {file} belong to no row",
    )


def test_a_row_counts_when_its_label_is_due_even_where_it_came_early(tmp_path: Path) -> None:
    times = [datetime(2026, 10, 31, 23, 59), datetime(2026, 11, 1), date(2026, 10, 1), None]
    result = joined(tmp_path, "ticket,paid\nA,1\nB,2\nC,3\nD,4\n", ["A", "B", "C", "D"], times, delay="30d")
    assert result.values == ["1", None, "3", None]
    assert result.notes == ("2 rows are left out whose label is due after 2026-11-30",)


def test_a_time_in_a_zone_is_compared_in_utc(tmp_path: Path) -> None:
    times = [datetime(2026, 11, 30, 23, 0, tzinfo=UTC), datetime(2026, 12, 1, 2, 0, tzinfo=UTC)]
    assert joined(tmp_path, "ticket,paid\nA,1\nB,2\n", ["A", "B"], times, delay="0d").values == ["1", "2"]
    assert joined(tmp_path, "ticket,paid\nA,1\nB,2\n", ["A", "B"], times, delay="1h").values == [None, None]


def test_keys_are_the_same_in_every_kind_of_file(tmp_path: Path) -> None:
    pq.write_table(pa.table({"ticket": [7.0, 8.0, None], "paid": [1, 2, 3]}), tmp_path / "labels.parquet")
    late = LateLabels(str(tmp_path / "labels.parquet"), "ticket", DAY)
    assert join_labels(late, "paid", ["7", 8, 9], None, TextOptions()).values == [1, 2, None]
    assert joined(tmp_path, "ticket,paid\n007,1\n", ["7"]).values == [None]  # a text is not a number


def test_a_delay_needs_a_time_and_a_file_its_columns(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--label-delay: found no column of time in Row, expected one"):
        joined(tmp_path, "ticket,paid\nA,1\n", ["A"], delay="1d")
    with pytest.raises(InputError, match=r"found no column paid of true values, .*--target COLUMN"):
        joined(tmp_path, "ticket,settled\nA,1\n", ["A"])


def test_an_ending_without_a_format_is_to_be_renamed(tmp_path: Path) -> None:
    path = tmp_path / "labels.txt"
    path.write_text("ticket,paid\nA,1\n")
    with pytest.raises(InputError, match=r"found the ending '.txt', .*; rename it$"):
        labelled_files(str(path))
    with pytest.raises(InputError, match=r"found no such file, expected one with rows; correct the path"):
        labelled_files(str(tmp_path / "absent.csv"))


@pytest.mark.parametrize("text", ["30", "30 days", "-1d", "1m", ""])
def test_a_delay_is_a_number_with_a_unit(text: str) -> None:
    with pytest.raises(InputError, match=r"--label-delay: found .*, expected a time such as 30d, 4w or 12h"):
        parse_delay(text)
    assert parse_delay("12h") == timedelta(hours=12)


def test_a_comparison_counts_rows_whose_labels_came(tmp_path: Path) -> None:
    with bank(tmp_path / "bank") as project:
        train = loans(200)
        champion, challenger = (run_of(project, train, loans(60, seed=seed, first=10_000 * seed)) for seed in (1, 2))
        fresh = loans(40, seed=3, first=30_000)
        fresh.drop(columns="paid").to_csv(tmp_path / "rows.csv", index=False)
        fresh[["customer_id", "paid"]].iloc[5:].to_csv(tmp_path / "labels.csv", index=False)
        late = LateLabels(str(tmp_path / "labels.csv"), "customer_id", DAY)
        result = compare(champion, challenger, on=str(tmp_path / "rows.csv"), labels=late, project=project)
    assert (result.seen.rows, result.answers[0].verdict) == (35, "no difference")
    assert f"5 rows whose label is due have none in {tmp_path / 'labels.csv'}" in result.answers[0].notes
