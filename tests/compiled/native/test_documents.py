"""Documents in the core: the counts of n-grams, and sparse vectors, have the bits of NumPy's executor."""

import random
from collections.abc import Sequence
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
from pipeline_lib.compiled.native.row import core_row
from pipeline_lib.compiled.native.sparse_layout import ENCODERS
from pipeline_lib.compiled.native.word_index import word_index
from pipeline_lib.compiled.operations.text_columns import TextColumn
from pipeline_lib.compiled.operations.token_counts import analyzer
from pipeline_lib.compiled.operations.unicode_tables import (
    frozen_lower,
    frozen_single_lower,
    frozen_spaces,
    frozen_word_ranges,
)
from pipeline_lib.compiled.plan import Plan
from pipeline_lib.compiler.adapters.sklearn import text as text_adapter
from pipeline_lib.compiler.builder import Builder, Value
from pipeline_lib.errors import InputError
from pipeline_lib.rows.column import Column
from pipeline_lib.rows.schema import RowSchema

pytestmark = [
    pytest.mark.core,
    pytest.mark.skipif(built() is None, reason="found no native core, which needs a C compiler"),
]
ROOT = Path(__file__).parents[3]
PARTS = (
    *(
        "good",
        "Not",
        "BAD",
        "br",
        "a",
        "I",
        "it's",
        "x_1",
        "2024",
        "straße",
        "ẞ",
        "İstanbul",
        "\u0131l\u0131k",
        "ΣΊΣΥΦΟΣ",
        "ΩΣ",
    ),
    *(
        "Σ",
        "ΩΣ'",
        "ΩΣ\u0301Ω",
        "e\u0301te\u0301",
        "Ångström",
        "ﬁ",
        "ﷺ",
        "한글",
        "각",
        "中文字",
        "\U0001d49c\U0001d4b7",
        "🙂",
        "👩\u200d💻",
    ),
    *("\u0661\u0662", "Ⅷ", "ǅ", "K", "\u1e9e\u0307", "\U0001e900\U0001e901"),
)
GAPS = (" ", " ", "  ", "\t", "\n\n", ".", ", ", "-", "\u00a0", "\u2003\u2003", "\u200b", "\x1c", "\x00", "…")
LOWER = {"none": None, "python": frozen_lower(), "single": frozen_single_lower()}
ACCENTS = {"none": None, "unicode": text_adapter._accents("unicode"), "ascii": text_adapter._accents("ascii")}


def documents(seed: int, count: int) -> list[str]:
    draw = random.Random(seed)  # noqa: S311 (no secret)
    return ["".join(draw.choice(draw.choice((PARTS, GAPS))) for _ in range(draw.randrange(30))) for _ in range(count)]


def reading(**changed: Any) -> dict[str, Any]:
    """The settings of `document_counts`, without a vocabulary."""
    lower, accents = LOWER[changed.pop("lower", "python")], ACCENTS[kind := changed.pop("accents", "none")]
    spaces = frozen_spaces()
    settings: dict[str, Any] = {
        "name": "text",
        "where": "Counter",
        "vocabulary": None,
        "width": 64,
        "signed": False,
        "binary": False,
        "analyzer": "word",
        "ngrams": [1, 2],
        "shortest": 1,
        "stop": ["br"],
        "words": frozen_word_ranges(),
        "spaces": [[ord(first), ord(last)] for first, last in zip(spaces[::2], spaces[1::2], strict=True)],
        "lower": None if lower is None else [list(lower), list(lower.values())],
        "accents": None if accents is None else [list(accents), list(accents.values())],
        "hangul": kind == "unicode",
    }
    return settings | changed


def with_vocabulary(settings: dict[str, Any], texts: Sequence[str], share: float = 0.7) -> dict[str, Any]:
    """A vocabulary of a part of the n-grams that are there."""
    grams = sorted({gram for text in texts for gram in analyzer(settings)(text)})
    known = random.Random(3).sample(grams, max(int(len(grams) * share), 1))  # noqa: S311 (no secret)
    return settings | {"vocabulary": known, "width": len(known)}


def plan_of(settings: dict[str, Any], *more: tuple[str, dict[str, Any]], dense: bool = True) -> tuple[Plan, list[int]]:
    build = Builder()
    bag = build.document_counts(build.input("text", "str"), **settings)
    for operation, own in more:
        bag = build.apply(operation, bag, **own)
    root = build.apply("bag_vector", bag) if dense else bag
    return Plan(build.nodes, {}), [root.node]


def differing(plan: Plan, roots: list[int], columns: dict[str, Any], rows: int) -> list[str]:
    """The levels at which the core's bits are others than NumPy's."""
    expected, result = ColumnExecutor(plan, roots).run(columns, rows), []
    for level in levels():
        core = core_executor(plan, roots, ColumnExecutor)
        assert core is not None
        assert core.alone
        known: list[Any] | None = core.quick(columns, rows)
        assert known is not None, level
        if not all(same_bits(own, other, rows) for own, other in zip(known, expected, strict=True)):
            result.append(level)
    return result


