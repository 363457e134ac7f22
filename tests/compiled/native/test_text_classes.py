"""Kinds of text and capitals in the core: every character of every kind, sigmas, exceptions, refused characters."""

import random
from typing import Any

import pytest

from pipeline_lib.compiled.column_executor import ColumnExecutor
from pipeline_lib.compiled.native import core, text_layout
from pipeline_lib.compiled.native.executor import core_executor
from pipeline_lib.compiled.operations.cases import CLASSES, case_class
from pipeline_lib.compiled.operations.text_columns import TextColumn
from pipeline_lib.compiled.operations.unicode_14 import RENUMBERED, is_known
from pipeline_lib.compiled.plan import Plan
from pipeline_lib.compiler.builder import Builder
from pipeline_lib.errors import InputError

pytestmark = [
    pytest.mark.core,
    pytest.mark.skipif(core.built() is None, reason="found no native core, which needs a C compiler"),
]
LETTERS = (
    "aZ \u01c4\u01c5\u01c6\u03a3\u03c3\u03c2.'\u00df\ufb03\u0345\u02b0\u2160\u24d0\u0661\u00b2\u4e00\u10d0\u1c90\u0130"
)
CASE_EXCEPTIONS = {
    "title": [["\u00df", "\u1e9e", "\u00df", "cased"], ["\u01c5", "x", "y", ""]],
    "capitalize": [["\u00df", "\u1e9e", "s"]],
}


def answers(name: str, settings: dict[str, Any], texts: list[str | None]) -> tuple[list[Any], list[Any]]:
    """What the core gives for each text alone, and NumPy; "refused" where it refuses it."""
    build = Builder()
    root = build.apply(name, build.input("t", "str"), **settings).node
    plan = Plan(build.nodes, {})
    reference, executor = ColumnExecutor(plan, [root]), core_executor(plan, [root], ColumnExecutor, least=1)
    assert executor is not None
    assert executor.alone
    found: list[Any] = []
    expected: list[Any] = []
    for text in texts:
        columns = {"t": TextColumn.of([text])}
        own = executor.quick(columns, 1)
        found.append("refused" if own is None else own[0].tolist())  # type: ignore[union-attr]
        try:
            expected.append(reference.run(columns, 1)[0].tolist())  # type: ignore[union-attr]
        except InputError:
            expected.append("refused")
    return found, expected


def drawn_texts(seed: int, count: int) -> list[str | None]:
    draw = random.Random(seed)  # noqa: S311 (no secret)
    texts = ["".join(draw.choices(LETTERS, k=draw.randint(0, 6))) for _ in range(count)]
    return [*texts, None, "", "\U0001e030", "\u4e24", "\u10fc"]


@pytest.mark.parametrize("kind", sorted(CLASSES))
def test_kinds_of_text_are_those_of_numpy(kind: str) -> None:
    found, expected = answers("text_is", {"kind": kind}, drawn_texts(1, 300))
    assert found == expected
    assert [True] in found
    assert [False] in found
    assert "refused" in found


@pytest.mark.parametrize("kind", sorted(CLASSES))
def test_each_character_of_a_kind_is_in_its_ranges(kind: str) -> None:
    members = {code for first, last in text_layout._members(kind) for code in range(first, last + 1)}
    known = [char for block in text_layout.blocks_beyond_ascii() for char in block]
    test = (lambda char: case_class(char) == kind) if kind in text_layout.CASED_KINDS else CLASSES[kind]
    wrong = {ord(char) for char in filter(test, known)} ^ {code for code in members if code >= 0x80}
    assert not [code for code in wrong if is_known(chr(code)) and chr(code) not in RENUMBERED]


def test_exceptions_of_a_kind_change_its_characters() -> None:
    letters = {"kind": "alpha", "exceptions": [["\u00b2\u00b3", "yes"], ["\u00df", ""]]}
    found, expected = answers("text_is", letters, ["\u00b2", "a\u00b3", "\u00df", "a", *drawn_texts(2, 100)])
    assert found == expected
    assert found[:4] == [[True], [True], [False], [True]]
    cased = {"kind": "lower", "exceptions": [["\u00b2", "lower"], ["\u00df", "upper"]]}
    found, expected = answers("text_is", cased, ["\u00b2", "\u00df", *drawn_texts(3, 100)])
    assert found == expected
    assert found[:2] == [[True], [False]]


@pytest.mark.parametrize("kind", ["title", "capitalize"])
def test_capitals_are_those_of_numpy(kind: str) -> None:
    for settings in ({"kind": kind}, {"kind": kind, "exceptions": CASE_EXCEPTIONS[kind]}):
        found, expected = answers(
            "text_case", settings, [*drawn_texts(4, 400), "\u00df", "a\u03a3", "\u03a3\u03a3 \u03a3"]
        )
        assert found == expected
        assert "refused" in found


@pytest.mark.parametrize("kind", ["title", "capitalize"])
def test_each_character_has_its_capital(kind: str) -> None:
    blocks = text_layout.blocks_beyond_ascii()
    texts = [f"{char} a{char}{char}" for block in blocks[:12] for char in block if is_known(char)]
    parts: list[str | None] = ["|".join(texts[at : at + 50]) for at in range(0, len(texts), 50)]
    found, expected = answers("text_case", {"kind": kind}, parts)
    assert found == expected


def test_spoiled_tables_are_found() -> None:
    starts = text_layout._changed("title")
    wrong = {char: text for char, text in starts.items() if char != "\u00df"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_layout, "_changed", lambda kind: wrong)
        found, expected = answers("text_case", {"kind": "title"}, ["\u00df", "a"])
    assert found[0] != expected[0]
    assert found[1] == expected[1]
