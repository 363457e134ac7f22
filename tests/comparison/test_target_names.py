"""Several targets are compared by their names, not by their places."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline_lib import InputError
from pipeline_lib.comparison.held_out import LabelledRows
from pipeline_lib.comparison.target_names import in_one_order, target_names
from pipeline_lib.comparison.task import true_values
from pipeline_lib.evidence.targets import target_table
from pipeline_lib.rows.column import Column
from pipeline_lib.rows.schema import RowSchema

VALUES = np.array([[1.0, 10.0], [2.0, 20.0]])


def contender_of(folder: Path, *names: str) -> Any:
    """A contender whose run had targets of these names, in this order; without names one target."""
    import pandas as pd

    folder.mkdir()
    target = pd.DataFrame(VALUES, columns=list(names)) if names else VALUES[:, 0]
    pq.write_table(target_table(target), folder / "target.parquet")
    return SimpleNamespace(reference=folder.name, record=SimpleNamespace(evidence=folder))


def labelled(*names: str) -> LabelledRows:
    return LabelledRows(
        pa.table({"x": [1, 2]}), VALUES, RowSchema((Column("x", "integer"),)), "rows", names=names, fresh=True
    )


def test_true_values_are_put_into_the_order_of_the_predictions(tmp_path: Path) -> None:
    models = [contender_of(tmp_path / name, "price", "rent") for name in ("old", "new")]
    swapped = in_one_order(models, labelled("rent", "price"))
    assert swapped.names == ("price", "rent")
    assert swapped.target.tolist() == VALUES[:, ::-1].tolist()
    unnamed = in_one_order(models, labelled("0", "1"))
    assert (unnamed.names, unnamed.target.tolist()) == (("price", "rent"), VALUES.tolist())
    with pytest.raises(InputError, match="found true values of price, tax, expected price, rent"):
        in_one_order(models, labelled("price", "tax"))


def test_models_with_targets_in_another_order_are_refused(tmp_path: Path) -> None:
    models = [contender_of(tmp_path / "old", "rent", "price"), contender_of(tmp_path / "new", "price", "rent")]
    with pytest.raises(InputError, match="old: found the targets rent, price, expected price, rent in this order"):
        in_one_order(models, labelled("price", "rent"))


def test_one_target_has_no_names(tmp_path: Path) -> None:
    models = [contender_of(tmp_path / name) for name in ("old", "new")]
    assert target_names(models[0]) == ()
    given = labelled()
    assert in_one_order(models, given) is given


def test_times_are_no_numbers() -> None:
    with pytest.raises(InputError, match="found times as true values"):
        true_values(np.array(["2026-01-01"], dtype="datetime64[s]"), "regression", (), "FILE")
