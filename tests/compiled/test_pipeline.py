import json
import math
import subprocess
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from feature_engine.encoding import OrdinalEncoder
from feature_engine.imputation import CategoricalImputer, MeanMedianImputer
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.linear_model import Lasso
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler
from sklearn.random_projection import GaussianRandomProjection

from pipeline_lib.compiled import artifact
from pipeline_lib.compiled.compile_report import CompileReport, StepReport
from pipeline_lib.compiled.pipeline import load_model
from pipeline_lib.compiler.adapters.registry import _TRANSFORMERS, NoPlanError, RefusedStepError
from pipeline_lib.compiler.adapters.sklearn import preprocessing as sklearn_preprocessing
from pipeline_lib.compiler.compile import compile_pipeline
from pipeline_lib.compiler.fidelity import _compare
from pipeline_lib.errors import InputError
from pipeline_lib.rows.column import Column
from pipeline_lib.rows.schema import RowSchema

ROWS = 60
ROW = RowSchema(
    (
        Column("size", "number", nullable=True),
        Column("rooms", "integer", ge=0, le=20),
        Column("town", "string", nullable=True, max_length=10),
        Column("code", "string"),
        Column("heated", "boolean"),
    )
)


def houses(rows=ROWS):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "size": rng.normal(100, 30, rows),
            "rooms": rng.integers(1, 9, rows),
            "town": rng.choice(["Ames", "Boone", "Nevada"], rows),
            "code": [f"c{i}" for i in range(rows)],
            "heated": rng.random(rows) > 0.5,
        }
    ).astype({"town": "str", "code": "str"})
    frame.loc[::7, "size"] = np.nan
    frame.loc[::5, "town"] = np.nan
    return frame, frame["size"].fillna(90) * 3 + frame["rooms"] * 10


def steps(*more):
    return [
        ("town", CategoricalImputer(variables=["town"], fill_value="none")),
        ("rank", OrdinalEncoder(encoding_method="ordered", variables=["town"], unseen="encode")),
        ("drop", Drop(["code"])),
        ("size", MeanMedianImputer(variables=["size"])),
        *more,
        ("scale", MinMaxScaler()),
        ("price", Lasso(alpha=0.01)),
    ]


class Drop(TransformerMixin, BaseEstimator):
    def __init__(self, columns):
        self.columns = columns

    def fit(self, X, y=None):
        self.fitted_ = True
        return self

    def transform(self, X):
        return X.drop(columns=self.columns)

    def plan(self, columns, build):
        return {name: value for name, value in columns.items() if name not in self.columns}


class Centre(Drop):
    """Rows affect each other: the batch's own mean is subtracted."""

    def transform(self, X):
        return X.assign(size=X["size"] - X["size"].mean())

    plan = None


class Doubled(Drop):
    """A plan that is not what `transform` does."""

    def transform(self, X):
        return X.assign(size=X["size"] * 2)

    def plan(self, columns, build):
        return {**columns, "size": columns["size"] * 2.0000000000000004}


class Logged(Drop):
    """An own step without a plan."""

    def transform(self, X):
        return X.assign(size=np.log1p(X["size"].clip(lower=0)))

    plan = None


@pytest.fixture(scope="module")
def fitted():
    frame, price = houses()
    return Pipeline(steps()).fit(frame, price)


@pytest.fixture(scope="module")
def model(fitted):
    return compile_pipeline(fitted, like=houses()[0], row=ROW)


def plain(frame):
    return [
        {name: None if value != value else value for name, value in row.items()} for row in frame.to_dict("records")
    ]


def test_a_row_has_the_same_bits_alone_and_in_any_batch(model, fitted):
    frame, _ = houses()
    whole = model.predict(frame)
    alone = np.array([model.predict_row(row) for row in plain(frame)])
    shuffled = frame.iloc[::-1]
    assert whole.tobytes() == alone.tobytes()
    assert whole[::-1].tobytes() == model.predict(shuffled[list(shuffled.columns)[::-1]]).tobytes()
    assert np.abs(whole - fitted.predict(frame)).max() < 1e-9


def test_tables_mappings_and_frames_are_the_same_rows(model):
    frame, _ = houses(9)
    expected = model.predict(frame)
    assert model.predict(pa.Table.from_pandas(frame)).tobytes() == expected.tobytes()
    assert model.predict(plain(frame)).tobytes() == expected.tobytes()
    assert model.predict(frame.head(0)).shape == (0,)


