"""Lists of parts of a text, recorded: split, rsplit, partition and findall, one part at a time or expanded to columns.

pandas raises an error for a row alone where it has no text or fewer parts (`may_raise`); among other rows it answers.
"""

import re

import numpy as np
import pandas as pd
import pytest
from matrices import slow
from tracing import check, own_step, record_step, refusal

from pipeline_lib.compiler.builder import Builder
from pipeline_lib.compiler.raw_columns import raw_columns
from pipeline_lib.rows.frames import schema_of_frame

WORDS = ["a,b", "c d, e.f", "", np.nan, "ß İ ﬁ Σάς ٣ ǆ", "Braund, Mr. Owen (Ann) Harris", "a b " * 9, "12", "A1b22"]
WORDS += [" pad\t x", "C85 C87", "B/7/S", ",", ",,", "a,b,c,d", "x\ny", "a\u00a0b\u2028c\x1cd\x0be"]
_RANDOM = np.random.RandomState(5)
ODD = ["".join(_RANDOM.choice([*"ab1,. /ßİ\t\n\u00a0\u2003"], _RANDOM.randint(0, 10))) for _ in range(30)]


def text_frame(words):
    return pd.DataFrame({"a": pd.Series(words, dtype="str"), "b": pd.Series(words[::-1], dtype="str")})


SPLIT = [text_frame(words) for words in (WORDS, [np.nan, "z, w v"], ODD)]
FRAMES = [*SPLIT, text_frame(["x", "y"])]


def method(call, column='X["a"]'):
    return eval(f"lambda self, X: {column}.str.{call}")  # noqa: S307  a line of the tables below


LISTS = {
    "split()": 1,
    'split(",")': 1,
    'split(",", n=1)': 1,
    'split(" ", n=0)': 2,
    "split(None, n=2)": 2,
    'split(", ")': 1,
    'split("a.")': 0,
    'split(".", regex=False)': 1,
    'split(r"[,. ]")': 2,
    'split(r"\\s+", regex=True, n=1)': 1,
    'split(re.compile("([,.])"), n=1)': 2,
    'split(r"(,)|\\.")': 1,
    "rsplit()": 1,
    'rsplit(",", n=1)': 1,
    "rsplit(n=2)": 0,
    'rsplit("aa")': 0,
    'findall(r"\\d")': 0,
    'findall(r"(\\w)\\d")': 0,
    'findall(r"(q)?[a-c]")': 0,
    'findall("B", flags=re.I)': 0,
    'findall(r"\\w+")': 0,
    'findall("")': 0,
    'partition(",", expand=False)': 2,
    "partition(expand=False)": -1,
    'rpartition(",", expand=False)': 0,
    'rpartition(" ", False)': 2,
}


@pytest.mark.parametrize("column", ['X["a"]', slow('X["a"].str.split("§").str[0]', id="object")])
@pytest.mark.parametrize("call", LISTS)
def test_parts_and_their_number(call, column):
    part, last = LISTS[call], -1 if "findall" not in call else 0
    ends = [f".str[{part}]", f".str.get({part})", ".str[0]", f".str[{last}]", ".str.len()"]
    lines = [f"    X[{end!r}] = {column}.str.{call}{end}" for end in ends]
    scope = dict(globals())
    exec("\n".join(["def transform(self, X):", "    X = X.copy()", *lines, "    return X"]), scope)  # noqa: S102
    check(scope["transform"], *FRAMES, may_raise=True)


@pytest.mark.parametrize("call", ["split()", 'split(",")', 'split(",", n=1)', 'split(r"[,. ]")', 'rsplit(",")'])
def test_parts_joined(call):
    def transform(self, X):
        X = X.copy()
        parts = split(self, X)
        X["space"], X["none"] = parts.str.join(" "), parts.str.join("")
        X["escape"], X["text"] = parts.str.join(r"\1"), parts.str.join("<>")
        return X

    split = method(call)
    check(transform, *FRAMES, may_raise=True)


@pytest.mark.parametrize(
    "line",
    [
        'X["a"].str.split(",").str[0].str.strip()',
        'X["a"].str.split(",").str[-1].str.split(".").str[0].str.lower()',
        'X["a"].str.split(" ").str[0].fillna("none")',
        'X["a"].str.split().str.len().fillna(0)',
        'X["a"].fillna("").str.split().str.len() * 2',
        'X["a"].str.split(",").str[0] + X["b"].str.split(",").str[0]',
        'X["a"].str.split(",").str[1].isna()',
        'X["a"].str.split(",").str[1].str.contains("b", na=False)',
        'X["a"].str.split(",").str[0].astype("str").str.isdigit()',
    ],
)
def test_a_line(line):
    check(eval(f"lambda self, X: {line}"), *SPLIT, may_raise=True)  # noqa: S307


