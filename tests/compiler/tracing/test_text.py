"""The `.str` accessor, recorded: each method gives what pandas gives, for dtype str and for objects."""

import re

import numpy as np
import pandas as pd
import pytest
from tracing import check, refusal

from pipeline_lib.compiled.operations.unicode_14 import is_known
from pipeline_lib.compiler.tracing.registry import RULES, Entry

WORDS = ["a,b", "c d, e.f", "", np.nan, "ß İ ﬁ Σάς ٣ ǆ", "Braund, Mr. Owen (Ann) Harris", "Abc" * 20, "12", "A1b22"]
WORDS += [" pad\t", "C85/C87", "-7", "ABC", "abc", "Title Case", "ªʰ", "½²", "Ŀŀ", "İı", "x\ny", "a.b"]
PLAIN = ["aB", "Mr. X", "12", "", "C85", "a b", "--"]
_RANDOM = np.random.RandomState(7)
_LETTERS = [*"aAbB iIsSkK.,-_/+0192", *"ßİıﬁΣσςάǆǅŉ٣½²一ªʰéÉ\u00a0\t\n😀", "\u0345", "\u2028"]
ODD = ["".join(_RANDOM.choice(_LETTERS, _RANDOM.randint(0, 8))) for _ in range(25)]


def text_frame(words, other=None):
    other = words[::-1] if other is None else other
    return pd.DataFrame({"a": pd.Series(words, dtype="str"), "b": pd.Series(other, dtype="str")})


MIXED = [text_frame(words) for words in (WORDS, PLAIN, ["İ", "i"], ["line\n", "line"], ODD)]
FRAMES = [*MIXED, text_frame([np.nan])]


def method(call, column='X["a"]'):
    return eval(f"lambda self, X: {column}.str.{call}")  # noqa: S307  a line of the tables below


def several(calls, column='X["a"]'):
    """A transform that sets a column by each call, under the name of the call."""
    lines = [f"    X[{call!r}] = {column}.str.{call}" for call in calls]
    scope = dict(globals())
    exec("\n".join(["def transform(self, X):", "    X = X.copy()", *lines, "    return X"]), scope)  # noqa: S102
    return scope["transform"]


def groups(calls):
    """Calls by tens, since each comparison runs pandas for each row."""
    return [pytest.param(calls[start : start + 10], id=calls[start]) for start in range(0, len(calls), 10)]


