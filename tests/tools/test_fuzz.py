"""The command that generates examples of recorded methods: its table, and its exit code."""

import re
from dataclasses import replace

import pytest

from pipeline_lib.compiler.tracing.recording import Recording
from pipeline_lib.compiler.tracing.registry import RULES
from tools import fuzz

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")
ARGUMENTS = ["series: abs", "frame: abs", "--examples", "100", "--processes", "1", "--seed", "3"]


def test_the_table_counts_examples_and_ends_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert fuzz.main(ARGUMENTS) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("seed 3\n")
    assert re.search(r"^series: abs +150 +3 +0 +0 ", printed, re.MULTILINE)  # three templates, each drawn
    assert printed.endswith("2 of 2 methods, 250 examples, 0 differences\n")


def test_a_difference_is_printed_and_ends_with_one(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = replace(RULES["series", "abs"], write=lambda call: call.value)
    monkeypatch.setitem(RULES, ("series", "abs"), wrong)
    monkeypatch.setattr(Recording, "compare", lambda self, *args: None)
    assert fuzz.main(["series: abs", "--examples", "50", "--processes", "1"]) == 1
    assert re.search(
        r"\n    return X\[\"f\"\]\.abs\(\) \(seed \d+, 25 rows\): .*the plan gives", capsys.readouterr().out
    )


def test_unknown_methods_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        fuzz.main(["series: nothing"])
    assert "found no method series: nothing" in capsys.readouterr().err


def test_the_time_may_end_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert fuzz.main([*ARGUMENTS, "--minutes", "0"]) == 0
    assert "1 of 2 methods" in capsys.readouterr().out
