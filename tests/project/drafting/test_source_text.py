"""Source is written as ruff would write it."""

import pytest

from pipeline_lib.project.drafting.source_text import assigned, code_span, comments, imports


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["a", 'b"c'], 'X = ["a", "b\\"c"]'),
        ([1, 2], "X = [1, 2]"),
        ([f"x{n}" for n in range(30)], 'X = [*(f"x{number}" for number in range(30))]'),
        (["b", *(f"x{n}" for n in range(3, 40))], 'X = ["b", *(f"x{number}" for number in range(3, 40))]'),
        (["long name " * 5, "other name " * 5, "third"],
         'X = [\n    "' + "long name " * 5 + '",\n    "' + "other name " * 5 + '",\n    "third",\n]'),
    ],
)  # fmt: skip
def test_lists(values: list[object], expected: str) -> None:
    text = assigned("X", values)
    assert text == expected
    space: dict[str, list[object]] = {}
    exec(text, space)  # noqa: S102  that it is the list is what is tested
    assert space["X"] == values


def test_comments_are_cut_into_lines() -> None:
    lines = comments(["word " * 40], indent=4)
    assert all(len(line) <= 120 and line.startswith("    # ") for line in lines)
    assert lines[0].startswith("    # decide: word")
    assert len(lines) == 2


def test_imports_are_sorted() -> None:
    text = imports({"b": ["Z", "a", "Ab", "MAX"], "a.c": ["d"]}, ["import pandas as pd"])
    assert text == "import pandas as pd\nfrom a.c import d\nfrom b import MAX, Ab, Z, a"


@pytest.mark.parametrize(("text", "expected"), [("a b", "`a b`"), ("a`b", "`` a`b ``"), ("a\nb", "`a b`")])
def test_names_in_markdown(text: str, expected: str) -> None:
    assert code_span(text) == expected


def test_names_with_line_breaks_stay_literals() -> None:
    names = [f"Monthly sales\n{year}" for year in range(2000, 2030)]
    scope: dict[str, object] = {}
    exec(assigned("X", names), scope)  # noqa: S102
    assert scope["X"] == names
