"""What a kernel's process writes past Jupyter is shown line by line, without secrets."""

import os
import threading

import pytest

from pipeline_lib.project.redaction import NO_SECRETS, Redactor
from pipeline_lib.runner.kernel_streams import redacted_streams

HIDDEN = "tulip bulb/7"
LIMIT = 1 << 16


def shown(capsys: pytest.CaptureFixture[str], content: bytes) -> str:
    """What is shown of a process's standard output."""
    with redacted_streams(Redactor({HIDDEN: "KEY"})) as streams:
        threads = [thread for thread in threading.enumerate() if thread.name.startswith("kernel-")]
        writing = os.dup(streams["stdout"])
    with os.fdopen(writing, "wb") as stream:
        stream.write(content)
    for thread in threads:
        thread.join(10)
    return capsys.readouterr().out


def test_lines_are_shown_without_secrets(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, b"begin\nkey tulip bulb/7\nend") == "begin\nkey [secret KEY]\nend"


@pytest.mark.parametrize("before", [LIMIT - 20, LIMIT - 12, LIMIT - 6, LIMIT - 1, LIMIT, LIMIT + 5])
def test_a_secret_across_the_limit_of_a_line_is_not_shown(capsys: pytest.CaptureFixture[str], before: int) -> None:
    text = shown(capsys, b"x" * before + HIDDEN.encode() + b"y" * LIMIT + b"\nnext\n")
    cut, following, _ = text.split("\n")
    assert cut.endswith(" [line cut after 65,536 bytes]")
    assert following == "next"
    assert not any(HIDDEN[:size] in text for size in range(2, len(HIDDEN) + 1))


def test_without_secrets_a_process_keeps_its_own_streams() -> None:
    with redacted_streams(NO_SECRETS) as streams:
        assert streams == {}
