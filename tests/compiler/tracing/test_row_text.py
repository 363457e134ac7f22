"""Methods of text on the values of one row: Python's own, missing text being NaN, against pandas itself."""

import pandas as pd
import pytest
from row_functions import of_rows, of_values
from tracing import check, refusal

from pipeline_lib.rows.frames import schema_of_frame

WHOLE = pd.DataFrame(
    {
        "t": [
            "ab c",
            "x,ab",
            "Q.ab r",
            "bZed, ab",
            "ab n",
            "abc,b",
            "12ab",
            "cab, ef",
            "x,ab,z",
            "ghab b",
            "ab-b",
            "ab b",
        ],
        "n": ["12", " 3 ", "-4", "5", "66", "7", "+81", "9", "10", "011", "2", "1_0"],
        "u": ["a", "b", None] * 4,
    }
)
WHOLE = WHOLE.astype("str")
EDGES = [
    "",
    "0",
    "-5",
    " 12 ",
    "1.5",
    "nan",
    "inf",
    "a b",
    "a,b",
    "a, b, c",
    None,
    "٣",
    "9" * 20,
    "ab",
    "x",
    "Mr. X",
    "ß",
]
EDGES += ["A1b2", "  ", "1e3", "ABC", "ba", "İ", "ﬁ", "Σας"]
OTHERS = pd.DataFrame({"t": EDGES, "n": EDGES[::-1], "u": EDGES[3:] + EDGES[:3]}).astype("str")
SCHEMA = schema_of_frame(pd.concat([WHOLE, OTHERS], ignore_index=True))


def check_text(body: str, column: str = "t") -> None:
    """Compare a function of text `x`, in columns that hold missing text and in such that do not."""
    schema = schema_of_frame(OTHERS[[column]])
    check(of_values(column, body), WHOLE[[column]], OTHERS[[column]], schema=schema, may_refuse=True)


METHODS = (
    *(
        "x.lower()",
        "x.upper()",
        "x.title()",
        "x.capitalize()",
        "x.swapcase()",
        "x.casefold()",
        "x.strip()",
        "x.lstrip()",
    ),
    *(
        "x.rstrip()",
        "x.strip('a ')",
        "len(x)",
        "x[0]",
        "x[-1]",
        "x[1:3]",
        "x[::-1]",
        "x[-3:]",
        "x[::2]",
        "x[:1].upper()",
    ),
    *(
        "x.split()[0]",
        "x.split()[-1]",
        "x.split(',')[0]",
        "x.split(',')[-1].strip()",
        "len(x.split())",
        "x.split(',', 0)[0]",
    ),
    *("len(x.split(','))", "x.rsplit(',', 1)[0]", "x.split(' ')[0][0]", "x.partition(',')[0]", "x.partition(',')[2]"),
    *(
        "x.rpartition(',')[0]",
        "x.replace('a', 'b')",
        "x.replace('a', 'b', 1)",
        "x.replace('', '-')",
        "x.startswith('a')",
    ),
    *(
        "x.endswith(('b', 'c'))",
        "x.find(',')",
        "x.rfind('a')",
        "x.count('a')",
        "'a' in x",
        "'q' not in x",
        "x.isdigit()",
    ),
    *(
        "x.isalpha()",
        "x.isalnum()",
        "x.isupper()",
        "x.islower()",
        "x.isspace()",
        "x.istitle()",
        "x.isnumeric()",
        "x.isdecimal()",
    ),
    *(
        "x.zfill(4)",
        "x.rjust(3, '*')",
        "x.ljust(3)",
        "x.center(5)",
        "x.removeprefix('a')",
        "x.removesuffix('b')",
        "x * 2",
    ),
    *("x + '!'", "'<' + x + '>'", "x == 'ab'", "x != 'ab'", "x in ('ab', 'x')", "x in ['ab', 'x']", "x in {'ab', 'x'}"),
    *(
        "bool(x)",
        "not x",
        "x or 'e'",
        "x and 'y'",
        "str(x)",
        "f'{x}-'",
        "f'<{x}>{x}'",
        "len(x) / 2",
        "max(len(x), 3)",
        "x",
    ),
    *(
        "pd.isna(x)",
        "x == x",
        "x is None",
        "isinstance(x, str)",
        "type(x) == str",
        "x if x == x else 'none'",
        "None if x != x else x[:2]",
    ),
    *(
        "'yes' if 'a' in x and 'b' in x else 'no'",
        "any(k in x for k in ('q', 'b'))",
        "x.lower() == 'ab' or x.isdigit()",
    ),
    *(
        "'a' in x.split(',')",
        "x.split()[0].lower() if x.split() else 'none'",
        "x.count('a') + x.count('b')",
        "x == x.lower()",
    ),
    *(
        "str.lower(x)",
        "{'ab': 1, 'x': 2}.get(x, 0)",
        "{'ab': 'p'}.get(x.strip())",
        "str(x).upper()",
        "x.replace('a', '').strip() == ''",
    ),
)


@pytest.mark.parametrize("body", METHODS)
def test_methods(body: str) -> None:
    check_text(body)


