"""Mutations and their kinds; drawing one from a JSON file."""

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
_LONG = 60  # characters of a value in a location


@dataclass(frozen=True)
class Mutation:
    """One change: its kind, its location with old and new value, and the changed files by path in the tree.

    A check that finds it must name one of `names` (without any: the mutated file). A mutation that is not `sealed`
    is accidental damage, which the seal itself must show; after any other the record is sealed again.
    """

    kind: str
    location: str
    files: dict[str, bytes]
    names: tuple[str, ...] = ()
    sealed: bool = True


Draw = Callable[[Path, random.Random], Mutation | None]


@dataclass(frozen=True)
class Kind:
    """A kind of mutation: its name, the number to draw, and the function that draws one from a tree."""

    name: str
    count: int
    draw: Draw


def leaves(value: Any, keys: Keys = ()) -> Iterator[tuple[Keys, Any]]:
    """Every value of a JSON document that is no list or object, with the keys that lead to it."""
    if isinstance(value, dict | list):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for key, part in pairs:
            yield from leaves(part, (*keys, key))
    else:
        yield keys, value


def replaced(document: Any, keys: Keys, value: Any) -> bytes:
    """A JSON document with one value replaced."""
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
    """The name by which checks call a leaf of a JSON file: its last key that is text."""
    return tuple(key for key in keys if isinstance(key, str))[-1:]


def json_kind(
    file: str,
    fits: Callable[[Keys, Any], bool] = lambda keys, value: True,
    change: Callable[[Any, Any, Keys, random.Random], Any] = _nudged,
    names: Names = last_key,
) -> Draw:
    """Change one leaf of a JSON file that `fits`; `change` gets document, value and keys. None if it stays the same."""

    def draw_one(tree: Path, generator: random.Random) -> Mutation | None:
        document = json.loads((tree / file).read_bytes())
        candidates = [(keys, value) for keys, value in leaves(document) if fits(keys, value)]
        if not candidates:
            return None
        keys, value = generator.choice(candidates)
        other = change(document, value, keys, generator)
        if json.dumps(other) == json.dumps(value):
            return None
        old, new = (text if len(text) < _LONG else f"{text[:_LONG]}…" for text in map(repr, (value, other)))
        location = f"{file.partition('/')[2]}: {'.'.join(map(str, keys))}: {old} → {new}"
        return Mutation("", location, {file: replaced(document, keys, other)}, names(document, keys))

    return draw_one


def under(*starts: str) -> Callable[[Keys, Any], bool]:
    """A filter: leaves of a JSON file whose first key is one of these, or all."""
    return lambda keys, value: not starts or keys[0] in starts
