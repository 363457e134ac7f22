"""Text of pandas' `str` dtype: the operations with Arrow's exceptions give what pandas gives."""

import doctest
import re

import numpy as np
import pytest
from evaluation import evaluate
from matrices import slow

from pipeline_lib.compiled.operations.cases import CLASSES
from pipeline_lib.compiled.operations.unicode_14 import RENUMBERED, is_known
from pipeline_lib.compiler import pandas_text
from pipeline_lib.compiler.pandas_text import arrow_case, arrow_class, arrow_refused, arrow_regex_problem

pd = pytest.importorskip("pandas")
pytest.importorskip("pyarrow")

ALL = [
    c
    for c in map(chr, (*range(0xD800), *range(0xE000, 0x32400), *range(0xE0000, 0xE1000)))
    if is_known(c) and c not in RENUMBERED
]
SPECIAL = (
    "aBzß\u0149\u0130\u0131\u01c5\u01c6\u03a3\u03c3\u03c2\u0391é1½²\u0663 -'ª\u02b0\u0345Ⓐ\u2177😀\n\t\u00a0\u2028"
)
_RANDOM = np.random.default_rng(20)
FUZZ = ["", *("".join(_RANDOM.choice(list(SPECIAL), _RANDOM.integers(1, 7))) for _ in range(800))]
WORDS = [*ALL, *("A" + c for c in ALL[::7]), *(c + "a" for c in ALL[::5])]


@pytest.fixture(scope="module", params=[11, slow(1)], ids=["sample", "all"])
def column(request):
    return pd.Series([*WORDS[:: request.param], *FUZZ], dtype="str")


@pytest.mark.parametrize("kind", ["lower", "upper", "title", "capitalize", "swapcase", "casefold"])
def test_a_case_is_that_of_a_str_column(kind, column):
    exceptions = None if kind == "casefold" else arrow_case(kind)
    results = _column(lambda build, t: build.text_case(t, kind=kind, exceptions=exceptions), column)
    assert results == getattr(column.str, kind)().tolist()


@pytest.mark.parametrize("kind", CLASSES)
def test_a_class_is_that_of_a_str_column(kind, column):
    results = _column(lambda build, t: build.text_is(t, kind=kind, exceptions=arrow_class(kind)), column)
    assert results == getattr(column.str, f"is{kind}")().tolist()


def test_without_exceptions_a_str_column_differs(column):
    assert _column(lambda build, t: build.text_case(t, kind="upper"), column) != column.str.upper().tolist()
    assert _column(lambda build, t: build.text_is(t, kind="digit"), column) != column.str.isdigit().tolist()


def test_casefold_has_no_exceptions():
    with pytest.raises(ValueError, match=r"pandas calls str\.casefold"):
        arrow_case("casefold")


PATTERNS = [
    "a",
    "[aé]+",
    ".",
    r"\d",
    r"\w+",
    r"\s",
    r"\b",
    r"^a",
    "z$",
    "a|B",
    "(a)(B)?",
    "[^a]+",
    "(?i)ß",
    "(?i)\u03c3",
]
PATTERNS += [
    "(?i)b1?",
    "-?[0-9]+",
    r"\Ba",
    "(?m)^a",
    "(?s)a.",
    "",
    "a*",
    "a|",
    r"\W",
    r"[\n]",
    "^a|B$",
    r"z\Z",
    "x{,2}",
]
PATTERNS += ["[[:alpha:]]", "a{2}", "(a|B)+1", "(?:é)?a", "[a-zA-Z]"]
LINES = ["".join(word.split("\n")) for word in FUZZ]  # pandas takes Python's re where a row has a line break
PLAIN = [word for word in LINES if word.isascii()]


