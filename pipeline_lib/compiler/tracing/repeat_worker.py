"""The worker of `repeat`: for each request it forks, and the child records own code again and answers with a digest."""

import json
import os
import pickle
import sys
from typing import IO, Any

import pipeline_lib.compiler.adapters.catalog  # noqa: F401  registers the adapters
from pipeline_lib.compiler.tracing.repeat import plan_digest, receive, send
from pipeline_lib.compiler.tracing.traces import repeat_trace


def main() -> None:
    """Answer requests on standard input until it ends. What own code prints goes to standard error."""
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    while (message := receive(requests)) is not None:
        try:
            send(answers, _in_child(message))
        except BrokenPipeError:  # the compilation ended without waiting
            os._exit(0)


def _in_child(message: bytes) -> bytes:
    """The answer of a forked child, so that modules are loaded as they are now."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        with os.fdopen(writing, "wb") as stream:
            _answer(stream, message)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        answer = stream.read()
    os.waitpid(child, 0)
    if answer:
        return answer
    number, *_ = pickle.loads(message)  # noqa: S301  from the compiling process
    return json.dumps([number, "error", "a process that ended without an answer"]).encode()


def _answer(stream: IO[bytes], message: bytes) -> None:
    number, path, folder, payload = pickle.loads(message)  # noqa: S301  from the compiling process
    try:
        sys.path[:] = path
        os.chdir(folder)
        answer: Any = [number, "digest", _digest(payload)]
    except BaseException as error:  # own code, which may raise anything
        answer = [number, "error", f"{type(error).__name__}: {error}"]
    stream.write(json.dumps(answer).encode())


def _digest(payload: bytes) -> str:
    trace = repeat_trace(*pickle.loads(payload))  # noqa: S301
    return plan_digest(trace.nodes, trace.outputs)
