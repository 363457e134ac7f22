r"""What pandas' `str` dtype does with text: Arrow's kernels where they differ from Python's `str` and `re`.

pandas keeps text of dtype `str` in Arrow arrays and calls Arrow's kernels, which map characters one by one and match
regular expressions with RE2. The functions here read from the installed Arrow how it maps and classifies characters,
as `exceptions` of the operations `text_case` and `text_is`, and say which regular expressions have another answer in
RE2. Only research needs them: a plan holds the exceptions.

    >>> [pair for pair in arrow_case("upper") if pair[0] == "ß"]
    [['ß', 'ẞ']]
    >>> arrow_regex_problem("count", "a*")
    "a pattern that matches the empty text, which Arrow and Python's re count and replace in two ways"

Sources: pandas/core/arrays/string_arrow.py and _arrow_string_mixins.py, pandas 3.1; measured over all characters.
"""

import re
from collections.abc import Callable, Sequence
from functools import cache

from pipeline_lib.compiled.operations.cases import CASED, CASES, CLASSES, case_class
from pipeline_lib.compiled.operations.unicode_14 import is_known

_DOTTED = "\u0130\u0131"  # capital I with a dot, small i without: Python takes them for i if case is ignored
_ANCHORS = re.compile(r"(?<!\[)\^|\\[AbB]")
_SPELLED_OTHERWISE = re.compile(r"\{,\d+\}|\[\[:")
_REPLACEMENT = re.compile(r"(?:[^\\]|\\\\|\\[1-9](?![0-9]))*")


@cache
def _characters() -> tuple[str, ...]:
    codes = (*range(0x80, 0xD800), *range(0xF900, 0x32400))  # not those for private use, nor the tags of plane 14
    return tuple(character for character in map(chr, codes) if is_known(character))


def _arrow(kernel: str, texts: Sequence[str]) -> list[object]:
    import pyarrow as pa
    import pyarrow.compute as pc

    results: list[object] = getattr(pc, kernel)(pa.array(texts, pa.large_string())).to_pylist()
    return results


@cache
def arrow_case(kind: str) -> list[list[str]]:
    """The `exceptions` with which `text_case` gives what Arrow's utf8_lower, utf8_upper, ... give."""
    if kind == "casefold":  # pandas calls Python's
        raise ValueError("found kind 'casefold', expected a kernel of Arrow: pandas calls str.casefold")
    characters, plain = _characters(), CASES["title" if kind in ("title", "capitalize") else kind]
    alone = _arrow(f"utf8_{kind}", characters)
    if kind in ("lower", "upper", "swapcase"):
        return [[c, str(a)] for c, a in zip(characters, alone, strict=True) if a != plain(c)]
    inside = [str(text)[1:] for text in _arrow(f"utf8_{kind}", [f"A{c}" for c in characters])]
    rows = [[c, str(a), i] for c, a, i in zip(characters, alone, inside, strict=True)]
    if kind == "capitalize":
        return [row for row in rows if row[1:] != [row[0].title(), row[0].lower()]]
    cased = ["cased" if str(text)[-1] == "a" else "" for text in _arrow("utf8_title", [f"{c}a" for c in characters])]
    rows = [[*row, flag] for row, flag in zip(rows, cased, strict=True)]
    return [row for row in rows if row[1:] != [row[0].title(), row[0].lower(), "cased" if case_class(row[0]) else ""]]


@cache
def arrow_class(kind: str) -> list[list[str]]:
    """The `exceptions` with which `text_is` gives what Arrow's utf8_is_digit, utf8_is_lower, ... give."""
    characters = _characters()
    if kind in CASED:
        found = [
            _case_classes(*flags) for flags in zip(*(_arrow(f"utf8_is_{k}", characters) for k in CASED), strict=True)
        ]
        differing = [(c, f) for c, f in zip(characters, found, strict=True) if f != case_class(c)]
    else:
        plain: Callable[[str], bool] = CLASSES[kind]
        flags = _arrow(f"utf8_is_{kind}", characters)
        differing = [(c, "yes" if f else "") for c, f in zip(characters, flags, strict=True) if f != plain(c)]
    return _in_ranges(differing)


def _case_classes(lower: object, upper: object, title: object) -> str:
    return "lower" if lower else "upper" if upper else "title" if title else ""


def _in_ranges(pairs: Sequence[tuple[str, str]]) -> list[list[str]]:
    """Pairs of a character and its class, neighbours of one class as a range of two characters."""
    ranges: list[list[str]] = []
    for character, name in pairs:
        if ranges and ranges[-1][1] == name and ord(ranges[-1][0][-1]) == ord(character) - 1:
            ranges[-1][0] = ranges[-1][0][0] + character
        else:
            ranges.append([character, name])
    return ranges


def arrow_refused(pattern: str, *, ignore_case: bool) -> str | None:
    """Characters that `refused` of the regular expressions must name, as RE2 and Python differ in them; else None."""
    ignoring = ignore_case or re.search(r"\(\?[a-zA-Z]*i", pattern) is not None
    return _DOTTED if ignoring else None


def arrow_regex_problem(method: str, pattern: str, *, replacement: str | None = None, count: int = -1) -> str | None:
    """Why a `str` column's method (contains, match, fullmatch, count, replace) differs from Python's `re`; else None.

    Only for what pandas gives to RE2: a `str` pattern without flags. With flags pandas uses Python's `re` itself.
    """
    if _SPELLED_OTHERWISE.search(pattern):
        return "`{,n}` or `[[:`, which RE2 and Python's re read in two ways"
    if method == "fullmatch" and "|" in pattern and pattern.startswith("^") and pattern.endswith("$"):
        return "fullmatch of a pattern with `|` between ^ and $, whose alternatives pandas does not anchor"
    if method in ("count", "replace") and _matches_empty_text(pattern):
        return "a pattern that matches the empty text, which Arrow and Python's re count and replace in two ways"
    if (method == "count" or (method == "replace" and count > 0)) and _ANCHORS.search(pattern):
        return "^, \\A, \\b or \\B, which Arrow tests again behind or within each match"
    if method == "replace" and count == 0:
        return "n=0, which replaces nothing in Arrow and everything in Python's re"
    if replacement is not None and not _REPLACEMENT.fullmatch(replacement):
        return "a replacement with a backslash other than \\\\ and \\1 to \\9, which RE2 reads otherwise"
    return None


def _matches_empty_text(pattern: str) -> bool:
    """Whether a match may have no character, at the text's start or anywhere else; as pandas, by the parser of `re`."""
    from re import _parser  # type: ignore[attr-defined]

    shortest: int = _parser.parse(pattern).getwidth()[0]
    return shortest == 0