CASES = ["lower()", "upper()", "title()", "capitalize()", "swapcase()", "casefold()"]
TEXTS = [
    *("strip()", "lstrip()", "rstrip()", 'strip("ab ")', 'lstrip("C8")', 'rstrip(to_strip="x")', "strip(None)"),
    *("get(0)", "get(-1)", "get(99)", "slice(1, 3)", "slice(stop=2)", "slice(None, None, -1)", "slice(-3, -1)"),
    *('slice_replace(1, 3, "--")', 'slice_replace(-2, None, "--")', 'slice_replace(3, 1, "--")', "slice_replace(1, 2)"),
    *('slice_replace(repl="z")', 'slice_replace(None, 2, "z")', 'slice_replace(-1, -3, "q")', "slice_replace(4, 4)"),
    *('removeprefix("a")', 'removeprefix("")', 'removesuffix("b")', 'removesuffix("")', "repeat(3)", "repeat(0)"),
    *("pad(8)", 'pad(8, "both", "*")', 'pad(5, side="right")', "ljust(9)", 'rjust(9, "0")', "center(10)", "pad(-1)"),
    *("zfill(5)", "zfill(0)", 'translate(str.maketrans("ab", "xy", ",.]^-"))', "translate({97: 'aa', 98: 8364})"),
    *('replace("a", "b")', 'replace("a", "b", n=1)', 'replace("a", "b", n=0)', 'replace("", "-")', 'replace(".", "")'),
    *('replace("a", r"\\1", regex=False)', 'replace({"a": "b", "b": "c"})', 'replace("A", "<>", case=False)'),
    *(
        r'replace(r"\d", "", regex=True)',
        r'replace(r"(\w)(\d)", r"\2\1", regex=True)',
        'replace("a|b", "", regex=True)',
    ),
    *(r'replace(r"[^a-z ]", "", regex=True)', r'replace(r"\s+", " ", regex=True)', 'replace("A", "*", flags=re.I)'),
    *('replace(re.compile("a", re.I), "*", regex=True)', r'replace("(?P<x>a)", r"\g<x>\g<x>", regex=True)'),
    *(
        r'replace(r"a(?=b)", "", regex=True, n=1)',
        'replace("a.", "", regex=True, n=1)',
        r'replace(r"a$", "", regex=True)',
    ),
    *(r'extract(r" ([A-Za-z]+)\.", expand=False)', r'extract(r"(\d+)", expand=False)'),
    *(
        'cat(X["b"])',
        'cat(X["b"], sep="-")',
        'cat([X["b"], X["a"]], sep="-", na_rep="?")',
        'cat(X[["b", "a"]], na_rep="")',
    ),
]
BOOLS = [
    *(
        'contains("a|B"{})',
        'contains("a,", regex=False{})',
        'contains(".", regex=False{})',
        'contains("a", case=False{})',
    ),
    *('contains("mr|miss|dr", case=False{})', 'contains("[a-z]i", case=False{})', r'contains(r"\d$"{})'),
    *('contains("A", flags=re.I{})', 'contains(re.compile("B.")  {})', r'contains(r"\bM"{})', 'contains("[^a-c]"{})'),
    *(
        'startswith("a"{})',
        'startswith(("a", "B"){})',
        "startswith(()  {})",
        'endswith("b"{})',
        'endswith(("", "x"){})',
    ),
    *('match("[ac]"{})', 'match("a", case=False{})', 'match("A|b", flags=re.I{})', r'match(r"\w+\n", flags=re.M{})'),
    *(r'fullmatch(r"\d+"{})', 'fullmatch("a|.b"{})', 'fullmatch("ab", case=False{})', 'fullmatch("A.C", flags=re.S{})'),
]
FRAMES_OF_GROUPS = [
    r'extract(r"(B)(\w)?", expand=False)',
    r'extract(r"(\w),(?P<q>\w)?")',
    r'extract(r"(?P<z>\d+)")',
    'extract("(A)", flags=re.I)',
    'extract("()")',
]
KINDS = ["digit", "alpha", "alnum", "numeric", "decimal", "lower", "upper", "space", "title", "ascii"]
NUMBERS = [
    *("len()", 'count("a")', r'count(r"\w+")', 'count("[A-Z]")', r'count(r"\s")', 'count("a", flags=re.I)'),
    *(
        'count(re.compile("b", re.I))',
        'find("a")',
        'find("")',
        'rfind("a")',
        'rfind("")',
        'find("ß")',
        'count(r"(?<=b)c")',
    ),
]


@pytest.mark.filterwarnings("ignore:This pattern is interpreted as a regular expression")
class TestDtypeStr:
    @pytest.mark.parametrize("calls", groups([*CASES, *TEXTS, *NUMBERS, *(f"is{kind}()" for kind in KINDS)]))
    def test_text_and_numbers(self, calls):
        check(several(calls), *FRAMES)

    @pytest.mark.parametrize("na", ["", ", na=True"])
    @pytest.mark.parametrize("calls", groups(BOOLS))
    def test_tests(self, calls, na):
        check(several([call.format(na) for call in calls]), *FRAMES)

    def test_missing_text_in_a_test(self):
        na = ["False", "np.nan", "None", "pd.NA"]
        check(several([f'contains("a", na={each})' for each in na]), *FRAMES)

    def test_items_and_slices(self):
        def transform(self, X):
            X = X.copy()
            text = X["a"].str
            X["first"], X["last"], X["sixth"], X["second"] = text[0], text[-1], text[5], text[np.int64(1)]
            X[":3"], X["1:"], X["-2:"], X["::-1"], X["1:4:2"] = text[:3], text[1:], text[-2:], text[::-1], text[1:4:2]
            return X

        check(transform, *FRAMES)

    @pytest.mark.parametrize("call", FRAMES_OF_GROUPS)
    def test_groups_as_columns(self, call):
        check(method(call), *FRAMES)


