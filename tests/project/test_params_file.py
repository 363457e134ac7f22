"""A parameters file is read as strictyaml reads it; every fault is named with its line."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import pytest
import strictyaml
from params_examples import Params, read, refusal

from pipeline_lib.errors import InputError
from pipeline_lib.project.params import read_params
from pipeline_lib.project.params_file import MAX_BYTES

pytestmark = pytest.mark.core


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("null", None),
        ("'null'", "null"),
        ('"null"', "null"),
        ("~", "~"),
        ("Null", "Null"),
        ("", ""),
        ("no", "no"),
    ],
)
def test_only_a_plain_null_is_none(tmp_path: Path, text: str, label: str | None) -> None:
    assert read(tmp_path, f"label: {text}\n").label == label


@pytest.mark.parametrize(
    "text",
    [">\n  x\n  y\n\n  z", "|-\n  q\n  r", "'x\n\n  y'", '"x\\\n  y"', ">+\n  x\n\n", "a\n  b", "|2\n   x\n"],
)
def test_text_is_what_strictyaml_reads(tmp_path: Path, text: str) -> None:
    import strictyaml

    assert read(tmp_path, f"label: {text}\n").label == strictyaml.load(f"label: {text}\n").data["label"]


def test_line_numbers_hold_after_comments_in_groups_and_lists(tmp_path: Path) -> None:
    text = (
        "# one\n"
        "seed: x  # two\n"
        "\n"
        "# four\n"
        "columns:\n"
        "# six\n"
        "- a\n"
        "layers:\n"
        "# nine\n"
        "- alpha: 1\n"
        "# eleven\n"
        "- steps: y\n"
        "  alpha: z\n"
        "estimator:\n"
        "  # fifteen\n"
        "  alpha: abc\n"
    )
    assert refusal(tmp_path, text) == [
        "params/p.yml:2: seed: found 'x', expected a valid integer",
        "params/p.yml:12: layers.1.steps: found 'y', expected a valid integer",
        "params/p.yml:13: layers.1.alpha: found 'z', expected a valid number",
        "params/p.yml:16: estimator.alpha: found 'abc', expected a valid number",
    ]
    shifted = text.replace("# one\n", "# one\n# more\n")
    assert [line.split(":")[1] for line in refusal(tmp_path, shifted)] == ["3", "13", "14", "17"]


UNREADABLE = {
    b"": (1, "an empty file"),
    b"# only\n": (1, "an empty file"),
    b"seed: 1\na: \0\n": (2, "'\\x00'"),
    b"seed: \x07\n": (1, "'\\x07'"),
    b"seed: 1\n\xff: 2\n": (2, "byte 0xff at offset 8"),
    "seed: \ufffe\n".encode(): (1, "'\\ufffe'"),
    b"# c\n- 1\n": (2, "a sequence"),
    b"abc\n": (1, "a scalar"),
    b"'abc'\n": (1, "a scalar"),
    b"seed:\n\tb: 1\n": (2, "character '\\t'"),
    b"seed: 1\nlabel: 'x\n": (2, "unexpected end of stream in quoted text"),
    b'label: "\\q"\n': (1, "unknown escape character"),
    b"columns: [1]\n": (1, "brackets"),
    b"estimator: {}\n": (1, "brackets"),
    b"# c\nseed: &x 1\n": (2, "an anchor"),
    b"seed: *x\n": (1, "undefined alias"),
    b"seed: !!int 3\n": (1, "a tag"),
    b"seed: 1\n\nseed: 2\n": (3, "seed: found the key again (first in line 1)"),
    b"seed: 1\n'seed': 2\n": (2, "seed: found the key again"),
    b"estimator:\n  alpha: 1\n  alpha: 2\n": (3, "estimator.alpha: found the key again"),
    b"seed: 1\n---\nlabel: a\n": (2, ": found another document"),
    b"%YAML 9.9\n---\nseed: 1\n": (1, "incompatible"),
    b"seed: 1\n  label: 2\n": (2, "mapping values"),
    b"seed: %\n": (1, "character '%'"),
    b"seed: @x\n": (1, "character '@'"),
    b"? - a\n: b\n": (1, "a list or group as a key"),
    b"<<:\n  seed: 1\n": (1, "<<: unknown key"),
    b": 3\n": (1, "unknown key"),
    b"seed: 1\n" + b"- " * 4000 + b"1\n": (2, "found expected <block end>"),
    b"seed: 1\nlabel:\n " + b"- " * 4000 + b"1\n": (3, "nested too deep"),
    b"label: " + b"[" * 8000: (1, "brackets"),
    b"? " * 4000 + b"\n": (1, "nested too deep"),
    b"seed: " + b"1" * MAX_BYTES: (1, f"more than {MAX_BYTES} bytes"),
}


@pytest.mark.parametrize("content", UNREADABLE, ids=lambda content: repr(content[:20]))
def test_a_file_that_cannot_be_read_is_refused_with_the_line(tmp_path: Path, content: bytes) -> None:
    line, found = UNREADABLE[content]
    message = refusal(tmp_path, content)[0]
    assert message.startswith(f"params/p.yml:{line}: ")
    assert found in message
    assert "expected" in message


def test_every_single_byte_of_a_good_file_may_go_wrong(tmp_path: Path) -> None:
    good = b"# c\nseed: 1\ncolumns:\n- 'a'\nestimator:\n  alpha: 1\n"
    for place in range(0, len(good), 2):
        for byte in b"\0\t\n\r\"'#&*-:>?[]{|}!%@`\x85\xc3\xff ":
            try:
                read(tmp_path, good[:place] + bytes([byte]) + good[place + 1 :])
            except InputError as error:
                assert str(error).startswith("params/p.yml:")  # noqa: PT017  either outcome is right


@pytest.mark.parametrize("prefix", ["\ufeff", "---\n", "%YAML 1.2\n---\n", "\r\n", "# c\r"])
def test_usual_beginnings_of_a_file_are_accepted(tmp_path: Path, prefix: str) -> None:
    assert read(tmp_path, prefix + "seed: 5\n").seed == 5


def test_a_carriage_return_ends_a_line(tmp_path: Path) -> None:
    assert refusal(tmp_path, "label: a\rcolumns:\r- a\r\nseed: x\r")[0].startswith("params/p.yml:4: seed")


def test_work_of_reading_grows_with_the_number_of_lines(tmp_path: Path) -> None:
    """Twice the lines take twice the calls, counted and not timed; strictyaml.load takes more than three times."""

    def calls(work: Callable[[], object]) -> int:
        counted = 0

        def count(frame: FrameType, event: str, arg: object) -> None:
            nonlocal counted
            counted += event in ("call", "c_call")

        before = sys.getprofile()
        sys.setprofile(count)
        try:
            work()
        finally:
            sys.setprofile(before)
        return counted

    def of_lines(lines: int) -> str:
        return "columns:\n" + "- 1\n" * lines

    read(tmp_path, of_lines(1))  # imports
    assert calls(lambda: read(tmp_path, of_lines(400))) < 2.2 * calls(lambda: read(tmp_path, of_lines(200)))
    assert calls(lambda: strictyaml.load(of_lines(200))) > 3 * calls(lambda: strictyaml.load(of_lines(100)))


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    for path, found in [
        (tmp_path, "a folder"),
        (tmp_path / "none.yml", "no such file"),
        (Path(os.devnull), "a folder or device"),
        (tmp_path / "\0", "embedded null byte"),
    ]:
        with pytest.raises(InputError, match=f"^shown: found {found}"):
            read_params(path, Params, shown="shown")
