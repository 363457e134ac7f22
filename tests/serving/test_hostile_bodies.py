"""Hostile bodies on every route that takes one: an answer or 4xx, never 5xx, and no memory that they ask for."""

import json
import random
import struct
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from scored import row, table
from served import ARROW, CSV, JSON, Client, as_json, client, stream

from pipeline_lib.records.record import Record
from pipeline_lib.serving.arrow_stream import MAX_ROWS

ROW = as_json(row())
SPLIT = {"columns": list(ROW), "data": [list(ROW.values())]}
TENSORS = [
    {"name": name, "datatype": kind, "shape": [1], "data": [ROW[name]]}
    for name, kind in {"size": "FP64", "rooms": "INT64", "code": "BYTES", "heated": "BOOL"}.items()
]
ROUTES: list[tuple[str, Any]] = [
    ("/predict", ROW),
    ("/predict", [ROW, ROW]),
    ("/predict?probabilities=1", [ROW]),
    ("/predict", {"rows": [ROW], "context": [ROW]}),
    ("/models/labels/predict?probabilities=1", {"size": 1.0}),
    ("/invocations", {"dataframe_split": SPLIT}),
    ("/invocations", {"dataframe_records": [ROW]}),
    ("/invocations", {"instances": [[1.0, 2, "a", True, None, None]]}),
    ("/invocations", {"inputs": {name: [value] for name, value in ROW.items()}}),
    ("/v2/models/echo/infer", {"id": "1", "inputs": TENSORS, "outputs": [{"name": "prediction[size]"}]}),
]
DEEP = 100_000
TEXTS = [
    b"",
    b" ",
    b"\x00",
    b"\xef\xbb\xbf",
    b"\xff\xfe{\x00",
    b"\xff",
    b"nul",
    b"null",
    b"true",
    b"1",
    b'"x"',
    b"NaN",
    b"[NaN]",
    b"[Infinity]",
    b'{"size": -Infinity}',
    b'{"size": 1e999}',
    b'{"size": -1e999}',
    b'{"size": 1, "size": 2}',
    b'{"a": {"b": 1, "b": 2}}',
    b'{"rooms": 1180591620717411303424}',
    b'{"rooms": ' + b"9" * 5000 + b"}",
    b'{"rooms": 0.' + b"1" * 5000 + b"}",
    b'{"code": "\\ud800"}',
    b'{"\\udfff": 1}',
    b'"\\ud800"',
    b"[" * DEEP,
    b"[" * DEEP + b"]" * DEEP,
    b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    b'[{"size": ' + b"[" * DEEP + b"]" * DEEP + b"}]",
    b"[" * 900 + b"]" * 900,
    b'{"inputs": ' + b"[" * 900 + b"]" * 900 + b"}",
    b'{"dataframe_split": {"columns": [' + b"[" * 900 + b"]" * 900 + b'], "data": []}}',
    b"{]",
    b"[1,]",
    b"{'size': 1}",
    b"\x1f\x8b\x08\x00",
]
VALUES: list[Any] = [
    *(None, True, False, 0, -1, 2**31, 2**53 + 1, 2**63, 2**64, -(2**70), 10**400, 0.0, -0.0, 5e-324, 1.7e308, 0.1),
    *("", "x", "\x00", "ü", "\U0001f600", "2024-13-45", "0001-01-01", "9999-12-31T23:59:59.999999", "nan", "x" * 2000),
    *([], {}, [[]], [None], {"": None}, {"rows": []}, [{}], {"name": "size"}, ["FP64"], [1] * 50, "FP16", "BYTES"),
]


def assert_answered(both: Client, path: str, body: bytes, kind: str = JSON, **options: Any) -> int:
    """The status of a request, which is an answer or a fault of the client's, in JSON without NaN."""
    reply = both.post(path, body, kind, **options)
    assert reply.status in (200, 400, 413, 415, 422), (path, body[:200], reply.body)
    if reply.headers["content-type"] == JSON:
        value = reply.json
        assert reply.status == 200 or "found" in value["error"], value
        assert len(reply.body) < 100_000 or reply.status == 200
    return reply.status


@pytest.mark.parametrize("path", sorted({path for path, _ in ROUTES}))
@pytest.mark.parametrize("kind", [JSON, CSV, ARROW])
def test_texts_that_are_no_rows(both: Client, path: str, kind: str) -> None:
    statuses = {assert_answered(both, path, text, kind) for text in TEXTS}
    assert statuses <= {400, 415, 422}
    for text in TEXTS:
        assert_answered(both, path, text, kind, parts=3)


