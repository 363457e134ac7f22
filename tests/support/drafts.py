"""Pipelines drafted from small raw files, and their modules."""

import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline_lib.project.drafting.draft import Draft, Options, make_draft
from pipeline_lib.project.drafting.notebooks import draft_notebooks, exported_source, try_draft
from pipeline_lib.project.drafting.raw_data import read_raw
from pipeline_lib.project.drafting.sample import sample_bytes
from pipeline_lib.project.new_pipeline import TEMPLATES

ROWS = 60


def loans(rows: int = ROWS, **columns: Any) -> pd.DataFrame:
    """Loans: two numbers, a category, and the rate to predict."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "income": rng.normal(50, 9, rows).round(2),
            "months": rng.integers(6, 60, rows),
            "home": rng.choice(["own", "rent", "other"], rows),
        }
    )
    rate = (3 + frame["income"] / 20 + rng.normal(0, 1, rows)).round(3)
    added = pd.DataFrame({**columns, "rate": columns.get("rate", rate)})
    return pd.concat([frame, added], axis="columns")


def written(folder: Path, data: "pd.DataFrame | bytes", suffix: str = ".csv") -> Path:
    """A raw file with these rows, or these bytes."""
    path = folder / f"loans{suffix}"
    if isinstance(data, bytes):
        path.write_bytes(data)
    elif suffix == ".parquet":
        data.to_parquet(path)
    elif suffix == ".arrow":
        data.to_feather(path)
    elif suffix == ".xlsx":
        data.to_excel(path, index=False, sheet_name="Rates 2024")
    else:
        data.to_csv(path, index=False)
    return path


def draft(path: Path, target: str = "rate", limit: int = 100_000, **options: Any) -> Draft:
    """The draft of a raw file."""
    raw = read_raw(path, path.name, limit)
    return make_draft("loans", f"data/{path.name}", raw, Options(target, **options))


def notebooks(made: Draft, library: str = "pipeline_lib") -> tuple[dict[str, Any], dict[str, Any]]:
    """The notebooks of a draft."""
    texts = [(TEMPLATES / f"data_{name}.txt").read_text(encoding="utf-8") for name in ("pipeline", "research")]
    filled = [text.replace("NAME", made.name).replace("LIBRARY", library) for text in texts]
    return draft_notebooks(made, *filled)


def trial(made: Draft, raw: Path | pd.DataFrame) -> str:
    """What fails when the draft runs on a sample and on its raw data; empty where nothing does."""
    return try_draft(made, exported_source(notebooks(made)[0]), "lab", sample_bytes(made, 0), raw)


class Drafted:
    """The module of a draft, with `load` reading the given file."""

    def __init__(self, made: Draft, path: Path) -> None:
        self.draft = made
        self.module: Any = types.ModuleType("drafted_loans")
        exec(exported_source(notebooks(made)[0]), self.module.__dict__)  # noqa: S102  that it runs is what is tested
        self.module.__dict__["data_path"] = lambda name: path
        self.params = self.module.Params(**made.params)

    def parts(self) -> Mapping[str, Any]:
        """Training and test rows of the file, and the pipeline fitted on the training rows."""
        frame = self.module.load(self.params)
        X_train, X_test, y_train, y_test = self.module.split(frame, self.params)
        fitted = self.module.build(self.params).fit(X_train, y_train)
        return {"frame": frame, "train": X_train, "test": X_test, "y_test": y_test, "fitted": fitted}
