"""Operations of text in the core against Python's, through NumPy's executor, for random Unicode."""

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from core_bits import levels
from own_process import counts
from shadowed import same_bits

from pipeline_lib.compiled.column_executor import ColumnExecutor
from pipeline_lib.compiled.native.core import built
from pipeline_lib.compiled.native.core_plan import encode
from pipeline_lib.compiled.native.executor import core_executor
from pipeline_lib.compiled.native.segments import turns
from pipeline_lib.compiled.operations.text_columns import TextColumn
from pipeline_lib.compiled.operations.unicode_14 import is_known
from pipeline_lib.compiled.plan import Plan
from pipeline_lib.compiler.builder import Builder, Value
from pipeline_lib.compiler.pandas_text import arrow_case
from pipeline_lib.errors import InputError

pytestmark = [
    pytest.mark.core,
    pytest.mark.skipif(built() is None, reason="found no native core, which needs a C compiler"),
]
ROOT = Path(__file__).parents[3]
PARTS = (
    *(
        "a",
        "b",
        "aa",
        "A",
        "Zq",
        "é",
        "ß",
        "ΑΣ",
        "\u03c3",
        "ﬁ",
        "ŉ",
        "ΐ",
        "İ",
        "ǆ",
        "Ǆ",
        "\u13a0",
        "ꭰ",
        "한",
        "🙂",
        "e\u0301",
        "'",
    ),
    *(" ", "  ", "\t", "\x1c", "\x85", "\u00a0", "\u2003", "\u200b", "\u3000", "\x00", ",", ",,", "-", "+", "7", "00"),
)


def texts(seed: int, count: int = 300) -> list[str | None]:
    draw = random.Random(seed)  # noqa: S311 (no secret)
    own = ["".join(draw.choice(PARTS) for _ in range(draw.randrange(9))) for _ in range(count)]
    known = [text for text in own if is_known(text)]
    return [None, "", *known, *known[:50], "b" * 400 + "é", None]


Write = Callable[[Builder, Value, Value], Value]


def differing(
    writes: Sequence[Write], left: Sequence[str | None], right: Sequence[str | None] | None = None
) -> list[str]:
    """Where the core differs from NumPy on `write(build, text, other)`, by level and number; it carries all of it.

    A text is compared by the core with NumPy's.
    """
    build, rows = Builder(), len(left)
    text, other = build.input("t", "str"), build.input("u", "str")
    results = [write(build, text, other) for write in writes]
    columns: dict[str, Any] = {"t": TextColumn.of(left), "u": TextColumn.of(left[::-1] if right is None else right)}
    found = ColumnExecutor(Plan(build.nodes, {}), [result.node for result in results]).run(columns, rows)
    roots, wanted, own_of = [], [], []
    for number, (result, expected) in enumerate(zip(results, found, strict=True)):
        own_of += [number, number] if result.dtype == "str" else [number]
        if result.dtype != "str":
            roots.append(result.node)
            wanted.append(expected)
            continue
        columns[f"e{number}"] = expected
        roots += [
            build.text_equal(result, build.input(f"e{number}", "str")).node,
            build.apply("not", build.is_missing(result)).node,
        ]
        wanted += [~expected.missing()] * 2
    plan, differences = Plan(build.nodes, {}), []
    for level in levels():
        core = core_executor(plan, roots, ColumnExecutor, least=1)
        assert core is not None, level
        assert core.alone, level
        for each in (core, core.bulk):
            own = None if each is None else each.quick(columns, rows)
            assert own is not None, level
            pairs = zip(own_of, own, wanted, strict=True)
            differences += [f"{level}, {number}" for number, one, other in pairs if not same_bits(one, other, rows)]
    return differences