def test_numbers_and_names_that_json_does_not_have_are_named(both: Client) -> None:
    for text, said in (
        (b"[NaN]", "finite numbers"),
        (b'{"size": 1e999}', "beyond 64 bits"),
        (b'{"size": 1, "size": 2}', "a key more than once"),
        (b"[" * DEEP, "nested too deep"),
        (b"\xff", "not UTF-8 at byte 0"),
        (b"[1,]", "line 1, column 4"),
        (b"", "line 1, column 1"),
    ):
        assert said in both.post("/predict", text).json["error"]
    assert both.post("/predict", b"\xef\xbb\xbf" + json.dumps(ROW).encode()).status == 200


def mutated(value: Any, draw: random.Random) -> Any:
    """A JSON value with another value somewhere, a part left out, or one twice."""
    if isinstance(value, dict) and value and draw.random() < 0.85:
        name = draw.choice(list(value))
        choice = draw.random()
        if choice < 0.1:
            return {key: each for key, each in value.items() if key != name}
        if choice < 0.2:
            return {draw.choice(["", "rows", "context", "inputs", "params", "id", "shape"]): value[name], **value}
        return {**value, name: mutated(value[name], draw)}
    if isinstance(value, list) and value and draw.random() < 0.85:
        at = draw.randrange(len(value))
        choice = draw.random()
        if choice < 0.1:
            return value[:at] + value[at + 1 :]
        if choice < 0.2:
            return value + value[at : at + 1]
        return [*value[:at], mutated(value[at], draw), *value[at + 1 :]]
    return draw.choice(VALUES)


def damaged(content: bytes, draw: random.Random) -> bytes:
    """Bytes with some others, some left out, or some more."""
    data = bytearray(content)
    for _ in range(draw.choice((1, 1, 1, 2, 4, 16))):
        at = draw.randrange(len(data) + 1)
        choice = draw.random()
        if choice < 0.5 and at < len(data):
            data[at] = draw.choice((0, 1, 0x7F, 0x80, 0xFF, draw.randrange(256)))
        elif choice < 0.7:
            del data[at : at + draw.choice((1, 1, 4, 8, 64))]
        elif choice < 0.9:
            data[at:at] = draw.choice((b"\xff\xff\xff\x7f", b"[", b"{", b'"', b"\\u", b"e9", b"-", b"\x00" * 8, b","))
        else:
            data = data[:at]
    return bytes(data)


def generated(seed: int, count: int) -> Iterator[tuple[str, bytes, str]]:
    """So many bodies on all routes, some of them well-formed."""
    draw = random.Random(seed)  # noqa: S311 (no secret)
    csv = b"size,rooms,code,heated,sold,day\n1.5,2,a,true,2024-01-01,2024-01-01\n,1,,false,,\n"
    for _ in range(count):
        path, value = draw.choice(ROUTES)
        kind = draw.random()
        if kind < 0.6:
            for _ in range(draw.choice((1, 1, 2, 3))):
                value = mutated(value, draw)
            yield path, json.dumps(value).encode(), JSON
        elif kind < 0.75:
            yield path, damaged(json.dumps(value).encode(), draw), JSON
        elif kind < 0.85:
            yield "/invocations", damaged(csv, draw), CSV
        else:
            yield "/predict", damaged(draw.choice(STREAMS), draw), ARROW


NAMES = ["size", "rooms", "code", "heated", "sold", "day"]
PLAIN = table(
    [row(code=code, size=size) for code, size in zip("abcdef", [1.0, None, 2.5, -0.0, 1e15, 0.1], strict=True)]
)


def with_code(values: pa.Array) -> pa.Table:
    """The plain table with other codes."""
    return PLAIN.set_column(2, "code", values)


STREAMS = [
    stream(PLAIN),
    stream(with_code(PLAIN["code"].combine_chunks().dictionary_encode())),
    stream(with_code(PLAIN["code"].combine_chunks().cast(pa.string_view()))),
    stream(with_code(PLAIN["code"].combine_chunks().cast(pa.large_string()))),
    stream(pa.concat_tables([PLAIN, PLAIN])),
]


@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 30))])
def test_generated_bodies(both: Client, seed: int) -> None:
    statuses = [assert_answered(both, *each) for each in generated(seed, 400)]
    assert {200, 400, 422} <= set(statuses)
    assert 20 < statuses.count(200) < 380


