"""Requests to routes: who may ask, what they ask for, and an answer to everything."""

import asyncio
import hmac
import logging
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from pipeline_lib.serving import invocations, open_inference, predict_routes
from pipeline_lib.serving.about import json_schema, record_facts
from pipeline_lib.serving.counters import Counters
from pipeline_lib.serving.http import (
    HttpError,
    Receive,
    Request,
    Response,
    Scope,
    Send,
    error_response,
    send_response,
    to_json,
)
from pipeline_lib.serving.models import Models
from pipeline_lib.serving.openapi import docs_page, openapi
from pipeline_lib.serving.served_model import ServedModel
from pipeline_lib.serving.settings import Settings

_LOG = logging.getLogger("uvicorn.error")
_LARGE = 1 << 17
"""Bytes of a body from which it is answered in a thread, so that small requests do not wait for it."""
_MOST_WAITING = 16
"""Large bodies that wait for the thread; more are asked to come again."""
_OPEN = ("/ping", "/v2/health/live", "/v2/health/ready")
"""Routes that need no token."""
_TEXT, _HTML = b"text/plain; version=0.0.4; charset=utf-8", b"text/html; charset=utf-8"
Work = Callable[[ServedModel, Request, bytes], Response]


class App:
    """The server of one worker, as an ASGI application."""

    def __init__(self, settings: Settings, models: Models, token: bytes | None) -> None:
        self.settings = settings
        self.models = models
        self.draining = False
        self.closing = False
        self._token = token
        self._counters = Counters()
        self._thread = ThreadPoolExecutor(1)
        self._waiting = 0
        for served in models:
            self._counters.loaded(served.name, served.version)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; nothing that is sent can raise here."""
        if scope["type"] != "http":
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1003})
            return
        began = time.perf_counter()
        request = Request(scope, receive, self.settings.max_body, self.settings.body_timeout)
        route, respond = self._route(request)
        try:
            self._check_token(request)
            response = await respond()
        except HttpError as error:
            response = error_response(error)
        except asyncio.CancelledError:
            raise
        except Exception:
            _LOG.exception("a bug: a request to %s was not answered", route)
            response = error_response(HttpError(500, "found a bug in the server, expected none; its log has the lines"))
        if self.closing:
            response = Response(
                response.body, response.content_type, response.status, (*response.headers, (b"connection", b"close"))
            )
        self._counters.request(route, response.status, time.perf_counter() - began)
        await send_response(send, response)

    async def watch(self) -> None:
        """Follow the references: every few seconds, records that they name by now are loaded and take over."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self.settings.watch)
            try:
                for served in await loop.run_in_executor(None, self.models.refresh):
                    self._counters.loaded(served.name, served.version)
            except Exception:
                _LOG.exception("a bug: looking for new champions failed")

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
                return path, lambda: self._post(request, None, None, invocations.invocations)
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
                return "/v2/models/infer", lambda: self._post(request, name, version, _infer)
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
            "/record": lambda: _json(record_facts(self._named(request))),
            "/metrics": lambda: Response(self._counters.text(), _TEXT),
            "/openapi.json": lambda: _json(openapi(self.models)),
            "/docs": lambda: Response(docs_page(self.models, _host(request)).encode(), _HTML),
        }
        if path in answers:
            return path, lambda: self._get(request, answers[path])
        return "other", self._nothing

    async def _nothing(self) -> Response:
        raise HttpError(404, "found no such route, expected one that /docs lists")

    async def _get(self, request: Request, answer: Callable[[], Response]) -> Response:
        if request.method not in ("GET", "HEAD"):
            raise _wrong_method(request, b"GET")
        response = answer()
        if request.method == "HEAD":
            return Response(b"", response.content_type, response.status, response.headers)
        return response

    async def _post(self, request: Request, name: str | None, version: str | None, work: Work) -> Response:
        if request.method != "POST":
            raise _wrong_method(request, b"POST")
        if self.closing:
            raise _busy("found a server that is stopping, expected another one", retry=1)
        served = self.models.first if name is None else self.models.find(name, version)
        body = await request.body()
        if len(body) < _LARGE:
            response = work(served, request, body)
        else:
            response = await self._in_thread(lambda: work(served, request, body))
        return response

    async def _in_thread(self, work: Callable[[], Response]) -> Response:
        if self._waiting >= _MOST_WAITING:
            raise _busy("found many large requests, expected fewer at a time", retry=2)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        finally:
            self._waiting -= 1

    def _check_token(self, request: Request) -> None:
        """Raise HttpError for a request without the token, after a time that does not tell how much of it is right."""
        if self._token is None or request.scope["path"] in _OPEN:
            return
        scheme, _, given = request.headers.get(b"authorization", b"").partition(b" ")
        if not hmac.compare_digest(given.strip(), self._token) or scheme.lower() != b"bearer":
            error = HttpError(401, "found no token, or another one, expected Authorization: Bearer and the token")
            error.headers.append((b"www-authenticate", b"Bearer"))
            raise error

    def _named(self, request: Request) -> ServedModel:
        """The model that `?model=` names, by default the first one."""
        name = request.query.get("model")
        return self.models.first if name is None else self.models.find(name)

    def _ready(self, body: bytes, content_type: bytes) -> Response:
        if self.draining:
            raise _busy("found a server that is stopping, expected another one", retry=1)
        return Response(body, content_type)

    def _model_metadata(self, name: str, version: str | None) -> Response:
        return _json(open_inference.model_metadata(self.models.find(name, version)))

    def _model_ready(self, name: str, version: str | None) -> Response:
        served = self.models.find(name, version)
        return self._ready(to_json({"name": served.name, "ready": True}), b"application/json")


def _infer(served: ServedModel, request: Request, body: bytes) -> Response:
    return Response(to_json(open_inference.infer(served, body)))


def _json(value: Any) -> Response:
    return Response(to_json(value))


def _busy(message: str, retry: int) -> HttpError:
    error = HttpError(503, message)
    error.headers.append((b"retry-after", str(retry).encode()))
    return error


def _wrong_method(request: Request, expected: bytes) -> HttpError:
    error = HttpError(405, f"found another method, expected {expected.decode()}")
    error.headers.append((b"allow", expected))
    return error


def _host(request: Request) -> str:
    return request.headers.get(b"host", b"localhost").decode("latin-1")
