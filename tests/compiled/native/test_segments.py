"""Turns of NumPy and the core: as few as possible, and the same bits whatever NumPy has to carry in between."""

import random
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from shadowed import same_bits, shadowed

from pipeline_lib.compiled.columns import PlanColumn
from pipeline_lib.compiled.distinct_values import make_executor
from pipeline_lib.compiled.native import core, segments
from pipeline_lib.compiled.native import executor as executor_module
from pipeline_lib.compiled.native.encode import KINDS, Encoder
from pipeline_lib.compiled.native.executor import CoreExecutor, core_executor
from pipeline_lib.compiled.native.segments import turns
from pipeline_lib.compiled.operations.text_columns import TextColumn
from pipeline_lib.compiled.plan import Plan, RawTable
from pipeline_lib.compiler.builder import Builder, Value
from pipeline_lib.errors import InputError

pytestmark = [
    pytest.mark.core,
    pytest.mark.skipif(core.built() is None, reason="found no native core, which needs a C compiler"),
]
ROWS = 700  # more than one block of the core
PLANS = 60
WORDS = ["hill", "lake", "moon", "Elm", None]


@contextmanager
def left_to_numpy(numbers: Collection[int]) -> Iterator[None]:
    """Let the core not carry the nodes of these numbers."""
    encode = Encoder._encode

    def some(self: Encoder, node: Any) -> Any:
        return None if any(node is self.plan.nodes[number] for number in numbers) else encode(self, node)

    with patch.object(Encoder, "_encode", some):
        yield


def places(plan: Plan, numbers: Collection[int], least: int = 1) -> list[tuple[bool, int]]:
    """Whether each turn is the core's, and how many columns it gives."""
    with left_to_numpy(numbers):
        return [(turn.core is not None, len(turn.given)) for turn in turns(plan, list(plan.outputs.values()), least)]


def drawn_plan(draw: random.Random) -> Plan:
    """A plan of numbers, truths and words, with checks that may refuse a row."""
    build = Builder()
    kinds: dict[str, list[Value]] = {
        "float64": [build.input("size", "float64"), build.input("lot", "float64")],
        "str": [build.input("place", "str"), build.input("street", "str")],
        "bool": [build.input("new", "bool")],
    }

    def some(kind: str) -> Value:
        return draw.choice(kinds[kind][-4:] if draw.random() < 0.6 else kinds[kind])

    for _ in range(draw.randint(4, 40)):
        made = {
            "sum": lambda: some("float64") + some("float64"),
            "product": lambda: some("float64") * draw.choice([0.5, -1.25, 3.0]),
            "less": lambda: some("float64") < some("float64"),
            "same": lambda: some("str") == draw.choice(["hill", "Elm"]),
            "either": lambda: some("bool") | some("bool"),
            "where": lambda: build.where(some("bool"), some("float64"), some("float64")),
            "word": lambda: build.where(some("bool"), some("str"), draw.choice([some("str"), "hill"])),
            "known": lambda: build.lookup(some("str"), {"hill": 1.5, "Elm": -2.0}, gives="float64", unseen=0.25),
            "kept": lambda: build.lookup(some("str"), {"hill": "top"}, gives="str", mode="keep"),
            "named": lambda: build.lookup(some("str"), {"hill": "Elm"}, gives="str", unseen="hill"),
            "missing": lambda: some("str").missing(),
            "length": lambda: build.number(build.text_length(some("str"))),
            "finite": lambda: build.finite(some("float64"), name="size", where="step"),
        }[draw.choice(DRAWN)]()
        kinds[made.dtype].append(made)
    outputs = {str(number): some(draw.choice([*kinds])).node for number in range(draw.randint(1, 4))}
    return Plan(build.nodes, outputs)


DRAWN = ["sum", "product", "less", "same", "either", "where", "word", "known", "kept", "named", "missing", "length"] * 3
DRAWN += ["finite"]


def drawn_columns(seed: int, rows: int = ROWS) -> dict[str, PlanColumn]:
    """Columns of every kind, with missing values; now and then an infinite one."""
    rng = np.random.default_rng(seed)
    size, lot = rng.normal(100, 40, rows), rng.normal(0, 1, rows)
    size[::9] = np.nan
    if seed % 3 == 0:
        size[rng.integers(0, rows, 2)] = np.inf
    texts = {
        name: TextColumn.of([WORDS[at] for at in rng.integers(0, len(WORDS), rows)]) for name in ("place", "street")
    }
    return {"size": size, "lot": lot, "new": rng.random(rows) < 0.5, **texts}