@pytest.mark.parametrize("sent", STREAMS, ids=["text", "dictionary", "view", "large", "batches"])
def test_every_damaged_byte_of_a_stream(both: Client, sent: bytes) -> None:
    assert assert_answered(both, "/predict", sent, ARROW) == 200
    step = 23  # the whole test has each
    for at in range(0, len(sent), step):
        for byte in (0x00, 0xFF, sent[at] ^ 1):
            assert_answered(both, "/predict", sent[:at] + bytes([byte]) + sent[at + 1 :], ARROW)
    for at in range(0, len(sent), 64):
        assert_answered(both, "/predict", sent[:at], ARROW)


@pytest.mark.slow
@pytest.mark.whole
@pytest.mark.parametrize("sent", STREAMS, ids=["text", "dictionary", "view", "large", "batches"])
def test_each_byte_of_a_stream_with_every_value(both: Client, sent: bytes) -> None:
    for at in range(len(sent)):
        for byte in (0x00, 0x01, 0x7F, 0x80, 0xFE, 0xFF, sent[at] ^ 4):
            assert_answered(both, "/predict", sent[:at] + bytes([byte]) + sent[at + 1 :], ARROW)


def test_offsets_codes_and_lengths_that_lead_out_of_a_buffer(both: Client) -> None:
    good = [0, 1, 2, 3, 4, 5, 6]
    sent, old = stream(PLAIN.drop_columns("unread")), np.array(good, np.int32).tobytes()
    assert sent.count(old) == 1
    for offsets in (
        [0, 1, 2, 3, 4, 5, 2**31 - 1],
        [0, -1, 2, 3, 4, 5, 6],
        [6, 5, 4, 3, 2, 1, 0],
        [-(2**31), *good[1:]],
    ):
        wrong = sent.replace(old, np.array(offsets, np.int32).tobytes())
        assert assert_answered(both, "/predict", wrong, ARROW) == 400, offsets
    words = pa.array(["a", "b"])
    for codes in ([0, 1, 2, 0, 0, 0], [0, -1, 0, 0, 0, 0], [127] * 6, [-128] * 6):
        coded = pa.DictionaryArray.from_arrays(pa.array(codes, pa.int8()), words, safe=False)
        assert assert_answered(both, "/predict", stream(with_code(coded)), ARROW) == 400, codes
    assert assert_answered(both, "/predict", sent.replace(b"abcdef", b"abc\xffef"), ARROW) == 400