def test_parts_are_predicted_one_by_one(model):
    frame, _ = houses()
    parts = list(model.predict_batches(frame.iloc[start : start + 25] for start in range(0, ROWS, 25)))
    assert [len(part) for part in parts] == [25, 25, 10]
    assert np.concatenate(parts).tobytes() == model.predict(frame).tobytes()
    with pytest.raises(InputError, match="part 1: rooms: found 99"):
        list(model.predict_batches([frame, frame.assign(rooms=99)]))


def test_a_loaded_artifact_predicts_the_same(model, tmp_path):
    frame, _ = houses()
    model.save(tmp_path)
    loaded = load_model(tmp_path)
    assert loaded.predict(frame).tobytes() == model.predict(frame).tobytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["arrays.npz", "artifact.json", "row.json"]


def test_saving_twice_gives_the_same_bytes(model, tmp_path):
    model.save(tmp_path / "a")
    load_model(tmp_path / "a").save(tmp_path / "b")
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


def test_columns_that_reach_no_output_are_named_and_not_read(model):
    row = plain(houses(1)[0])[0]
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
def test_a_row_outside_the_schema_is_refused_by_field(model, change, message):
    row = {**plain(houses(1)[0])[0], **change}
    with pytest.raises(InputError, match=message):
        model.predict_row(row)
    with pytest.raises(InputError, match=message):
        model.predict([row])


def test_all_that_is_wrong_with_a_row_is_said_at_once(model):
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
def test_values_that_are_not_plain_python_are_taken_exactly(model, same):
    row = {"size": 100.0, "rooms": 3, "town": "Ames", "heated": True}
    assert model.predict_row({**row, **same}) == model.predict_row(row)


@pytest.mark.parametrize("rows", [[{}], [{}, {}], "row", None])
def test_one_row_is_one_mapping(model, rows):
    with pytest.raises(InputError, match="expected one row as a mapping"):
        model.predict_row(rows)


def test_a_series_is_told_how_to_become_a_mapping(model):
    with pytest.raises(InputError, match=r"row.to_dict\(\)"):
        model.predict_row(houses(1)[0].iloc[0])


def test_a_trace_has_every_step_of_one_row(model, fitted):
    frame, _ = houses(8)
    row = plain(frame)[7]
    trace = model.trace_row(row)
    assert list(trace) == ["town", "rank", "drop", "size", "scale", "outputs"]
    assert trace["outputs"] == {"prediction": model.predict_row(row)}
    assert row["size"] is None
    assert trace["rank"]["size"] is None
    assert trace["size"]["size"] == fitted["size"].imputer_dict_["size"]


def test_transform_gives_what_reaches_the_estimator(model, fitted):
    frame, _ = houses()
    found = model.transform(frame)
    assert found.column_names == ["size", "rooms", "town", "heated"]
    assert np.allclose(np.column_stack(list(found.to_pydict().values())), fitted[:-1].transform(frame))


def test_an_estimator_without_probabilities_says_so(model):
    with pytest.raises(InputError, match=r"found a final estimator that gives no probability.*it gives prediction"):
        model.predict_proba(houses(1)[0])


def compiled_with(step, **options):
    frame, price = houses()
    return compile_pipeline(Pipeline(steps(("own", step))).fit(frame, price), like=frame, row=ROW, **options)


def test_a_plan_one_ulp_off_is_refused():
    message = r"step own, column 'size': found .* from the plan in row .*cannot be compiled"
    with pytest.raises(InputError, match=message):
        compiled_with(Doubled([]))


def test_an_adapter_that_ignores_an_option_is_refused(monkeypatch):
    frame, price = houses()
    fitted = Pipeline(steps()).set_params(scale__feature_range=(0, 3)).fit(frame, price)
    compile_pipeline(fitted, like=frame, row=ROW)

    def ignoring(step, columns, build):
        return {n: build.number(v) * float(s) for (n, v), s in zip(columns.items(), step.scale_, strict=True)}

    name = "sklearn.preprocessing._data.MinMaxScaler"
    monkeypatch.setitem(_TRANSFORMERS, name, type(_TRANSFORMERS[name])(ignoring, _TRANSFORMERS[name].options))
    with pytest.raises(InputError, match="step scale, column 0"):
        compile_pipeline(fitted, like=frame, row=ROW)


