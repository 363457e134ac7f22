"""The text of a parameters cell: literals as the formatter has them, comments that stay."""

import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pipeline_lib.project.params_cell import HEADING, cell_text, literal

LONG = {"names": ["a" * 30, "b" * 30, "c" * 30], "rates": {"low": 0.5, "high": None}, "on": True}


def test_each_value_is_an_assignment_below_the_heading() -> None:
    assert cell_text({"seed": 0, "tags": ["a", "b"], "model": {"alpha": 1e-05, "on": True, "cap": None}}).split(
        "\n"
    ) == [
        HEADING,
        "seed = 0",
        'tags = ["a", "b"]',
        'model = {"alpha": 1e-05, "on": True, "cap": None}',
    ]


def test_a_long_value_is_written_over_several_lines() -> None:
    assert literal(LONG, column=8) == (
        "{\n"
        f'    "names": ["{"a" * 30}", "{"b" * 30}", "{"c" * 30}"],\n'
        '    "rates": {"low": 0.5, "high": None},\n'
        '    "on": True,\n'
        "}"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", '"a"'),
        ("it's", '"it\'s"'),
        ('say "a"', "'say \"a\"'"),
        ("\"'", '"\\"\'"'),
        ("a\\b\n", '"a\\\\b\\n"'),
        ("Łódź 😀", '"Łódź 😀"'),
        ("\x07", '"\\x07"'),
    ],
)
def test_text_is_quoted_as_the_formatter_quotes(text: str, expected: str) -> None:
    assert literal(text) == expected
    assert eval(expected) == text  # noqa: S307  our own literal


def test_comments_stay_with_their_assignments() -> None:
    old = "# first\nx = 1  # behind\n\n# second\ny = {\n  'a': 1,  # inside\n}  # end\nz = 1  # gone\n# last\n"
    written = cell_text({"y": {"a": 2}, "x": 3}, old)
    assert written.split("\n") == [
        HEADING,
        "# second",
        "# inside",
        'y = {"a": 2}  # end',
        "# first",
        "x = 3  # behind",
        "# last",
    ]
    assert cell_text({"y": {"a": 2}, "x": 3}, written) == written


def test_a_comment_that_does_not_fit_behind_its_value_goes_above_it() -> None:
    comment = f"# {'c' * 60}"
    written = cell_text({"x": "a" * 70}, f"x = 1  {comment}")
    assert written.split("\n") == [HEADING, comment, f'x = "{"a" * 70}"']
    assert cell_text({"x": "a" * 70}, written) == written


def random_value(numbers: random.Random, depth: int = 0) -> Any:
    """Any JSON value, with text that needs quoting."""
    kind = numbers.randrange(6 if depth < 3 else 4)
    if kind < 2:
        return numbers.choice([True, None, -3, 10**12, 0.1, -1e-05, 1e300, 5e-324, -0.0])
    if kind < 4:
        return "".join(numbers.choice("abcß€'\"\\\n\t 😀中") for _ in range(numbers.randrange(30)))
    items = [random_value(numbers, depth + 1) for _ in range(numbers.randrange(6))]
    return items if kind == 4 else {f"k{index}": item for index, item in enumerate(items)}


def test_any_values_are_read_back_and_are_what_the_formatter_leaves_alone(tmp_path: Path) -> None:
    numbers = random.Random(5)  # noqa: S311
    cells = []
    for _ in range(200):
        values = {f"p{index}": random_value(numbers) for index in range(4)}
        text = cell_text(values)
        names: dict[str, Any] = {}
        exec(text, names)  # noqa: S102  our own literals
        assert repr({name: names[name] for name in values}) == repr(values)
        assert cell_text(values, text) == text
        cells.append(text)
    path = tmp_path / "cells.py"
    path.write_text("\n\n".join(cells) + "\n", encoding="utf-8")
    command = [sys.executable, "-m", "ruff", "format", "--isolated", "--line-length", "120", "--check", str(path)]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0  # noqa: S603
    path.write_text("x = {'a':1}\n")
    assert subprocess.run(command, capture_output=True, check=False).returncode == 1  # noqa: S603
