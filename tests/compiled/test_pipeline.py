"""Raw rows in, predictions out: the same bits alone and in any batch, refusals by field, traces, batches in parts."""

import copy
import math
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from feature_engine.imputation import MeanMedianImputer
from sklearn.compose import ColumnTransformer
from sklearn.dummy import DummyRegressor
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import Lasso, LogisticRegression
from sklearn.pipeline import Pipeline
from small_houses import ROW, ROWS, as_dicts, compiled, fit_pipeline, houses, steps

from pipeline_lib.compiled.pipeline import CompiledPipeline, load_model
from pipeline_lib.compiler.compile import compile_pipeline
from pipeline_lib.errors import InputError
from pipeline_lib.rows.column import Column
from pipeline_lib.rows.schema import RowSchema


@pytest.fixture(scope="module")
def fitted() -> Pipeline:
    return fit_pipeline()


@pytest.fixture(scope="module")
def model() -> CompiledPipeline:
    return compiled()


def test_a_row_has_the_same_bits_alone_and_in_any_batch(model: CompiledPipeline, fitted: Pipeline) -> None:
    frame, _ = houses()
    whole = model.predict(frame)
    alone = np.array([model.predict_row(row) for row in as_dicts(frame)])
    shuffled = frame.iloc[::-1]
    assert whole.tobytes() == alone.tobytes()
    assert whole[::-1].tobytes() == model.predict(shuffled[list(shuffled.columns)[::-1]]).tobytes()
    assert np.abs(whole - fitted.predict(frame)).max() < 1e-9


def test_tables_mappings_and_frames_are_the_same_rows(model: CompiledPipeline) -> None:
    frame, _ = houses(9)
    expected = model.predict(frame)
    assert model.predict(pa.Table.from_pandas(frame)).tobytes() == expected.tobytes()
    assert model.predict(as_dicts(frame)).tobytes() == expected.tobytes()
    assert model.predict(frame.head(0)).shape == (0,)


def test_parts_are_predicted_one_by_one(model: CompiledPipeline) -> None:
    frame, _ = houses()
    parts = list(model.predict_batches(frame.iloc[start : start + 25] for start in range(0, ROWS, 25)))
    assert [len(part) for part in parts] == [25, 25, 10]
    assert np.concatenate(parts).tobytes() == model.predict(frame).tobytes()
    with pytest.raises(InputError, match="part 1: rooms: found 99"):
        list(model.predict_batches([frame, frame.assign(rooms=99)]))


def test_columns_that_reach_no_output_are_reported_and_not_read(model: CompiledPipeline) -> None:
    row = as_dicts(houses(1)[0])[0]
    assert "code" not in model.reads
    assert "code" in model.report.unread
    del row["code"]
    assert isinstance(model.predict_row({**row, "more": object()}), float)
    assert "not read: " in str(model.report)
    assert "<th>evaluated</th>" in model._repr_html_()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rooms": 2.5}, r"rooms: found 2.5.*expected a whole number"),
        ({"rooms": "2"}, r"rooms: found '2'.*expected a whole number"),
        ({"rooms": True}, r"rooms: found True.*expected a whole number"),
        ({"rooms": 21}, r"rooms: found 21.*expected a value <= 20"),
        ({"rooms": None}, r"rooms: found None.*Row allows no missing value"),
        ({"size": "big"}, r"size: found 'big'.*expected a number"),
        ({"size": 2**60}, r"size: found 1152921504606846976.*expected a number"),
        ({"size": math.inf}, r"found inf in column 'size'|found inf"),
        ({"town": 3}, r"town: found 3.*expected text"),
        ({"town": "a far too long name"}, r"town: found.*expected at most 10 characters"),
        ({"town": "\ud800"}, r"town: found '\\ud800'.*expected text"),
    ],
)
def test_a_row_outside_the_schema_is_refused_by_field(
    model: CompiledPipeline, change: dict[str, Any], message: str
) -> None:
    row = {**as_dicts(houses(1)[0])[0], **change}
    with pytest.raises(InputError, match=message):
        model.predict_row(row)
    with pytest.raises(InputError, match=message):
        model.predict([row])


def test_every_problem_of_a_row_is_in_one_message(model: CompiledPipeline) -> None:
    with pytest.raises(InputError) as caught:
        model.predict_row({"rooms": "x", "town": 3})
    assert {"rooms", "town"} <= {line.partition(":")[0] for line in str(caught.value).splitlines()}
    assert "found no size" in str(caught.value)


@pytest.mark.parametrize(
    "same",
    [
        {"size": 100, "rooms": np.int64(3), "town": np.str_("Ames")},
        {"size": np.float32(100), "rooms": 3.0, "town": "Ames"},
        {"size": 100.0, "rooms": 3, "town": "Ames", "heated": np.bool_(True)},
    ],
)
def test_values_of_numpy_and_whole_floats_are_taken_exactly(model: CompiledPipeline, same: dict[str, Any]) -> None:
    row = {"size": 100.0, "rooms": 3, "town": "Ames", "heated": True}
    assert model.predict_row({**row, **same}) == model.predict_row(row)


@pytest.mark.parametrize("rows", [[{}], [{}, {}], "row", None])
def test_one_row_is_one_mapping(model: CompiledPipeline, rows: Any) -> None:
    with pytest.raises(InputError, match="expected one row as a mapping"):
        model.predict_row(rows)


