"""The worker of `repeat`: for each request it forks, and the child records own code again and answers with a digest."""

import json
import os
import pickle
import select
import signal
import sys
import tempfile
import time
from typing import IO, Any

import pipeline_lib.compiler.adapters.catalog  # noqa: F401  registers the adapters
from pipeline_lib.compiler.adapters.registry import NoPlanError
from pipeline_lib.compiler.tracing.own_code.side_effects import SideEffects
from pipeline_lib.compiler.tracing.repeat import plan_digest
from pipeline_lib.compiler.tracing.repeat_process import receive, send
from pipeline_lib.compiler.tracing.traces import repeat_trace
from pipeline_lib.system.parent_death import exit_with_parent

_SHOWN = 300  # characters of what own code printed last
_GONE = select.POLLHUP | select.POLLERR | select.POLLNVAL


def main() -> None:
    """Answer requests on standard input until it ends."""
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    while (message := receive(requests)) is not None:
        try:
            send(answers, _in_child(message, requests, answers))
        except BrokenPipeError:  # the compilation ended without waiting
            os._exit(0)


def _in_child(message: bytes, requests: IO[bytes], answers: IO[bytes]) -> bytes:
    """The answer of a forked child, so that modules are loaded as they are now."""
    number, seconds, path, folder, payload = pickle.loads(message)  # noqa: S301  from the compiling process
    reading, writing = os.pipe()
    with tempfile.TemporaryFile() as printed, os.fdopen(reading, "rb") as stream:
        worker, child = os.getpid(), os.fork()
        if child == 0:
            os.setsid()  # what own code starts ends with it
            exit_with_parent(worker)
            for end in (requests, answers):  # or they stay open when the worker ends
                os.close(end.fileno())
            for output in (1, 2):
                os.dup2(printed.fileno(), output)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            _answer(writing, number, path, folder, payload)
        os.close(writing)
        answered = _wait(stream, requests, seconds)
        answer = receive(stream) if answered else None
        try:
            os.killpg(child, signal.SIGKILL)
        except ProcessLookupError:  # it has ended, or has not come to `setsid`
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        if answer is not None:
            return answer
        printed.seek(0)
        said = printed.read().decode(errors="replace").strip()[-_SHOWN:]
    text = "a process that ended without an answer" if answered else f"no answer within {seconds:g} seconds"
    return json.dumps([number, "error", f"{text}{f' (it said: {said})' if said else ''}"]).encode()


def _wait(stream: IO[bytes], requests: IO[bytes], seconds: float) -> bool:
    """Wait until the child answers or ends; False if it does neither in time. Ends with the compiling process."""
    poll = select.poll()
    poll.register(stream.fileno(), select.POLLIN)
    poll.register(requests.fileno(), 0)  # its end alone
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        for descriptor, event in poll.poll(left * 1000):
            if descriptor == requests.fileno() and event & _GONE:
                os._exit(0)  # and the child with it
            if descriptor == stream.fileno():
                return True
    return False


def _answer(writing: int, number: int, path: list[str], folder: str, payload: bytes) -> None:
    """Record again and write the answer; ends the process."""
    effects = SideEffects()
    answer: Any
    try:
        sys.path[:] = path
        os.chdir(folder)
        effects.watch()
        try:
            arguments = pickle.loads(payload)  # noqa: S301  from the compiling process
        except (ImportError, AttributeError) as error:
            missing = error.name if isinstance(error, ImportError) else getattr(error.obj, "__name__", None)
            answer = ["missing", missing or str(error)]
        else:
            trace = repeat_trace(*arguments)
            answer = ["digest", plan_digest(trace.nodes, trace.outputs)]
    except BaseException as error:  # own code, which may raise anything
        shown = "" if isinstance(error, NoPlanError) else f"{type(error).__name__}: "
        answer = ["error", f"{shown}{error}"]
    if effects.found:
        answer = ["refused", effects.found[0]]
    with os.fdopen(writing, "wb") as stream:
        send(stream, json.dumps([number, *answer]).encode())
    os._exit(0)