class TestExpanded:
    @pytest.mark.parametrize(
        "call",
        [
            *('split(",", expand=True)[0]', 'split(",", expand=True)[1]', "split(expand=True)[2]"),
            *('split(r"[,. ]", expand=True)[1]', "split(n=1, expand=True)[[1, 0]]", "rsplit(n=1, expand=True)[1]"),
            *('partition(",")[2]', "rpartition()[0]", 'split(",", expand=True).iloc[:, 0]', 'partition(",")'),
            *('split(",", n=1, expand=True)', "rsplit(n=1, expand=True)", 'rpartition(".", expand=True)'),
        ],
    )
    @pytest.mark.parametrize("column", ['X["a"]', 'X["a"].str.split("§").str[0]'], ids=["str", "object"])
    def test_columns(self, call, column):
        check(method(call, column), *SPLIT, may_raise=True, may_refuse="iloc" in call)

    def test_columns_set_with_rows_of_more_parts_refused(self):
        def transform(self, X):
            X = X.copy()
            X[["deck", "number", "side"]] = X["a"].str.split("/", expand=True)
            return X

        cabins = text_frame(["B/7/S", "C/12/P", "F/3", np.nan, "G"])
        check(transform, cabins, text_frame(["A/1/P", "x", "", np.nan]), may_raise=True)
        with pytest.raises(AssertionError, match="the library raises ValueError"):
            check(transform, cabins, text_frame(["A/1"]))  # alone it has two parts: one must know
        self.refuses(transform, cabins, "A/1/P/9")

    def test_renamed_columns(self):
        def transform(self, X):
            parts = X["a"].str.split(",", n=1, expand=True)
            parts.columns = ["last", "first"]
            X = X.copy()
            X["last"] = parts["last"].str.strip()
            X["first"] = parts["first"].str.strip()
            return X.drop(columns=["a", "b"])

        check(transform, *SPLIT, may_raise=True)

    def test_one_column_of_rows_with_more_parts(self):
        names = text_frame(["a b", "c d"])
        check(method("split(expand=True)[1]"), names, text_frame(["x y z w"]))

    def test_parts_that_training_rows_do_not_have(self):
        message = refusal(method("split(expand=True)[3]"), text_frame(["a b", "c"]))
        assert "found part 3 of `expand=True`" in message
        assert "leave expand out and write .str[3]" in message
        check(method("split().str[3]"), text_frame(["a b", "c"]), text_frame(["a b c d"]), may_raise=True)

    def refuses(self, transform, frame, word):
        """The plan refuses a row, and names why."""
        from pipeline_lib.compiled.plan import Plan
        from pipeline_lib.compiled.row_executor import row_function
        from pipeline_lib.errors import InputError

        step = own_step(transform)
        trace, build, schema = record_step(step, frame), Builder(), schema_of_frame(frame)
        outputs = trace.write(raw_columns(schema, build), build)
        answer = row_function(Plan(build.nodes, {}), [value.node for value in outputs.values()], schema)
        with pytest.raises(InputError, match="more than 3 parts"):
            answer({"a": word, "b": "x"})


REFUSED = {
    'split(",")': ("a Series of lists used as a column", r"\.str\[0\]"),
    "split().str[1:]": ("a slice of a list of parts", "split fewer times"),
    "split().explode()": ("a row for each part", r"\.str\[0\]"),
    "split().apply(len)": ("a list for each row", r"\.str\.len\(\)"),
    "findall('a').str[1]": ("a match of .str.findall other than the first", "extract"),
    "findall('(a)(b)?').str[0]": ("with several groups", "extract"),
    "findall('a').str.join('')": ("Series.str.join of these lists", "replace"),
    "partition(expand=False).str[5]": ("part 5 of .str.partition", "three"),
    "split(n=1).str.join('-')": ("Series.str.join of these lists", "replace"),
    "split('aa', n=-2).str[0]": ("Series.str.split with n=-2", "leave n out"),
    "split().str.upper()": ("`upper` of a Series.str of lists", "plan"),
}


@pytest.mark.parametrize("call", REFUSED)
def test_a_refusal_names_reason_and_remedy(call):
    message = refusal(method(call), text_frame(["a b", "c ab d"]))
    reason, remedy = REFUSED[call]
    assert re.search(reason, message)
    assert re.search(remedy, message)


def test_a_list_is_no_column():
    def transform(self, X):
        X = X.copy()
        X["parts"] = X["a"].str.split(",")
        return X

    message = refusal(transform, FRAMES[0])
    assert "test_text_lists.py, line" in message
    assert "found a Series of lists used as a column: a column of production has one value for each row" in message
    assert "take a part, .str[0], or the number of parts, .str.len()" in message


def test_a_wrong_rule_is_found_by_the_shadows():
    with pytest.raises(AssertionError, match="where the library raises"):
        check(method('split(",", expand=True)[1]'), *SPLIT)  # without `may_raise`: pandas raises for a row alone
