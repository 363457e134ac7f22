"""A server in processes of its own: its routes, and what it does about clients that are slow, odd or hostile."""

import json
import resource
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pytest
from scored import classifier, row
from served import ARROW, CSV, MARK, Server, as_json, assert_silent, server, stream

from pipeline_lib.records.record import Record

TIMEOUT = 1
HEAD = b"POST /models/labels/predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
BODY = b'{"size": 1.5}'
ANSWER = b'"prediction":"\xc3\xbcber"'


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, echo_record: Record, labels_record: Record) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    refs = (echo_record.folder, labels_record.folder)
    with server(folder, *refs, "--workers", 2, "--timeout", TIMEOUT, "--drain", 0, "--max-body", 1) as made:
        yield made
        lines = made.lines()
        assert made.stop() == 0
        assert "Traceback" not in lines
        assert "a bug" not in lines
        assert_silent(lines)


def assert_lively(running: Server) -> None:
    reply = running.ask("POST", "/models/labels/predict", {"size": 1.5})
    assert (reply.status, reply.json["prediction"]) == (200, "über")


def memory(running: Server) -> int:
    """Bytes that all workers hold."""
    texts = [Path(f"/proc/{pid}/statm").read_text() for pid in running.workers()]
    return sum(int(text.split()[1]) for text in texts) * resource.getpagesize()


def test_every_door_has_the_same_bits(running: Server) -> None:
    sizes = [-0.75, 0.1 + 0.2, 3e-9]
    rows = [{"size": size} for size in sizes]
    model = classifier("no", "über")
    own, scores = model.predict(rows).tolist(), model.predict_proba(rows)[:, 1].tolist()
    answer = running.ask("POST", "/models/labels/predict?probabilities=1", rows).json
    assert (answer["predictions"], [each["über"] for each in answer["probabilities"]]) == (own, scores)
    arrow = {"Content-Type": ARROW}
    body = stream(pa.table({"size": sizes}))
    with pa.ipc.open_stream(running.ask("POST", "/models/labels/predict?probabilities=1", body, arrow).body) as reader:
        assert reader.read_all()["probability[über]"].to_pylist() == scores
    tensor = {"name": "size", "datatype": "FP64", "shape": [3], "data": sizes}
    outputs = running.ask("POST", "/v2/models/labels/infer", {"inputs": [tensor]}).json["outputs"]
    assert (outputs[0]["data"], outputs[2]["data"]) == (own, scores)
    predictions = running.ask("POST", "/invocations", {"instances": [as_json(row())]}).json["predictions"]
    assert predictions[0][:4] == [85.5, 3, "a", True]
    text = b"size,rooms,code,heated,sold,day\n85.5,3,a,true,,\n"
    assert running.ask("POST", "/invocations", text, {"Content-Type": CSV}).json["predictions"][0][:2] == [85.5, 3]


def test_head_has_the_headers_of_get(running: Server) -> None:
    for path in ("/schema", "/docs", "/ping"):
        get, head = running.ask("GET", path), running.ask("HEAD", path)
        assert (head.status, head.body) == (200, b"")
        assert head.headers["content-length"] == get.headers["content-length"] == str(len(get.body))
        assert "server" not in get.headers


def test_requests_of_both_workers_are_counted_together(running: Server) -> None:
    def count() -> float:
        lines = running.ask("GET", "/metrics").body.decode().splitlines()
        name = 'pipeline_requests_total{route="/models/predict",status="200"} '
        return sum(float(line.removeprefix(name)) for line in lines if line.startswith(name))

    def settled() -> float:
        """The count, once no request of an earlier test is added any more: it is counted after its answer."""
        counts = [count()]
        while len(counts) < 3 or len(set(counts[-3:])) > 1:
            time.sleep(0.2)
            counts.append(count())
        return counts[-1]

    before = settled()
    for _ in range(40):
        assert_lively(running)
    assert settled() == before + 40


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"\r\n\r\n\r\n", marks=pytest.mark.slow),
        b"hello\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET /%00%ff%zz HTTP/1.1\r\nConnection: close\r\n\r\n",
        b"GET /\xff\xfe" + MARK.encode() + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /ping HTTP/9.9\r\n\r\n",
        b"GET http://[::/ HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /ping HTTP/1.1\r\nNo colon " + MARK.encode() + b"\r\n\r\n",
        b"GET /ping HTTP/1.1\r\nA: \x00\r\n\r\n",
        b"BREW /ping HTTP/1.1\r\nHost: x\r\n\r\n",
        HEAD + b"Content-Length: -1\r\n\r\n",
        HEAD + b"Content-Length: 1e3\r\n\r\n",
        HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n12345",
        HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 20 + b"\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        bytes(range(256)) * 4,
    ],
)
def test_what_is_no_http_is_refused_or_left_alone(running: Server, content: bytes) -> None:
    answer = running.raw(content)
    assert answer == b"" or answer.split(b" ")[1] in (b"400", b"404", b"408"), answer[:200]
    assert_silent(answer.decode("latin-1"))
    assert_lively(running)