CASES_OF_ONE: list[tuple[str, dict[str, Any]]] = [
    ("text_length", {}),
    *(("text_contains", {"part": part}) for part in ("", "a", "aa", "é", "🙂")),
    *(("text_count", {"part": part}) for part in ("", "a", "aa", ",", "\u3000")),
    *(("text_find", {"part": part}) for part in ("", "a", "aa", "é,", "🙂")),
    *(("text_find", {"part": part, "from_right": True}) for part in ("", "a", "aa", "é,", "🙂")),
    *(("text_starts", {"prefixes": own}) for own in ([], [""], ["a", "é"], ["aa", "\ud800"])),
    *(("text_ends", {"suffixes": own}) for own in ([], [""], ["a", "é"], ["aa", "🙂7"])),
    *(("text_strip", {"side": side}) for side in ("both", "left", "right")),
    *(("text_strip", {"side": side, "characters": "aé \u2003🙂"}) for side in ("both", "left", "right")),
    ("text_strip", {"side": "both", "characters": ""}),
    *(
        ("text_slice", {"start": start, "stop": stop})
        for start in (None, 0, 2, -3, 10**30)
        for stop in (None, 0, 1, 5, -1, -(10**30))
        if (start, stop) != (None, None)
    ),
    ("text_slice", {"start": 1, "stop": 4, "step": 1}),
    *(("text_item", {"index": index}) for index in (0, 3, -1, -4, 10**20)),
    *(
        ("text_split_item", {"index": index, "from_right": right} | more)
        for index in (0, 1, -1, -2, 7)
        for right in (False, True)
        for more in ({}, {"limit": 0}, {"limit": 1}, {"separator": ","}, {"separator": "aa", "limit": 1})
    ),
    *(
        ("text_split_count", more)
        for more in ({}, {"limit": 0}, {"limit": 2}, {"separator": ","}, {"separator": "aa", "limit": 1})
    ),
    *(
        ("text_replace", {"old": old, "new": new, "count": count})
        for old in ("a", "aa", "é", " ")
        for new in ("", "Q", "aa🙂")
        for count in (-1, 0, 1, 2)
    ),
    *(
        ("text_pad", {"width": width, "side": side, "fill": fill})
        for width in (-3, 0, 5, 6, 40)
        for side in ("both", "left", "right")
        for fill in "*é🙂"
    ),
    *(("text_zfill", {"width": width}) for width in (-1, 0, 3, 9)),
    *(("text_case", {"kind": kind}) for kind in ("lower", "upper", "swapcase", "casefold")),
    ("text_case", {"kind": "lower", "exceptions": [["Σ", "x"], ["ß", "SS"]]}),
]


def _applied(name: str, settings: dict[str, Any]) -> Write:
    given = {key: value for key, value in settings.items() if value is not None}
    return lambda build, t, u: build.apply(name, t, **given)


def test_operations_of_one_text() -> None:
    writes = [_applied(name, settings) for name, settings in CASES_OF_ONE]
    assert differing(writes, texts(1)) == []
    assert differing(writes[::9], [None]) == []


def test_a_text_that_differs_is_seen() -> None:
    build = Builder()
    text = build.input("t", "str")
    root = build.text_equal(build.text_case(text, kind="upper"), build.input("u", "str"))
    columns = {"t": TextColumn.of(["a", "é", "ß"]), "u": TextColumn.of(["A", "é", "SS"])}
    core = core_executor(Plan(build.nodes, {}), [root.node], ColumnExecutor)
    assert core is not None
    (found,) = core.run(columns, 3)
    assert found.tolist() == [True, False, True]


@pytest.mark.parametrize("kind", ["lower", "upper", "swapcase", "casefold"])
def test_cases_of_all_characters(kind: str) -> None:
    every = [chr(code) for code in range(0x20000) if not 0xD800 <= code <= 0xDFFF]  # none beyond has a case
    known = [char for char in every if is_known(char)]
    own: list[str] = ["".join(known[at : at + 97]) for at in range(0, len(known), 97)]
    own += [f"a{char}Σ" for char in known[:3000]]
    more = [] if kind == "casefold" else [_applied("text_case", {"kind": kind, "exceptions": arrow_case(kind)})]
    assert differing([_applied("text_case", {"kind": kind}), *more], own) == []


def test_a_newer_character_is_refused() -> None:
    build = Builder()
    root = build.text_length(build.text_case(build.input("t", "str"), kind="lower"))
    core = core_executor(Plan(build.nodes, {}), [root.node], ColumnExecutor)
    assert core is not None
    columns = {"t": TextColumn.of(["a", "\U0001e030"])}
    assert core.quick(columns, 2) is None
    with pytest.raises(InputError, match=r"^row 1: found text with a character that is not in Unicode 14"):
        core.run(columns, 2)


def test_white_space_is_that_of_python() -> None:
    own = [f"{char}a{char}" for char in map(chr, range(0x110000)) if not 0xD800 <= ord(char) <= 0xDFFF]
    spaces = [text for text in own if text[0].isspace()]
    assert len(spaces) > 20
    own = [*spaces, *own[:13_000:7], *(text for text in own[0x1600:0x3100])]
    assert differing([_applied("text_strip", {"side": "both"}), _applied("text_split_count", {})], own) == []


def test_several_texts() -> None:
    left, right = texts(2), texts(3)
    rows = min(len(left), len(right))
    left, right = [*left[: rows - 1], "same"], [*right[: rows - 1], "same"]
    writes: list[Write] = [
        lambda build, t, u: build.text_equal(t, u),
        lambda build, t, u: build.concatenate("<", t, "|é", u),
        lambda build, t, u: build.concatenate(t),
        lambda build, t, u: build.where(build.is_missing(t), build.concatenate(u, "!"), t),
        lambda build, t, u: build.concatenate(build.where(build.is_missing(t), "?", t), u),
        lambda build, t, u: build.text_length(build.where(build.text_contains(t, part="a"), t, u)),
        lambda build, t, u: build.is_missing(build.text_item(t, index=1)),
        lambda build, t, u: build.text_equal(build.text_case(t, kind="upper"), "AA"),
        lambda build, t, u: build.lookup(
            build.text_strip(t, side="both"), {"a": 1.0, "é": 2.0}, gives="float64", unseen=0.0, missing=-1.0
        ),
        lambda build, t, u: build.text_length(
            build.lookup(t, {"a": "xyz", "aa": "é"}, gives="str", unseen="other", missing=None)
        ),
    ]
    assert differing(writes, left, right) == []


