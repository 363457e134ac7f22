"""How a CSV file is written is found, not assumed."""

from pathlib import Path

import pytest

from pipeline_lib.errors import InputError
from pipeline_lib.project.drafting.text_format import TextFormat, text_format


def found(folder: Path, content: bytes) -> TextFormat:
    path = folder / "a.csv"
    path.write_bytes(content)
    return text_format(path, "a.csv")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"a,b\n1.5,x\n2,y\n", TextFormat()),
        (b"\xef\xbb\xbfa,b\n1,x\n", TextFormat("utf-8-sig")),
        ("a;b\n1,5;ü\n2,25;y\n".encode("cp1252"), TextFormat("cp1252", ";", ",")),
        ("a\tb\n1.5\tü\n".encode("utf-16"), TextFormat("utf-16", "\t")),
        (b"a|b\n1|2\n", TextFormat(sep="|")),
        (b"a;b\n1.234,50;1\n2,5;2\n", TextFormat(sep=";", decimal=",", thousands=".")),
        (b'a,b\n"1,234",1\n"12,345,678",2\n', TextFormat(thousands=",")),
        (b"a, b\n1, x\n2, y\n", TextFormat(skipinitialspace=True)),
        (b'a,b\n"x;y;z",1\n"u;v;w",2\n', TextFormat()),
        (b"a\n1\n2\n", TextFormat()),
    ],
)
def test_encoding_delimiter_and_marks(tmp_path: Path, content: bytes, expected: TextFormat) -> None:
    assert found(tmp_path, content) == expected


def test_a_file_that_turns_out_not_to_be_utf8_far_down_is_cp1252(tmp_path: Path) -> None:
    assert found(tmp_path, b"a,b\n" + b"1,x\n" * 1_100_000 + "2,ü\n".encode("cp1252")).encoding == "cp1252"


@pytest.mark.parametrize(("content", "words"), [(b"", "empty"), (b"\n\n", "empty"), (b"a,b\n\0\1,2\n", "no text")])
def test_what_is_no_csv_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    with pytest.raises(InputError, match=words):
        found(tmp_path, content)


@pytest.mark.parametrize(
    "content", [b"a,b\n" + b"x" * 200_000 + b",1\n", b'a,b\n"open,1\n' + (b"y" * 100 + b",2\n") * 5_000]
)
def test_a_field_that_is_too_long_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(InputError, match="found a field that is no CSV"):
        found(tmp_path, content)