@pytest.mark.filterwarnings("ignore:This pattern is interpreted as a regular expression")
class TestObjects:
    """A part of a split is an object column: Python's own methods."""

    column = 'X["a"].str.split("§").str[0]'

    @pytest.mark.parametrize("calls", groups([*CASES, *(call for call in TEXTS if "cat(" not in call), *NUMBERS]))
    def test_text_and_numbers(self, calls):
        check(several(calls, self.column), *MIXED, may_raise=True)

    @pytest.mark.parametrize("calls", groups(BOOLS))
    def test_tests(self, calls):
        calls = [call.format((", na=False", ", na=True")[number % 2]) for number, call in enumerate(calls)]
        check(several(calls, self.column), *MIXED, may_raise=True)

    def test_kinds_of_text_that_is_never_missing(self):
        present = [text_frame([word for word in words if word == word]) for words in (WORDS, PLAIN, ODD)]
        column = 'X["a"].fillna("").str.split("§").str[0]'
        check(several([f"is{kind}()" for kind in KINDS], column), *present)

    @pytest.mark.parametrize("call", FRAMES_OF_GROUPS)
    def test_groups_as_columns(self, call):
        check(method(call, self.column), *MIXED, may_raise=True)

    def test_tests_of_missing_text_are_refused(self):
        message = refusal(method('contains("a")', self.column), FRAMES[0])
        assert "found Series.str.contains of an object column, which gives True, False and NaN" in message
        assert "give na=False" in message
        assert 'column.astype("str").str.isdigit' in refusal(method("isdigit()", self.column), FRAMES[0])


class TestChains:
    @pytest.mark.parametrize(
        "line",
        [
            'X["a"].str.lower().str.strip().str.replace(r"[^a-z ]", "", regex=True)',
            'X["a"].str.len().fillna(0)',
            'X["a"].fillna("").str.len()',
            'X["a"].fillna("").str.count(r"\\w+") + 1',
            '"<" + X["a"] + "|" + X["b"] + ">"',
            'X["a"].str[0] + X["b"].str[-1]',
            'X["a"].str.upper() == X["b"].str.upper()',
            'X["a"].str.contains("a", na=False) & ~X["b"].str.startswith("C")',
            'np.where(X["a"].str.isdigit(), "number", X["a"].str[:1])',
            "X.a.str.title().str.swapcase().str.get(0)",
        ],
    )
    def test_a_line(self, line):
        check(eval(f"lambda self, X: {line}"), *FRAMES)  # noqa: S307

    def test_columns_of_extract(self):
        def transform(self, X):
            X = X.copy()
            X[["first", "second"]] = X["a"].str.extract(r"(\w)[, ]+(\w)")
            X["title"] = X.b.str.extract(r" ([A-Za-z]+)\.", expand=False).fillna("none")
            return X

        check(transform, *FRAMES)

    def test_counts_are_integers_where_pandas_makes_them(self):
        trace = check(lambda self, X: X["a"].fillna("").str.len(), *FRAMES)
        assert trace.nodes[next(iter(trace.outputs.values()))].dtype == "int64"
        trace = check(lambda self, X: X["a"].str.len(), *FRAMES)
        assert trace.nodes[next(iter(trace.outputs.values()))].dtype == "float64"


IGNORED = ["i", "miss|mr", "[a-z]", "[^a-z]", "[^i]+", "s|k", "é|i", "(?i:i)x", "i$"]


@pytest.mark.parametrize("pattern", IGNORED)
def test_ignoring_case_is_that_of_pandas_for_characters_with_case(pattern):
    cased = [c for c in map(chr, range(0x20, 0x2C00)) if is_known(c) and (c.lower() != c or c.upper() != c)]
    words = [*cased[::15], *"\u0130\u0131\u017f\u212a\u212bßΩ∅ikIsK", "\u0130x", "I\u0131", "\u0131\n", "m\u0131ss"]
    for call in (f"contains({pattern!r}, case=False)", f"match('(?i){pattern}')"):
        check(method(call), text_frame(["miss", "x"]), text_frame(words, words), may_refuse="$" in pattern)


