"""Nothing of what is sent is in an answer or a log line: values, keys, names, headers, paths."""

import logging
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import shop
import tables
from opaque_models import without_plan, words
from scored import classifier, proven, row, table
from served import ARROW, CSV, JSON, MARK, NUMBER, Client, as_json, assert_silent, client, stream
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OrdinalEncoder

from pipeline_lib.compiler.compile import compile_pipeline
from pipeline_lib.records.record import Record


@pytest.fixture(autouse=True)
def everything_is_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    caplog.set_level(logging.DEBUG)
    yield
    assert_silent(caplog.text)


def silent(both: Client, path: str, body: Any, kind: str = JSON, **options: Any) -> int:
    """The status of a POST whose answer has nothing of it."""
    reply = both.post(path, body, kind, **options)
    assert reply.status < 500, reply.body
    assert_silent(reply.body.decode("latin-1") + repr(reply.headers))
    return reply.status


def places(value: Any) -> Iterator[Any]:
    """A JSON value with the marker in place of each part of it, and in place of each key."""
    yield from (MARK, NUMBER, {MARK: MARK}, [MARK], NUMBER + 0.5)
    if isinstance(value, dict):
        for key in value:
            yield from ({**value, key: each} for each in places(value[key]))
            yield {MARK if name == key else name: each for name, each in value.items()}
        yield {**value, MARK: MARK}
    elif isinstance(value, list):
        for index in range(min(len(value), 2)):
            yield from ([*value[:index], each, *value[index + 1 :]] for each in places(value[index]))


def test_an_echo_would_be_seen() -> None:
    with pytest.raises(AssertionError):
        assert_silent(f"found '{MARK}'")
    with pytest.raises(AssertionError):
        assert_silent(f"found {NUMBER}")


@pytest.fixture(scope="module")
def only(runs: Path) -> Client:
    """A classifier, whose answers have nothing of the rows."""
    return client(proven(runs, classifier("no", "yes"), "quiet"))


BODIES = [
    ("/predict", {"size": 1.0}),
    ("/predict", [{"size": 1.0}, {"size": 2.0}]),
    ("/predict", {"rows": [{"size": 1.0}], "context": [{"size": 1.0}]}),
    ("/invocations", {"dataframe_split": {"columns": ["size"], "data": [[1.0]]}}),
    ("/invocations", {"instances": [[1.0]], "params": {}}),
    ("/invocations", {"inputs": {"size": [1.0, 2.0]}}),
    (
        "/v2/models/quiet/infer",
        {
            "inputs": [{"name": "size", "datatype": "FP64", "shape": [1], "data": [1.0]}],
            "outputs": [{"name": "prediction"}],
        },
    ),
]


@pytest.mark.parametrize(("path", "body"), BODIES)
def test_json_with_the_marker_in_every_place(only: Client, path: str, body: Any) -> None:
    assert silent(only, path, body) in (200, 422)
    statuses = {silent(only, path, each) for each in places(body)}
    assert {400} <= statuses <= {200, 400, 422}


def test_rows_of_every_kind_of_column(both: Client) -> None:
    plain = as_json(row())
    for name in plain:
        for mark in (MARK, {MARK: 1}, [MARK], NUMBER * 1000.5, 10**30 + NUMBER):
            sent = {**plain, "heated": None, name: mark}  # refused in any case: this model's answers are its rows
            assert silent(both, "/predict", sent) == 422
            assert silent(both, "/predict", [sent]) == 422
    assert silent(both, "/predict", [{**plain, "heated": None, MARK: MARK}]) == 422


@pytest.mark.parametrize(
    "text",
    [
        f'{{"size": {MARK}}}',
        f'{{"size": "{MARK}',
        f'{{"{MARK}": 1, "{MARK}": 2}}',
        f'{{"size": "\\u{MARK}"}}',
        f'{{"size": "\\{MARK}"}}',
        f'{{"size": 1}} {MARK}',
        f'["{MARK}", NaN]',
        f'{{"{MARK}" 1}}',
        f'{{"size": {NUMBER}e999}}',
        f'{{"size": {NUMBER}{"0" * 5000}}}',
        f'{{"{MARK}\n": 1}}',
        f'{{"size": "{MARK}\\ud800"}}',
    ],
)
def test_faults_of_json(only: Client, text: str) -> None:
    for path, _ in BODIES:
        assert silent(only, path, text.encode()) in (400, 422)
        assert silent(only, path, text.encode() + b"\xff") == 400


def test_headers_paths_and_parameters(only: Client) -> None:
    mark = MARK.encode()
    for headers in ([(mark, mark)], [(b"authorization", b"Bearer " + mark)], [(b"host", mark)]):
        assert silent(only, "/predict", {"size": 1.0}, headers=headers) == 200
        for path in ("/docs", "/openapi.json", "/metrics", "/schema", "/record"):
            reply = only.ask("GET", path, kind="", headers=headers)
            assert reply.status == 200
            assert_silent(reply.body.decode())
    assert silent(only, "/predict", {"size": 1.0}, MARK) == 415
    assert silent(only, "/predict", {"size": 1.0}, headers=[(b"content-encoding", mark)]) == 415
    assert silent(only, f"/predict?probabilities={MARK}", {"size": 1.0}) == 400
    assert silent(only, f"/predict?{MARK}={MARK}", {"size": 1.0}) == 400
    for path in (f"/{MARK}", f"/models/{MARK}/predict", f"/v2/models/{MARK}", f"/v2/models/quiet/versions/{MARK}"):
        for method in ("GET", "POST", MARK):
            reply = only.ask(method, path, {})
            assert 400 <= reply.status < 500
            assert_silent(reply.body.decode() + repr(reply.headers))
    for path in ("/schema", "/record"):
        assert_silent(only.get(f"{path}?model={MARK}").body.decode())
    guarded = client(Record(only.app.models.first.folder), token=b"secret-token")
    assert silent(guarded, "/predict", {}, headers=[(b"authorization", b"Bearer " + mark)]) == 401
    assert_silent(only.get("/metrics").body.decode())