@pytest.mark.parametrize(
    "lines",
    [
        b"X: \xff\xfe\x80",
        b"X: " + b"x" * 60_000,
        b"\r\n".join(b"X%d: y" % number for number in range(2000)),
        b"Cookie: " + MARK.encode(),
        b"Accept: image/png\r\nTE: trailers\r\nExpect: 100-continue",
        b"Connection: close, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: AAAA\r\nSec-WebSocket-Version: 13",
        b"Connection: close, Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk",
    ],
)
def test_odd_headers_change_no_answer(running: Server, lines: bytes) -> None:
    close = b"" if b"close" in lines else b"Connection: close\r\n"
    answer = running.raw(HEAD + close + lines + b"\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY)
    assert ANSWER in answer
    assert_silent(answer.decode("latin-1"))
    assert_lively(running)


def test_a_websocket_is_not_opened(running: Server) -> None:
    upgrade = b"Upgrade: websocket\r\nSec-WebSocket-Key: AAAA\r\nSec-WebSocket-Version: 13\r\n\r\n"
    answer = running.raw(b"GET /docs HTTP/1.1\r\nConnection: close, Upgrade\r\n" + upgrade)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert_lively(running)


def test_headers_without_end_are_cut_off(running: Server) -> None:
    before = memory(running)
    with socket.create_connection(("127.0.0.1", running.port), 20) as connection:
        connection.sendall(b"GET /ping HTTP/1.1\r\nX: ")
        answer = b""
        try:
            for _ in range(500):
                connection.sendall(b"x" * 100_000)
            answer = connection.recv(1000)
        except OSError:  # what was still being sent was not wanted
            pass
    assert answer == b"" or answer.startswith(b"HTTP/1.1 431 ")
    with socket.create_connection(("127.0.0.1", running.port), 20) as connection:
        connection.sendall(b"GET /ping HTTP/1.1\r\nX: ")
        for _ in range(9):
            connection.sendall(b"x" * 8_000)
            time.sleep(0.02)
        assert connection.recv(1000).startswith(b"HTTP/1.1 431 ")
    assert memory(running) < before + (20 << 20)
    assert_lively(running)


def test_a_body_in_chunks_or_byte_by_byte_is_answered(running: Server) -> None:
    chunks = b"".join(b"%x\r\n%s\r\n" % (1, bytes([byte])) for byte in BODY) + b"0\r\n\r\n"
    close = HEAD + b"Connection: close\r\n"
    assert ANSWER in running.raw(close + b"Transfer-Encoding: chunked\r\n\r\n" + chunks)
    with socket.create_connection(("127.0.0.1", running.port), 20) as connection:
        for byte in close + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY:
            connection.sendall(bytes([byte]))
            time.sleep(0.001)
        assert ANSWER in b"".join(iter(lambda: connection.recv(1000), b""))


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", marks=pytest.mark.slow),
        pytest.param(b"GET /pi", marks=pytest.mark.slow),
        HEAD,
        HEAD + b"Content-Length: 100\r\n\r\n" + BODY,
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{",
    ],
    ids=["nothing", "half a line", "half a header", "half a body", "half a chunk"],
)
def test_a_request_that_is_not_whole_in_time_is_ended(running: Server, content: bytes) -> None:
    began = time.monotonic()
    answer = running.raw(content)
    assert TIMEOUT * 0.9 < time.monotonic() - began < TIMEOUT + 5
    assert answer.startswith(b"HTTP/1.1 408 ") if content else answer == b""


def test_a_request_that_trickles_in_is_ended(running: Server) -> None:
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", running.port), 20) as connection:
        connection.sendall(HEAD + b"Content-Length: 100000\r\n\r\n")
        connection.settimeout(0.05)
        answer = b""
        while not answer and time.monotonic() - began < TIMEOUT + 5:
            try:
                connection.sendall(b" ")
                answer = connection.recv(1000)
            except TimeoutError:
                continue
            except OSError:
                break
    assert answer == b"" or answer.startswith(b"HTTP/1.1 408 ")
    assert TIMEOUT * 0.9 < time.monotonic() - began < TIMEOUT + 5