REFUSED = {
    "cat()": (r"joins all rows: for one row it would answer otherwise than for many", "give it the other columns"),
    'cat(["x", "y"])': ("of constants", r"write column \+ text"),
    "get_dummies()": ("which columns it makes depends on the words", r"column.str.contains\(word, regex=False\)"),
    "normalize('NFKD')": ("depends on the version of Unicode", "str.maketrans"),
    "encode('utf-8')": ("holds no bytes", "leave it out"),
    "wrap(3)": ("`wrap` of a Series.str", "plan"),
    "join('-')": ("between the characters of each text", "column.str.cat"),
    "index('a')": ("raises an error where a row has no such text", "find"),
    "extractall('(a)')": ("a row for each match", "extract"),
    "find('a', 1)": ("Series.str.find from 1 to None", "slice it first"),
    "repeat(100)": ("Series.str.repeat of 100", "number from 0 to 64"),
    "replace('a', lambda m: m[0], regex=True)": ("by a function", "write the text"),
    "contains('A', case=False, regex=False)": ("that ignores case", "lower both"),
    "translate({97: 'b', 98: 'c'})": ("makes characters which it replaces", "one after the other"),
    "count('a*')": ("Series.str.count with a pattern that matches the empty text", "flags=re.UNICODE"),
    r"count(r'\bM')": ("Series.str.count with ", "flags=re.UNICODE"),
    "replace('a*', '', regex=True)": ("a pattern that matches the empty text", r"re.compile\(pattern\)"),
    "nonsense()": ("AttributeError", "no attribute 'nonsense'"),
}


@pytest.mark.parametrize("call", REFUSED)
def test_a_refusal_names_line_reason_and_remedy(call):
    frame = text_frame(["a", "Mr. B"]) if call.startswith(("cat([", "index")) else FRAMES[0]
    message = refusal(method(call), frame)
    reason, remedy = REFUSED[call]
    assert "step OwnStep: <string>, line 1: found " in message
    assert re.search(reason, message)
    assert re.search(remedy, message)


@pytest.mark.parametrize(
    ("call", "instead"),
    [
        ("count('a*')", "count('a*', flags=re.UNICODE)"),
        (r"count(r'\bM')", r"count(r'\bM', flags=re.UNICODE)"),
        ("replace('a*', '-', regex=True)", "replace(re.compile('a*'), '-', regex=True)"),
        ("fullmatch('^a|b$')", "fullmatch('^a|b$', flags=re.UNICODE)"),
        ("contains('a{,2}b')", "contains('a{,2}b', flags=re.UNICODE)"),
        ("index('a')", "find('a')"),
        ("cat(['x'] * len(X))", "cat(X['b'])"),
        ("contains('A', case=False, regex=False)", "lower().str.contains('A'.lower(), regex=False)"),
    ],
)
def test_a_remedy_is_recorded(call, instead):
    frame = text_frame(["a", "aB", "Mr. a"])
    refusal(method(call), frame)
    check(method(instead), *FRAMES)


def test_text_of_other_dtypes_is_refused():
    assert 'column.astype("str").str' in refusal(method("lower()", 'X["a"].astype("category")'), FRAMES[0])


def test_a_number_is_refused_as_pandas_does():
    frame = text_frame(PLAIN).assign(n=1.5)
    message = refusal(method("lower()", 'X["n"]'), frame)
    assert "found Series.str, which raises AttributeError: Can only use .str accessor with string values" in message


def test_a_wrong_rule_is_found_by_the_shadows(monkeypatch):
    wrong = Entry(lambda call: call.build.text_case(call.value, kind="upper"))  # Python's "SS" for "ß"
    monkeypatch.setitem(RULES, ("text", "upper"), wrong)
    message = refusal(method("upper()"), FRAMES[0])
    assert "found Series.str.upper, where the recorder's rule gives" in message
    assert "ẞ" in message