def test_an_option_that_no_adapter_knows_is_refused(monkeypatch, fitted):
    name = "sklearn.preprocessing._data.MinMaxScaler"
    monkeypatch.setitem(
        _TRANSFORMERS, name, type(_TRANSFORMERS[name])(sklearn_preprocessing.min_max, frozenset({"clip"}))
    )
    with pytest.raises(NoPlanError, match=r"found options copy, feature_range that its adapter does not know"):
        compile_pipeline(fitted, like=houses()[0], row=ROW)


def test_a_step_without_a_plan_is_refused_unless_opaque_is_allowed():
    with pytest.raises(NoPlanError, match=r"step own: Logged: found transformer class .*allow_opaque=True"):
        compiled_with(Logged([]))


@pytest.mark.parametrize("options", [{}, {"allow_opaque": True}])
def test_a_step_that_drops_rows_is_refused(options):
    class Dropping(Drop):
        def transform(self, X):
            return X.iloc[1:]

    frame, price = houses()
    pipeline = Pipeline(steps(("own", Dropping([]))))
    for step in (s for _, s in pipeline.steps[:-1]):
        step.fit(frame, price)
        frame = step.transform(frame) if not isinstance(step, Dropping) else frame
    pipeline.steps[-1][1].fit(frame, price)
    with pytest.raises(RefusedStepError, match=r"step own: found 59 rows for 60"):
        compile_pipeline(pipeline, like=houses()[0], row=ROW, **options)


def test_opaque_steps_run_through_their_library(tmp_path):
    frame, price = houses()
    pipeline = Pipeline(
        steps(("pca", MinMaxScaler()), ("components", GaussianRandomProjection(3, random_state=0)))
    ).fit(frame, price)
    model = compile_pipeline(pipeline, like=frame, row=ROW, library="tests_of_opaque", allow_opaque=True)
    assert not model.exact
    assert [step.name for step in model.report.steps if not step.exact] == ["components"]
    assert "opaque in part" in str(model.report)
    model.save(tmp_path)
    loaded = load_model(tmp_path, library="tests_of_opaque")
    whole = loaded.predict(frame)
    assert np.allclose(whole, pipeline.predict(frame))
    assert whole[:1].tobytes() == loaded.predict(frame.head(1)).tobytes()
    assert loaded.predict_row(plain(frame)[0]) == whole[0]


def test_rows_that_affect_each_other_are_refused_even_as_opaque(monkeypatch):
    from pipeline_lib.compiled import opaque

    monkeypatch.setattr(opaque, "_is_allowed", lambda name, library: True)
    with pytest.raises(RefusedStepError, match=r"step own, column size: found other values .* in a smaller batch"):
        compiled_with(Centre([]), allow_opaque=True)


def test_another_estimators_state_is_not_loaded():
    with pytest.raises(InputError, match=r"found .*Logged in an opaque step, expected only estimators"):
        compiled_with(Logged([]), allow_opaque=True)


@pytest.mark.parametrize(
    ("like", "message"),
    [
        (lambda f: f.astype({"rooms": "float64"}), "rooms: found dtype float64, expected int64"),
        (lambda f: f.astype({"town": "object"}), "town: found dtype object"),
        (lambda f: f.head(0), "found no rows in `like`"),
    ],
)
def test_training_rows_unlike_production_are_refused(fitted, like, message):
    with pytest.raises(InputError, match=message):
        compile_pipeline(fitted, like=like(houses()[0]), row=ROW)


def test_what_is_no_fitted_pipeline_is_refused():
    frame, _ = houses()
    with pytest.raises(InputError, match="expected a scikit-learn Pipeline"):
        compile_pipeline(Lasso(), like=frame, row=ROW)
    with pytest.raises(InputError, match="found a pipeline that is not fitted"):
        compile_pipeline(Pipeline(steps()), like=frame, row=ROW)


def test_a_schema_is_drawn_from_the_training_frame(fitted):
    frame, _ = houses()
    model = compile_pipeline(fitted, like=frame)
    assert [column.kind for column in model.row.columns] == ["number", "integer", "string", "string", "boolean"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("artifact.json", b"{", "damaged description"),
        ("artifact.json", b'{"format": 1}', r"found format 1, expected one of \(2, 3\)"),
        ("artifact.json", b"[]", "found format 'list'"),
        ("arrays.npz", b"PK", "damaged artifact"),
        ("row.json", b"{}", "row schema"),
    ],
)
def test_a_damaged_artifact_is_refused(model, tmp_path, name, content, message):
    model.save(tmp_path)
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message):
        load_model(tmp_path)