@pytest.mark.parametrize("kind", ["word", "char", "char_wb"])
@pytest.mark.parametrize("lower", LOWER)
@pytest.mark.parametrize("accents", ACCENTS)
def test_counts_of_any_text(kind: str, lower: str, accents: str) -> None:
    texts = ["", *documents(len(kind + lower + accents), 140)]
    for ngrams in ([1, 1], [2, 4]):
        settings = reading(analyzer=kind, lower=lower, accents=accents, ngrams=ngrams)
        for own in (
            with_vocabulary(settings, texts),
            settings,
            settings | {"signed": True, "width": 7, "binary": True},
        ):
            plan, roots = plan_of(own)
            column = TextColumn.of(texts)
            assert differing(plan, roots, {"text": column}, len(texts)) == []


def test_another_tokenizer_is_seen() -> None:
    texts = documents(4, 50)
    settings = with_vocabulary(reading(), texts)
    plan, roots = plan_of(settings)
    other, _ = plan_of(settings | {"shortest": 2})
    core, column = core_executor(other, roots, ColumnExecutor), {"text": TextColumn.of(texts)}
    assert core is not None
    (found,) = core.run(column, len(texts))
    assert not same_bits(found, ColumnExecutor(plan, roots).run(column, len(texts))[0], len(texts))


def test_rows_that_share_a_text_and_a_missing_document() -> None:
    texts: list[str | None] = [*documents(5, 9)] * 40
    settings = with_vocabulary(reading(), documents(5, 9))
    plan, roots = plan_of(settings)
    assert differing(plan, roots, {"text": TextColumn.of(texts)}, len(texts)) == []
    texts[77] = None
    executor = core_executor(plan, roots, ColumnExecutor)
    assert executor is not None
    with pytest.raises(InputError, match=r"^row 77: Counter: found a missing document"):
        executor.run({"text": TextColumn.of(texts)}, len(texts))


def test_a_document_without_room_and_one_without_utf8_go_to_numpy() -> None:
    long, broken = "good bad " * 200_000, "good \ud800"
    settings = with_vocabulary(reading(), ["good bad"], 1.0)
    plan, roots = plan_of(settings)
    core = core_executor(plan, roots, ColumnExecutor)
    assert core is not None
    for text in (long, broken):
        column = {"text": TextColumn.of([text, "good", "bad"])}
        assert core.quick(column, 3) is None
        (found,) = core.run(column, 3)
        assert same_bits(found, ColumnExecutor(plan, roots).run(column, 3)[0], 3)
    many = {"text": TextColumn.of([f"good bad {number} " * 2000 for number in range(300)])}  # no block has room at once
    assert differing(plan, roots, many, 300) == []


WEIGHTS = np.array([2.0, -0.5, np.inf, 0.0, 1e-300, np.nan, 3.0])
CHAINS: tuple[tuple[tuple[str, dict[str, Any]], ...], ...] = (
    (("bag_scale", {"weights": WEIGHTS}),),
    (("bag_divide", {"weights": WEIGHTS}),),
    (("bag_log_plus_one", {}),),
    (("bag_scale", {"weights": WEIGHTS}), ("bag_log_plus_one", {})),
    (("bag_above", {"threshold": 1.0}),),
    (("bag_select", {"places": np.array([0, 3, 6])}),),
    (("bag_scale", {"weights": WEIGHTS}), ("bag_normalize", {"norm": "max"})),
    *((("bag_log_plus_one", {}), ("bag_normalize", {"norm": norm})) for norm in ("l1", "l2", "max")),
    (("bag_scale", {"weights": np.zeros(7)}), ("bag_normalize", {"norm": "l2"})),
    (("bag_finite", {"where": "here"}),),
)


@pytest.mark.parametrize("chain", CHAINS, ids=lambda chain: "-".join(name for name, _ in chain))
def test_numbers_of_sparse_vectors(chain: tuple[tuple[str, dict[str, Any]], ...]) -> None:
    texts = documents(8, 200)
    plan, roots = plan_of(reading(width=7, signed=True), *chain)
    assert differing(plan, roots, {"text": TextColumn.of(texts)}, 200) == []


def test_results_of_sparse_vectors() -> None:
    texts, rng = documents(9, 200), np.random.default_rng(2)
    build = Builder()
    number, text = build.input("number", "float64"), build.input("text", "str")
    bag = build.document_counts(text, **reading(width=7, signed=True))
    pair = build.stack([number, number * -0.0])
    joined = build.apply("bag_join", bag, number, pair, bag, number * 0.0 + 2.5)
    matrix = rng.normal(size=(5, 18))
    results: list[Value] = [
        build.apply("bag_dot", joined, weights=matrix[0], start=-0.5),
        build.apply("bag_dot", bag, weights=WEIGHTS, start=None),
        build.apply("bag_affine", joined, matrix=matrix, offset=rng.normal(size=5)),
        build.apply("bag_affine", bag, matrix=matrix[:, :7], offset=None),
        build.apply("bag_numbers", joined, places=np.array([2, 7, 8, 17]), absent=np.nan),
        build.apply("bag_item", joined, place=8),
        build.apply("bag_sum_of_squares", joined),
        build.apply("bag_vector", joined),
    ]
    numbers = rng.choice([0.0, -0.0, 1.5, np.nan, np.inf, -2.0], size=200)
    columns = {"text": TextColumn.of(texts), "number": numbers}
    assert differing(Plan(build.nodes, {}), [own.node for own in results], columns, 200) == []


