"""Requests to routes: who may ask, what they ask for, and an answer to everything."""

import asyncio
import hmac
import logging
import time
import traceback
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from pipeline_lib.serving import invocations, open_inference, predict_routes
from pipeline_lib.serving.about import json_schema
from pipeline_lib.serving.counters import Counters
from pipeline_lib.serving.drift_counts import PERIOD
from pipeline_lib.serving.http import (
    Budget,
    HttpError,
    Receive,
    Request,
    Response,
    Scope,
    Send,
    busy,
    error_response,
    send_response,
    to_json,
)
from pipeline_lib.serving.models import Models
from pipeline_lib.serving.observers import Observers
from pipeline_lib.serving.openapi import OPEN_ROUTES, docs_page, openapi
from pipeline_lib.serving.served_model import ServedModel
from pipeline_lib.serving.settings import Settings

_LOG = logging.getLogger("uvicorn.error")
_LARGE = 1 << 17
"""Bytes of a body from which it is answered in a thread, so that small requests do not wait for it.

Opaque steps are evaluated in that thread only: their libraries' settings, such as one thread, are the process's.
"""
_GRACE = 60
"""Seconds after a replacement until the old model's log is closed."""
_MOST_HELD = 4
"""Bodies of the largest size that a worker holds at a time."""
_STOPPING = "found a server that is stopping, expected another one"
_TEXT, _HTML = b"text/plain; version=0.0.4; charset=utf-8", b"text/html; charset=utf-8"
Work = Callable[[ServedModel, Request, bytes], Response]