def test_what_has_no_kernel_stays_with_numpy() -> None:
    for name, settings in (
        ("text_slice", {"step": -1}),
        ("text_replace", {"old": "", "new": "x"}),
        ("text_pad", {"width": 2_000_000, "side": "left", "fill": "x"}),
        ("text_zfill", {"width": 2_000_000}),
        ("text_case", {"kind": "lower", "exceptions": [["A", "q"]]}),
        ("text_case", {"kind": "title", "exceptions": [["A", "q", "q", "cased"]]}),
    ):
        build = Builder()
        root = build.text_length(build.apply(name, build.input("t", "str"), **settings))
        core = core_executor(Plan(build.nodes, {}), [root.node], ColumnExecutor, least=1)
        assert core is not None
        assert not core.alone


def test_a_text_that_finds_no_room_goes_to_numpy() -> None:
    build = Builder()
    root = build.text_length(build.text_replace(build.input("t", "str"), old="a", new="b" * 5000))
    plan = Plan(build.nodes, {})
    core = core_executor(plan, [root.node], ColumnExecutor)
    assert core is not None
    columns = {"t": TextColumn.of(["a" * 1000, "a"])}
    assert core.quick(columns, 2) is None
    (found,) = core.run(columns, 2)
    assert found.tolist() == [5e6, 5000.0]
    many = {"t": TextColumn.of([f"{number}" + "a" * 100 for number in range(300)])}  # no block has room at once
    assert core.quick(many, 300) is not None
    assert core.run(many, 300)[0].tolist() == ColumnExecutor(plan, [root.node]).run(many, 300)[0].tolist()


def test_a_text_of_a_turn_is_not_handed_to_another_one() -> None:
    """`title` is NumPy's: what the core writes before it and takes after it would have to cross."""
    own = texts(5)
    build = Builder()
    text = build.input("t", "str")
    upper = build.text_case(text, kind="upper")
    numpys = build.text_length(build.text_case(text, kind="title")) + build.text_length(upper)
    later = build.apply("rint", numpys)
    middle = build.text_contains(build.text_case(build.text_slice(text, step=-1), kind="title"), part="A")
    roots = [later.node, build.where(middle, build.text_length(upper), later).node]
    roots.append(build.text_count(build.where(middle, upper, text), part="A").node)
    plan, columns = Plan(build.nodes, {}), {"t": TextColumn.of(own)}
    expected = ColumnExecutor(plan, roots).run(columns, len(own))
    assert len(turns(plan, roots, 1)) > 1
    for _ in levels():
        core = core_executor(plan, roots, ColumnExecutor, least=1)
        assert core is not None
        found = core.quick(columns, len(own))
        assert found is not None
        assert all(same_bits(one, other, len(own)) for one, other in zip(found, expected, strict=True))


def test_changed_bytes_of_a_plan_end_no_process() -> None:
    refused, ran = counts(__file__)
    assert refused > 20
    assert ran > 20


def spoil(trials: int = 30) -> tuple[int, int]:
    """Change bytes of plans at random and run what is not refused: how many were, and how many ran."""
    draw, refused, ran, column = random.Random(6), 0, 0, TextColumn.of(texts(7, 60))  # noqa: S311 (no secret)
    module, rows = built(), len(column)
    for name, settings in CASES_OF_ONE[::4]:
        build = Builder()
        result = _applied(name, settings)(build, text := build.input("t", "str"), text)
        root = build.text_length(result) if result.dtype == "str" else result
        core = encode(Plan(build.nodes, {}), [root.node])
        if module is None or core is None:
            raise InputError("found no core, expected one")
        out = np.zeros(rows, dtype=np.bool_ if core.kinds == ("b",) else np.float64)
        for _ in range(trials):
            data = bytearray(core.data)
            for _ in range(draw.randint(1, 3)):
                data[draw.randrange(min(len(data), 600))] = draw.choice((0, 1, 127, 128, 255, draw.randrange(256)))
            try:
                native = module.Plan(bytes(data), draw.choice(module.levels()))
                native.run([(column.codes, column.words)], [out], 0, rows)
                ran += 1
            except (ValueError, TypeError, MemoryError):
                refused += 1
    return refused, ran


if __name__ == "__main__":
    print(*spoil())