TOLERANT = (
    *(
        "x.lower() if isinstance(x, str) else 'none'",
        "len(x) if pd.notna(x) else 0",
        "x == 'a'",
        "x in ('a', 'b')",
        "not x",
    ),
    *(
        "'some' if x else 'none'",
        "str(x)",
        "f'{x}.'",
        "{'a': 1}.get(x, 0)",
        "x != x",
        "isinstance(x, float)",
        "bool(x)",
    ),
    *(
        "x if x is not None else 'q'",
        "str(x).split('a')[0]",
        "x or 'e'",
        "x * 2 if isinstance(x, str) else x",
        "type(x) == float",
    ),
)


@pytest.mark.parametrize("body", TOLERANT)
def test_missing_text_in_training_rows(body: str) -> None:
    check_text(body, "u")


@pytest.mark.parametrize(
    "body", ["x[1]", "x[-2]", "x.split('b')[1]", "x.split('b')[-2]", "x.index('b')", "x.rindex('a')"]
)
def test_rows_without_the_part_are_refused(body: str) -> None:
    check_text(body)


NUMBERS = ("int(x)", "float(x)", "int(float(x))", "int(x[0] + '1') if x[0].isdigit() else -1", "float(x) * 2 > 7")


@pytest.mark.parametrize("body", NUMBERS)
def test_numbers_of_text(body: str) -> None:
    check_text(body, "n")


PATTERNS = (
    *(
        "re.search('b', x) is None",
        "re.search('(b)', x).group(1)",
        "re.search('a|(b)', x).groups()[0]",
        "re.search('b', x)[0]",
    ),
    *(
        "re.sub('[^a-z]', '', x)",
        "re.sub('(a)', r'<\\1>', x, flags=re.I)",
        "re.sub('a', 'b', x, 1)",
        "re.sub('b', '', x, count=1)",
    ),
    *("len(re.findall('[a-z]', x))", "re.findall('[a-z]', x)[0]", "bool(re.search('q', x))", "re.split('[ ,]', x)[0]"),
    *(
        "re.match('a(b)?', x) is not None",
        "re.fullmatch('[a-z ]+', x) is not None",
        "re.search('(?P<k>[a-z])', x)['k']",
    ),
    *(
        "re.compile('([a-z]+)').search(x)[1]",
        "re.search('q', x).group() if re.search('q', x) else 'none'",
        "len(re.split('a', x))",
    ),
    *("re.match('x|a', x).group() if re.match('x|a', x) else ''", "re.search('B', x, re.IGNORECASE) is None"),
    *("re.search('q', x) == None", "1 if re.search(r'\\bab\\b', x) else 0", "re.search('(a)(b)', x).group(1, 2)[1]"),
)


@pytest.mark.parametrize("body", PATTERNS)
def test_regular_expressions(body: str) -> None:
    check_text(body)


def test_fullmatch_takes_the_longest_alternative() -> None:
    check_text("re.fullmatch('a|ab|ab c|.*', x).group()")


def test_names_assigned_at_once() -> None:
    def second(x: str) -> str:
        if "," not in x:
            return "none"
        first, *_ = [x.split(",")[0]]
        head, tail = x.split(",", 1)
        return tail + first + head

    def pair(x: str) -> str:
        a, b = x.split(" ")
        return b + a

    check(lambda self, X: X["t"].map(second), WHOLE[["t"]], OTHERS[["t"]].fillna("x"))
    frame = pd.DataFrame({"t": ["a b", "c d"]})
    check(lambda self, X: X["t"].map(pair), frame, OTHERS[["t"]].fillna("x"))


def test_text_of_several_columns() -> None:
    for body in (
        "r.t + '_' + r.n",
        "f'{r.t}_{r.n}'",
        "r.t == r.n",
        "r.t + str(len(r.n))",
        "r.t if 'a' in r.n else r.n",
    ):
        check(of_rows(body), WHOLE[["t", "n"]], OTHERS[["t", "n"]], schema=schema_of_frame(OTHERS[["t", "n"]]))


REFUSED = [
    ("''.join(x)", "a loop over a row's value", "methods"),
    ("','.join([x, 'b'])", "does not know", "operators and methods"),
    ("sorted(x)", "a loop over a row's value", "methods"),
    ("x.join(['a', 'b'])", "`join` of a row's str", "a + sep + b"),
    ("x.encode()", "`encode` of a row's str", "`plan` method"),
    ("x.replace(x, '')", "a row's value as old", "a constant text"),
    ("x in 'abc'", "does not know", "operators and methods"),
    ("ord(x[0])", "does not know", "operators and methods"),
    ("x % 1", "formatted", "str(value)"),
    ("x.format(1)", "`format` of a row's str", "str(value)"),
    ("x * 1000", "repeated 1000 times", "fit"),
    ("x.split(',') == ['a']", "compared", "[0] == 'a'"),
    ("x.split(',')[:1]", "some of a list of a text's parts", "[0]"),
    ("[p for p in x.split(',')]", "a loop over a list of a text's parts", "[0], [1]"),
    ("[m for m in re.findall('a', x)]", "a loop over a list of a text's matches", "[0]"),
    ("re.findall('a', x)[1]", "another match than the first", "re.search"),
    ("re.search('a', x).start()", "`start` of a match", "match.group()"),
    ("re.sub(x, '', 'abc')", "as pattern", "plan"),
    ("re.sub('a', lambda m: 'b', x)", "a function as replacement", "constant"),
]


@pytest.mark.parametrize(("body", "found", "remedy"), REFUSED)
def test_refusals_name_a_remedy(body: str, found: str, remedy: str) -> None:
    message = refusal(of_values("t", body), WHOLE)
    assert found in message
    assert remedy in message
