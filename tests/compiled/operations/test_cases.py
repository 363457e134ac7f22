"""Case and classes of characters: as the methods of `str`, or by exceptions; newer characters are refused."""

import unicodedata
from typing import Any

import pytest
from evaluation import evaluate

from pipeline_lib.compiled.operations.cases import CASES, CLASSES, case_class
from pipeline_lib.compiled.operations.unicode_14 import CHANGED, is_known
from pipeline_lib.compiler.builder import Builder
from pipeline_lib.errors import InputError

pytestmark = pytest.mark.core

WORDS = [
    "",
    " ",
    "a",
    "Ab cD",
    "they're",
    "ΑΣ ΣΑ",
    "ß",
    "ŉ",
    "İ",
    "ǆ ǅ",
    "1",
    "½",
    "²",
    "٣",
    "A1b",
    "ªB",
    "x\u00a0",
    "é",
]


def _case(words: list[Any], **settings: Any) -> list[Any]:
    return evaluate(lambda build, t: build.text_case(t, **settings), {"t": ("str", words)})


def _is(words: list[Any], **settings: Any) -> list[Any]:
    return evaluate(lambda build, t: build.text_is(t, **settings), {"t": ("str", words)})


@pytest.mark.parametrize("kind", CASES)
def test_a_case_is_that_of_python(kind):
    assert _case([None, *WORDS], kind=kind) == [None, *map(CASES[kind], WORDS)]


@pytest.mark.parametrize("kind", CLASSES)
def test_a_class_is_that_of_python(kind):
    assert _is([None, *WORDS], kind=kind) == [False, *map(CLASSES[kind], WORDS)]


@pytest.mark.parametrize(
    ("kind", "exceptions", "word", "result"),
    [
        ("lower", [], "A\u03a3", "a\u03c3"),  # each character by itself: no final sigma
        ("upper", [["ß", "ẞ"]], "aßŉ", "Aẞ\u02bcN"),
        ("swapcase", [["ß", "ẞ"]], "aßÉ", "Aẞé"),
        ("capitalize", [["ß", "ẞ", "?"]], "ßßÉ", "ẞ?é"),
        ("title", [["ª", "ª", "ª", ""]], "ªb bªb é", "ªB BªB É"),
        ("title", [["ª", "x", "y", "cased"]], "ªb bªb é", "xb Byb É"),
    ],
)
def test_exceptions_map_each_character_by_itself(kind, exceptions, word, result):
    assert _case([word], kind=kind, exceptions=exceptions) == [result]


@pytest.mark.parametrize(
    ("kind", "exceptions", "word", "result"),
    [
        ("digit", [["½", "yes"]], "1½", True),
        ("digit", [["¼¾", "yes"]], "½", True),
        ("numeric", [["½", ""]], "1½", False),
        ("lower", [["ª", ""]], "aª", True),
        ("lower", [["ª", ""]], "ª", False),
        ("upper", [["ª", ""]], "Aª", True),
        ("upper", [["É", "title"]], "AÉ", False),
        ("title", [], "Éa Éa", True),
        ("title", [], "Éa éa", False),
        ("title", [["ª", ""]], "ªÉ", True),
        ("alpha", [], "é1", False),
        ("alpha", [], "", False),
    ],
)
def test_exceptions_change_the_classes_of_characters(kind, exceptions, word, result):
    assert _is([word], kind=kind, exceptions=exceptions) == [result]


@pytest.mark.parametrize("name", ["text_case", "text_is"])
def test_text_of_newer_characters_is_refused(name):
    build = Builder()
    kind = {"text_case": "lower", "text_is": "alpha"}[name]
    with pytest.raises(InputError, match="row 2: found text with a character that is not in Unicode 14"):
        evaluate(lambda build, t: getattr(build, name)(t, kind=kind), {"t": ("str", ["a", "é", "x\U0001e030"])})
    assert build.nodes == []


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("text_case", {"kind": "lower", "exceptions": [["ab", "x"]]}),
        ("text_case", {"kind": "title", "exceptions": [["a", "x"]]}),
        ("text_is", {"kind": "digit", "exceptions": [["a", "lower"]]}),
        ("text_is", {"kind": "lower", "exceptions": [["abc", "lower"]]}),
    ],
)
def test_exceptions_of_another_form_are_refused(name, settings):
    build = Builder()
    with pytest.raises(InputError, match=f"{name}: found the exception"):
        getattr(build, name)(build.input("t", "str"), **settings)


ADDED = {"14.0.0": 0, "15.0.0": 4489, "15.1.0": 4489 + 627}  # characters since Unicode 14, by unicode.org


def test_the_table_of_known_characters_is_that_of_unicode_14():
    characters = [chr(code) for code in (*range(0xD800), *range(0xE000, 0x110000))]
    assigned = [c for c in characters if unicodedata.category(c) != "Cn"]
    assert [c for c in characters if is_known(c) and unicodedata.category(c) == "Cn"] == []
    assert sum(not is_known(c) for c in assigned) - len(CHANGED) == ADDED[unicodedata.unidata_version]


def test_the_class_of_a_character_is_what_title_looks_at():
    characters = [c for c in map(chr, (*range(0xD800), *range(0xE000, 0x110000))) if is_known(c)]
    differing = [c for c in characters if ((c + "a").title()[-1] == "a") != bool(case_class(c))]
    assert differing == []
