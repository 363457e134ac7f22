"""Frozen patterns match what Python's own classes of characters match."""

import re

import pytest

from pipeline_lib.compiled.operations import unicode_tables
from pipeline_lib.compiled.operations.token_patterns import character_class, frozen_pattern, needed_classes


def of_text(ranges: str) -> list[list[int]]:
    return [[ord(a), ord(b)] for a, b in zip(ranges[::2], ranges[1::2], strict=True)]


CLASSES = {
    "w": [[48, 57], [65, 90], [95, 95], [97, 122], *unicode_tables.frozen_word_ranges()],
    "d": of_text(unicode_tables.frozen_digits()),
    "s": of_text(unicode_tables.frozen_spaces()),
}
SMALL = {"w": [[97, 99]], "d": [[48, 49]], "s": [[32, 32]]}
W, D, S = (character_class(SMALL[name]) for name in "wds")
SOME = [*range(0x3100), *range(0xA000, 0xD800, 7), *range(0xE000, 0x110000, 13)]
TEXT = "".join(f"{chr(code)}a{chr(code)}{chr(code + 1) if code != 0xD7FF else ''} " for code in SOME)


@pytest.mark.parametrize(
    "pattern", [r"\w+", r"\W+", r"\d", r"\D+", r"[\s\d]+", r"\S+", r"\ba\b", r"[]\w'-]+\b", r"[^\W_]+", r"[\D]+"]
)
def test_every_character_matches_as_in_python(pattern):
    assert re.findall(frozen_pattern(pattern, CLASSES), TEXT) == re.findall(pattern, TEXT)


@pytest.mark.parametrize(
    ("pattern", "frozen"),
    [
        (r"(?u)\w+", f"[{W}]+"),
        (r"[\w'-]\d", f"[{W}'-][{D}]"),
        (r"\W\S", f"[^{W}][^{S}]"),
        (r"\\w[\b]\.", r"\\w[\b]\."),
        (r"[]\s]\s", f"[]{S}][{S}]"),
        (r"[^]\s]", f"[^]{S}]"),
        (r"[^\W_]", r"[^\U00000000-\U00000060\U00000064-\U0010ffff_]"),
        (r"(?P<x>\d)(?:a|(?=b)(?!c)(?<=d)(?<!e))", f"(?P<x>[{D}])(?:a|(?=b)(?!c)(?<=d)(?<!e))"),
        (r"\ba", f"(?:(?<=[{W}])(?![{W}])|(?<![{W}])(?=[{W}]))a"),
    ],
)
def test_frozen_forms(pattern, frozen):
    assert frozen_pattern(pattern, SMALL) == frozen


@pytest.mark.parametrize(
    ("pattern", "part"),
    [(r"a\B", r"\B"), (r"(?i)a", "(?i)"), (r"(?#no)a", "(?#n"), (r"(?>a)", "(?>a")],
)
def test_what_has_no_frozen_form_is_named(pattern, part):
    with pytest.raises(ValueError, match=re.escape(part)):
        frozen_pattern(pattern, SMALL)


def test_needed_classes():
    assert needed_classes(r"[a-z]+") == set()
    assert needed_classes(r"\b[\d]+") == {"w", "d"}
    assert needed_classes(r"\S\W") == {"s", "w"}