def test_a_second_request_on_a_connection_has_a_time_of_its_own(running: Server) -> None:
    request = HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY
    with socket.create_connection(("127.0.0.1", running.port), 20) as connection:
        connection.sendall(request)
        received = connection.recv(1000)
        while ANSWER not in received:
            received += connection.recv(1000)
        time.sleep(TIMEOUT + 0.5)  # idle between two requests: the connection stays
        connection.sendall(request * 3)  # three at a time are answered in turn
        received = b""
        while received.count(ANSWER) < 3:
            received += connection.recv(1000)
        connection.sendall(HEAD)
        assert connection.recv(1000).startswith(b"HTTP/1.1 408 ")


def test_a_client_that_does_not_read_its_answers_is_left(running: Server) -> None:
    rows = [{"size": float(number)} for number in range(20_000)]
    body = json.dumps(rows).encode()
    head = b"POST /models/labels/predict?probabilities=1 HTTP/1.1\r\nContent-Type: application/json\r\n"
    request = head + b"Content-Length: %d\r\n\r\n" % len(body) + body
    before = memory(running)
    connections = []
    for _ in range(4):
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", running.port))
        connection.settimeout(0.5)
        with suppress(TimeoutError):
            connection.sendall(request * 20)
        connections.append(connection)
    assert_lively(running)
    deadline = time.monotonic() + TIMEOUT + 10
    for connection in connections:  # aborted
        while time.monotonic() < deadline and not connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            time.sleep(0.05)
        assert time.monotonic() < deadline
        connection.close()
    assert_lively(running)
    assert memory(running) < before + (100 << 20)


def test_a_body_that_is_too_long_is_refused_to_a_client_that_sends_it_all(running: Server) -> None:
    for size in (1 << 20, (1 << 20) + 1, 3 << 19):
        reply = running.ask("POST", "/predict", b" " * size)
        assert reply.status == (413 if size > 1 << 20 else 400)
    waiting = HEAD + b"Expect: 100-continue\r\nContent-Length: 60000000\r\n\r\n"
    assert running.raw(waiting).startswith(b"HTTP/1.1 413 ")
    for path in ("/nowhere", "/models/other/predict"):
        assert running.ask("POST", path, b" " * (3 << 20)).status == 404
    with pytest.raises(OSError):  # noqa: PT011  which error depends on when the connection ends
        running.raw(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"10000\r\n" + b"x" * 60_000_000)
    assert_lively(running)


def test_idle_connections_keep_nobody_waiting(running: Server) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))
    idle = []
    try:
        for number in range(1000):
            connection = socket.create_connection(("127.0.0.1", running.port), 20)
            connection.sendall((b"", b"GET /pi", HEAD)[number % 3])
            idle.append(connection)
        began = time.monotonic()
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _: assert_lively(running), range(200)))
        assert time.monotonic() - began < 10
    finally:
        for connection in idle:
            connection.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert_lively(running)


@pytest.mark.slow
def test_large_hostile_bodies_leave_workers_and_memory_as_they_were(tmp_path: Path, labels_record: Record) -> None:
    def post(body: bytes, kind: str = "application/json") -> int:
        return running.ask("POST", "/predict", body, {"Content-Type": kind}).status

    size = 60_000_000
    bodies = [
        (b"[" + b"{}," * (size // 3) + b"{}]", "application/json", {413}),
        (b"[" + b'{"size":0.25},' * (size // 14) + b"{}]", "application/json", {413}),
        (b"[" + b'{"size":0.25},' * 900_000 + b'{"size":0}]', "application/json", {200}),
        (b"[" * size, "application/json", {413}),
        (b'{"size":' + b"9" * size + b"}", "application/json", {400}),
        (b'{"size":"' + b"\\u00e9" * (size // 6) + b'"}', "application/json", {422}),
        (b"[" + b'"ab",' * (size // 5) + b"1]", "application/json", {400}),
        (b'{"' + b'a":1,"' * (size // 6) + b'":1}', "application/json", {400}),
        (b"\x00" * size, ARROW, {400}),
        (stream(pa.table({"size": pa.array([0.5]).take(pa.array([0] * 900_000))})), ARROW, {200}),
    ]
    with server(tmp_path / "server", labels_record.folder, "--workers", 2) as running:
        pids = running.workers()
        assert post(b"[]") == 200
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda each: post(*each[:2]), bodies * 2))
        for status, (body, _, expected) in zip(answers, bodies * 2, strict=True):
            assert status in {*expected, 503}, body[:20]
        assert set(answers) >= {200, 400, 413, 422}
        assert running.workers() == pids
        most = [int(Path(f"/proc/{pid}/status").read_text().partition("VmHWM:")[2].split()[0]) for pid in pids]
        assert max(most) < 2 << 20  # kilobytes: 2 GB
        assert "Traceback" not in running.lines()