def test_an_artifact_of_the_format_before_still_loads(model, fitted, tmp_path):
    model.save(tmp_path)
    description = json.loads((tmp_path / "artifact.json").read_text())
    description |= {"format": 2, "tables": [table[:4] for table in description["tables"]]}
    (tmp_path / "artifact.json").write_text(json.dumps(description))
    frame, _ = houses()
    assert load_model(tmp_path).predict(frame).tobytes() == model.predict(frame).tobytes()


def _node(change):
    def edit(description):
        description["nodes"][-1] |= change

    return edit


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (_node({"operation": "__import__"}), "found operation '__import__'"),
        (_node({"inputs": [10**6]}), "found node 1000000, expected the number of an earlier one"),
        (_node({"dtype": "object"}), "of 'object', expected one of this release"),
        (lambda d: d.update(outputs=[["prediction", -1]]), "found node -1"),
        (lambda d: d["nodes"][0]["settings"].update(column="secret"), "found raw columns .'secret'. in the plan"),
    ],
)
def test_a_forged_plan_is_refused(model, tmp_path, edit, message):
    model.save(tmp_path)
    path = tmp_path / artifact.DESCRIPTION
    description = json.loads(path.read_bytes())
    edit(description)
    path.write_text(json.dumps(description))
    with pytest.raises(InputError, match=message):
        load_model(tmp_path)


def test_no_artifact_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"found no artifact.json"):
        load_model(tmp_path)


PRODUCTION = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"sklearn", "feature_engine", "pandas", "scipy", "skops"} or name.startswith(
            ("pipeline_lib.steps", "pipeline_lib.pipelines")
        ):
            raise ImportError(f"{name} is not for production")
