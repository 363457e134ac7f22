"""What a mutation is, and how one is drawn from a JSON file."""

import copy
import json
import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline_lib.system.files import canonical_json

Keys = tuple[str | int, ...]
Names = Callable[[Any, Keys], tuple[str, ...]]
_LONG = 60


@dataclass(frozen=True)
class Mutation:
    """One change: its kind, where it happens as people name it, and the files that it leaves, by path in the tree.

    `names`: a check that sees it must name one of these (none: the mutated file). A mutation that is not `sealed`
    is accidental damage, which the seal itself must show; after any other the record is sealed again.
    """

    kind: str
    place: str
    files: dict[str, bytes]
    names: tuple[str, ...] = ()
    sealed: bool = True


Draw = Callable[[Path, random.Random], Mutation | None]


@dataclass(frozen=True)
class Kind:
    """A kind of mutation, how many of it to draw, and how to draw one from a tree."""

    name: str
    count: int
    draw: Draw


def leaves(value: Any, keys: Keys = ()) -> Iterator[tuple[Keys, Any]]:
    """Every plain value of a JSON document, with the keys that lead to it."""
    if isinstance(value, dict | list):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for key, part in pairs:
            yield from leaves(part, (*keys, key))
    else:
        yield keys, value


def replaced(document: Any, keys: Keys, value: Any) -> bytes:
    """A JSON document with one value in place of another."""
    changed = copy.deepcopy(document)
    parent = changed
    for key in keys[:-1]:
        parent = parent[key]
    parent[keys[-1]] = value
    return canonical_json(changed)


def nudged(value: Any, generator: random.Random) -> Any:
    """The nearest other value: a float by one ULP, a whole number by one, text by a letter."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, float):
        return math.nextafter(value, generator.choice((-math.inf, math.inf)))
    if isinstance(value, int):
        return value + generator.choice((-1, 1))
    return f"{value}x" if isinstance(value, str) else 0.5


def _nudged(document: Any, value: Any, keys: Keys, generator: random.Random) -> Any:
    return nudged(value, generator)


def last_key(document: Any, keys: Keys) -> tuple[str, ...]:
    """How checks name a leaf of a plain JSON file: by its last key that is a name."""
    return tuple(key for key in keys if isinstance(key, str))[-1:]


def json_kind(
    file: str,
    fits: Callable[[Keys, Any], bool] = lambda keys, value: True,
    change: Callable[[Any, Any, Keys, random.Random], Any] = _nudged,
    names: Names = last_key,
) -> Draw:
    """One leaf of a JSON file that fits, as `change` makes it of document, value and keys; unchanged: not this one."""

    def draw_one(tree: Path, generator: random.Random) -> Mutation | None:
        document = json.loads((tree / file).read_bytes())
        places = [(keys, value) for keys, value in leaves(document) if fits(keys, value)]
        if not places:
            return None
        keys, value = generator.choice(places)
        other = change(document, value, keys, generator)
        if json.dumps(other) == json.dumps(value):
            return None
        old, new = (text if len(text) < _LONG else f"{text[:_LONG]}…" for text in map(repr, (value, other)))
        told = f"{file.partition('/')[2]}: {'.'.join(map(str, keys))}: {old} → {new}"
        return Mutation("", told, {file: replaced(document, keys, other)}, names(document, keys))

    return draw_one


def under(*starts: str) -> Callable[[Keys, Any], bool]:
    """Leaves of a JSON file whose first key is one of those, or all."""
    return lambda keys, value: not starts or keys[0] in starts
