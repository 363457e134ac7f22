"""The command line: help of every command, and the exit code of every error."""

import pytest
from command_line import exit_code, invoke

from pipeline_lib.errors import DifferenceError, InputError, RunError
from pipeline_lib.records.record import Record


def test_every_command_explains_itself() -> None:
    result = invoke("--help")
    for name in ("run", "parity", "export", "clean", "runs", "show", "report", "verify", "lab", "new"):
        assert f"\n  {name} " in result.output
        assert invoke(name, "-h").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "params/houses.yml", "--set", "test_shar=1"], "test_shar"),
        (["run", "params/castles.yml"], "castles"),
        (["run", "params/houses.yml", "--timeout", "0"], "--timeout"),
        (["show", "castles"], "no run 'castles'"),
        (["nonsense"], "nonsense"),
        (["new", "Boats"], "'Boats'"),
    ],
)
def test_bad_input_ends_with_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert exit_code(monkeypatch, *arguments) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.out == ""


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (DifferenceError("differs"), 1),
        (InputError("bad"), 2),
        (RunError("failed"), 3),
        (KeyboardInterrupt(), 130),
        (ModuleNotFoundError("No module named 'nbdev'", name="nbdev"), 2),
        (OSError(28, "No space left on device"), 3),
        (ZeroDivisionError("unforeseen"), 3),
    ],
)
def test_each_kind_of_error_has_its_exit_code(monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int) -> None:
    def fail(*args: object, **options: object) -> None:
        raise error

    monkeypatch.setattr("pipeline_lib.runner.run.run_pipeline", fail)
    assert exit_code(monkeypatch, "run", "params/houses.yml") == code


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (
            ModuleNotFoundError("No module named 'nbdev'", name="nbdev"),
            "found no package 'nbdev', expected",
        ),
        (OSError(28, "No space left on device"), "found [Errno 28] No space left on device, expected"),
        (
            ZeroDivisionError("unforeseen"),
            "ZeroDivisionError: unforeseen\nerror: found an unexpected error: this is a bug",
        ),
    ],
)
def test_unexpected_errors_are_explained(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: BaseException, message: str
) -> None:
    def fail(*args: object, **options: object) -> None:
        raise error

    monkeypatch.setattr("pipeline_lib.runner.run.run_pipeline", fail)
    exit_code(monkeypatch, "run", "params/houses.yml")
    assert message in capsys.readouterr().err


def test_broken_json_in_a_record_is_bad_input(
    copy: Record, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (copy.folder / "params.json").write_text("{")
    assert exit_code(monkeypatch, "show", copy.folder) == 2
    assert "params.json: found a damaged file" in capsys.readouterr().err


def test_success_ends_with_0(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], houses_record: Record
) -> None:
    assert exit_code(monkeypatch, "verify", houses_record.folder) in (None, 0)
    assert "every byte" in capsys.readouterr().out
