"""The process that listens: it starts the workers, starts one again that has died, and stops them all."""

import os
import socket
import time

import uvicorn
from uvicorn.supervisors import Multiprocess

from pipeline_lib.serving.connections import Connection
from pipeline_lib.serving.counters import FOLDER_VARIABLE
from pipeline_lib.serving.listening import BACKLOG, begin_no_more
from pipeline_lib.serving.settings import VARIABLE, Settings

_GRACE = 30
"""Seconds for the requests that are being answered when the server stops."""
_KEEP_ALIVE = 75
"""Seconds until a connection without requests is closed: longer than the 60 s after which most proxies close theirs, so
that none sends a request into a connection that is being closed."""


class _Supervisor(Multiprocess):
    """The process over the workers, which at the end leaves it to them to listen."""

    def __init__(self, config: uvicorn.Config, listening: socket.socket, drain: float) -> None:
        super().__init__(config, sockets=[listening])
        self._drain = drain

    def terminate_all(self) -> None:
        """Tell the workers to stop. While they answer for the last time, no new connection is begun."""
        super().terminate_all()
        end = time.monotonic() + self._drain
        while time.monotonic() < end and any(worker.process.is_alive() for worker in self.processes):
            time.sleep(0.05)
        for listening in self.sockets:
            begin_no_more(listening)
            listening.close()


def serve(settings: Settings, listening: socket.socket, *, log_level: str) -> None:
    """Answer until the process is told to stop (SIGTERM, Ctrl-C). `settings` name the folder that the workers share."""
    os.environ |= {VARIABLE: settings.to_json(), FOLDER_VARIABLE: str(settings.folder)}
    config = uvicorn.Config(
        "pipeline_lib.serving.worker:create",
        factory=True,
        http=Connection,
        ws="none",
        workers=settings.workers,
        log_level=log_level,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        lifespan="on",
        timeout_keep_alive=_KEEP_ALIVE,
        timeout_graceful_shutdown=_GRACE,
        timeout_worker_healthcheck=60,
        backlog=BACKLOG,
    )
    _Supervisor(config, listening, settings.drain).run()
