"""The server that warm processes are forked from: `python -m` this module, SOCKET PACKAGES NAME... -- NAME...

PACKAGES is the digest of the installed packages. The server imports the named modules; those after -- are visible
only to processes that run notebooks. For each connection to its socket it forks a child that runs `python -m MODULE`
with the arguments, environment, folder and standard streams of the request. The exit code is sent back over the
connection; if the connection closes first, the child is killed. The server ends with its standard input. It starts
no thread, since threads do not survive a fork.
"""

import contextlib
import gc
import json
import os
import runpy
import selectors
import signal
import socket
import sys
import warnings
from pathlib import Path
from typing import Any, NoReturn

from pipeline_lib.runner.warm.hidden_modules import HiddenModules
from pipeline_lib.system.jupyter_imports import allow_fast_jupyter_imports
from pipeline_lib.system.parent_death import exit_with_parent

READY = b"ready\n"


def main(address: str, packages: str, names: list[str], runner: list[str]) -> None:
    """Preload modules and serve until standard input ends."""
    sys.path.pop(0)  # the folder the server was started in is not on any child's import path
    os.environ["JPY_PARENT_PID"] = "1"  # ipykernel: do not watch the parent, the connection does
    os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"  # the debugger would warn of frozen modules
    allow_fast_jupyter_imports()
    hidden = HiddenModules(packages)
    gc.disable()  # imports leave almost no garbage
    hidden.preload(names, runner)
    gc.freeze()  # children share these objects' pages
    gc.enable()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(address)
        listening.listen(64)
        with contextlib.suppress(BrokenPipeError):  # the client is gone; standard input has ended, too
            sys.stdout.buffer.write(READY)
            sys.stdout.flush()
        _Server(listening, hidden).serve()


class _Server:
    """One child for each connection."""

    def __init__(self, listening: socket.socket, hidden: HiddenModules) -> None:
        self._listening, self._hidden_modules = listening, hidden
        self._pid = os.getpid()
        self._children: dict[int, socket.socket | None] = {}
        self._ended, ending = socket.socketpair()
        ending.setblocking(False)
        self._ending = ending
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal is for the client
        signal.set_wakeup_fd(ending.fileno(), warn_on_full_buffer=False)

    def serve(self) -> None:
        with selectors.DefaultSelector() as self._selector:
            for source in (self._listening, self._ended, sys.stdin.buffer):
                self._selector.register(source, selectors.EVENT_READ)
            while True:
                for key, _ in self._selector.select():
                    if key.fileobj is self._listening:
                        self._accept()
                    elif key.fileobj is self._ended:
                        self._ended.recv(4096)
                        self._reap()
                    elif key.fileobj is sys.stdin.buffer:
                        self._end()
                    else:
                        self._abandoned(key.fileobj)

    def _accept(self) -> None:
        connection, _ = self._listening.accept()
        try:
            message, streams, _, _ = socket.recv_fds(connection, 1 << 16, 3)
            while not message.endswith(b"\n"):
                more = connection.recv(1 << 16)
                if not more:
                    raise ConnectionError("a request without an end")
                message += more
            request = json.loads(message)
        except (OSError, ValueError):
            connection.close()
            return
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of threads: BLAS stops its own before a fork
            child = os.fork()
        if child == 0:
            self._become(request, streams)
        for stream in streams:
            os.close(stream)
        with contextlib.suppress(OSError):
            connection.sendall(f"{child}\n".encode())
        self._children[child] = connection
        self._selector.register(connection, selectors.EVENT_READ)

    def _become(self, request: dict[str, Any], streams: list[int]) -> NoReturn:
        """In the child: become the requested process."""
        code = 1
        try:
            self._leave(streams)
            os.chdir(request["folder"])
            os.environ.clear()
            os.environ.update(request["environment"])
            self._hidden_modules.reseed()
            for name in [name for name in sys.modules if name.partition(".")[0] == "pipeline_lib"]:
                del sys.modules[name]
            self._hidden_modules.hide(request["runner"])
            sys.argv = ["-m", *request["arguments"]]
            sys.path.insert(0, request["folder"])
            runpy.run_module(request["module"], run_name="__main__", alter_sys=True)
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            _end_process(code)

    def _leave(self, streams: list[int]) -> None:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.setsid()
        exit_with_parent(self._pid)
        self._selector.close()
        for connection in (self._listening, self._ended, self._ending, *self._children.values()):
            if connection is not None:
                connection.close()
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)

    def _reap(self) -> None:
        while self._children:
            try:
                child, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if child == 0:
                return
            connection = self._children.pop(child, None)
            if connection is not None:
                self._selector.unregister(connection)
                with contextlib.suppress(OSError):
                    connection.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())
                connection.close()

    def _abandoned(self, connection: Any) -> None:
        """Kill a child and its process group when its connection has closed."""
        if connection.recv(1):
            return
        child = next(child for child, other in self._children.items() if other is connection)
        with contextlib.suppress(OSError):
            os.killpg(child, signal.SIGKILL)
        with contextlib.suppress(OSError):
            os.kill(child, signal.SIGKILL)
        self._selector.unregister(connection)
        connection.close()
        self._children[child] = None  # until it has been reaped

    def _end(self) -> NoReturn:
        for child in self._children:
            with contextlib.suppress(OSError):
                os.killpg(child, signal.SIGKILL)
        Path(self._listening.getsockname()).unlink(missing_ok=True)
        os._exit(0)


def _end_process(code: int) -> NoReturn:
    """End as an interpreter does: non-daemon threads, exit handlers, streams; then `os._exit`."""
    import atexit
    import threading

    _leave_sockets_to_the_system()
    with contextlib.suppress(BaseException):
        threading._shutdown()  # type: ignore[attr-defined]
    with contextlib.suppress(BaseException):
        atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(BaseException):
            stream.flush()
    os._exit(code & 0xFF)


def _leave_sockets_to_the_system() -> None:
    """Drop the exit handler of an IPython kernel, which may wait without end for a thread that has ended.

    The system closes the sockets with the process.
    """
    import atexit

    application = getattr(sys.modules.get("ipykernel.kernelapp"), "IPKernelApp", None)
    if application is not None and application.initialized():
        atexit.unregister(application.instance().close)


if __name__ == "__main__":
    dashes = sys.argv.index("--")
    main(sys.argv[1], sys.argv[2], sys.argv[3:dashes], sys.argv[dashes + 1 :])
