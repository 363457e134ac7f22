"""Business value of each prediction: what a module exports, what is refused, what records keep."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import BaseModel
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from pipeline_lib import Tables
from pipeline_lib.compiler.compile import compile_pipeline
from pipeline_lib.errors import InputError
from pipeline_lib.evidence.evidence import write_evidence
from pipeline_lib.records.record import Record
from pipeline_lib.records.recorded_value import RecordedValue, amount, recorded_value
from pipeline_lib.rows.model import schema_of
from pipeline_lib.runner.value import unit_of, value_of, value_of_evidence
from pipeline_lib.system.files import canonical_json


class Row(BaseModel):
    """A loan."""

    amount: float


class Payment(BaseModel):
    """A payment of a loan."""

    loan: int
    paid: float


class Loan(BaseModel):
    """A loan with payments."""

    loan: int
    amount: float


PARAMS = SimpleNamespace(fee=0.1)
ROWS = pd.DataFrame({"amount": [100.0, 200.0, 300.0, 400.0]}, index=[7, 3, 9, 1])
TARGET = pd.Series([1, 0, 1, 0], index=ROWS.index)
PREDICTIONS = np.array([1, 1, 0, 0])


def earned(target: Any, predictions: Any, rows: Any, params: Any) -> Any:
    """A fee on loans that are granted and paid back; the whole loan is lost else."""
    return predictions * np.where(target == 1, params.fee * rows["amount"], -rows["amount"])


def module_of(value: Any, **names: Any) -> Any:
    return SimpleNamespace(__name__="loans", value=value, VALUE_UNIT="dollars", Row=Row, **names)


def valued(value: Any, **options: Any) -> Any:
    return value_of(module_of(value), TARGET, PREDICTIONS, ROWS, PARAMS, **options)


def test_a_value_is_there_for_each_row_in_order() -> None:
    values = valued(earned)
    assert values.dtype == np.float64
    assert values.tolist() == [10.0, -200.0, 0.0, 0.0]


def test_costs_in_the_parameters_change_the_value() -> None:
    values = value_of(module_of(earned), TARGET, PREDICTIONS, ROWS, SimpleNamespace(fee=0.5))
    assert values is not None
    assert values[0] == 50.0


def test_a_module_without_value_has_none() -> None:
    assert value_of(SimpleNamespace(Row=Row), TARGET, PREDICTIONS, ROWS, PARAMS) is None  # type: ignore[arg-type]


def test_rows_are_the_columns_of_row_in_the_dtypes_of_production() -> None:
    seen: list[Any] = []

    def value(target: Any, predictions: Any, rows: Any, params: Any) -> Any:
        seen.append(rows)
        return np.zeros(len(rows))

    value_of(module_of(value), TARGET, PREDICTIONS, ROWS.assign(more=1).astype({"amount": "int64"}), PARAMS)
    assert list(seen[0].columns) == ["amount"]
    assert seen[0]["amount"].dtype == np.float64
    assert len(seen[0]) == 4


def test_whole_numbers_become_float64_and_other_results_are_refused() -> None:
    assert valued(lambda target, predictions, rows, params: predictions).dtype == np.float64
    wrong: dict[str, Any] = {
        "a NoneType": None,
        "a dict": {"mean": 1.0},
        r"shape \(\)": 1.0,
        r"shape \(3,\)": np.zeros(3),
        r"shape \(4, 1\)": np.zeros((4, 1)),
        "dtype bool": np.ones(4, dtype=bool),
        "dtype <U1": np.array(["1", "2", "3", "4"]),
    }
    for found, result in wrong.items():
        with pytest.raises(InputError, match=f"value: found .*{found}.*, expected a number for each row"):
            valued(constant(result))


def constant(result: Any) -> Any:
    def value(target: Any, predictions: Any, rows: Any, params: Any) -> Any:
        return result

    return value


def test_a_value_that_is_not_finite_is_refused_with_its_row() -> None:
    def value(target: Any, predictions: Any, rows: Any, params: Any) -> Any:
        return np.where(rows["amount"] > 250, np.nan, 1.0)

    with pytest.raises(InputError, match="value: found nan in row 2, expected finite numbers"):
        valued(value)


@pytest.mark.parametrize(
    "aggregate",
    [
        lambda amounts: amounts - amounts.mean(),
        lambda amounts: amounts / amounts.sum(),
        lambda amounts: amounts.rank(),
        lambda amounts: amounts.cumsum(),
        lambda amounts: amounts.diff().fillna(0.0),
        lambda amounts: amounts * len(amounts),
        lambda amounts: amounts - amounts.iloc[0],
    ],
    ids=["mean", "sum", "rank", "cumsum", "diff", "count", "first"],
)
def test_a_value_that_depends_on_other_rows_is_refused(aggregate: Any) -> None:
    def value(target: Any, predictions: Any, rows: Any, params: Any) -> Any:
        return aggregate(rows["amount"])

    with pytest.raises(InputError, match=r"of the 4 rows alone.*expected a value that depends on its own row only"):
        valued(value)


def test_a_value_that_refuses_some_of_the_rows_is_refused() -> None:
    def value(target: Any, predictions: Any, rows: Any, params: Any) -> Any:
        if len(set(target)) < 2:
            raise ValueError("only one class")
        return np.zeros(len(rows))

    with pytest.raises(InputError, match=r"ValueError: only one class, on .* needs no other row"):
        valued(value)


def test_a_value_cannot_change_what_it_gets() -> None:
    def value(target: Any, predictions: Any, rows: Any, params: Any) -> Any:
        rows["amount"] = 0.0
        predictions[:] = 9
        return np.ones(len(rows))

    predictions, rows = PREDICTIONS.copy(), ROWS.copy()
    value_of(module_of(value), TARGET, predictions, rows, PARAMS)
    assert predictions.tolist() == PREDICTIONS.tolist()
    assert rows.equals(ROWS)


@pytest.mark.parametrize("unit", [None, "", "  ", 3, "dollars\na row", "x" * 41])
def test_a_unit_is_a_short_text(unit: Any) -> None:
    module = module_of(earned)
    module.VALUE_UNIT = unit
    with pytest.raises(InputError, match=r"VALUE_UNIT: found .*, expected the unit of `value`"):
        value_of(module, TARGET, PREDICTIONS, ROWS, PARAMS)


def test_a_unit_is_stripped() -> None:
    assert unit_of(SimpleNamespace(VALUE_UNIT=" dollars ")) == "dollars"  # type: ignore[arg-type]


def test_other_arguments_are_refused() -> None:
    with pytest.raises(InputError, match=r"value: found the arguments \(predictions, target, rows, params\)"):
        valued(lambda predictions, target, rows, params: predictions)
    with pytest.raises(InputError, match=r"found the arguments \(\)"):
        valued(3)


def test_other_lengths_are_refused() -> None:
    with pytest.raises(InputError, match="found 4 of target, 3 of predictions, 4 of rows"):
        value_of(module_of(earned), TARGET, PREDICTIONS[:3], ROWS, PARAMS)


def test_probabilities_are_passed_where_they_are_asked_for() -> None:
    def value(target: Any, predictions: Any, rows: Any, params: Any, probabilities: Any) -> Any:
        return probabilities[:, 1]

    chances = np.array([[0.5, 0.5], [0.25, 0.75], [1.0, 0.0], [0.0, 1.0]])
    assert valued(value, probabilities=chances).tolist() == [0.5, 0.75, 0.0, 1.0]
    with pytest.raises(InputError, match="a parameter `probabilities` and a pipeline that gives none"):
        valued(value)


def test_of_several_tables_the_value_gets_a_mapping() -> None:
    def value(target: Any, predictions: Any, rows: Any, params: Any) -> Any:
        paid = rows["payments"].groupby("loan")["paid"].sum()
        return rows["loans"]["loan"].map(paid).fillna(0.0) - rows["loans"]["amount"]

    module = module_of(value)
    module.Row = Tables("loan", loans=Loan, payments=Payment)
    loans = pd.DataFrame({"loan": [5, 6, 7], "amount": [10.0, 20.0, 30.0]})
    payments = pd.DataFrame({"loan": [6, 5, 6], "paid": [1.0, 2.0, 3.0]})
    tables = {"loans": loans, "payments": payments}
    values = value_of(module, pd.Series([1, 1, 0]), np.array([1, 1, 1]), tables, PARAMS)
    assert values is not None
    assert values.tolist() == [-8.0, -16.0, -30.0]


def test_the_value_of_evidence_has_mean_total_and_unit(tmp_path: Path) -> None:
    record = Record(tmp_path / "loans" / "20261130T120000000-aaaaaa")
    record.folder.mkdir(parents=True)
    fitted = Pipeline([("granted", LogisticRegression())]).fit(ROWS, TARGET)
    model = compile_pipeline(fitted, like=ROWS, row=schema_of(Row))
    write_evidence(record.evidence, model, ROWS, TARGET)
    expected = earned(TARGET.to_numpy(), model.predict(ROWS), ROWS.reset_index(drop=True), PARAMS)
    worth = value_of_evidence(module_of(earned), record, PARAMS)
    assert worth == RecordedValue("dollars", float(np.mean(expected)), float(np.sum(expected)), 4)
    assert recorded_value(record) is None
    (record.folder / "value.json").write_bytes(canonical_json(worth.to_json()))
    assert recorded_value(record) == worth


def test_a_damaged_value_is_named(tmp_path: Path) -> None:
    record = Record(tmp_path / "loans" / "20261130T120000000-aaaaaa")
    record.folder.mkdir(parents=True)
    (record.folder / "value.json").write_text('{"unit": "dollars", "mean": "much"}')
    with pytest.raises(InputError, match=r"value\.json: found \['mean', 'unit'\], expected unit, mean, total and rows"):
        recorded_value(record)


def test_amounts_are_shown_with_their_sign() -> None:
    assert [amount(number) for number in (0.0, 0.00123, -7.5, 1234567.8)] == ["0", "+0.00123", "-7.5", "+1,234,568"]
