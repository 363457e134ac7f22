"""The catalogue of mutations: single changes of a record and of a project.

Each kind draws from all locations where it is possible, and returns the changed contents; nothing is written here.
"""

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pipeline_lib.system.files import files_below
from tools.mutations.code import CODE
from tools.mutations.kinds import Draw, Kind, Mutation, json_kind, under
from tools.mutations.plan import PLANS
from tools.mutations.tables import TABLES

__all__ = ["KINDS", "Kind", "Mutation", "draw"]


def draw(tree: Path, seed: int, share: float = 1.0) -> list[Mutation]:
    """Mutations of every kind, each location once; `share` of the full count, at least one of each kind."""
    mutations: dict[tuple[str, str], Mutation] = {}
    for kind in KINDS:
        generator = random.Random(f"{seed} {kind.name}")  # noqa: S311  reproducible from the printed seed
        wanted, tries = max(1, round(kind.count * share)), kind.count * 20
        drawn = 0
        while drawn < wanted and tries:
            tries -= 1
            mutation = kind.draw(tree, generator)
            if mutation and (kind.name, mutation.location) not in mutations:
                mutations[kind.name, mutation.location] = replace(mutation, kind=kind.name)
                drawn += 1
    return list(mutations.values())


def _yaml(tree: Path, generator: random.Random) -> Mutation | None:
    file = "record/params.yml"
    lines = (tree / file).read_text(encoding="utf-8").splitlines(keepends=True)
    numeric = [
        number
        for number, line in enumerate(lines)
        if any(letter.isdigit() for letter in line.partition("#")[0].partition(":")[2])
    ]
    number = generator.choice(numeric)
    key, _, value = lines[number].partition(":")
    digits = [index for index, letter in enumerate(value.partition("#")[0]) if letter.isdigit()]
    index = generator.choice(digits)
    other = str((int(value[index]) + 1) % 10)
    lines[number] = f"{key}:{value[:index]}{other}{value[index + 1 :]}"
    location = f"params.yml:{number + 1}: {value.strip()} → {lines[number].strip()}"
    return Mutation("", location, {file: "".join(lines).encode()}, (key.strip(), "params.yml"))


def _any_byte(tree: Path, generator: random.Random) -> Mutation:
    path = generator.choice([path for path in files_below(tree / "record") if path.stat().st_size])
    whole, name = path.read_bytes(), path.relative_to(tree).as_posix()
    index = generator.randrange(len(whole))
    changed = whole[:index] + bytes([whole[index] ^ 1]) + whole[index + 1 :]
    return Mutation("", f"{name}: byte {index}", {name: changed}, sealed=False)


def _unsealed(kind: Draw) -> Draw:
    def draw_one(tree: Path, generator: random.Random) -> Mutation | None:
        mutation = kind(tree, generator)
        return mutation and replace(mutation, names=(), sealed=False)

    return draw_one


KINDS: Sequence[Kind] = (
    *PLANS,
    *TABLES,
    Kind("training rows", 2, json_kind("record/training.json")),
    Kind("metrics: a number by one ULP", 4, json_kind("record/metrics.json")),
    Kind("parameters: as resolved", 4, json_kind("record/params.json")),
    Kind("parameters: as given", 4, _yaml),
    Kind("environment: recorded", 8, json_kind("record/environment.json")),
    Kind("environment: another package version here", 4, json_kind("again/environment.json", under("packages"))),
    *CODE,
    Kind("manifest", 8, _unsealed(json_kind("record/manifest.json"))),
    Kind("any byte of any file", 8, _any_byte),
)
