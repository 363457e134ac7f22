"""What the run of an original tells about its table."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from exploration import exploration

from pipeline_lib.errors import InputError
from pipeline_lib.project.from_notebook.facts import Facts
from pipeline_lib.project.from_notebook.plan import plan_of
from pipeline_lib.runner.from_notebook_facts import facts_of
from pipeline_lib.runner.from_notebook_original import OriginalRun

CELLS = [
    "from sklearn.datasets import load_wine\nfrom sklearn.linear_model import Ridge\n"
    "from sklearn.model_selection import train_test_split",
    "wine = load_wine()\nX_train, X_test, y_train, y_test = train_test_split(wine.data, wine.target, random_state=0)",
    "model = Ridge()\nmodel.fit(X_train, y_train)\nmodel.score(X_test, y_test)",
]


def facts(rows: Any, target: Any, **more: Any) -> Facts:
    values = {"rows": rows, "target": target, **more}
    return facts_of(plan_of(exploration(CELLS), "x"), OriginalRun(values), {}, "x.ipynb")


def test_an_array_has_the_names_of_its_data_set_or_numbers() -> None:
    rows = np.array([[1.0, 2.0], [3.0, 4.0]])
    named = facts(rows, np.array([0, 1]), names=["alcohol", "ash"])
    assert (named.is_frame, named.columns, named.names_of) == (False, ("alcohol", "ash"), "list(wine.feature_names)")
    assert facts(rows, np.array([0, 1]), names=["alcohol"]).columns == ("x0", "x1")
    assert "x1: float" in facts(rows, np.array([0, 1])).row


@pytest.mark.parametrize(
    ("target", "form", "name"),
    [
        (pd.Series([1, 2], name="price"), "series", "price"),
        (pd.Series([1, 2], name="a"), "series", "a_"),
        (pd.Series([1, 2], name=3), "series", "target"),
        (pd.DataFrame({"price": [1, 2]}), "frame", "price"),
        (np.array([1, 2]), "array", "target"),
        (np.array([[1], [2]]), "column", "target"),
    ],
)
def test_the_target_has_a_form_and_a_name_of_its_own(target: Any, form: str, name: str) -> None:
    found = facts(pd.DataFrame({"a": [1.0, 2.0]}), target)
    assert (found.target_form, found.target_name) == (form, name)


def test_columns_of_other_dtypes_than_production_delivers_are_cast() -> None:
    rows = pd.DataFrame(
        {
            "month": np.array([1, 2], dtype="int32"),
            "share": np.array([0.5, 1.5], dtype="float32"),
            "home": pd.Categorical(["own", "rent"]),
            "note": pd.Series(["a", None], dtype=object),
            "sizes": [1.5, 2.5],
            "count": [1, 2],
        }
    )
    found = facts(rows, pd.Series([1, 2], name="y"))
    assert found.casts == {"month": "int64", "share": "float64", "home": "str", "note": "str"}
    assert "home: str\n" in found.row
    assert "note: str | None" in found.row


def test_an_index_that_differs_is_noticed() -> None:
    rows, target = pd.DataFrame({"a": [1.0, 2.0]}), pd.Series([1, 2], name="y")
    assert facts(rows, target).same_index
    assert not facts(rows, target.set_axis([5, 6])).same_index


@pytest.mark.parametrize("rows", [pd.Series(["a", "b"]), [[1], [2]], np.array([1.0, 2.0])])
def test_rows_that_are_no_table_are_refused_with_their_cell(rows: Any) -> None:
    with pytest.raises(InputError, match=r"x\.ipynb: cell 2: found \w+ as the rows that are split"):
        facts(rows, np.array([0, 1]))


def test_rows_that_no_row_can_describe_are_refused() -> None:
    with pytest.raises(InputError, match=r"x\.ipynb: a: found types .*in the rows that are split"):
        facts(pd.DataFrame({"a": [(1, 2), "b"]}), np.array([0, 1]))


def test_a_run_that_did_not_reach_the_split_is_refused_with_its_first_failure() -> None:
    run = OriginalRun({}, {}, {2: "NameError: name 'wine' is not defined"})
    with pytest.raises(InputError, match=r"x\.ipynb: cell 2: NameError: name 'wine' is not defined, expected cells"):
        facts_of(plan_of(exploration(CELLS), "x"), run, {}, "x.ipynb")
