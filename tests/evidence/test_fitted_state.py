"""Fitted state: every fitted value by step and name, kept exactly, compared one by one."""

import datetime
import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import example
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fitted_states import collect_fitted_state
from scipy import sparse
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeRegressor

from pipeline_lib.errors import InputError
from pipeline_lib.evidence.fitted_state import UNKNOWN, fitted_values, write_fitted_state
from pipeline_lib.evidence.fitted_state_diff import FittedStateDifference, compare_fitted_state
from pipeline_lib.pipelines import houses
from pipeline_lib.records.record import Record

FRAME = pd.DataFrame({"Lot.Area": [1.0, 2.0, 4.0, 7.0], "kind": ["a", "b", "a", "b"]})
TARGET = [1.0, 3.0, 2.0, 5.0]


def state(**parts: Any) -> dict[str, Any]:
    """The fitted state of an object with these attributes."""
    return {
        name.removeprefix("estimator."): value for name, value in collect_fitted_state(SimpleNamespace(**parts)).items()
    }


Compare = Callable[..., FittedStateDifference]


@pytest.fixture
def compare(tmp_path: Path) -> Compare:
    """Writes two fitted objects and compares the files."""

    def written(old: Any, new: Any) -> FittedStateDifference:
        write_fitted_state(tmp_path / "old.parquet", old)
        write_fitted_state(tmp_path / "new.parquet", new)
        return compare_fitted_state(tmp_path / "old.parquet", tmp_path / "new.parquet")

    return written


def test_values_are_named_by_step_and_name() -> None:
    pipeline = Pipeline([("scale", StandardScaler().set_output(transform="pandas")), ("price", LinearRegression())])
    found = collect_fitted_state(pipeline.fit(FRAME[["Lot.Area"]], TARGET))
    assert found["scale.mean_[0] (Lot.Area)"] == 3.5
    assert found["price.coef_"] == "float64 (1,)"
    assert found["price.coef_[0] (Lot.Area)"] == pipeline[-1].coef_[0]
    assert found["price.fit_intercept"] is True
    assert found["price"] == "sklearn.linear_model._base.LinearRegression"
    assert found["Pipeline.memory"] == ""
    assert {item.step for item in fitted_values(pipeline)} == {"scale", "price", "Pipeline"}


def test_nested_pipelines_and_transformers_keep_their_names() -> None:
    numbers = Pipeline([("scale", StandardScaler())])
    columns = ColumnTransformer([("numbers", numbers, ["Lot.Area"]), ("kinds", OneHotEncoder(), ["kind"])])
    found = collect_fitted_state(Pipeline([("columns", columns), ("price", LinearRegression())]).fit(FRAME, TARGET))
    assert found['columns.transformers_["numbers"].scale.mean_[0] (Lot.Area)'] == 3.5
    assert found['columns.transformers_["kinds"].categories_[0][1]'] == "b"
    assert found['columns.transformers_["kinds"][2][0]'] == "kind"


def test_a_tree_is_its_node_arrays() -> None:
    found = collect_fitted_state(DecisionTreeRegressor(max_depth=1).fit(FRAME[["Lot.Area"]], TARGET))
    assert found["estimator.tree_.threshold[0]"] == 5.5
    assert found["estimator.tree_.children_left[0]"] == 1
    assert found["estimator.tree_.value[2,0,0]"] == 5.0


