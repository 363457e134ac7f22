"""The command `serve` up to the moment in which it listens: what it refuses, and what it says."""

import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import Result
from command_line import invoke
from scored import classifier, proven
from tiny import small_record

from pipeline_lib.errors import DifferenceError, InputError
from pipeline_lib.records.layout import PARITY
from pipeline_lib.records.record import Record, checks_folder
from pipeline_lib.serving import server
from pipeline_lib.serving.settings import Settings


@pytest.fixture(autouse=True)
def started(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Settings]]:
    """The settings of servers, none of which answers."""
    made: list[Settings] = []

    def serve(settings: Settings, listening: socket.socket, *, log_level: str) -> None:
        assert settings.folder
        assert Path(settings.folder).is_dir()
        assert listening.getsockname()[1]
        listening.close()
        made.append(settings)

    monkeypatch.setattr(server, "serve", serve)
    monkeypatch.delenv("PIPELINE_LIB_TOKEN", raising=False)
    yield made
    assert all(not Path(str(settings.folder)).exists() for settings in made)


@pytest.fixture
def record(tmp_path: Path) -> Record:
    return proven(tmp_path, classifier("no", "yes"), "labels")


def serve(record: Record, *options: object) -> Result:
    return invoke("serve", record.folder, "--port", 0, *options)


def refusal(result: Result) -> str:
    assert isinstance(result.exception, InputError), result.output + repr(result.exception)
    return str(result.exception)


def test_the_command_says_what_answers_and_where(record: Record, started: list[Settings]) -> None:
    result = serve(record, "--workers", 3, "--max-body", 2, "--drain", 0, "--watch", 1, "--timeout", 9)
    assert result.exit_code == 0, result.output
    line, rest = result.output.split("\n", 1)
    assert line.startswith(f"{record.reference} at http://127.0.0.1:")
    assert line.endswith("/docs")
    assert rest == ""
    (made,) = started
    assert (made.workers, made.max_body, made.drain, made.watch, made.timeout) == (3, 2 << 20, 0, 1, 9)


def test_a_port_that_is_taken_is_refused(record: Record) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = invoke("serve", record.folder, "--port", port)
    assert f"127.0.0.1:{port}: found Address already in use, expected a free port" in refusal(result)
    assert "--port 0" in refusal(result)


def test_a_host_that_is_not_this_machine_is_refused(record: Record) -> None:
    for host in ("192.0.2.1", "no.such.host.invalid", "::ffff"):
        assert f"{host}:0: found" in refusal(serve(record, "--host", host))


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])  # noqa: S104
def test_other_machines_without_a_token_are_warned_of(record: Record, host: str, tmp_path: Path) -> None:
    warning = "warning: found no token, expected one where other machines reach the server; --token-file FILE"
    assert warning in serve(record, "--host", host).output
    assert "warning" not in serve(record, "--host", "127.0.0.1").output
    token = tmp_path / "token"
    token.write_text("secret")
    said = serve(record, "--host", host, "--token-file", token).output
    assert "warning" not in said
    assert "secret" not in said


def test_a_token_that_cannot_be_read_is_refused(
    record: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "--token-file: found" in refusal(serve(record, "--token-file", tmp_path / "none"))
    monkeypatch.setenv("PIPELINE_LIB_TOKEN", " ")
    assert "PIPELINE_LIB_TOKEN: found no token" in refusal(serve(record))


def test_an_unproven_record_is_refused_unless_it_is_allowed(record: Record) -> None:
    (checks_folder(record) / PARITY).unlink()
    assert "found no parity check" in refusal(serve(record))
    assert serve(record, "--allow-unproven").exit_code == 0


def test_a_damaged_record_is_refused(record: Record) -> None:
    plan = next(iter(record.artifact.iterdir()))
    plan.write_bytes(b"")
    result = serve(record, "--allow-unproven")
    assert isinstance(result.exception, DifferenceError)
    assert "artifact/" in str(result.exception)


def test_an_unknown_reference_is_refused(tmp_path: Path) -> None:
    assert "found no run" in refusal(invoke("serve", tmp_path / "none"))
    assert invoke("serve").exit_code == 2


def test_without_the_extra_the_command_says_how_to_install_it(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("prometheus_client", "uvicorn"):
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, name, None)
            patch.delitem(sys.modules, "pipeline_lib.serving.server", raising=False)
            message = refusal(serve(record))
        assert f"found no package '{name}'" in message
        assert "pip install 'nb-pipeline-lib[serve]'" in message


def test_an_opaque_model_needs_trust_in_its_packages(tmp_path: Path, started: list[Settings]) -> None:
    from category_encoders import HashingEncoder

    record = small_record(
        tmp_path, ("hash", HashingEncoder(cols=["rooms"], n_components=3, max_process=1)), trust=("category_encoders",)
    )
    options = ("--allow-unproven",)
    assert "category_encoders" in refusal(serve(record, *options))
    assert serve(record, *options, "--trust", "category_encoders").exit_code == 0
    assert started[-1].trust == ("category_encoders",)
