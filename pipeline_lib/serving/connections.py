"""HTTP/1.1 connections with limits: what a client sends and reads slowly, or without end, costs it its connection."""

import re
from asyncio import BaseTransport, TimerHandle
from typing import Any

from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

_UPGRADE = re.compile(rb"\r\nupgrade:", re.IGNORECASE)
_MOST_HEAD = 1 << 16
"""Bytes of a request line and its headers, beyond the first ones that were received."""
_TOO_SLOW = b'{"error":"found no whole request in time, expected it; send it at once"}'
_TOO_LARGE = b'{"error":"found headers of more than 65,536 bytes, expected fewer"}'


class Connection(HttpToolsProtocol):
    """A connection whose requests arrive, and whose answers are read, within `timeout` seconds each.

    A request that comes in one piece, as most do, starts no timer.
    """

    timeout = 60.0

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._receiving = True  # also before the first byte
        self._in_body = False
        self._head = 0
        self._answering: RequestResponseCycle | None = None
        self._arrival: TimerHandle | None = None
        self._reading: TimerHandle | None = None

    def connection_made(self, transport: BaseTransport) -> None:
        """Expect the first request."""
        super().connection_made(transport)  # type: ignore[arg-type]
        self._arrival = self.loop.call_later(self.timeout, self._late)

    def connection_lost(self, exc: Exception | None) -> None:
        """Expect nothing more."""
        self._expect_no_request()
        self._expect_no_reading()
        self._send_no_more()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what has arrived; of a request that is not whole by now the rest has until its time is over."""
        if not self._in_body and b"pgrade:" in data:
            data = _without_upgrade(data)
        super().data_received(data)
        if not self._receiving:
            self._expect_no_request()
            return
        if self._arrival is None:
            self._arrival = self.loop.call_later(self.timeout, self._late)
        if not self._in_body:
            self._head += len(data)
            if self._head > _MOST_HEAD:
                self._end(b"431 Request Header Fields Too Large", _TOO_LARGE)

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self._receiving = True
        self._head = 0

    def on_headers_complete(self) -> None:
        """End its headers."""
        self._in_body = True
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """End its body."""
        self._receiving = self._in_body = False
        super().on_message_complete()

    def pause_writing(self) -> None:
        """Give the client some time to read its answer."""
        super().pause_writing()
        self._reading = self.loop.call_later(self.timeout, self._unread)

    def resume_writing(self) -> None:
        """Note that it reads."""
        self._expect_no_reading()
        super().resume_writing()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._answering = cycle
        super()._start_asgi_task(cycle, app)

    def _expect_no_request(self) -> None:
        if self._arrival is not None:
            self._arrival.cancel()
            self._arrival = None

    def _expect_no_reading(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None

    def _send_no_more(self) -> None:
        if self._answering is not None:  # of requests that came together uvicorn would tell the last one only
            self._answering.disconnected = True

    def _unread(self) -> None:
        self._send_no_more()
        self.transport.abort()

    def _late(self) -> None:
        self._arrival = None
        begun = self._head or self._in_body
        self._end(b"408 Request Timeout", _TOO_SLOW if begun else b"")

    def _end(self, status: bytes, body: bytes) -> None:
        """Close the connection, after an error where no answer has begun."""
        if self.transport.is_closing():
            return
        current = self._answering
        answering = current is not None and current.response_started and not current.response_complete
        if body and not answering:
            head = b"content-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n" % len(body)
            self.transport.write(b"HTTP/1.1 " + status + b"\r\n" + head + b"\r\n" + body)
        self._send_no_more()
        self.transport.close()


def _without_upgrade(data: bytes) -> bytes:
    """Headers that ask for no other protocol: after such a one the parser would leave out the request's body."""
    head, end, rest = data.partition(b"\r\n\r\n")
    return _UPGRADE.sub(b"\r\nX-Upgrade:", head) + end + rest
