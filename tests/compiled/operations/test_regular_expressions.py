"""Regular expressions: one row as a batch, and as Python's `re`; what differs between Pythons is refused."""

import re

import pytest
from evaluation import evaluate

from pipeline_lib.compiler.builder import Builder
from pipeline_lib.errors import InputError

pytestmark = pytest.mark.core

WORDS = ["", "a1b22", "é1", "line\nnext", "A-b", "  x  ", "٣", "aaa", "ß"]
NEWER = "x\U0001e030"


def _run(name, words, **settings):
    return evaluate(lambda build, t: getattr(build, name)(t, **settings), {"t": ("str", words)})


@pytest.mark.parametrize("flags", [0, re.IGNORECASE, re.ASCII, re.MULTILINE | re.DOTALL])
@pytest.mark.parametrize("pattern", [r"\d+", r"[a-z]", r"^$", r"(a)(\d)?", r"\w+$", "n.n", "É", r"\bb", ""])
def test_an_operation_is_the_function_of_re(pattern, flags):
    compiled, given = re.compile(pattern, flags), {"pattern": pattern, "flags": int(flags)}
    for how in ("search", "match", "fullmatch"):
        expected = [getattr(compiled, how)(word) is not None for word in WORDS]
        assert _run("regex_test", [None, *WORDS], how=how, **given) == [False, *expected]
    for group in range(compiled.groups + 1):
        matches = [compiled.search(word) for word in WORDS]
        expected = [None if match is None else match[group] for match in matches]
        assert _run("regex_extract", [None, *WORDS], group=group, **given) == [None, *expected]
    for count in (0, 1):
        expected = [compiled.sub(r"<\g<0>>", word, count=count) for word in WORDS]
        assert _run("regex_replace", [None, *WORDS], replacement=r"<\g<0>>", count=count, **given) == [None, *expected]
    assert _run("regex_count", WORDS, **given) == [float(len(compiled.findall(word))) for word in WORDS]
    for index in (0, 1, -1):
        parts = [compiled.split(word) for word in WORDS]
        expected = [part[index] if -len(part) <= index < len(part) else None for part in parts]
        assert _run("regex_split_item", [None, *WORDS], index=index, **given) == [None, *expected]
    assert _run("regex_split_count", WORDS, **given) == [float(len(compiled.split(word))) for word in WORDS]


def test_flags_and_counts_may_be_left_out():
    assert _run("regex_replace", ["aXa"], pattern="a", replacement="b") == ["bXb"]
    assert _run("regex_split_item", ["a,b,c"], pattern=",", index=1, limit=1) == ["b,c"]


@pytest.mark.parametrize(
    ("pattern", "flags", "refused"),
    [
        (r"\w", 0, True),
        (r"\w", re.ASCII, False),
        (r"(?a)\w", 0, False),
        (r"(?u:\w)", re.ASCII, True),
        (r"[a-z]", 0, False),
        (r"[a-z]", re.IGNORECASE, True),
        (r"(?i)[a-z]", 0, True),
        (r"(?i:[a-z])", 0, True),
        (r"^x.$", 0, False),
        (r"x\b", 0, True),
    ],
)
def test_a_newer_character_is_refused_where_a_table_decides(pattern, flags, refused):
    settings = {"pattern": pattern, "flags": int(flags), "how": "search"}
    if not refused:
        assert _run("regex_test", [NEWER], **settings) == [re.search(pattern, NEWER, flags) is not None]
        return
    with pytest.raises(InputError, match="row 0: found text with a character for which the answer"):
        _run("regex_test", [NEWER], **settings)


def test_named_characters_are_refused():
    settings = {"pattern": "i", "flags": int(re.I), "how": "search", "refused": "\u0130\u0131"}
    assert _run("regex_test", ["I", "x"], **settings) == [True, False]
    with pytest.raises(InputError, match="row 1: found text with a character"):
        _run("regex_test", ["I", "\u0130"], **settings)


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("regex_test", {"pattern": "(", "how": "search"}, r"found the pattern '\(', expected a regular expression"),
        ("regex_test", {"pattern": "a", "how": "search", "flags": int(re.DEBUG)}, "found flags=128, expected"),
        ("regex_extract", {"pattern": "a", "group": 1}, "found group=1, expected 0 to 0"),
        ("regex_replace", {"pattern": "a", "replacement": r"\1"}, "invalid group reference"),
        ("regex_replace", {"pattern": "a", "replacement": r"\g<x>"}, "found the pattern 'a'"),
    ],
)
def test_a_wrong_pattern_is_refused_when_the_plan_is_written(name, settings, message):
    build = Builder()
    with pytest.raises(InputError, match=message):
        getattr(build, name)(build.input("t", "str"), **settings)
