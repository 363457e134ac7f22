"""The sample for tests: few rows, every class, nothing personal."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from drafts import draft, loans, notebooks, written

from pipeline_lib.project.drafting.load_text import params_yml
from pipeline_lib.project.drafting.sample import SAMPLE_ROWS, sample_bytes

MANY = 2000


def read(content: bytes, suffix: str) -> pd.DataFrame:
    buffer = io.BytesIO(content)
    if suffix == ".parquet":
        return pd.read_parquet(buffer)
    return pd.read_excel(buffer) if suffix == ".xlsx" else pd.read_csv(buffer)


def test_at_most_500_rows_in_their_order_with_every_class(tmp_path: Path) -> None:
    classes = np.where(np.arange(MANY) % 100 == 0, "rare", np.where(np.arange(MANY) % 2, "yes", "no"))
    made = draft(written(tmp_path, loans(MANY, rate=classes, place=np.arange(MANY) + 0.5)))
    frame = read(sample_bytes(made, 0), ".csv")
    assert len(frame) == SAMPLE_ROWS
    assert frame["place"].is_monotonic_increasing
    assert frame["rate"].value_counts()["rare"] >= 8
    assert sample_bytes(made, 0) == sample_bytes(made, 0)


def test_a_short_file_is_its_own_sample_but_for_columns_that_are_not_used(tmp_path: Path) -> None:
    made = draft(written(tmp_path, loans(key=[f"K{n:05}" for n in range(60)])))
    frame = read(sample_bytes(made, 0), ".csv")
    assert len(frame) == 60
    assert list(frame) == ["income", "months", "home", "rate"]


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".xlsx"])
def test_no_file_that_is_written_holds_a_planted_value(tmp_path: Path, suffix: str) -> None:
    planted = {
        "town": ["Planthausen", "Grosspflanz", "Setzlingen"] * 20,
        "score": [f"{n + 0.7351:.4f}" for n in range(60)],
        "since": pd.date_range("1931-03-07", periods=60, freq="D").strftime("%Y-%m-%d"),
        "email": [f"plant{n % 9}@example.org" for n in range(60)],
    }
    data = loans(**planted)
    data["score"] = data["score"].astype("float64")
    made = draft(written(tmp_path, data, suffix), sensitive=("town", "score", "since"))
    content = sample_bytes(made, 0)
    sample = read(content, suffix).astype("str").to_csv()
    texts = [str(notebook) for notebook in notebooks(made)] + [params_yml(made, sample=False), sample]
    assert "email" in made.roles.sensitive
    for text in texts:
        assert not [word for word in ("Planthausen", "Grosspflanz", ".7351", "plant1@", "1931-03-07") if word in text]
    assert "1931-03-07" in data.to_csv()  # the search would find them


def test_which_sensitive_values_are_missing_stays(tmp_path: Path) -> None:
    values = [None if n % 5 == 0 else f"town {n % 4}" for n in range(60)]
    made = draft(written(tmp_path, loans(town=values)), sensitive=("town",))
    frame = read(sample_bytes(made, 0), ".csv")
    assert frame["town"].isna().tolist() == [value is None for value in values]
    assert frame["town"].nunique() == 4


@pytest.mark.parametrize(
    ("values", "low", "high"),
    [(np.arange(60) % 30 + 100, 100, 130), (np.linspace(5, 6, 60), 5, 6)],
)
def test_invented_numbers_are_like_the_real_ones(tmp_path: Path, values: Any, low: float, high: float) -> None:
    made = draft(written(tmp_path, loans(secret=values)), sensitive=("secret",))
    invented = read(sample_bytes(made, 0), ".csv")["secret"]
    assert invented.between(low, high).all()
    assert invented.tolist() != list(values)
