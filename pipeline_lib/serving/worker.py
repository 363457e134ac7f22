"""A process that answers: it loads the models, and at the end stops without losing a request."""

import asyncio
import os
import signal
from collections.abc import Coroutine
from types import FrameType
from typing import Any

from pipeline_lib.serving.app import App
from pipeline_lib.serving.connections import Connection
from pipeline_lib.serving.http import Receive, Scope, Send
from pipeline_lib.serving.models import Models
from pipeline_lib.serving.settings import Settings, read_token
from pipeline_lib.system.parent_death import exit_with_parent

_LAST = 0.3
"""Seconds in which connections are accepted and told to go elsewhere, and again for those that were accepted last."""


class Worker:
    """The ASGI application of a worker: an App between its beginning and its end."""

    def __init__(self, settings: Settings) -> None:
        models = Models(settings)
        models.load()
        self._settings = settings
        shadow = None if settings.shadow is None else models.load_one(settings.shadow)
        self._app = App(settings, models, read_token(settings.token_file), shadow)
        self._tasks: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or follow the life of the process."""
        if scope["type"] == "http":
            await self._app(scope, receive, send)
        else:
            await self._live(receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        self._keep(self._app.watch())
        self._keep(self._app.count())
        loop = asyncio.get_running_loop()
        stop: Any = signal.getsignal(signal.SIGTERM)

        def begin_to_stop(number: int, frame: FrameType | None) -> None:
            if not self._app.draining:
                self._app.draining = True
                loop.call_soon_threadsafe(lambda: self._keep(self._stop(stop)))

        signal.signal(signal.SIGTERM, begin_to_stop)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        for task in self._tasks:
            task.cancel()
        await loop.run_in_executor(None, self._app.close)
        await send({"type": "lifespan.shutdown.complete"})

    async def _stop(self, stop: Any) -> None:
        """Answer for a while, though not ready, then send requests elsewhere, then accept no connection, then stop.

        `stop` is uvicorn's own handler of the signal, a method of its server.
        """
        await asyncio.sleep(self._settings.drain)
        self._app.closing = True
        await asyncio.sleep(_LAST)
        for listening in stop.__self__.servers:
            listening.close()
        await asyncio.sleep(_LAST)
        stop(signal.SIGTERM, None)

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def create() -> Worker:
    """The application of a process that ends with the server."""
    exit_with_parent(os.getppid())
    settings = Settings.from_environment()
    Connection.timeout = settings.timeout
    return Worker(settings)
