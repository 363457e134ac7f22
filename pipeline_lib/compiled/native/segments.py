"""Turns of NumPy and the core: which nodes of a plan run where, and when.

What the core cannot carry NumPy evaluates in between:

    turn 0, NumPy    calendar of a raw column
    turn 1, core     arithmetic of it and of other raw columns
    turn 2, NumPy    an opaque step that takes the sums
    turn 3, core     the estimator

Even turns are NumPy's, odd ones the core's. A node's turn is at least the latest turn of what it depends on: so there
are as few as possible. Then each node is moved to the latest turn that does not delay another one, so that few columns
are handed over: what is left in an early turn of the core is there because NumPy takes it.

Rows before a row are NumPy's alone: nodes that read them, and nodes whose values are needed there, stay in turn 0.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from pipeline_lib.compiled.column_executor import earlier_rows, lookback_of
from pipeline_lib.compiled.native.core_plan import CorePlan, write
from pipeline_lib.compiled.native.encode import Encoder
from pipeline_lib.compiled.native.text_groups import text_groups
from pipeline_lib.compiled.plan import Node, Plan

LEAST_NODES = 4
"""Nodes from which on an early turn of the core saves more than it costs: about as much as ten small arrays in NumPy.
With 1 and with 16, batches of 100 rows take 1.1 to 2 times as long on plans of houses whose middle is NumPy's."""


@dataclass(frozen=True)
class Turn:
    """Nodes that run together: `given` are those of them that later turns or the result take.

    `core` is the core's plan of them; None for NumPy, which evaluates `plan`: there all that it takes from earlier
    turns is a raw column, called as in `taken` by node. A turn of the core with a `text` runs over the distinct texts
    of this raw column, or over the words of the plan where it takes no texts, before all others.
    """

    given: tuple[int, ...]
    core: CorePlan | None
    plan: Plan
    taken: dict[int, str]
    text: str | None = None


def turns(plan: Plan, roots: Sequence[int], least: int = LEAST_NODES, *, distinct: bool = False) -> list[Turn]:
    """The turns that give `roots`; none where the core carries nothing. `least` as in `LEAST_NODES`.

    With `distinct`, what depends on one text alone has turns of its own.
    """
    encoder = Encoder(plan, list(dict.fromkeys(roots)))
    reach = earlier_rows(plan, encoder.roots)
    carried = encoder.without_texts({number for number in encoder.encoded if not reach[number]})
    stages = _stages(encoder, carried, reach)
    while small := _small_turn(stages, least):
        carried = encoder.without_texts({number for number in carried if stages[number] != small})
        stages = _stages(encoder, carried, reach)
    if _parted_bags(encoder, stages):
        carried = encoder.without_texts({each for each in carried if plan.nodes[each].dtype != "bag"})
        stages = _stages(encoder, carried, reach)
    while parted := _parted_texts(encoder, stages):
        carried = encoder.without_texts(carried - parted)
        stages = _stages(encoder, carried, reach)
    if not carried:
        return []
    return [turn for stage in sorted(set(stages.values())) for turn in _turns(encoder, stages, stage, distinct)]


def _stages(encoder: Encoder, carried: Collection[int], reach: dict[int, int]) -> dict[int, int]:
    """The turn of each node; raw columns and constants have one only where they are roots."""
    nodes = {number: encoder.plan.nodes[number] for number in encoder.needed}
    own = [number for number, node in nodes.items() if node.operation not in ("input", "constant")]
    earliest: dict[int, int] = {}
    for number in own:
        after = max((earliest.get(taken, 0) for taken in nodes[number].inputs), default=0)
        earliest[number] = after + (after % 2 != (number in carried))
    last = max(earliest.values(), default=0)
    latest: dict[int, int] = dict.fromkeys(encoder.roots, last)
    for number in reversed(own):
        before = latest[number]
        stage = 0 if reach[number] or lookback_of(nodes[number]) else before - (before % 2 != (number in carried))
        latest[number] = stage
        for taken in nodes[number].inputs:
            latest[taken] = min(latest.get(taken, last), stage)
    raw_roots = {root: 0 for root in encoder.roots if root not in earliest}
    return raw_roots | {number: latest[number] for number in own}


def _parted_bags(encoder: Encoder, stages: dict[int, int]) -> bool:
    """Whether a sparse vector is in one turn of the core and taken in another."""
    nodes = encoder.plan.nodes
    pairs = [(number, taken) for number in stages if stages[number] % 2 for taken in nodes[number].inputs]
    return any(nodes[taken].dtype == "bag" and stages[taken] != stages[number] for number, taken in pairs)


def _parted_texts(encoder: Encoder, stages: dict[int, int]) -> set[int]:
    """Texts that one turn of the core writes and another one takes: no column carries them from one to the other."""
    nodes = encoder.plan.nodes
    pairs = [(number, taken) for number in stages if stages[number] % 2 for taken in nodes[number].inputs]
    written = {taken for number, taken in pairs if stages.get(taken, 0) % 2 and stages[taken] != stages[number]}
    return {taken for taken in written & encoder.any_word if encoder.kinds[taken] == "s"}


def _small_turn(stages: dict[int, int], least: int) -> int:
    """The first turn of the core that has fewer nodes than `least`, and NumPy after it; 0 for none."""
    counts = Counter(stages.values())
    small = [stage for stage, count in counts.items() if stage % 2 and count < least and stage < max(counts)]
    return min(small, default=0)


def _turns(encoder: Encoder, stages: dict[int, int], stage: int, distinct: bool) -> list[Turn]:
    plan, roots = encoder.plan, set(encoder.roots)
    own = [number for number in stages if stages[number] == stage]
    later = {taken for number in stages if stages[number] > stage for taken in plan.nodes[number].inputs}
    given = tuple(number for number in own if number in roots or number in later)
    if stage % 2:
        return _core_turns(encoder, own, given) if distinct else [Turn(given, write(encoder, own, given), plan, {})]
    if stage == 0:
        return [Turn(given, None, plan, {})]
    inputs = {taken for number in own for taken in plan.nodes[number].inputs}
    return [Turn(given, None, *_taking(plan, sorted(number for number in inputs if stages.get(number, stage) < stage)))]


def _core_turns(encoder: Encoder, own: Sequence[int], given: Sequence[int]) -> list[Turn]:
    """Turns of what depends on one text alone, and of the other nodes, where there are any."""
    groups, others = text_groups(encoder, own, given)
    texts = [
        Turn(group.given, write(encoder, group.nodes, group.given, group.texts), encoder.plan, {}, group.column)
        for group in groups
    ]
    known = {number for group in groups for number in group.given}
    left = tuple(number for number in given if number not in known)
    return [*texts, Turn(left, write(encoder, others, left), encoder.plan, {})] if left else texts


def _taking(plan: Plan, taken: Sequence[int]) -> tuple[Plan, dict[int, str]]:
    """The plan that takes these nodes as raw columns, without earlier rows, and how they are called."""
    raw = [node.settings["column"] for node in plan.nodes if node.operation == "input"]
    longest = max(raw, key=len, default="")  # what is longer is no raw column
    names = {number: f"{longest}:{number}" for number in taken}
    nodes = list(plan.nodes)
    for number, name in names.items():
        nodes[number] = Node("input", (), {"column": name, "table": name}, nodes[number].dtype)
    return Plan(nodes, {}), names
