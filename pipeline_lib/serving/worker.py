"""A process that answers: it loads the models, and at the end stops without losing a request."""

import asyncio
import signal
from types import FrameType
from typing import Any

from pipeline_lib.serving.app import App
from pipeline_lib.serving.http import Receive, Scope, Send
from pipeline_lib.serving.models import Models
from pipeline_lib.serving.settings import Settings, read_token

_LAST = 0.5
"""Seconds in which connections that are open are told to go elsewhere."""


class Worker:
    """The ASGI application of a worker: an App between its beginning and its end."""

    def __init__(self, settings: Settings) -> None:
        models = Models(settings)
        models.load()
        self._settings = settings
        self._app = App(settings, models, read_token(settings.token_file))
        self._tasks: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or follow the life of the process."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        else:
            await self._app(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        self._keep(self._app.watch())
        loop = asyncio.get_running_loop()
        stop = signal.getsignal(signal.SIGTERM)

        def begin_to_stop(number: int, frame: FrameType | None) -> None:
            if not self._app.draining:
                loop.call_soon_threadsafe(lambda: self._keep(self._stop(lambda: _call(stop, number, frame))))

        signal.signal(signal.SIGTERM, begin_to_stop)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        for task in self._tasks:
            task.cancel()
        await send({"type": "lifespan.shutdown.complete"})

    async def _stop(self, stop: Any) -> None:
        """Say that the server is not ready, answer for a while, then send requests elsewhere, then stop."""
        self._app.draining = True
        await asyncio.sleep(self._settings.drain)
        self._app.closing = True
        await asyncio.sleep(_LAST)
        stop()

    def _keep(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _call(handler: Any, number: int, frame: FrameType | None) -> None:
    if callable(handler):
        handler(number, frame)


def create() -> Worker:
    """The application, as the server's settings say."""
    return Worker(Settings.from_environment())