def test_a_number_that_is_not_finite_is_refused() -> None:
    plan, roots = plan_of(reading(width=7), ("bag_scale", {"weights": WEIGHTS}), ("bag_finite", {"where": "here"}))
    executor = core_executor(plan, roots, ColumnExecutor)
    assert executor is not None
    with pytest.raises(InputError, match=r"here: found (inf|nan) in column"):
        executor.run({"text": TextColumn.of(documents(8, 200))}, 200)


def test_a_text_is_taken_as_words_and_as_a_document() -> None:
    texts = [*documents(10, 40), "good", "Not"]
    build = Builder()
    text = build.input("text", "str")
    bag = build.document_counts(text, **with_vocabulary(reading(), texts))
    known = build.lookup(text, {"good": 1.5, "Not": 2.0}, gives="float64", unseen=0.25)
    root = build.apply("bag_item", bag, place=0) + known
    plan = Plan(build.nodes, {"y": root.node})
    core = encode(plan, [root.node])
    assert core is not None
    assert sorted(core.taken_kinds) == ["s", "t"]
    assert differing(plan, [root.node], {"text": TextColumn.of(texts)}, len(texts)) == []


def test_a_row_is_read_as_text_of_the_lengths_that_its_column_may_have() -> None:
    texts = documents(11, 200)
    build = Builder()
    bag = build.document_counts(build.input("text", "str"), **with_vocabulary(reading(), texts))
    root = build.apply("bag_item", bag, place=1)
    plan = Plan(build.nodes, {"y": root.node})
    row = core_row(plan, [root.node], RowSchema((Column("text", "string", min_length=2, max_length=30),)))
    assert row is not None
    (expected,) = ColumnExecutor(plan, [root.node]).run({"text": TextColumn.of(texts)}, len(texts))
    for text, value in zip(texts, expected.tolist(), strict=True):
        assert row({"text": text}) == ((value,) if 2 <= len(text) <= 30 else None)
    assert row({"text": None}) is row({"text": "ab\ud800"}) is row({"text": 3}) is None


def test_what_the_core_cannot_count_stays_with_numpy() -> None:
    for own in (
        reading(pattern="[a-z]+|x", digits="09", blanks="  "),
        reading(vocabulary=["a", "a"], width=2),
        reading(ngrams=[1, 65]),
        reading(analyzer="char", spaces=[[9, 13]]),
        reading(words=[[200, 300], [250, 400]]),
    ):
        plan, roots = plan_of(own)
        assert encode(plan, roots) is None
    assert ENCODERS["bag_select"]({"places": np.array([3, 1])}, ["bag"], [7]) is None
    assert ENCODERS["bag_dot"]({"weights": np.ones(3), "start": None}, ["bag"], [7]) is None


def test_words_are_found_in_a_nearly_full_index() -> None:
    slots, starts, data = word_index(["", "a", "ab" * 9, "é" * 300])
    assert (slots != 0).sum() == 4 < len(slots)
    assert starts.tolist() == [0, 0, 1, 19, 619]
    assert len(data) == 619


def test_changed_bytes_of_a_plan_end_no_process() -> None:
    refused, ran = counts(__file__)
    assert refused > 20
    assert ran > 20


def spoil(trials: int = 150) -> tuple[int, int]:
    """Change bytes of plans at random and run what is not refused: how many were, and how many ran."""
    draw, refused, ran, texts = random.Random(6), 0, 0, documents(12, 60)  # noqa: S311 (no secret)
    module, column = built(), TextColumn.of(texts)
    small = reading(words=[[170, 170], [192, 700]], spaces=[[9, 13], [32, 32]], lower="none", stop=["br", "it"])
    small["lower"] = [["É", "Σ", "cased", "ignorable"], ["é", "\u03c3", "az\u0391\u03c9", "''\u0300\u0310"]]
    for kind in ("word", "char", "char_wb"):
        own = with_vocabulary(small | {"analyzer": kind}, texts, 0.05)
        plan, roots = plan_of(own, ("bag_log_plus_one", {}), ("bag_select", {"places": np.arange(0, own["width"], 2)}))
        core = encode(plan, roots)
        if module is None or core is None:
            raise InputError("found no core, expected one")
        for _ in range(trials):
            data = bytearray(core.data)
            for _ in range(draw.randint(1, 3)):
                data[draw.randrange(len(data))] = draw.choice((0, 1, 127, 128, 255, draw.randrange(256)))
            try:
                native = module.Plan(bytes(data), draw.choice(module.levels()))
                native.run([(column.codes, column.words)], [np.zeros((own["width"], len(texts)))], 0, len(texts))
                ran += 1
            except (ValueError, TypeError, MemoryError):
                refused += 1
    return refused, ran


if __name__ == "__main__":
    print(*spoil())