sys.meta_path.insert(0, Refuse())
import json
from pipeline_lib import load_model
model = load_model(sys.argv[1])
print(json.dumps([model.predict_row(row).hex() for row in json.loads(sys.argv[2])]))
print(json.dumps([value.hex() for value in model.predict(json.loads(sys.argv[2])).tolist()]))
"""


def test_production_needs_no_library_of_research(model, tmp_path):
    model.save(tmp_path)
    rows = plain(houses(5)[0])
    expected = [value.hex() for value in model.predict(rows).tolist()]
    command = [sys.executable, "-c", PRODUCTION, str(tmp_path), json.dumps(rows)]
    found = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  our own interpreter
    assert found.stderr == ""
    assert [json.loads(line) for line in found.stdout.splitlines()] == [expected, expected]


def test_sparse_columns_are_kept_as_lists_of_what_they_hold():
    from sklearn.compose import ColumnTransformer
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.linear_model import LogisticRegression

    frame = pd.DataFrame({"text": ["a cat and a dog", "the dog", "no animal"]}).astype("str")
    words = ColumnTransformer([("words", CountVectorizer(), "text")], sparse_threshold=1.0)
    pipeline = Pipeline([("words", words), ("kind", LogisticRegression())]).fit(frame, [1, 1, 0])
    model = compile_pipeline(pipeline, like=frame)
    assert model.classes == (0, 1)
    made = model.transform(frame)
    assert [name.rpartition("[")[2] for name in made.column_names] == ["places]", "values]"]
    assert made.column(1).to_pylist() == [[1.0, 1.0, 1.0], [1.0, 1.0], [1.0, 1.0]]
    assert model.evaluate(pa.Table.from_pandas(frame), steps=True).steps["words"].equals(made)
    assert set(model.trace_row({"text": "the cat"})) == {"words", "outputs"}


class Writing(Drop):
    """Writes into the frame that it is given."""

    def transform(self, X):
        X["size"] *= 2
        return X

    def plan(self, columns, build):
        return {**columns, "size": columns["size"] * 2.0}


class OfWholeBatches(Drop):
    """Answers otherwise for few rows."""

    def transform(self, X):
        return X if len(X) == ROWS else X.assign(size=X["size"] * 2)

    def plan(self, columns, build):
        return columns


class Wrong(Drop):
    """Gives a number where a plan gives values."""

    def transform(self, X):
        return X

    def plan(self, columns, build):
        return {"size": 1.0}


def test_a_step_that_writes_into_its_input_is_judged_by_what_it_was_given():
    frame, price = houses()
    pipeline = Pipeline(steps(("own", Writing([])))).fit(frame.copy(), price)
    model = compile_pipeline(pipeline, like=frame, row=ROW)
    assert np.abs(model.predict(frame) - pipeline.predict(frame.copy())).max() < 1e-9


def test_a_step_that_asks_how_many_rows_there_are_is_refused():
    with pytest.raises(InputError, match="step own, 1 rows alone, column 'size'"):
        compiled_with(OfWholeBatches([]))


def test_a_plan_of_other_things_than_values_is_refused():
    with pytest.raises(
        InputError, match=r"Wrong.plan: found \{'size': 1.0\}, expected a dict of column names to values"
    ):
        compiled_with(Wrong([]))


def test_predictions_that_are_others_in_most_rows_are_refused(monkeypatch, fitted):
    from pipeline_lib.compiler import compile as compiler

    predict = compiler.CompiledPipeline.predict
    monkeypatch.setattr(
        compiler.CompiledPipeline, "predict", lambda self, data, **more: predict(self, data, **more) + 1
    )
    with pytest.raises(InputError, match="found predictions that differ from the pipeline's own in 60 of 60 rows"):
        compile_pipeline(fitted, like=houses()[0], row=ROW)


def test_a_pattern_in_the_schema_is_checked_for_one_row_as_for_many():
    frame, price = houses()
    columns = [Column(c.name, c.kind, nullable=c.nullable) for c in ROW.columns]
    columns[2] = Column("town", "string", nullable=True, pattern="^[A-Z]")
    model = compile_pipeline(Pipeline(steps()).fit(frame, price), like=frame, row=RowSchema(tuple(columns)))
    row = plain(frame)[1]
    assert model.predict_row(row) == model.predict(frame)[1]
    with pytest.raises(InputError, match="town: found 'ames'"):
        model.predict_row({**row, "town": "ames"})
    ((_, function),) = model._rows._functions.values()
    assert function(row) == (model.predict_row(row),)  # a matching text needs no slower check


def test_a_zero_that_cancelling_terms_leave_is_far_in_units_but_reported_by_its_bound():
    """Sums of 0.1, 0.2 and -0.3 in two orders: one is 0, the other 2.8e-17."""
    found = _compare("step", np.array([2.8e-17]), np.array([1e-16]), np.array([0.0]), 1)
    assert math.isfinite(found.ulps)
    step = StepReport("s", "a.S", 1, 1, exact=True, ulps=found.ulps, share=found.share)
    assert "terms cancel: 28% of the bound" in CompileReport(1, 1, (step,), ())._repr_html_()


@pytest.mark.parametrize("value", [-(2**63), 2**53 + 1])
def test_integers_that_float64_does_not_hold_are_refused_where_missing_is_allowed(value):
    frame = pd.DataFrame({"a": [1.0, 2.0, np.nan, 4.0]})
    pipeline = Pipeline([("fill", MeanMedianImputer(variables=["a"])), ("last", Lasso())]).fit(frame, [1, 2, 3, 4])
    model = compile_pipeline(pipeline, like=frame, row=RowSchema((Column("a", "integer", nullable=True),)))
    for call in (lambda: model.predict([{"a": value}]), lambda: model.predict_row({"a": value})):
        with pytest.raises(InputError, match=r"a: found 1 integers beyond 2\*\*53"):
            call()


def test_trees_that_would_be_walked_for_ever_are_refused(tmp_path):
    from sklearn.tree import DecisionTreeRegressor

    frame, price = houses()
    pipeline = Pipeline([*steps()[:-1], ("price", DecisionTreeRegressor(max_depth=6))]).fit(frame, price)
    compile_pipeline(pipeline, like=frame, row=ROW).save(tmp_path)
    description = json.loads((tmp_path / "artifact.json").read_bytes())
    node = next(node for node in description["nodes"] if node["operation"] == "trees")
    with np.load(tmp_path / "arrays.npz") as archive:
        arrays = {name: archive[name] for name in archive.files}
    arrays[node["settings"]["left"]["array"]][:] = 0
    np.savez(tmp_path / "arrays.npz", **arrays)
    with pytest.raises(InputError, match="found damaged trees"):
        load_model(tmp_path)