@pytest.mark.parametrize(
    ("value", "name", "expected"),
    [
        (None, "x", ""),
        (True, "x", True),
        ({"Lot.Area": -12.55}, 'x["Lot.Area"]', -12.55),
        ({1: "a", "1": "b"}, 'x["1"]', "b"),
        ({float("nan"): 1, np.float64("nan"): 2}, "x[nan]#2", None),
        ({("a", 1): 2}, 'x[("a", 1)]', 2),
        ([], "x", "0 items"),
        ({"b", "a"}, 'x{"a"}', ""),
        ((1, (2, 3)), "x[1][0]", 2),
        (OrderedDict(a=1), 'x["a"]', 1),
        (np.float32(0.1), "x", np.float32(0.1)),
        (np.array(["a", None], dtype=object), "x[1]", ""),
        (np.zeros((0, 3)), "x", "float64 (0, 3)"),
        (np.array([(1, 2.5)], dtype=[("a", "i4"), ("b", "f8")]), "x.b[0]", 2.5),
        (np.ma.array([1.0, 2.0], mask=[False, True]), "x.mask[1]", True),
        (np.array(["2026-01-02"], "M8[D]"), "x[0]", "np.datetime64('2026-01-02')"),
        (datetime.date(2026, 1, 2), "x", "datetime.date(2026, 1, 2)"),
        (pd.Timestamp("2026-01-02"), "x", "Timestamp('2026-01-02 00:00:00')"),
        (pd.NA, "x", "<NA>"),
        (pd.Series([1.5], index=["a"]), "x.values[0]", 1.5),
        (pd.Series([1.5], index=["a"]), "x.index.values[0]", "a"),
        (FRAME, "x.column_1.values[3]", "b"),
        (sparse.csr_array(np.eye(2)), "x.indices[1]", 1),
        (np.log, "x", "numpy.log"),
        (len, "x", "len"),
        (houses.build, "x", "pipeline_lib.pipelines.houses.build"),
        (Path, "x", "pathlib.Path"),
        (b"\x01", "x", b"\x01"),
        (range(3), "x", "range(0, 3)"),
    ],
)
def test_every_kind_of_value_is_read(value: Any, name: str, expected: Any) -> None:
    found = state(x=value)
    if expected is None:
        assert name.replace("]#", "#") + "]" in found
    else:
        assert found[name] == expected


def test_random_states_are_their_numbers() -> None:
    assert state(x=np.random.default_rng(0)) != state(x=np.random.default_rng(1))
    assert state(x=np.random.RandomState(0)) == state(x=np.random.RandomState(0))
    assert state(x=np.random.RandomState(0))['x.state["state"]["pos"]'] == 624


def test_an_object_without_readable_parts_is_its_type_and_shows_no_address() -> None:
    items = {item.name: item for item in fitted_values(SimpleNamespace(lock=threading.Lock(), plain=object()))}
    assert (items["estimator.lock"].type, items["estimator.lock"].value) == (UNKNOWN, "_thread.lock")
    assert items["estimator.plain"].value == "object"
    assert not any(" at 0x" in item.text for item in items.values())


def test_a_container_inside_itself_ends() -> None:
    loop: list[Any] = [1]
    loop.append(loop)
    assert state(x=loop)["x[1]"] == "list"


def test_the_same_bits_can_be_read_from_texts(tmp_path: Path) -> None:
    values = [0.1, -0.0, 5e-324, float("inf"), np.float32(0.1), np.float16(0.1), np.longdouble("0.1"), "half \ud800"]
    write_fitted_state(tmp_path / "l.parquet", values)
    rows = pq.read_table(tmp_path / "l.parquet").to_pylist()[1:]
    assert [row["value"] for row in rows[:6]] == [float(value).hex() for value in values[:6]]  # type: ignore[arg-type]
    assert [row["type"] for row in rows[3:6]] == ["float", "float32", "float16"]
    assert np.longdouble(rows[6]["value"].partition("'")[2].rstrip("')")) == values[6]
    assert rows[7]["value"] == r"half \ud800"


def test_the_first_value_that_differs_is_shown_in_decimal_and_hex(compare: Compare) -> None:
    found = compare(
        Pipeline([("yeo_johnson", SimpleStep(lambda_dict_={"Lot.Area": -12.55}, n=1)), ("price", SimpleStep(a=1))]),
        Pipeline([("yeo_johnson", SimpleStep(lambda_dict_={"Lot.Area": 0.018}, n=1)), ("price", SimpleStep(a=2))]),
    )
    assert found.first == (
        'yeo_johnson.lambda_dict_["Lot.Area"]: -12.55 → 0.018 (-0x1.919999999999ap+3, 0x1.26e978d4fdf3bp-6)'
    )
    assert found.steps == {"yeo_johnson": 1, "price": 1}
    assert found.count == 2


class SimpleStep(SimpleNamespace):
    """A step with any attributes."""

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        return {}


