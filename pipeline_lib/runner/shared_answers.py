"""The members of a sweep ask a database or an address once: they are compared on the same rows."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline_lib.records.snapshots import Snapshot
from pipeline_lib.system.environment import environment_variable
from pipeline_lib.system.files import canonical_json, read_json, sha256_bytes, write_atomic
from pipeline_lib.system.locks import locked, locked_temporary_folder

SHARED_VARIABLE = "PIPELINE_LIB_SHARED_ANSWERS"
"""Environment variable with the folder of the answers that the kernels of a sweep on this machine share."""
_ANSWER, _ENTRY = "answer", "entry.json"
Answer = tuple[Snapshot, bytes, str]
"""What was asked and when, the result's bytes, and the suffix of its file."""


@contextmanager
def shared_answers() -> Iterator[None]:
    """Inside this block kernels that start share what they ask; the answers are removed with the block."""
    with locked_temporary_folder("answers") as folder, environment_variable(SHARED_VARIABLE, str(folder)):
        yield


def asked_once(wanted: Snapshot, number: int, ask: Callable[[], Answer]) -> Answer:
    """The answer to a request: that of the first kernel that shares it, or what `ask` returns.

    `number` is how often this kernel has asked the same before: a query that is repeated is asked again.
    """
    shared = os.environ.get(SHARED_VARIABLE)
    if not shared:
        return ask()
    folder = Path(shared) / sha256_bytes(canonical_json([*map(str, wanted.request), number]))
    folder.mkdir(exist_ok=True)
    with locked(folder, wait=True):
        entry = read_json(folder / _ENTRY)
        if entry:
            return Snapshot(**entry["snapshot"]), (folder / _ANSWER).read_bytes(), str(entry["suffix"])
        found, content, suffix = ask()
        write_atomic(folder / _ANSWER, content, durable=False)
        write_atomic(folder / _ENTRY, canonical_json({"snapshot": vars(found), "suffix": suffix}), durable=False)
    return found, content, suffix
