r"""Regular expressions of Python's `re`, of one text.

`\w`, `\d`, `\s`, `\b` and ignoring case depend on tables of characters, which grow with each Python. Where a pattern
has one of them, without `re.ASCII`, text with characters beyond Unicode 14 is refused (see `unicode_14`): what remains
has the same answer on every Python. `refused` names more characters that a text must not have, such as those for which
another engine of regular expressions gives another answer.
"""

import re
from collections.abc import Callable

from pipeline_lib.compiled.operations.registry import Settings
from pipeline_lib.compiled.operations.setting_types import INTEGER, TEXT, SettingType, one_of, optional
from pipeline_lib.compiled.operations.text_methods import item
from pipeline_lib.compiled.operations.unicode_14 import is_known
from pipeline_lib.compiled.operations.word_operations import Word, word_operation
from pipeline_lib.errors import InputError

_ALLOWED = re.IGNORECASE | re.MULTILINE | re.DOTALL | re.VERBOSE | re.ASCII | re.UNICODE
_CLASSES = re.compile(r"\\[wWdDsSbB]")
_LOCAL_FLAGS = re.compile(r"\(\?[aiLmsux]*([aiu])")
_MESSAGE = (
    "found text with a character for which the answer of a regular expression is not the same everywhere, expected "
    "other characters; correct the row"
)


def _compiled(settings: Settings) -> re.Pattern[str]:
    return re.compile(settings["pattern"], settings.get("flags", 0))


def _accepts(settings: Settings) -> Callable[[str], bool] | None:
    compiled, refused = _compiled(settings), frozenset(settings.get("refused", ""))
    tables = _needs_tables(compiled)
    if not tables and not refused:
        return None
    return lambda text: (not tables or is_known(text)) and refused.isdisjoint(text)


def _needs_tables(compiled: re.Pattern[str]) -> bool:
    """Whether characters beyond ASCII match by a table; True where that is not certain."""
    local = set(_LOCAL_FLAGS.findall(compiled.pattern))
    if compiled.flags & re.ASCII:
        return "u" in local
    return bool(compiled.flags & re.IGNORECASE or local or _CLASSES.search(compiled.pattern))


def _check(settings: Settings) -> None:
    """Raise InputError for a pattern, flags, group or replacement that `re` does not take."""
    pattern, flags = settings["pattern"], settings.get("flags", 0)
    if flags & ~int(_ALLOWED):
        raise InputError(
            f"found flags={flags}, expected a combination of re.I, re.M, re.S, re.X and re.A; leave it out"
        )
    try:
        compiled = re.compile(pattern, flags)
        if "replacement" in settings:
            compiled.sub(settings["replacement"], "")
    except (re.error, IndexError, OverflowError, ValueError) as error:
        raise InputError(
            f"found the pattern {pattern!r}, expected a regular expression of Python's re ({error}); correct it"
        ) from None
    if not 0 <= settings.get("group", 0) <= compiled.groups:
        raise InputError(
            f"found group={settings['group']}, expected 0 to {compiled.groups} for the pattern {pattern!r}; correct it"
        )


def _test(settings: Settings) -> Word:
    match = getattr(_compiled(settings), settings["how"])
    return lambda text: match(text) is not None


def _extract(settings: Settings) -> Word:
    search, group = _compiled(settings).search, settings["group"]

    def extract(text: str) -> str | None:
        match = search(text)
        return None if match is None else match[group]

    return extract


def _replace(settings: Settings) -> Word:
    compiled, replacement, count = _compiled(settings), settings["replacement"], settings.get("count", 0)
    return lambda text: compiled.sub(replacement, text, count=count)


def _count(settings: Settings) -> Word:
    matches = _compiled(settings).finditer
    return lambda text: sum(1 for _ in matches(text))


def _split_item(settings: Settings) -> Word:
    compiled, index, limit = _compiled(settings), settings["index"], settings.get("limit", 0)
    return lambda text: item(compiled.split(text, maxsplit=limit), index)


def _split_count(settings: Settings) -> Word:
    compiled, limit = _compiled(settings), settings.get("limit", 0)
    return lambda text: len(compiled.split(text, maxsplit=limit))


def _regular_expression(
    name: str, gives: str, doc: str, function: Callable[[Settings], Word], **settings: SettingType
) -> None:
    kinds = {"pattern": TEXT, **settings, "flags": optional(INTEGER), "refused": optional(TEXT)}
    word_operation(name, gives, doc, function, settings=kinds, accepts=_accepts, message=_MESSAGE, check=_check)


_regular_expression(
    "regex_test",
    "bool",
    "Whether a regular expression matches, by `re.search`, `re.match` or `re.fullmatch`.",
    _test,
    how=one_of(("search", "match", "fullmatch")),
)
_regular_expression(
    "regex_extract",
    "str",
    "A group of a regular expression's first match, 0 being the whole; missing without one.",
    _extract,
    group=INTEGER,
)
_regular_expression(
    "regex_replace",
    "str",
    "The text with each match of a regular expression replaced, or the first `count`, as `re.sub`.",
    _replace,
    replacement=TEXT,
    count=optional(INTEGER),
)
_regular_expression("regex_count", "float64", "How many matches a regular expression has; missing is NaN.", _count)
_regular_expression(
    "regex_split_item",
    "str",
    "One of the parts between the matches, as `re.split`; missing where out of range.",
    _split_item,
    index=INTEGER,
    limit=optional(INTEGER),
)
_regular_expression(
    "regex_split_count",
    "float64",
    "How many parts `re.split` makes; missing is NaN.",
    _split_count,
    limit=optional(INTEGER),
)