@pytest.mark.parametrize(
    "content",
    [
        f"size\n{MARK}\n",
        f"{MARK}\n1\n",
        f"size,{MARK}\n{MARK},1\n",
        f"{MARK},{MARK}\n1,1\n",
        f'size\n"{MARK}\n',
        f"size\n{MARK},{MARK}\n",
        f"size\n{NUMBER}e999\n",
        f'size\n"{MARK}"{MARK}\n',
        MARK,
    ],
)
def test_csv(only: Client, content: str) -> None:
    assert silent(only, "/invocations", content.encode(), CSV) in (400, 422)
    assert silent(only, "/invocations", content.encode() + b"\xff", CSV) in (400, 422)


def test_arrow(both: Client, only: Client) -> None:
    texts = pa.array([MARK])
    for column in (
        texts,
        texts.dictionary_encode(),
        pa.array([{MARK: 1}]),
        pa.array([[MARK]]),
        pa.array([b"\xff" + MARK.encode()]),
        pa.array([NUMBER], pa.timestamp("us", MARK)),
        pa.array([NUMBER], pa.duration("us")),
        pa.array([NUMBER], pa.decimal128(20, 0)),
        pa.array([{MARK: [MARK]}]),
        pa.UnionArray.from_sparse(pa.array([0], pa.int8()), [texts], [MARK]),
    ):
        field = pa.field("size", column.type, metadata={MARK: MARK})
        sent = pa.table([column, texts], pa.schema([field, (MARK, pa.string())], {MARK: MARK}))
        assert silent(only, "/predict", stream(sent), ARROW) == 422
        assert silent(only, "/predict", stream(sent.rename_columns([MARK, MARK])), ARROW) == 422
        assert silent(only, "/predict", stream(sent.rename_columns(["size", "size"])), ARROW) == 422
    plain = table([row(rooms=99)])  # refused in any case
    for name in plain.column_names:
        place = plain.column_names.index(name)
        assert silent(both, "/predict", stream(plain.set_column(place, name, texts)), ARROW) == 422
    assert silent(only, "/predict", MARK.encode() * 100, ARROW) == 400
    assert silent(only, "/predict", stream(plain)[:-100] + MARK.encode(), ARROW) in (400, 422)


def test_what_a_library_says_of_a_row(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_plan(monkeypatch, "OrdinalEncoder")
    frame = words()
    encoder = ColumnTransformer([("towns", OrdinalEncoder(), ["city", "kind"])], remainder="passthrough")
    fitted = Pipeline([("encode", encoder), ("linear", LinearRegression())]).fit(frame, frame["a"])
    model = compile_pipeline(fitted, like=frame, allow_opaque=True)
    assert not model.exact
    record = proven(runs, model, "towns")
    towns = client(record)
    good = as_json(frame.iloc[0].to_dict())
    assert towns.post("/predict", good).status == 200
    for name in ("city", "kind"):
        assert silent(towns, "/predict", {**good, name: MARK}) == 422
        assert silent(towns, "/predict", [good, {**good, name: MARK}]) == 422
    with pytest.raises(Exception, match=MARK):
        model.predict_row({**good, "city": MARK})  # the model itself, whose columns are not sensitive, does say it


def test_times_and_keys(runs: Path) -> None:
    days = client(proven(runs, shop.compiled(), "quietdays"))
    listed = as_json([{"day": day.to_pydatetime(), "sold": 1.0} for day in shop.days(6)["day"]])
    for at in range(6):
        for when in (MARK, datetime(1987, 6, 5).isoformat(), NUMBER):
            sent = [*listed[:at], {**listed[at], "day": when}, *listed[at + 1 :]]
            reply = days.post("/predict", {"context": sent[:3], "rows": sent[3:]})
            assert reply.status in (400, 422)
            assert_silent(reply.body.decode())
            assert "1987" not in reply.body.decode()
    customers = client(proven(runs, tables.compiled(), "quietcustomers"))
    good = as_json(tables.one_customer())
    for each in places(good):
        silent(customers, "/predict", each)
    twice = {"customers": [{"customer": NUMBER, "age": 1.0}] * 2, "purchases": [{**good["purchases"][0]}]}
    assert silent(customers, "/predict", twice) == 422
    orphan = {**good, "purchases": [{**good["purchases"][0], "customer": NUMBER}]}
    assert silent(customers, "/predict", orphan) == 422


def test_a_sensitive_example_is_made_up(runs: Path) -> None:
    from served import with_evidence

    from pipeline_lib.compiled.pipeline import CompiledPipeline
    from pipeline_lib.compiled.plan import Plan
    from pipeline_lib.compiler.builder import Builder
    from pipeline_lib.rows.column import Column
    from pipeline_lib.rows.schema import RowSchema

    build = Builder()
    found = build.text_equal(build.input("name", "str"), build.value("x"))
    plan = Plan(build.nodes, {"prediction": build.where(found, 1.0, 2.0).node})
    schema = RowSchema((Column("name", "string", sensitive=True),))
    record = with_evidence(runs, CompiledPipeline(plan, schema), pa.table({"name": [MARK]}), "private")
    private = client(record)
    for path in ("/docs", "/openapi.json", "/schema", "/record"):
        assert_silent(private.get(path).body.decode())
    assert private.app.models.first.example == {"name": "text"}
    assert "Made up, as they are sensitive: name" in private.get("/docs").body.decode()