def answer(executor: Any, columns: Mapping[str, PlanColumn], rows: int) -> list[PlanColumn] | str:
    """What an executor gives, or the words of its refusal."""
    try:
        columns = executor.run(columns, rows)
    except InputError as error:
        return str(error)
    return columns  # type: ignore[return-value]


def test_drawn_plans_have_the_bits_and_refusals_of_numpy_whatever_it_carries() -> None:
    draw, refused, most = random.Random(11), 0, 0  # noqa: S311 (no secret)
    for seed in range(PLANS):
        plan, columns = drawn_plan(draw), drawn_columns(seed)
        roots = list(plan.outputs.values())
        numbers = draw.sample(range(len(plan.nodes)), len(plan.nodes) // 5)
        expected = answer(make_executor(plan, roots), columns, ROWS)
        with left_to_numpy(numbers), patch.object(executor_module, "SHORT_PART_ROWS", 300):
            executor = core_executor(plan, roots, make_executor, least=draw.choice([1, 2, 4]))
            found = expected if executor is None else answer(executor, columns, ROWS)
            most = max(most, len(turns(plan, roots, 1)))
        if isinstance(expected, str):
            refused += 1
            assert found == expected, seed
            continue
        assert not isinstance(found, str), (seed, found)
        assert all(same_bits(own, other, ROWS) for own, other in zip(found, expected, strict=True)), seed
    assert most >= 5
    assert 3 < refused < PLANS // 2


def test_numpy_and_the_core_take_turns_and_no_more_than_needed() -> None:
    build = Builder()
    size, lot = build.input("size", "float64"), build.input("lot", "float64")
    ratio = size / (lot + 1.0)
    middle = build.exp(ratio)
    plan = Plan(build.nodes, {"y": (middle * 2.0 + (size - lot)).node})
    assert places(plan, []) == [(True, 1)]
    assert places(plan, [middle.node]) == [(True, 1), (False, 1), (True, 1)]
    # the difference waits for the last turn: only the ratio is handed over
    with left_to_numpy([middle.node]):
        order = turns(plan, list(plan.outputs.values()), 1)
    assert [turn.given for turn in order] == [(ratio.node,), (middle.node,), (plan.outputs["y"],)]
    assert order[1].taken == {ratio.node: f"size:{ratio.node}"}


def test_a_turn_of_few_nodes_stays_in_numpy() -> None:
    build = Builder()
    size = build.input("size", "float64")
    middle = build.exp(size * 2.0)
    plan = Plan(build.nodes, {"y": (middle * 2.0).node})
    assert places(plan, [middle.node], least=1) == [(True, 1), (False, 1), (True, 1)]
    assert places(plan, [middle.node], least=2) == [(False, 1), (True, 1)]


def test_a_text_that_may_be_any_word_is_numpys_where_numpy_takes_it() -> None:
    build = Builder()
    place, new = build.input("place", "str"), build.input("new", "bool")
    renamed = build.where(~new, place, "hill")  # the core has no number for "moon"
    length = build.text_length(renamed)
    known = build.lookup(renamed, {"hill": 1.5}, gives="float64", unseen=0.0)
    plan = Plan(build.nodes, {"y": (known + build.number(length)).node})
    with left_to_numpy([length.node]):
        order = turns(plan, list(plan.outputs.values()), 1)
        executor = core_executor(plan, list(plan.outputs.values()), make_executor, least=1)
    assert [turn.core is not None for turn in order] == [True, False, True]
    assert renamed.node in order[1].given
    assert isinstance(executor, CoreExecutor)
    columns = {"place": TextColumn.of(["moon", "hill", None]), "new": np.array([False, True, False])}
    assert executor.run(columns, 3)[0].tolist()[:2] == [4.0, 5.5]

    def by_number(self: Encoder, number: int) -> str:
        return KINDS[self.plan.nodes[number].dtype]

    # negative control: without the rules the word is lost
    with (
        left_to_numpy([length.node]),
        patch.object(Encoder, "without_texts", lambda self, carried: carried),
        patch.object(segments, "_parted_texts", lambda *each: set()),
        patch.object(Encoder, "given_kind", by_number),
    ):
        careless = core_executor(plan, list(plan.outputs.values()), make_executor, least=1)
    assert isinstance(careless, CoreExecutor)
    assert careless.run(columns, 3)[0].tolist()[0] != 4.0


def test_words_of_the_core_come_to_numpy_and_to_a_later_turn_of_the_core() -> None:
    build = Builder()
    place, new = build.input("place", "str"), build.input("new", "bool")
    named = build.lookup(place, {"hill": "top", "lake": "low"}, gives="str", unseen="else")
    kept = build.where(new, place, named)
    size = build.text_length(named)
    score = build.lookup(kept, {"top": 1.0, "moon": 3.0}, gives="float64", unseen=9.0, missing=7.0)
    plan = Plan(
        build.nodes, {"y": (score + build.number(size)).node, "gone": named.missing().node, "named": named.node}
    )
    roots = list(plan.outputs.values())
    for numbers in ([size.node], [size.node, score.node], [kept.node], [named.node]):
        with left_to_numpy(numbers), shadowed() as shadow:
            columns = drawn_columns(1)
            make_executor(plan, roots).run({name: columns[name] for name in ("place", "new")}, ROWS)
        assert shadow.carried >= 1, numbers


def test_a_row_that_a_middle_turn_refuses_has_the_words_of_numpy() -> None:
    build = Builder()
    size = build.input("size", "float64")
    first = build.finite(size * 2.0, name="first", where="step")
    middle = build.finite(build.exp(first), name="middle", where="step")
    last = build.finite(middle * 1e300, name="last", where="step")
    plan = Plan(build.nodes, {"y": last.node})
    with left_to_numpy([middle.node]):
        executor = core_executor(plan, [last.node], make_executor, least=1)
    assert isinstance(executor, CoreExecutor)
    column = np.ones(ROWS)
    assert executor.run({"size": column}, ROWS)[0][0] == np.exp(2.0) * 1e300
    for value, name in ((50.0, "last"), (1000.0, "middle"), (np.inf, "first")):
        column[[500, 600]] = value
        with pytest.raises(InputError, match=f"^row 507: step: found inf in column '{name}'"):
            executor.run({"size": column}, ROWS, 7)


def test_rows_before_a_row_are_numpys_and_later_turns_have_none() -> None:
    build = Builder()
    size = build.input("size", "float64")
    doubled = size * 2.0
    before = build.apply("earlier", doubled, back=1)
    middle = build.exp(before * 0.01 + doubled)
    plan = Plan(build.nodes, {"y": (middle - size).node}, tables=(RawTable(context=1),))
    columns: dict[str, PlanColumn] = {"size": np.arange(ROWS + 1.0) / 100}
    expected = make_executor(plan, [plan.outputs["y"]]).run(columns, ROWS)
    with left_to_numpy([middle.node]), patch.object(executor_module, "SHORT_PART_ROWS", 64):
        executor = core_executor(plan, [plan.outputs["y"]], make_executor, least=1)
        order = turns(plan, [plan.outputs["y"]], 1)
        assert isinstance(executor, CoreExecutor)
        assert same_bits(executor.run(columns, ROWS)[0], expected[0], ROWS)
    assert [turn.core is not None for turn in order] == [False, True, False, True]
    assert set(order[0].given) == {doubled.node, before.node}


def test_a_raw_column_may_be_called_as_a_node() -> None:
    build = Builder()
    size, other = build.input("size", "float64"), build.input("size:2", "float64")
    middle = build.exp(size + other)
    plan = Plan(build.nodes, {"y": (middle + other).node})
    with left_to_numpy([middle.node]):
        executor = core_executor(plan, [plan.outputs["y"]], make_executor, least=1)
        names = [name for turn in turns(plan, [plan.outputs["y"]], 1) for name in turn.taken.values()]
    assert names
    assert not {"size", "size:2"} & {*names}
    assert isinstance(executor, CoreExecutor)
    assert executor.run({"size": np.array([1.0]), "size:2": np.array([-1.0])}, 1)[0].tolist() == [0.0]


def test_a_plan_that_the_core_carries_whole_has_one_turn() -> None:
    build = Builder()
    size = build.input("size", "float64")
    plan = Plan(build.nodes, {"y": (size * 2.0).node})
    assert places(plan, []) == [(True, 1)]
    assert places(plan, [plan.outputs["y"]]) == []
    assert segments.LEAST_NODES > 1
