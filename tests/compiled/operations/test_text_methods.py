"""The methods of `str` as operations: one row as a batch, and as Python."""

from collections.abc import Callable
from typing import Any

import pytest
from evaluation import bits, evaluate

from pipeline_lib.compiler.builder import Builder
from pipeline_lib.errors import InputError

pytestmark = pytest.mark.core

WORDS = [None, "", " ", "a", "Ab", "  a b  c ", "a,b,,c", "-7", "+", "-", "007", "éßΣ", "aaa", "x\ty\nz", "😀e\u0301"]
NONE = object()


def _item(parts: Any, index: int) -> Any:
    return parts[index] if -len(parts) <= index < len(parts) else None


CASES: list[tuple[str, dict[str, Any], Callable[[str], Any]]] = [
    ("text_length", {}, lambda w: float(len(w))),
    ("text_strip", {"side": "both"}, lambda w: w.strip()),
    ("text_strip", {"side": "left", "characters": "a -"}, lambda w: w.lstrip("a -")),
    ("text_strip", {"side": "right", "characters": ""}, lambda w: w.rstrip("")),
    ("text_starts", {"prefixes": ["a", "-"]}, lambda w: w.startswith(("a", "-"))),
    ("text_starts", {"prefixes": []}, lambda w: False),
    ("text_ends", {"suffixes": ["c", ""]}, lambda w: True),
    ("text_ends", {"suffixes": ["c", "7"]}, lambda w: w.endswith(("c", "7"))),
    ("text_contains", {"part": "b"}, lambda w: "b" in w),
    ("text_count", {"part": "aa"}, lambda w: float(w.count("aa"))),
    ("text_count", {"part": ""}, lambda w: float(len(w) + 1)),
    ("text_find", {"part": "a"}, lambda w: float(w.find("a"))),
    ("text_find", {"part": "a", "from_right": True}, lambda w: float(w.rfind("a"))),
    ("text_slice", {}, lambda w: w),
    ("text_slice", {"start": 1, "stop": -1}, lambda w: w[1:-1]),
    ("text_slice", {"step": -1}, lambda w: w[::-1]),
    ("text_item", {"index": 0}, lambda w: _item(w, 0)),
    ("text_item", {"index": -2}, lambda w: _item(w, -2)),
    ("text_split_item", {"index": 1}, lambda w: _item(w.split(), 1)),
    ("text_split_item", {"separator": ",", "index": -1}, lambda w: _item(w.split(","), -1)),
    ("text_split_item", {"separator": ",", "limit": 1, "index": 1}, lambda w: _item(w.split(",", 1), 1)),
    ("text_split_item", {"separator": ",", "limit": 1, "index": 0, "from_right": True}, lambda w: w.rsplit(",", 1)[0]),
    ("text_split_count", {}, lambda w: float(len(w.split()))),
    ("text_split_count", {"separator": ",", "limit": 1}, lambda w: float(len(w.split(",", 1)))),
    ("text_replace", {"old": "a", "new": "QQ"}, lambda w: w.replace("a", "QQ")),
    ("text_replace", {"old": "", "new": "-", "count": 2}, lambda w: w.replace("", "-", 2)),
    ("text_replace", {"old": "a", "new": "", "count": 0}, lambda w: w),
    ("text_pad", {"width": 6, "side": "left", "fill": "*"}, lambda w: w.rjust(6, "*")),
    ("text_pad", {"width": 5, "side": "right", "fill": "é"}, lambda w: w.ljust(5, "é")),
    ("text_pad", {"width": 6, "side": "both", "fill": "*"}, lambda w: w.center(6, "*")),
    ("text_pad", {"width": -3, "side": "both", "fill": "*"}, lambda w: w),
    ("text_zfill", {"width": 4}, lambda w: w.zfill(4)),
]


@pytest.mark.parametrize(("name", "settings", "python"), CASES)
def test_an_operation_is_the_method_of_python(name, settings, python):
    results = evaluate(lambda build, t: getattr(build, name)(t, **settings), {"t": ("str", WORDS)})
    missing = bits(results[0])
    assert missing in (bits(None), bits(False), bits(float("nan")))
    assert list(map(bits, results[1:])) == [bits(python(word)) for word in WORDS[1:]]


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("text_slice", {"step": 0}, "expected an integer other than 0"),
        ("text_split_item", {"separator": "", "index": 0}, "expected text of at least one character"),
        ("text_pad", {"width": 3, "side": "left", "fill": "ab"}, "expected one character"),
        ("text_pad", {"width": 3, "side": "top", "fill": "a"}, "expected one of 'both', 'left', 'right'"),
    ],
)
def test_settings_that_python_refuses_are_refused_when_the_plan_is_written(name, settings, message):
    build = Builder()
    with pytest.raises(InputError, match=message):
        getattr(build, name)(build.input("t", "str"), **settings)


def test_texts_of_two_columns_are_equal_by_their_characters():
    columns = {"a": ("str", ["x", "x", None, None, "X", "y"]), "b": ("str", ["x", "y", "x", None, "x", "X"])}
    assert evaluate(lambda build, a, b: build.text_equal(a, b), columns) == [True, False, False, False, False, False]
    lower = evaluate(
        lambda build, a, b: build.text_equal(build.text_case(a, kind="lower"), build.text_case(b, kind="lower")),
        columns,
    )
    assert lower == [True, False, False, False, True, False]
    assert evaluate(lambda build, a, b: build.text_equal(a, "x"), columns) == [True, True, *[False] * 4]
    assert evaluate(lambda build, a, b: build.text_equal("x", a), columns) == [True, True, *[False] * 4]
    assert evaluate(lambda build, a, b: build.text_equal("x", "x"), columns) == [True] * 6
    missing = evaluate(lambda build, a, b: build.text_equal(a, build.missing("str")), columns)
    assert missing == [False] * 6


def test_texts_are_concatenated_and_missing_where_one_is():
    columns = {"a": ("str", ["x", "x", None, "é", ""]), "b": ("str", ["1", None, "2", "3", ""])}
    joined = evaluate(lambda build, a, b: build.concatenate("<", a, "|", b, ">"), columns)
    assert joined == ["<x|1>", None, None, "<é|3>", "<|>"]
    assert evaluate(lambda build, a, b: build.concatenate(a, a), columns) == ["xx", "xx", None, "éé", ""]
    assert evaluate(lambda build, a, b: build.concatenate(b), columns) == ["1", None, "2", "3", ""]


def test_texts_that_fill_missing_ones_are_concatenated():
    columns = {"a": ("str", ["x", None, "y"]), "b": ("str", [None, None, "z"])}
    joined = evaluate(lambda build, a, b: build.concatenate(build.fill(a, "?"), "-", build.fill(b, "!")), columns)
    assert joined == ["x-!", "?-!", "y-z"]


def test_results_of_one_operation_do_not_depend_on_words_that_no_row_has():
    many = [f"w{index % 701}" for index in range(20_000)]
    columns = {"a": ("str", many), "b": ("str", many[::-1])}
    joined = evaluate(lambda build, a, b: build.concatenate(a, b), columns)
    assert joined == [left + right for left, right in zip(many, many[::-1], strict=True)]
    equal = evaluate(lambda build, a, b: build.text_equal(a, b), columns)
    assert equal == [left == right for left, right in zip(many, many[::-1], strict=True)]
    assert any(equal)
