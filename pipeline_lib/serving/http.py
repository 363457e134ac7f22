"""Requests and responses: what a route takes and gives, without a framework."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

JSON = b"application/json"
ARROW = "application/vnd.apache.arrow.stream"


class HttpError(Exception):
    """A request that is answered with an error: its status, what is said, and headers of the response."""

    def __init__(self, status: int, message: str, **details: Any) -> None:
        super().__init__(message)
        self.status = status
        self.details = details
        self.headers: list[tuple[bytes, bytes]] = []


@dataclass(frozen=True)
class Response:
    """What is sent back."""

    body: bytes
    content_type: bytes = JSON
    status: int = 200
    headers: tuple[tuple[bytes, bytes], ...] = ()


@dataclass
class Request:
    """A request whose body is read when it is asked for."""

    scope: Scope
    receive: Receive
    max_body: int
    body_timeout: float
    path: tuple[str, ...] = ()
    _headers: dict[bytes, bytes] = field(default_factory=dict)

    @property
    def method(self) -> str:
        """GET, POST, …"""
        return str(self.scope["method"])

    @property
    def headers(self) -> Mapping[bytes, bytes]:
        """Headers by name in lower case; of several of a name the last."""
        if not self._headers:
            self._headers = dict(self.scope["headers"])
        return self._headers

    @property
    def query(self) -> dict[str, str]:
        """The parameters after `?`."""
        text = self.scope.get("query_string", b"").decode("latin-1")
        return dict(parse_qsl(text, keep_blank_values=True)) if text else {}

    @property
    def content_type(self) -> str:
        """The type of the body, without its parameters, in lower case."""
        given = self.headers.get(b"content-type", b"").decode("latin-1")
        return given.partition(";")[0].strip().lower()

    async def body(self) -> bytes:
        """The whole body. Raises HttpError for one that is too long, too slow, cut off or encoded."""
        encoding = self.headers.get(b"content-encoding", b"identity").lower()
        if encoding != b"identity":
            raise HttpError(415, "found an encoded body, expected it as it is; leave out Content-Encoding")
        length = self.headers.get(b"content-length", b"0")
        if length.isdigit() and int(length) > self.max_body:
            raise self._too_long()
        message = await self._next()
        if not message.get("more_body"):
            body: bytes = message.get("body", b"")
            if len(body) > self.max_body:
                raise self._too_long()
            return body
        try:
            return await asyncio.wait_for(self._rest(message.get("body", b"")), self.body_timeout)
        except TimeoutError:
            raise self._too_slow() from None

    async def _next(self) -> MutableMapping[str, Any]:
        try:
            message = await asyncio.wait_for(self.receive(), self.body_timeout)
        except TimeoutError:
            raise self._too_slow() from None
        if message["type"] == "http.disconnect":
            raise HttpError(400, "found a connection that was closed, expected the whole body")
        return message

    async def _rest(self, first: bytes) -> bytes:
        parts, size = [first], len(first)
        more = True
        while more:
            message = await self._next()
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > self.max_body:
                raise self._too_long()
            more = message.get("more_body", False)
        return b"".join(parts)

    def _too_long(self) -> HttpError:
        error = HttpError(413, f"found a body of more than {self.max_body:,} bytes, expected fewer; send it in parts")
        error.headers.append((b"connection", b"close"))
        return error

    def _too_slow(self) -> HttpError:
        error = HttpError(408, f"found no whole body within {self.body_timeout:g} s, expected it; send it at once")
        error.headers.append((b"connection", b"close"))
        return error


def to_json(value: Any) -> bytes:
    """A value as JSON in UTF-8; floats as the shortest text that gives the same bits."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


async def send_response(send: Send, response: Response) -> None:
    """Send a whole response."""
    headers = [
        (b"content-type", response.content_type),
        (b"content-length", str(len(response.body)).encode()),
        *response.headers,
    ]
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body})


def error_response(error: HttpError) -> Response:
    """The response to a request with a fault: what was found and expected, never what was sent."""
    body = to_json({"error": str(error), **error.details})
    return Response(body, status=error.status, headers=tuple(error.headers))