@pytest.mark.parametrize(
    ("old", "new", "first"),
    [
        (1.0, np.nextafter(1.0, 2.0), "x: 1.0 of type float → 1.0000000000000002 of type float64"),
        (0.0, -0.0, "x: 0.0 → -0.0 (0x0.0p+0, -0x0.0p+0)"),
        (np.float32(0.1), np.float32(0.2), "x: 0.1 → 0.2 (0x1.99999a0000000p-4, 0x1.99999a0000000p-3)"),
        (1, True, "x: 1 of type int → True of type bool"),
        (1, "1", "x: 1 of type int → '1' of type str"),
        ([1, 2], [1], "x: 2 items → 1 items"),
        ([1], (1,), "x: 1 items of type list → 1 items of type tuple"),
        ({"a"}, {"b"}, 'x{"a"}: member → absent'),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, 'order: estimator.x["a"] → estimator.x["b"]'),
        (np.zeros(3), np.zeros(4), "x: float64 (3,) → float64 (4,)"),
        (StandardScaler(), OneHotEncoder(), "x: sklearn.preprocessing._data.StandardScaler → "),
        ("a" * 100, "b", f"x: '{'a' * 79}… → 'b'"),
    ],
)
def test_each_kind_of_difference_is_shown(compare: Compare, old: Any, new: Any, first: str) -> None:
    found = compare(SimpleNamespace(x=old), SimpleNamespace(x=new))
    assert first in found.first
    assert found.count
    assert compare(SimpleNamespace(x=old), SimpleNamespace(x=old)).count == 0


def test_no_more_values_differ_than_there_are_on_both_sides(compare: Compare) -> None:
    found = compare(SimpleNamespace(a=1.0), SimpleNamespace(b=2.0, c=3.0, d=[4.0, 5.0]))
    assert 4 < found.count <= found.total


def test_one_ulp_in_a_long_array_is_found_by_its_index(compare: Compare) -> None:
    old = np.linspace(0, 1, 3_000_000).reshape(-1, 3)
    old[5, 1] = np.nan
    new = old.copy()
    new[700_000, 2] = np.nextafter(new[700_000, 2], 1)
    assert compare(SimpleNamespace(x=old), SimpleNamespace(x=old.copy())).count == 0
    found = compare(SimpleNamespace(x=old), SimpleNamespace(x=new))
    assert found.count == 1
    assert found.first.startswith("estimator.x[700000,2]: 0.70000")
    assert float(new[700_000, 2]).hex() in found.first
    assert collect_fitted_state(SimpleNamespace(x=new))["estimator.x[2100002]"] == new[700_000, 2]


def test_one_threshold_in_a_forest_is_found(compare: Compare) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 2))
    forest = [RandomForestRegressor(2, random_state=seed).fit(X, X[:, 0]) for seed in (0, 0, 1)]
    assert compare(forest[0], forest[1]).count == 0
    assert compare(forest[0], forest[2]).first == "estimator.random_state: 0 → 1"
    forest[1].estimators_[1].tree_.threshold[0] += 1e-15
    found = compare(forest[0], forest[1])
    assert found.count == 1
    assert found.first.startswith("estimator.estimators_[1].tree_.threshold[0]: ")


def test_measured_times_are_kept_and_not_compared(compare: Compare) -> None:
    old = SimpleNamespace(refit_time_=0.5, cv_results_={"mean_fit_time": np.array([0.1]), "mean_test_score": [1.0]})
    new = SimpleNamespace(refit_time_=0.7, cv_results_={"mean_fit_time": np.array([0.2]), "mean_test_score": [1.0]})
    assert compare(old, new).count == 0
    new.cv_results_["mean_test_score"] = [2.0]
    assert compare(old, new).count == 1
    assert collect_fitted_state(old)["estimator.refit_time_"] == 0.5


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    write_fitted_state(tmp_path / "l.parquet", [1])
    pq.write_table(pa.table({"name": ["x"]}), tmp_path / "other.parquet")
    (tmp_path / "damaged.parquet").write_bytes(b"x")
    for name in ("other.parquet", "damaged.parquet", "absent.parquet"):
        with pytest.raises(InputError, match=f"{name}: found .* run again"):
            compare_fitted_state(tmp_path / "l.parquet", tmp_path / name)


def test_a_record_keeps_the_fitted_state_of_its_pipeline(houses_record: Record, tmp_path: Path) -> None:
    params = houses.Params.model_validate(example.VALUES)
    X_train, _, y_train, _ = houses.split(houses.load(), params)
    write_fitted_state(tmp_path / "l.parquet", houses.build(params).fit(X_train, y_train))
    found = compare_fitted_state(houses_record.folder / "learned.parquet", tmp_path / "l.parquet")
    assert found.count == 0
    assert found.total > 2_000
