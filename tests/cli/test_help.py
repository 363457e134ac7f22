"""`pipeline-lib help` explains an error by its code, its message, or a command by its name."""

import sys

import pytest
from click.testing import CliRunner

from pipeline_lib.cli.main import commands, main
from pipeline_lib.errors import InputError
from pipeline_lib.refusals.catalog import kinds


def printed(*arguments: str) -> str:
    result = CliRunner().invoke(commands, ["help", *arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.parametrize("code", kinds())
def test_every_code_is_explained(code: str) -> None:
    text = printed(code)
    kind = kinds()[code]
    assert text.startswith(f"{code}: {kind.title}\n")
    assert kind.meaning.split()[-1] in text
    assert f"More, in the documentation: {kind.page}" in text


def test_without_a_code_all_are_listed() -> None:
    text = printed()
    assert all(f"  {code}" in text for code in kinds())


def test_a_message_leads_to_its_kind() -> None:
    message = "error: OutlierTrimmer: found a step that drops rows, expected one row out for each row in"
    assert printed(message).startswith("step-drops-rows: ")


def test_a_command_is_explained_too() -> None:
    assert not kinds().keys() & commands.commands.keys()
    assert "--timeout" in printed("run")


def test_a_code_that_does_not_exist_is_refused_with_those_that_are_close() -> None:
    result = CliRunner().invoke(commands, ["help", "row-valu"])
    assert isinstance(result.exception, InputError)
    assert "row-value" in str(result.exception)


def test_the_code_is_printed_below_the_message(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["pipeline-lib", "show", "castles"])
    with pytest.raises(SystemExit):
        main()
    message, code = capsys.readouterr().err.splitlines()
    assert message.startswith("error: found no run 'castles'")
    assert code == "code: record-missing (`pipeline-lib help record-missing` explains it)"


def test_codes_are_completed() -> None:
    from click.shell_completion import ShellComplete

    offered = ShellComplete(commands, {}, "pipeline-lib", "X").get_completions(["help"], "row-")
    assert {item.value for item in offered} == {code for code in kinds() if code.startswith("row-")}