@pytest.mark.parametrize("words", [FUZZ, LINES, PLAIN], ids=["any", "one-line", "ascii"])
@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.filterwarnings("ignore:This pattern is interpreted as a regular expression")
@pytest.mark.filterwarnings("ignore:Possible nested set")
def test_a_pattern_without_a_problem_matches_as_in_a_str_column(pattern, words):
    refused = arrow_refused(pattern, ignore_case=False)
    words = [word for word in words if refused is None or set(refused).isdisjoint(word)]
    text, given = pd.Series(words, dtype="str").str, {"pattern": pattern, "refused": refused}
    columns = {"t": ("str", words)}
    for method, how in (("contains", "search"), ("match", "match"), ("fullmatch", "fullmatch")):
        if arrow_regex_problem(method, pattern) is None:
            results = evaluate(lambda build, t, how=how: build.regex_test(t, how=how, **given), columns)
            assert results == getattr(text, method)(pattern).tolist(), method
    if arrow_regex_problem("count", pattern) is None:
        assert evaluate(lambda build, t: build.regex_count(t, **given), columns) == text.count(pattern).tolist()
    for n in (-1, 1, 2):
        if arrow_regex_problem("replace", pattern, replacement="<Q>", count=n) is None:
            results = evaluate(
                lambda build, t, n=n: build.regex_replace(t, replacement="<Q>", count=max(n, 0), **given), columns
            )
            assert results == text.replace(pattern, "<Q>", n=n, regex=True).tolist(), n


def test_case_is_ignored_as_in_a_str_column():
    for pattern in ("i", "ß", "É", "k"):
        refused = arrow_refused(pattern, ignore_case=True)
        words = [word for word in FUZZ if set(refused or "").isdisjoint(word)]
        results = evaluate(
            lambda build, t, p=pattern, r=refused: build.regex_test(
                t, pattern=p, how="search", flags=int(re.I), refused=r
            ),
            {"t": ("str", words)},
        )
        assert results == pd.Series(words, dtype="str").str.contains(pattern, case=False).tolist()


@pytest.mark.parametrize(
    ("method", "pattern", "options", "problem"),
    [
        ("contains", "a{,2}", {}, "read in two ways"),
        ("match", "[[:digit:]]", {}, "read in two ways"),
        ("fullmatch", "^a|b$", {}, "does not anchor"),
        ("count", "a*", {}, "empty text"),
        ("count", r"\ba", {}, "tests again"),
        ("replace", "a|", {"replacement": "x"}, "empty text"),
        ("replace", "^a", {"replacement": "x", "count": 2}, "tests again"),
        ("replace", "a", {"replacement": "x", "count": 0}, "replaces nothing"),
        ("replace", "a", {"replacement": r"\n"}, "backslash"),
        ("replace", "(a)", {"replacement": r"\10"}, "backslash"),
    ],
)
def test_a_pattern_that_arrow_reads_otherwise_has_a_problem(method, pattern, options, problem):
    assert problem in (arrow_regex_problem(method, pattern, **options) or "")


def test_replacements_with_groups_are_those_of_a_str_column():
    assert arrow_regex_problem("replace", "(a)(B)?", replacement=r"<\2\\\1>") is None
    results = evaluate(
        lambda build, t: build.regex_replace(t, pattern="(a)(B)?", replacement=r"<\2\\\1>"), {"t": ("str", FUZZ)}
    )
    assert results == pd.Series(FUZZ, dtype="str").str.replace("(a)(B)?", r"<\2\\\1>", regex=True).tolist()


def test_the_examples_of_the_module_run():
    assert doctest.testmod(pandas_text).failed == 0


def _column(write, column):
    """The results of a batch; the rows are tested one by one with fewer words elsewhere."""
    from pipeline_lib.compiled.distinct_values import make_executor
    from pipeline_lib.compiled.operations.text_columns import TextColumn
    from pipeline_lib.compiled.plan import Plan
    from pipeline_lib.compiler.builder import Builder

    build = Builder()
    result = write(build, build.input("t", "str"))
    run = make_executor(Plan(build.nodes, {}), [result.node]).run
    return run({"t": TextColumn.of(column.tolist())}, len(column))[0].tolist()
