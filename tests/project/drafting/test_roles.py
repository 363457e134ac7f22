"""What each column is used as, and which are left out."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from drafts import ROWS, draft, loans, written

from pipeline_lib.errors import InputError
from pipeline_lib.project.drafting.roles import Roles
from pipeline_lib.project.drafting.sensitive import looks_sensitive

TEXT = [f"a loan for house number {n} in the town" for n in range(ROWS)]


def roles(folder: Path, name: str, values: Any, suffix: str = ".csv", **options: Any) -> Roles:
    return draft(written(folder, loans().assign(**{name: values}), suffix), **options).roles


@pytest.mark.parametrize(
    ("values", "use"),
    [
        (np.linspace(0, 1, ROWS), "numbers"),
        (np.arange(ROWS) % 2 == 0, "flags"),
        ([f"label {n % 7}" for n in range(ROWS)], "categories"),
        (TEXT, "words"),
        (pd.date_range("2024-01-01", periods=ROWS), "dates"),
        (np.arange(ROWS)[::-1] * 3, "numbers"),
    ],
)
def test_uses(tmp_path: Path, values: Any, use: str) -> None:
    assert "x" in getattr(roles(tmp_path, "x", values), use)


@pytest.mark.parametrize(
    ("name", "values", "reason"),
    [
        ("x", range(ROWS), "each row has its own value"),
        ("customer_id", np.arange(ROWS)[::-1] * 3, "each row has its own value"),
        ("x", [f"K{n:04}" for n in range(ROWS)], "each row has its own value"),
        ("x", ["K0001", *(f"K{n:04}" for n in range(1, ROWS))], "almost every row has its own value"),
        ("x", ["same"] * ROWS, "all rows have the same value"),
        ("x", [None] * ROWS, "it has no values"),
        ("e-mail", [f"m{n}@example.org" for n in range(ROWS)], "it says who a row is about"),
    ],
)
def test_what_is_left_out(tmp_path: Path, name: str, values: Any, reason: str) -> None:
    assert reason in roles(tmp_path, name, values).left_out[name]


def test_types_that_no_row_can_declare_are_left_out(tmp_path: Path) -> None:
    assert "list" in roles(tmp_path, "x", [[1, 2]] * ROWS, ".parquet").left_out["x"]
    infinite = roles(tmp_path, "y", [np.inf, 1.5] * (ROWS // 2), ".parquet")
    assert infinite.left_out["y"] == "it holds infinite values"


def test_text_alone(tmp_path: Path) -> None:
    path = written(tmp_path, loans(rate=np.where(np.arange(ROWS) % 2, "yes", "no")).assign(x=TEXT))
    made = draft(path, task="text")
    assert made.roles.features == {"x"}


def test_a_table_without_a_column_to_learn_from_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, pd.DataFrame({"id": range(ROWS), "rate": np.linspace(0, 1, ROWS)}))
    with pytest.raises(InputError, match="found no column to predict from \\(id: each row has its own value"):
        draft(path)


@pytest.mark.parametrize(
    ("name", "values", "what"),
    [
        ("last_name", ["Berg"], "names"),
        ("Phone number", ["1"], "phone numbers"),
        ("contact", ["anna@example.org", "b@example.org"], "e-mail addresses"),
        ("contact", ["+49 170 1234567", "+1 212 555 0100"], "phone numbers"),
        ("account", ["DE89 3704 0044 0532 0130 00"], "personal numbers"),
        ("birth_date", ["1990-01-01"], "dates of birth"),
        ("product_name", ["chair"], ""),
        ("rownames", ["1"], ""),
        ("home", ["own", "rent"], ""),
        ("code", ["12-345"], ""),
    ],
)
def test_personal_data_by_name_and_by_value(name: str, values: list[str], what: str) -> None:
    assert looks_sensitive(name, pd.Series(values, dtype="str")) == what
