"""Upper and lower case, and the classes of characters, as the methods of `str`, of another library by exceptions.

Python's methods map some characters by what is around them (a capital sigma at a word's end) and some to several
(`"ß".upper()` is "SS"). Other libraries map each character by itself: Arrow, and with it pandas' `str` dtype, makes
"ẞ" of "ß". `exceptions` turns Python's methods into such a mapping: each character is mapped by itself, those of
`exceptions` as they say, the others as Python maps them alone.

    kind                               one exception
    lower, upper, swapcase, casefold   [character, result]
    capitalize                         [character, result at the text's start, result elsewhere]
    title                              [character, result at a word's start, result elsewhere, "cased" or ""]

A word begins with a cased character that none precedes. `exceptions` of `text_is` are pairs, too: [character, class].
The class is "yes" or "" for the tests of all characters (digit, alpha, ...), for lower, upper and title it is one of
"lower", "upper", "title" and "". The character may be two, the first and the last of a range.

Text with characters beyond Unicode 14 is refused (see `unicode_14`): Pythons differ in these.
"""

from collections.abc import Callable, Mapping, Sequence

from pipeline_lib.compiled.operations.registry import Settings
from pipeline_lib.compiled.operations.setting_types import TEXT_LISTS, one_of, optional
from pipeline_lib.compiled.operations.unicode_14 import NEWER, RENUMBERED, is_known
from pipeline_lib.compiled.operations.word_operations import Word, word_operation
from pipeline_lib.errors import InputError

CASES: dict[str, Callable[[str], str]] = {
    "lower": str.lower,
    "upper": str.upper,
    "title": str.title,
    "capitalize": str.capitalize,
    "swapcase": str.swapcase,
    "casefold": str.casefold,
}
CLASSES: dict[str, Callable[[str], bool]] = {
    "digit": str.isdigit,
    "alpha": str.isalpha,
    "alnum": str.isalnum,
    "numeric": str.isnumeric,
    "decimal": str.isdecimal,
    "lower": str.islower,
    "upper": str.isupper,
    "space": str.isspace,
    "title": str.istitle,
}
CASED = ("lower", "upper", "title")  # kinds of CLASSES that look at the cased characters of a text
_LENGTHS = {"capitalize": 3, "title": 4}


def case_class(character: str) -> str:
    """The class of one character: "lower", "upper", "title", or "" for one without case."""
    if character.islower():
        return "lower"
    if character.isupper():
        return "upper"
    return "title" if character.istitle() else ""


def _case(settings: Settings) -> Word:
    kind, exceptions = settings["kind"], settings.get("exceptions")
    plain = CASES[kind]
    if exceptions is None:
        return plain
    table = {character: results for character, *results in exceptions}
    by_character = {"title": _title, "capitalize": _capitalize}.get(kind)
    if by_character is not None:
        return lambda text: plain(text) if text.isascii() else by_character(text, table)
    return lambda text: plain(text) if text.isascii() else "".join([_mapped(plain, one, table) for one in text])


def _mapped(plain: Callable[[str], str], character: str, table: Mapping[str, Sequence[str]]) -> str:
    return table[character][0] if character in table else plain(character)


def _capitalize(text: str, table: Mapping[str, Sequence[str]]) -> str:
    first = "".join([_mapped(str.title, one, table) for one in text[:1]])
    return first + "".join([table[one][1] if one in table else one.lower() for one in text[1:]])


def _title(text: str, table: Mapping[str, Sequence[str]]) -> str:
    parts, inside = [], False  # inside a word
    for one in text:
        start, elsewhere, cased = table[one] if one in table else (one.title(), one.lower(), case_class(one))
        parts.append(elsewhere if inside else start)
        inside = bool(cased)
    return "".join(parts)


def _class(settings: Settings) -> Word:
    kind, exceptions = settings["kind"], settings.get("exceptions")
    plain = CLASSES[kind]
    if exceptions is None:
        return plain
    table = {chr(code): name for ends, name in exceptions for code in range(ord(ends[0]), ord(ends[-1]) + 1)}
    if kind in CASED:
        return lambda text: (
            plain(text) if text.isascii() else _is_cased_as(kind, [_class_of(one, table) for one in text])
        )
    return lambda text: plain(text) if text.isascii() else all(_is_of(plain, one, table) for one in text)


def _is_of(plain: Callable[[str], bool], character: str, table: Mapping[str, str]) -> bool:
    return bool(table[character]) if character in table else plain(character)


def _class_of(character: str, table: Mapping[str, str]) -> str:
    return table[character] if character in table else case_class(character)


def _is_cased_as(kind: str, classes: Sequence[str]) -> bool:
    """`islower`, `isupper` or `istitle` by the classes of a text's characters."""
    if kind != "title":
        return kind in classes and set(classes) <= {kind, ""}
    before = ["", *classes]
    return any(classes) and all(
        one == "" or (one == "lower") == (previous != "") for previous, one in zip(before, classes, strict=False)
    )


def _check_case(settings: Settings) -> None:
    length = _LENGTHS.get(settings["kind"], 2)
    for exception in settings.get("exceptions", ()):
        if len(exception) != length or len(exception[0]) != 1:
            raise InputError(
                f"text_case: found the exception {exception!r}, expected a character and {length - 1} texts; correct it"
            )


def _check_class(settings: Settings) -> None:
    names = (*CASED, "") if settings["kind"] in CASED else ("yes", "")
    for exception in settings.get("exceptions", ()):
        if len(exception) != 2 or len(exception[0]) not in (1, 2) or exception[1] not in names:
            raise InputError(
                f"text_is: found the exception {exception!r}, expected a character or range and one of {names}; "
                "correct it"
            )


def _known_class(settings: Settings) -> Callable[[str], bool]:
    if settings["kind"] != "numeric":
        return is_known
    return lambda text: is_known(text) and RENUMBERED.isdisjoint(text)


word_operation(
    "text_case",
    "str",
    "The text in another case, as the method of `str`, or each character by `exceptions`.",
    _case,
    settings={"kind": one_of(tuple(CASES)), "exceptions": optional(TEXT_LISTS)},
    accepts=lambda settings: is_known,
    message=NEWER,
    check=_check_case,
)
word_operation(
    "text_is",
    "bool",
    "Whether the text is of a kind, as `str.isdigit` and the like, or with classes by `exceptions`.",
    _class,
    settings={"kind": one_of(tuple(CLASSES)), "exceptions": optional(TEXT_LISTS)},
    accepts=_known_class,
    message=NEWER,
    check=_check_class,
)
