"""The passenger pipeline that nbs/pipelines/titanic.ipynb exports, on its real data."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import Pipeline

from pipeline_lib.compiled.pipeline import CompiledPipeline
from pipeline_lib.compiler.compile import compile_pipeline
from pipeline_lib.errors import InputError
from pipeline_lib.pipelines import titanic
from pipeline_lib.rows.model import schema_of

Parts = tuple[pd.DataFrame, pd.DataFrame, pd.Series, pd.Series]
PARAMS: dict[str, Any] = {
    "test_share": 0.25,
    "seed": 0,
    "encoding": {"rare_share": 0.01},
    "estimator": {"strength": 0.3, "max_iter": 1000},
    "business": {"lookup": 20, "wrong_entry": 90},
}
GIVEN = titanic.Params.model_validate(PARAMS)


@pytest.fixture(scope="module")
def parts() -> Parts:
    return titanic.split(titanic.load(), GIVEN)


@pytest.fixture(scope="module")
def fitted(parts: Parts) -> Pipeline:
    return titanic.build(GIVEN).fit(parts[0], parts[2])


@pytest.fixture(scope="module")
def model(parts: Parts, fitted: Pipeline) -> CompiledPipeline:
    return compile_pipeline(fitted, like=parts[0], row=schema_of(titanic.Row))


def test_a_file_with_other_columns_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "titanic.csv").write_text("pclass,survived,Name\n1,0,Ada\n")
    monkeypatch.setattr(titanic, "data_path", lambda name: tmp_path / "titanic.csv")
    with pytest.raises(
        InputError, match=r"found the columns pclass, survived, Name in data/titanic\.csv, expected age, "
    ):
        titanic.load()


def test_the_register_is_raw_and_what_was_known_afterwards_is_left_out() -> None:
    frame = titanic.load()
    assert frame.shape == (1309, 12)
    assert (frame["age"] == "?").sum() == 263
    assert not {"boat", "body"} & set(frame)
    assert set(titanic.register()) - set(frame) == {"boat", "body"}


def test_no_ticket_is_in_both_parts_and_no_passenger_is_lost(parts: Parts) -> None:
    X_train, X_test, y_train, y_test = parts
    assert not set(X_train["ticket"]) & set(X_test["ticket"])
    assert sorted([*X_train.index, *X_test.index]) == list(range(1309))
    assert y_train.index.equals(X_train.index)
    assert y_test.index.equals(X_test.index)


def test_the_pipeline_tells_survivors_from_victims(model: CompiledPipeline, parts: Parts) -> None:
    _, X_test, _, y_test = parts
    values = titanic.metrics(y_test, model.predict(X_test), GIVEN, model.predict_proba(X_test))
    assert values["roc_auc"] > 0.84
    assert values["log_loss"] < 0.48
    assert values["calibration"] < 0.06
    assert values["minutes_saved"] > 4


def test_a_passenger_alone_has_the_bits_of_the_batch(model: CompiledPipeline, parts: Parts) -> None:
    assert model.exact
    rows = parts[1].head(40)
    together = model.predict_proba(rows)
    alone = [model.predict_proba_row(row) for row in rows.to_dict("records")]
    assert np.array(alone).tobytes() == together.tobytes()


def test_a_label_that_no_row_of_a_batch_has_changes_nothing(model: CompiledPipeline, parts: Parts) -> None:
    men = parts[1][parts[1]["sex"] == "male"]
    among_all = model.predict_proba(parts[1])[(parts[1]["sex"] == "male").to_numpy()]
    assert model.predict_proba(men).tobytes() == among_all.tobytes()


@pytest.mark.parametrize(
    ("column", "value"),
    [("age", "twelve"), ("age", None), ("fare", "7,25"), ("sex", "F"), ("pclass", 4), ("sibsp", -1)],
)
def test_a_fault_in_a_raw_row_is_named(model: CompiledPipeline, parts: Parts, column: str, value: Any) -> None:
    with pytest.raises(InputError, match=f"{column}: found"):
        model.predict_row({**parts[1].iloc[0].to_dict(), column: value})


def test_an_unknown_age_and_a_titleless_name_have_an_answer(model: CompiledPipeline, parts: Parts) -> None:
    row = parts[1].iloc[0].to_dict()
    assert model.trace_row({**row, "age": "?"})["unknown_age"]["age_na"] == 1
    assert model.trace_row({**row, "name": "Kelly"})["rare"]["title"] == "Rare"
    assert model.trace_row({**row, "name": "Kelly, Sultana. Mary"})["rare"]["title"] == "Rare"


def test_minutes_are_what_a_hand_computes() -> None:
    chance = np.array([0.95, 0.05, 0.02, 0.6])
    values = titanic.metrics([1, 0, 1, 1], chance > 0.5, GIVEN, np.column_stack([1 - chance, chance]))
    assert (values["minutes"], values["looked_up"], values["minutes_saved"]) == ((90 + 20) / 4, 0.25, 20 - 27.5)


@pytest.mark.parametrize(("target", "rows"), [([1, 1], 2), ([0, 1, 1], 2), ([0, 2], 2)])
def test_metrics_refuse_what_is_no_target(target: list[int], rows: int) -> None:
    with pytest.raises(InputError, match="expected each of the classes 0, 1, one column of the same length"):
        titanic.metrics(target, [1] * rows, GIVEN, [[0.5, 0.5]] * rows)


@pytest.mark.parametrize(
    "estimator",
    [{"kind": "forest", "trees": 10, "leaf": 5}, {"kind": "rule", "child_below": 15}],
    ids=lambda estimator: estimator["kind"],
)
def test_every_kind_of_estimator_tells_survivors_and_compiles(parts: Parts, estimator: dict[str, Any]) -> None:
    X_train, X_test, y_train, y_test = parts
    given = titanic.Params.model_validate({**PARAMS, "estimator": estimator})
    chosen = compile_pipeline(titanic.build(given).fit(X_train, y_train), like=X_train, row=schema_of(titanic.Row))
    assert chosen.exact
    values = titanic.metrics(y_test, chosen.predict(X_test), given, chosen.predict_proba(X_test))
    assert values["roc_auc"] > 0.75
    assert values["minutes_saved"] > 0


def test_women_and_children_go_first_and_an_unknown_age_is_no_child(parts: Parts) -> None:
    X_train, X_test, y_train, _ = parts
    given = titanic.Params.model_validate({**PARAMS, "estimator": {"kind": "rule", "child_below": 15}})
    rule = titanic.build(given).fit(X_train, y_train)
    four = X_test.head(4).assign(sex=["female", "male", "male", "male"], age=["?", "14.5", "15", "?"])
    learned = rule["survival"].learned_
    assert rule.predict_proba(four)[:, 1].tolist() == [learned["first"]] * 2 + [learned["others"]] * 2
    assert learned["first"] > 0.6 > 0.3 > learned["others"]


def test_parameters_without_a_kind_mean_the_logistic_regression() -> None:
    assert GIVEN.estimator == titanic.LogisticParams(kind="logistic", strength=0.3, max_iter=1000)
