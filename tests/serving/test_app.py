"""Routes, methods, content types, tokens, and what the application answers while it stops."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from scored import row
from served import ARROW, CSV, Client, client

from pipeline_lib.compiled.pipeline import CompiledPipeline
from pipeline_lib.records.record import Record
from pipeline_lib.serving import predict_routes
from pipeline_lib.serving.openapi import OPEN_ROUTES, ROUTES

POSTS = [path.replace("{name}", "echo") for method, path, _ in ROUTES if method == "POST"]
GETS = [path.replace("{name}", "echo") for method, path, _ in ROUTES if method == "GET"]


@pytest.fixture
def guarded(echo_record: Record) -> Client:
    return client(echo_record, token=b"secret-token")


def test_every_listed_route_answers(both: Client) -> None:
    for path in GETS:
        assert both.get(path).status == 200, path
        assert both.get(f"{path}/").status == 200, path
    assert {both.get(path).status for path in ("/health", "/version")} == {200}
    for path in POSTS:
        assert both.post(path, {"inputs": []}).status in (200, 400, 422), path


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"])
def test_other_methods_of_a_get_are_refused(both: Client, method: str) -> None:
    for path in GETS:
        reply = both.ask(method, path)
        assert (reply.status, reply.headers["allow"]) == (405, "GET, HEAD"), path


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "OPTIONS"])
def test_other_methods_of_a_post_are_refused(both: Client, method: str) -> None:
    for path in POSTS:
        reply = both.ask(method, path)
        assert (reply.status, reply.headers["allow"]) == (405, "POST"), path


def test_head_is_answered_as_get(both: Client) -> None:
    for path in GETS:
        assert both.ask("HEAD", path).status == 200, path


@pytest.mark.parametrize(
    "path", ["", "/", "/Predict", "/predict/echo", "/models/echo", "/v2/models", "/v2/models/echo/infer/x", "/..", "/ü"]
)
def test_other_paths_are_not_found(both: Client, path: str) -> None:
    for method in ("GET", "POST"):
        reply = both.ask(method, path)
        assert (reply.status, json.loads(reply.body)["error"][:5]) == (404, "found"), path


def test_a_model_that_is_not_served_is_not_found(both: Client) -> None:
    assert both.post("/models/other/predict", row()).status == 404
    assert both.get("/schema?model=other").status == both.get("/record?model=other").status == 404
    assert both.get("/schema?model=labels").json["title"] == "A row of labels"
    assert both.get("/record?model=labels").json["name"] == "labels"
    assert both.get("/record").json["name"] == "echo"


@pytest.mark.parametrize("kind", ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonl", ";", "ü"])
def test_another_content_type_is_refused(both: Client, kind: str) -> None:
    for path in ("/predict", "/models/echo/predict", "/invocations"):
        reply = both.post(path, row(), kind)
        assert reply.status == 415, path
        assert "expected application/json" in reply.json["error"]
    assert both.post("/invocations", row(), ARROW).status == 415
    assert both.post("/predict", row(), CSV).status == 415


@pytest.mark.parametrize("kind", ["application/json", "Application/JSON", "application/json; charset=utf-8"])
def test_json_may_be_written_in_other_letters(both: Client, kind: str) -> None:
    assert both.post("/predict", row(), kind).status == 200


def test_an_encoded_body_is_refused(both: Client) -> None:
    for path in POSTS:
        assert both.post(path, row(), headers=[(b"content-encoding", b"gzip")]).status == 415, path
    assert both.post("/predict", row(), headers=[(b"content-encoding", b"identity")]).status == 200


def test_a_body_in_many_parts_is_one(both: Client) -> None:
    whole = both.post("/predict", [row()] * 3)
    assert whole.status == 200
    assert both.post("/predict", [row()] * 3, parts=50).body == whole.body


def test_a_body_that_is_too_long_is_refused(echo_record: Record) -> None:
    small = client(echo_record, max_body=1000)
    assert small.post("/predict", [row()] * 3).status == 200
    for body in (b" " * 1001, b"[" * 1999, b"1" * 5000):
        for parts in (1, 7):
            reply = small.post("/predict", body, parts=parts)
            assert reply.status == 413
            assert "more than 1,000 bytes" in reply.json["error"]
    waiting = small.post("/predict", b" " * 1001, headers=[(b"expect", b"100-continue")])
    assert waiting.status == 413
    assert small.post("/predict", [row()] * 3, parts=9).status == 200  # nothing of the others is still held


def test_bodies_that_are_too_many_at_a_time_are_asked_to_come_again(both: Client) -> None:
    budget = both.app._budget
    body = json.dumps([row()], default=str).encode()
    budget.take(4 * both.app.settings.max_body - 10)
    try:
        reply = both.post("/predict", body, parts=2)
        assert (reply.status, reply.headers["retry-after"]) == (503, "2")
    finally:
        budget.give(4 * both.app.settings.max_body - 10)
    assert both.post("/predict", body.replace(b" 12:00:00", b"T12:00:00"), parts=2).status == 200


def test_routes_that_say_something_need_the_token(guarded: Client) -> None:
    right = [(b"authorization", b"Bearer secret-token")]
    for path in [*GETS, "/version", "/elsewhere"]:
        without = guarded.get(path)
        if path in OPEN_ROUTES:
            assert without.status == 200, path
            continue
        assert (without.status, without.headers["www-authenticate"]) == (401, "Bearer"), path
        assert guarded.ask("GET", path, headers=right).status == (404 if path == "/elsewhere" else 200), path
    for path in POSTS:
        assert guarded.post(path, {"inputs": []}).status == 401, path
    assert guarded.post("/predict", row(), headers=right).status == 200
    assert guarded.get("/health").status == 200


@pytest.mark.parametrize(
    ("given", "status"),
    [
        (b"Bearer secret-token", 200),
        (b"bearer   secret-token ", 200),
        (b"Bearer secret-toke", 401),
        (b"Bearer secret-tokens", 401),
        (b"Bearer SECRET-TOKEN", 401),
        (b"Basic secret-token", 401),
        (b"secret-token", 401),
        (b"Bearer", 401),
        (b"", 401),
        (b"Bearer \xff\xfe", 401),
        (b"Bearersecret-token", 401),
    ],
)
def test_only_the_whole_token_with_its_scheme_is_taken(guarded: Client, given: bytes, status: int) -> None:
    assert guarded.post("/predict", row(), headers=[(b"authorization", given)]).status == status


def test_the_token_is_compared_in_constant_time(guarded: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []
    monkeypatch.setattr("hmac.compare_digest", lambda *both: compared.append(both) or False)
    assert guarded.post("/predict", row(), headers=[(b"authorization", b"Bearer secret-token")]).status == 401
    assert compared == [(b"secret-token", b"secret-token")]


@pytest.fixture
def stopping(echo_record: Record) -> Iterator[Client]:
    made = client(echo_record)
    made.app.draining = True
    yield made
    made.app.closing = False


def test_a_server_that_stops_is_not_ready_at_once_and_still_answers(stopping: Client) -> None:
    for path in ("/ping", "/health", "/v2/health/ready", "/v2/models/echo/ready"):
        reply = stopping.get(path)
        assert (reply.status, reply.headers["retry-after"]) == (503, "1"), path
    assert stopping.get("/v2/health/live").status == 200
    assert stopping.post("/predict", row()).status == 200
    stopping.app.closing = True
    reply = stopping.post("/predict", row())
    assert (reply.status, reply.headers["retry-after"], reply.headers["connection"]) == (503, "1", "close")
    assert stopping.get("/v2/health/live").headers["connection"] == "close"


def test_opaque_steps_answer_in_one_thread(both: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    threads = []

    def noted(value: object) -> bytes:
        threads.append(threading.current_thread())
        return b"{}"

    monkeypatch.setattr(predict_routes, "to_json", noted)
    both.post("/predict", row())
    assert threads.pop() is threading.main_thread()
    monkeypatch.setattr(CompiledPipeline, "exact", False)
    for body in (row(), [row()], [row()] * 2000):
        both.post("/predict", body)
    assert len(threads) == 3
    assert len(set(threads)) == 1
    assert threads[0] is not threading.main_thread()


def test_a_bug_is_answered_and_logged_without_what_was_sent(
    both: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(value: object) -> bytes:
        raise ZeroDivisionError(f"of {value}")

    monkeypatch.setattr(predict_routes, "to_json", broken)
    reply = both.post("/predict", row(code="MARKER"))
    assert (reply.status, "bug" in reply.json["error"]) == (500, True)
    assert "ZeroDivisionError" in caplog.text
    assert "in broken" in caplog.text
    assert "MARKER" not in caplog.text + reply.body.decode()


def test_requests_and_rows_are_counted_by_route_status_and_version(echo_record: Record, tmp_path: Path) -> None:
    fresh = client(echo_record)
    fresh.post("/predict", row())
    fresh.post("/predict", [row()] * 4)
    fresh.post("/predict", {})
    fresh.get("/nowhere")
    fresh.get("/somewhere")
    text = fresh.get("/metrics").body.decode()
    assert 'pipeline_requests_total{route="/predict",status="200"} 2.0' in text
    assert 'pipeline_requests_total{route="/predict",status="422"} 1.0' in text
    assert 'pipeline_requests_total{route="other",status="404"} 2.0' in text
    assert f'pipeline_rows_total{{model="echo",version="{echo_record.id}"}} 5.0' in text
    assert 'pipeline_request_seconds_count{route="/predict"} 3.0' in text
    assert f'pipeline_model_loaded_timestamp_seconds{{model="echo",version="{echo_record.id}"}}' in text
    assert "where" not in text
