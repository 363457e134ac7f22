"""The process that listens: it starts the workers, starts one again that has died, and stops them all."""

import os
import socket

import uvicorn
from uvicorn.supervisors import Multiprocess

from pipeline_lib.errors import InputError
from pipeline_lib.serving.connections import Connection
from pipeline_lib.serving.counters import FOLDER_VARIABLE
from pipeline_lib.serving.settings import VARIABLE, Settings

_BACKLOG = 2048
"""Connections that wait to be accepted."""
_GRACE = 30
"""Seconds for the requests that are being answered when the server stops."""
_KEEP_ALIVE = 75
"""Seconds until a connection without requests is closed: longer than the 60 s after which most proxies close theirs, so
that none sends a request into a connection that is being closed."""


def listen(host: str, port: int) -> socket.socket:
    """A socket that waits for connections. Raises InputError for a place that is taken or not this machine's."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise InputError(
            f"{host}:{port}: found {error.strerror or error}, expected a free port of this machine; say --port, or "
            "--port 0 for any"
        ) from error
    listening.listen(_BACKLOG)  # connections wait until the workers are there
    listening.set_inheritable(True)
    return listening


class _Supervisor(Multiprocess):
    """The process over the workers, which at the end leaves it to them to listen."""

    def terminate_all(self) -> None:
        """Tell the workers to stop; when the last one no longer listens, new connections are refused."""
        super().terminate_all()
        for listening in self.sockets:
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
        backlog=_BACKLOG,
    )
    _Supervisor(config, sockets=[listening]).run()