class App:
    """The server of one worker, as an ASGI application."""

    def __init__(
        self, settings: Settings, models: Models, token: bytes | None, shadow: ServedModel | None = None
    ) -> None:
        self.settings = settings
        self.models = models
        self.draining = False
        self.closing = False
        self._token = token
        self._counters = Counters()
        self._thread = ThreadPoolExecutor(1)
        self._budget = Budget(_MOST_HELD * settings.max_body)
        self._observers = Observers(settings, self._counters, shadow)
        self._observed: dict[str, ServedModel] = {}
        for served in models:
            self._begin(served)

    def close(self) -> None:
        """Let what looks at answers end."""
        for served in self._observed.values():
            self._observers.end(served)
            if served.drift is not None:
                served.drift.close()

    def _begin(self, served: ServedModel) -> ServedModel | None:
        """Count a model as loaded, and let observers look at it; returns the one that it replaces."""
        self._counters.loaded(served.name, served.version)
        self._observers.begin(served)
        before = self._observed.get(served.name)
        self._observed[served.name] = served
        return before

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; nothing that is sent can raise here."""
        began = time.perf_counter()
        request = Request(scope, receive)
        route, respond = self._route(request)
        try:
            self._check_token(request)
            response = await respond()
        except HttpError as error:
            response = error_response(error)
        except Exception as error:
            log_bug(f"a request to {route} was not answered", error)
            response = error_response(HttpError(500, "found a bug in the server, expected none; its log has the lines"))
        finally:
            self._budget.give(request.held)
        if self.closing:
            response.headers = (*response.headers, (b"connection", b"close"))
        self._counters.request(route, response.status, time.perf_counter() - began)
        await send_response(send, response)

    async def watch(self) -> None:
        """Follow the references: every few seconds, records that they name by now are loaded and take over."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self.settings.watch)
            try:
                for served in await loop.run_in_executor(self._thread, self.models.refresh):
                    before = self._begin(served)
                    if before is not None:  # it still answers the requests that began with it
                        loop.call_later(_GRACE, loop.run_in_executor, None, self._observers.end, before)
            except Exception as error:
                log_bug("looking for new champions failed", error)

    async def count(self) -> None:
        """Count, now and then and in a thread, what was answered, for the comparison with training."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(PERIOD)
            for served in self.models:
                try:
                    if served.drift is not None:
                        await loop.run_in_executor(
                            None, served.drift.count, partial(self._counters.watched, served.name)
                        )
                except Exception as error:
                    log_bug("counting answers failed", error)

    def _route(self, request: Request) -> tuple[str, Callable[[], Awaitable[Response]]]:
        """The name of a request's route, as it is counted, and what answers it."""
        path = request.scope["path"]
        if path == "/predict":
            return path, lambda: self._post(request, None, None, predict_routes.predict)
        parts = tuple(path.strip("/").split("/"))
        match parts:
            case ("models", name, "predict"):
                return "/models/predict", lambda: self._post(request, name, None, predict_routes.predict)
            case ("invocations",):
                return "/invocations", lambda: self._post(request, None, None, invocations.invocations)
            case ("v2", "models", name, *rest):
                return self._model_route(request, name, rest)
        return self._plain_route(request, "/" + "/".join(parts))

    def _model_route(
        self, request: Request, name: str, rest: list[str]
    ) -> tuple[str, Callable[[], Awaitable[Response]]]:
        """The routes of the Open Inference Protocol for one model, perhaps of one version."""
        version = None
        if len(rest) >= 2 and rest[0] == "versions":
            version, rest = rest[1], rest[2:]
        match rest:
            case ["infer"]:
                return "/v2/models/infer", lambda: self._post(request, name, version, open_inference.infer)
            case ["ready"]:
                return "/v2/models/ready", lambda: self._get(request, lambda: self._model_ready(name, version))
            case []:
                return "/v2/models", lambda: self._get(request, lambda: self._model_metadata(name, version))
        return "other", self._nothing

    def _plain_route(self, request: Request, path: str) -> tuple[str, Callable[[], Awaitable[Response]]]:
        """The routes that only tell something."""
        answers: dict[str, Callable[[], Response]] = {
            "/ping": lambda: self._ready(b"\n", b"text/plain"),
            "/health": lambda: self._ready(b"\n", b"text/plain"),
            "/version": lambda: Response(open_inference.server_metadata()["version"].encode(), b"text/plain"),
            "/v2": lambda: _json(open_inference.server_metadata()),
            "/v2/health/live": lambda: _json({"live": True}),
            "/v2/health/ready": lambda: self._ready(to_json({"ready": not self.draining}), b"application/json"),
            "/schema": lambda: _json(json_schema(self._named(request))),
            "/record": lambda: _json(self._named(request).facts),
            "/drift": lambda: self._drift(self._named(request)),
            "/metrics": lambda: Response(self._counters.text(), _TEXT),
            "/openapi.json": lambda: _json(openapi(self.models, needs_token=self._token is not None)),
            "/docs": lambda: self._docs(request),
        }
        if path in answers:
            return path, lambda: self._get(request, answers[path])
        return "other", self._nothing

    def _drift(self, served: ServedModel) -> Response:
        """The answers of all workers compared with training."""
        if served.drift is None:
            headline = "no statistics of training in the artifact, which earlier versions did not keep; run it again"
            return _json({"reference": served.reference, "headline": headline, "columns": []})
        result, facts = served.drift.drift(partial(self._counters.watched, served.name))
        return _json({**result.to_json(), **facts})

    def _docs(self, request: Request) -> Response:
        page = docs_page(self.models, _address(request), needs_token=self._token is not None)
        return Response(page.encode(), _HTML)

    async def _nothing(self) -> Response:
        raise HttpError(404, "found no such route, expected one that /docs lists")

    async def _get(self, request: Request, answer: Callable[[], Response]) -> Response:
        if request.method not in ("GET", "HEAD"):  # uvicorn leaves out the body of a response to HEAD
            raise _wrong_method(b"GET, HEAD")
        return answer()

    async def _post(self, request: Request, name: str | None, version: str | None, work: Work) -> Response:
        if request.method != "POST":
            raise _wrong_method(b"POST")
        if self.closing:
            raise busy(_STOPPING, retry=1)
        served = self.models.first if name is None else self.models.find(name, version)
        body = await request.body(self.settings.max_body, self._budget)
        if len(body) < _LARGE and served.model.exact:
            response = work(served, request, body)
        else:
            loop = asyncio.get_running_loop()
            response = await loop.run_in_executor(self._thread, work, served, request, body)
        self._counters.rows(served.name, served.version, response.rows)
        return response

    def _check_token(self, request: Request) -> None:
        """Raise HttpError for a request without the token, after a time that does not tell how much of it is right."""
        if self._token is None or request.scope["path"] in OPEN_ROUTES:
            return
        scheme, _, given = request.headers.get(b"authorization", b"").partition(b" ")
        if not hmac.compare_digest(given.strip(), self._token) or scheme.lower() != b"bearer":
            error = HttpError(401, "found no token, or another one, expected Authorization: Bearer and the token")
            error.headers.append((b"www-authenticate", b"Bearer"))
            raise error

    def _named(self, request: Request) -> ServedModel:
        """The model that `?model=` names, by default the first one."""
        request.check_parameters("model")
        name = request.query.get("model")
        return self.models.first if name is None else self.models.find(name)

    def _ready(self, body: bytes, content_type: bytes) -> Response:
        if self.draining:
            raise busy(_STOPPING, retry=1)
        return Response(body, content_type)

    def _model_metadata(self, name: str, version: str | None) -> Response:
        return _json(open_inference.model_metadata(self.models.find(name, version)))

    def _model_ready(self, name: str, version: str | None) -> Response:
        served = self.models.find(name, version)
        return self._ready(to_json({"name": served.name, "ready": True}), b"application/json")


def log_bug(what: str, error: Exception) -> None:
    """Log an error that nothing expects: where it was raised, and not its message, which may show what was sent."""
    lines = "".join(traceback.format_tb(error.__traceback__))
    _LOG.error("a bug: %s: %s\n%s", what, type(error).__name__, lines)


def _json(value: Any) -> Response:
    return Response(to_json(value))


def _wrong_method(expected: bytes) -> HttpError:
    error = HttpError(405, f"found another method, expected {expected.decode()}")
    error.headers.append((b"allow", expected))
    return error


def _address(request: Request) -> str:
    """Where the client has reached the server; the header Host might say anything."""
    host, port = request.scope.get("server") or ("localhost", None)
    shown = f"[{host}]" if ":" in host else host
    return f"{shown}:{port}" if port else shown