def test_the_message_on_a_series_says_how_to_make_a_mapping(model: CompiledPipeline) -> None:
    with pytest.raises(InputError, match=r"row.to_dict\(\)"):
        model.predict_row(houses(1)[0].iloc[0])


def test_a_trace_has_every_step_of_one_row(model: CompiledPipeline, fitted: Pipeline) -> None:
    frame, _ = houses(8)
    row = as_dicts(frame)[7]
    trace = model.trace_row(row)
    assert list(trace) == ["town", "rank", "drop", "size", "scale", "outputs"]
    assert trace["outputs"] == {"prediction": model.predict_row(row)}
    assert row["size"] is None
    assert trace["rank"]["size"] is None
    assert trace["size"]["size"] == fitted["size"].imputer_dict_["size"]


def test_transform_gives_what_reaches_the_estimator(model: CompiledPipeline, fitted: Pipeline) -> None:
    frame, _ = houses()
    table = model.transform(frame)
    assert table.column_names == ["size", "rooms", "town", "heated"]
    assert np.allclose(np.column_stack(list(table.to_pydict().values())), fitted[:-1].transform(frame))


def test_probabilities_of_an_estimator_without_them_are_refused(model: CompiledPipeline) -> None:
    with pytest.raises(InputError, match=r"found a final estimator that gives no probability.*it gives prediction"):
        model.predict_proba(houses(1)[0])


def test_a_pattern_in_the_schema_is_checked_for_one_row_as_for_many() -> None:
    frame, price = houses()
    columns = [Column(c.name, c.kind, nullable=c.nullable) for c in ROW.columns]
    columns[2] = Column("town", "string", nullable=True, pattern="^[A-Z]")
    model = compile_pipeline(Pipeline(steps()).fit(frame, price), like=frame, row=RowSchema(tuple(columns)))
    row = as_dicts(frame)[1]
    assert model.predict_row(row) == model.predict(frame)[1]
    with pytest.raises(InputError, match="town: found 'ames'"):
        model.predict_row({**row, "town": "ames"})
    ((_, function),) = model.evaluators.rows._functions.values()
    assert function(row) == (model.predict_row(row),)  # a matching text needs no slower check


@pytest.mark.parametrize("value", [-(2**63), 2**53 + 1])
def test_integers_beyond_float64_are_refused_in_a_nullable_column(value: int) -> None:
    frame = pd.DataFrame({"a": [1.0, 2.0, np.nan, 4.0]})
    pipeline = Pipeline([("fill", MeanMedianImputer(variables=["a"])), ("last", Lasso())]).fit(frame, [1, 2, 3, 4])
    model = compile_pipeline(pipeline, like=frame, row=RowSchema((Column("a", "integer", nullable=True),)))
    for call in (lambda: model.predict([{"a": value}]), lambda: model.predict_row({"a": value})):
        with pytest.raises(InputError, match=r"a: found 1 integers beyond 2\*\*53"):
            call()


def test_sparse_columns_become_lists_of_indices_and_values() -> None:
    frame = pd.DataFrame({"text": ["a cat and a dog", "the dog", "no animal"]}).astype("str")
    words = ColumnTransformer([("words", CountVectorizer(), "text")], sparse_threshold=1.0)
    pipeline = Pipeline([("words", words), ("kind", LogisticRegression())]).fit(frame, [1, 1, 0])
    model = compile_pipeline(pipeline, like=frame)
    assert model.classes == (0, 1)
    table = model.transform(frame)
    assert [name.rpartition("[")[2] for name in table.column_names] == ["places]", "values]"]
    assert table.column(1).to_pylist() == [[1.0, 1.0, 1.0], [1.0, 1.0], [1.0, 1.0]]
    assert model.evaluate(pa.Table.from_pandas(frame), steps=True).steps["words"].equals(table)
    assert set(model.trace_row({"text": "the cat"})) == {"words", "outputs"}


@pytest.mark.parametrize("copied", [copy.deepcopy, copy.copy, lambda model: pickle.loads(pickle.dumps(model))])  # noqa: S301
def test_copies_answer_alike_also_of_a_model_that_has_answered(
    model: CompiledPipeline, copied: Callable[[CompiledPipeline], CompiledPipeline]
) -> None:
    frame, _ = houses()
    row = as_dicts(frame)[0]
    expected = model.predict(frame), model.predict_row(row)
    again = copied(model)
    assert (again.predict(frame).tobytes(), again.predict_row(row)) == (expected[0].tobytes(), expected[1])
    assert again.report == model.report
    assert again.reads == model.reads


def test_predictions_may_be_changed_by_the_caller() -> None:
    """Also those of an estimator that gives one constant."""
    frame, prices = houses()
    model = compile_pipeline(DummyRegressor().fit(frame, prices), like=frame)
    predicted = model.predict(frame)
    expected = predicted.tolist()
    predicted += 1.0
    assert model.predict(frame).tolist() == expected
    assert model.predict(frame).tolist() != predicted.tolist()


@pytest.mark.parametrize("folder", [None, 5, []])
def test_a_folder_that_is_no_path_is_refused(folder: Any) -> None:
    with pytest.raises(InputError, match=r"found .*, expected a folder; name it as runs/NAME/ID/artifact"):
        load_model(folder)
