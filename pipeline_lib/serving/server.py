"""The process that listens: it starts the workers, starts one again that has died, and stops them all."""

import os
import socket
import tempfile
from collections.abc import Callable
from typing import Any

from pipeline_lib.errors import InputError
from pipeline_lib.serving.counters import FOLDER_VARIABLE
from pipeline_lib.serving.settings import VARIABLE, Settings

_GRACE = 30
"""Seconds for the requests that are being answered when the server stops."""


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
    listening.set_inheritable(True)
    return listening


def serve(settings: Settings, listening: socket.socket, *, log_level: str, on_ready: Callable[[], Any]) -> None:
    """Answer until the process is told to stop (SIGTERM, Ctrl-C)."""
    import uvicorn
    from uvicorn.supervisors import Multiprocess

    with tempfile.TemporaryDirectory(prefix="pipeline-lib-metrics-") as folder:
        os.environ |= {VARIABLE: settings.to_json(), FOLDER_VARIABLE: folder}
        config = uvicorn.Config(
            "pipeline_lib.serving.worker:create",
            factory=True,
            workers=settings.workers,
            log_level=log_level,
            access_log=False,
            server_header=False,
            date_header=True,
            lifespan="on",
            timeout_graceful_shutdown=_GRACE,
            timeout_worker_healthcheck=60,
            backlog=2048,
            h11_max_incomplete_event_size=1 << 16,
        )
        on_ready()
        Multiprocess(config, sockets=[listening]).run()