@pytest.mark.parametrize("codec", ["zstd", "lz4"])
def test_compressed_buffers_are_refused_before_they_are_expanded(both: Client, codec: str) -> None:
    size = 20_000_000
    zeros = pa.table({"code": pa.array(["a" * 1000]).take(pa.array(np.zeros(size // 1000, np.int32)))})
    options = pa.ipc.IpcWriteOptions(compression=codec)
    sent = stream(zeros, options=options)
    assert len(sent) < size / 100
    before = pa.total_allocated_bytes()
    pool = pa.default_memory_pool()
    most = pool.max_memory()
    reply = both.post("/predict", sent, ARROW)
    assert (reply.status, "compression=None" in reply.json["error"]) == (415, True)
    assert pool.max_memory() - most <= 0 or pool.max_memory() - before < size / 10
    for names in (zeros["code"].combine_chunks().dictionary_encode(), pa.array([[1.0]])):
        assert both.post("/predict", stream(pa.table({"code": names}), options=options), ARROW).status == 415


def test_rows_that_take_no_bytes_are_refused_by_their_number(labels: Client) -> None:
    sent = stream(pa.table({"size": pa.nulls(123_457)}))
    rows = struct.pack("<q", 123_457)
    assert sent.count(rows) >= 2  # the batch's length, and its column's
    for many in (MAX_ROWS + 1, 2**40, 2**62):
        reply = labels.post("/predict", sent.replace(rows, struct.pack("<q", many)), ARROW)
        assert reply.status == 413, many
        assert "1,000,000 rows" in reply.json["error"]
    assert labels.post("/predict", sent.replace(rows, struct.pack("<q", -9)), ARROW).status == 400
    assert labels.post("/predict", sent, ARROW).status == 422
    runs = pa.RunEndEncodedArray.from_arrays(pa.array([2**30], pa.int32()), pa.array([1.0]))
    assert labels.post("/predict", stream(pa.table({"size": runs})), ARROW).status == 413
    few = pa.RunEndEncodedArray.from_arrays(pa.array([10], pa.int32()), pa.array([1.0]))
    assert labels.post("/predict", stream(pa.table({"size": few})), ARROW).status == 422


def test_texts_that_many_rows_point_to_are_refused_by_their_length(both: Client) -> None:
    text = pa.array(["x" * 2_000_000])
    codes = pa.array(np.zeros(1000, np.int8))
    plain = pa.concat_tables([PLAIN.slice(0, 1)] * 1000).combine_chunks()
    began = time.perf_counter()
    for words in (text, text.cast(pa.large_string()), text.cast(pa.string_view())):
        wrong = pa.DictionaryArray.from_arrays(codes, words)
        assert assert_answered(both, "/predict", stream(plain.set_column(2, "code", wrong)), ARROW) == 413
    one = text.cast(pa.string_view()).buffers()
    view = pa.Array.from_buffers(pa.string_view(), 1000, [None, pa.py_buffer(bytes(one[1])[:16] * 1000), one[2]])
    assert assert_answered(both, "/predict", stream(plain.set_column(2, "code", view)), ARROW) == 413
    assert time.perf_counter() - began < 5


def test_nested_columns_are_refused_by_their_type(both: Client) -> None:
    deep: Any = pa.array([1.0])
    for _ in range(40):
        deep = pa.StructArray.from_arrays([deep], ["x"])
    for column, found in (
        (deep, "struct"),
        (pa.array([[1.0]]), "list"),
        (pa.array([{"a": 1}]), "struct"),
        (pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int64())), "map"),
        (pa.array([b"x"]), "binary"),
        (pa.array([b"x"], pa.binary(1)), "fixed_size_binary"),
        (pa.array([1], pa.duration("s")), "duration"),
        (pa.array([1], pa.decimal128(3)), "decimal128(3, 0)"),
        (pa.DictionaryArray.from_arrays(pa.array([0]), pa.array([b"x"])), "binary"),
    ):
        sent = PLAIN.slice(0, 1).set_column(0, "size", column)
        reply = both.post("/predict", stream(sent), ARROW)
        assert reply.status == 422
        assert reply.json["problems"][0]["found"] == found


def test_a_header_of_many_megabytes_is_refused(both: Client) -> None:
    fields = [pa.field(f"{number}".zfill(1000), pa.null()) for number in range(5_000)]
    sent = stream(pa.table([pa.nulls(0)] * len(fields), pa.schema(fields)))
    assert len(sent) > 4 << 20
    assert both.post("/predict", sent, ARROW).status == 413


def test_an_arrow_file_or_parquet_is_no_stream(both: Client) -> None:
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, PLAIN.schema) as writer:
        writer.write_table(PLAIN)
    parquet = pa.BufferOutputStream()
    pq.write_table(PLAIN, parquet)
    for content in (bytes(sink.getvalue()), bytes(parquet.getvalue())):
        assert assert_answered(both, "/predict", content, ARROW) == 400


@pytest.fixture(scope="module")
def labels(labels_record: Record) -> Client:
    return client(labels_record)


def test_more_rows_than_a_request_may_have_are_refused_before_they_are_made(labels: Client) -> None:
    began = time.perf_counter()
    for body in (b"[" + b"{}," * 2 * MAX_ROWS + b"{}]", b'{"instances":[' + b"[]," * 2 * MAX_ROWS + b"[]]}"):
        for path in ("/predict", "/invocations"):
            reply = labels.post(path, body)
            assert reply.status == 413
            assert "1,000,000 rows" in reply.json["error"]
    assert labels.post("/invocations", b"size\n" + b"1\n" * (MAX_ROWS + 10), CSV).status == 413
    assert time.perf_counter() - began < 3


def test_100_000_rows_are_answered(labels: Client) -> None:
    sizes = np.random.default_rng(0).normal(size=100_000).tolist()
    reply = labels.post("/predict", [{"size": size} for size in sizes])
    assert reply.status == 200
    assert reply.json["predictions"] == ["über" if size > 0 else "no" for size in sizes]


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/predict", "/invocations", "/v2/models/labels/infer"])
def test_60_megabytes_are_answered(labels: Client, path: str) -> None:
    values = 60_000_000 // 2
    for body in (
        b'{"size": 1.0, "note": "' + b"x" * 60_000_000 + b'"}',
        b"[" + b"1," * values + b"1]",
        b'{"inputs": [' + b"1," * values + b"1]}",
        b'{"instances": {"size": "' + b"\\u0041" * 10_000_000 + b'"}}',
    ):
        assert_answered(labels, path, body)
