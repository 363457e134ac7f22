"""Requests and responses: what a route takes and gives, without a framework."""

import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

JSON = b"application/json"
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
ARROW = "application/vnd.apache.arrow.stream"


class HttpError(Exception):
    """A request that is answered with an error: its status, what is said, and headers of the response."""

    def __init__(self, status: int, message: str, **details: Any) -> None:
        super().__init__(message)
        self.status = status
        self.details = details
        self.headers: list[tuple[bytes, bytes]] = []


@dataclass(slots=True)
class Response:
    """What is sent back; `rows` is how many rows it predicts."""

    body: bytes
    content_type: bytes = JSON
    status: int = 200
    headers: tuple[tuple[bytes, bytes], ...] = ()
    rows: int = 0


class Budget:
    """Bytes of bodies that a worker holds at a time."""

    def __init__(self, most: int) -> None:
        self._left = most

    def take(self, size: int) -> None:
        """Hold so many more. Raises HttpError where they would be too many."""
        if size > self._left:
            raise busy("found many large requests, expected fewer at a time", retry=2)
        self._left -= size

    def give(self, size: int) -> None:
        """Hold so many fewer."""
        self._left += size


class Request:
    """A request whose body is read when it is asked for."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self.scope = scope
        self.method: str = scope["method"]
        self.headers: Mapping[bytes, bytes] = dict(scope["headers"])  # of several of a name the last
        self.held = 0  # bytes of the budget
        self._receive = receive

    @property
    def query(self) -> dict[str, str]:
        """The parameters after `?`."""
        text = self.scope.get("query_string", b"").decode("latin-1")
        return dict(parse_qsl(text, keep_blank_values=True)) if text else {}

    def check_parameters(self, *known: str) -> None:
        """Raise HttpError for a parameter after `?` that the route does not have: it would do nothing."""
        if set(self.query) - set(known):
            raise HttpError(
                400, f"found a parameter after `?` that is none, expected {' or '.join(known)}; leave it out"
            )

    @property
    def content_type(self) -> str:
        """The type of the body, without its parameters, in lower case."""
        given = self.headers.get(b"content-type", b"").decode("latin-1")
        return given.partition(";")[0].strip().lower()

    async def body(self, most: int, budget: Budget) -> bytes:
        """The whole body, of at most so many bytes. Raises HttpError for one that is longer, cut off or encoded."""
        if self.headers.get(b"content-encoding", b"identity").lower() != b"identity":
            raise HttpError(415, "found an encoded body, expected it as it is; leave out Content-Encoding")
        length = self.headers.get(b"content-length", b"0")
        if length.isdigit() and int(length) > most and b"expect" in self.headers:
            raise _too_long(most)  # the client waits for leave to send it
        message = await self._next()
        body: bytes = message.get("body", b"")
        if message.get("more_body"):
            return await self._rest(body, most, budget)
        if len(body) > most:
            raise _too_long(most)
        return body

    async def _next(self) -> MutableMapping[str, Any]:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            raise HttpError(408, "found a connection that was closed, expected the whole body")
        return message

    async def _rest(self, first: bytes, most: int, budget: Budget) -> bytes:
        """The body that begins with `first`. Of one that is too long as much again is read, and forgotten.

        A client that is still sending when the connection is closed would not see the answer.
        """
        parts, size = [first], len(first)
        while True:
            if size <= most:
                budget.take(size - self.held)
                self.held = size
            else:
                parts.clear()
            if size > 2 * most:
                break
            message = await self._next()
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if not message.get("more_body"):
                break
        if size > most:
            raise _too_long(most)
        return b"".join(parts)


def _too_long(most: int) -> HttpError:
    error = HttpError(413, f"found a body of more than {most:,} bytes, expected fewer; send it in parts")
    error.headers.append((b"connection", b"close"))
    return error


def busy(message: str, *, retry: int) -> HttpError:
    """The error of a server that cannot answer now: when to try again is in seconds."""
    error = HttpError(503, message)
    error.headers += [(b"retry-after", str(retry).encode()), (b"connection", b"close")]
    return error


def to_json(value: Any) -> bytes:
    """A value as JSON in UTF-8; floats as the shortest text that gives the same bits."""
    return _ENCODER.encode(value).encode()


async def send_response(send: Send, response: Response) -> None:
    """Send a whole response."""
    length = b"%d" % len(response.body)
    headers = [(b"content-type", response.content_type), (b"content-length", length), *response.headers]
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body})


def error_response(error: HttpError) -> Response:
    """The response to a request with a fault: what was found and expected, never what was sent."""
    body = to_json({"error": str(error), **error.details})
    return Response(body, status=error.status, headers=tuple(error.headers))
