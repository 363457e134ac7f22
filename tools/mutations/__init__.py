"""The catalogue of mutations: what can change, one thing at a time, in a record and in the project beside it.

Each kind draws from all places where it can happen, and says what the files would then hold; nothing is written here.
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
    """Mutations of every kind, each place once; `share` of the full count, at least one of each kind."""
    found: dict[tuple[str, str], Mutation] = {}
    for kind in KINDS:
        generator = random.Random(f"{seed} {kind.name}")  # noqa: S311  drawn again from the seed that is printed
        wanted, tries = max(1, round(kind.count * share)), kind.count * 20
        drawn = 0
        while drawn < wanted and tries:
            tries -= 1
            mutation = kind.draw(tree, generator)
            if mutation and (kind.name, mutation.place) not in found:
                found[kind.name, mutation.place] = replace(mutation, kind=kind.name)
                drawn += 1
    return list(found.values())


def _yaml(tree: Path, generator: random.Random) -> Mutation | None:
    file = "record/params.yml"
    lines = (tree / file).read_text(encoding="utf-8").splitlines(keepends=True)
    places = [at for at, line in enumerate(lines) if any(c.isdigit() for c in line.partition("#")[0].partition(":")[2])]
    at = generator.choice(places)
    key, _, value = lines[at].partition(":")
    digits = [place for place, character in enumerate(value.partition("#")[0]) if character.isdigit()]
    place = generator.choice(digits)
    other = str((int(value[place]) + 1) % 10)
    lines[at] = f"{key}:{value[:place]}{other}{value[place + 1 :]}"
    return Mutation(
        "",
        f"params.yml:{at + 1}: {value.strip()} → {lines[at].strip()}",
        {file: "".join(lines).encode()},
        (key.strip(), "params.yml"),
    )


def _any_byte(tree: Path, generator: random.Random) -> Mutation:
    path = generator.choice([path for path in files_below(tree / "record") if path.stat().st_size])
    whole, name = path.read_bytes(), path.relative_to(tree).as_posix()
    at = generator.randrange(len(whole))
    changed = whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]
    return Mutation("", f"{name}: byte {at}", {name: changed}, sealed=False)


def _unsealed(kind: Draw) -> Draw:
    def draw_one(tree: Path, generator: random.Random) -> Mutation | None:
        found = kind(tree, generator)
        return found and Mutation(found.kind, found.place, found.files, (), sealed=False)

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
