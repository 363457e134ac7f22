"""Mutations of the artifact: the plan's numbers, categories, operations and names, and the row schema."""

import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pipeline_lib.compiled.operations.catalog import OPERATIONS
from pipeline_lib.system.files import canonical_json
from tools.mutations.kinds import Draw, Keys, Kind, Mutation, json_kind, nudged

PLAN, ROW = "record/artifact/artifact.json", "record/artifact/row.json"


def _nudged(document: Any, value: Any, keys: Keys, generator: random.Random) -> Any:
    return nudged(value, generator)


def _setting(*names: str, kinds: tuple[type, ...] = (float, int, str, bool, type(None))) -> Callable[[Keys, Any], bool]:
    """Leaves of nodes' settings: of those names, or of all; of those types."""
    return lambda keys, value: (
        keys[0] == "nodes" and keys[2] == "settings" and (not names or keys[3] in names) and type(value) in kinds
    )


def _other_input(document: Any, value: Any, keys: Keys, generator: random.Random) -> Any:
    """Another earlier node of the same dtype."""
    nodes, place = document["nodes"], int(keys[1])
    same = [at for at in range(place) if nodes[at]["dtype"] == nodes[value]["dtype"] and at != value]
    return generator.choice(same) if same else value


def _other_operation(document: Any, value: Any, keys: Keys, generator: random.Random) -> Any:
    """Another operation of the same inputs; neither has settings."""
    takes = OPERATIONS[value].takes if value in OPERATIONS else None
    like = [name for name, other in OPERATIONS.items() if other.takes == takes and not other.settings and name != value]
    return generator.choice(like) if takes and like and not OPERATIONS[value].settings else value


def _other_column(document: Any, value: Any, keys: Keys, generator: random.Random) -> Any:
    dtype = document["nodes"][keys[1]]["dtype"]
    inputs = [node for node in document["nodes"] if node["operation"] == "input" and node["dtype"] == dtype]
    return generator.choice(inputs)["settings"]["column"]


def _other_node(document: Any, value: Any, keys: Keys, generator: random.Random) -> Any:
    return generator.randrange(len(document["nodes"]))


def _other_dtype(document: Any, value: Any, keys: Keys, generator: random.Random) -> Any:
    return generator.choice(("float64", "int64", "bool", "str", "datetime", "vector"))


def names(document: Any, keys: Keys) -> tuple[str, ...]:
    """How checks name a place of the plan: by what rests upon its node, or by its step; else by the file."""
    if keys[0] == "nodes":
        return upon(document, int(keys[1]))
    if keys[0] == "steps":
        return (str(document["steps"][keys[1]][0]),)
    return ("outputs",) if keys[0] == "outputs" else ()


def upon(document: Any, node: int) -> tuple[str, ...]:
    """The steps, and `outputs`, that rest upon a node, and the raw columns that it rests upon."""
    nodes = document["nodes"]
    above, below = {node}, {node}
    for place in range(node + 1, len(nodes)):
        if above & set(nodes[place]["inputs"]):
            above.add(place)
    for place in range(node, -1, -1):
        if place in below:
            below.update(nodes[place]["inputs"])
    found = [name for name, columns in document["steps"] if any(place in above for _, place in columns)]
    found += ["outputs"] if any(place in above for _, place in document["outputs"]) else []
    return (*found, *(nodes[place]["settings"]["column"] for place in below if nodes[place]["operation"] == "input"))


def _look_up(change: Callable[[dict[str, Any], random.Random], str]) -> Draw:
    """One change of a look-up's keys and values together; an empty text: not this one."""

    def draw_one(tree: Path, generator: random.Random) -> Mutation | None:
        document = json.loads((tree / PLAN).read_bytes())
        tables = [(at, node) for at, node in enumerate(document["nodes"]) if len(node["settings"].get("keys", ())) > 1]
        if not tables:
            return None
        place, node = generator.choice(tables)
        named = upon(document, place)
        told = change(node["settings"], generator)
        return (
            Mutation("", f"artifact.json: node {place}: {told}", {PLAN: canonical_json(document)}, named)
            if told
            else None
        )

    return draw_one


def _dropped(settings: dict[str, Any], generator: random.Random) -> str:
    place = generator.randrange(len(settings["keys"]))
    settings["values"].pop(place)
    return f"without {settings['keys'].pop(place)!r}"


def _swapped(settings: dict[str, Any], generator: random.Random) -> str:
    values = settings["values"]
    one, other = generator.sample(range(len(values)), 2)
    values[one], values[other] = values[other], values[one]
    return (
        f"values of {settings['keys'][one]!r} and {settings['keys'][other]!r} swapped"
        if values[one] != values[other]
        else ""
    )


def _inputs_swapped(tree: Path, generator: random.Random) -> Mutation | None:
    document = json.loads((tree / PLAN).read_bytes())
    place = generator.choice([at for at, node in enumerate(document["nodes"]) if len(set(node["inputs"])) > 1])
    inputs = document["nodes"][place]["inputs"]
    one, other = generator.sample(range(len(inputs)), 2)
    inputs[one], inputs[other] = inputs[other], inputs[one]
    if inputs[one] == inputs[other]:
        return None
    told = f"artifact.json: node {place}: inputs {one} and {other} swapped"
    return Mutation("", told, {PLAN: canonical_json(document)}, upon(document, place))


def _step_map(tree: Path, generator: random.Random) -> Mutation:
    """A column of a step's (the outputs') map that is gone, or stands in another place."""
    document = json.loads((tree / PLAN).read_bytes())
    name, columns = generator.choice(document["steps"])
    place = generator.randrange(len(columns))
    gone = columns.pop(place)
    if moved := generator.random() < 0.5:
        columns.insert((place + 1) % (len(columns) + 1), gone)
    told = f"artifact.json: step {name}: column {gone[0]!r} {'in another place' if moved else 'gone'}"
    return Mutation("", told, {PLAN: canonical_json(document)}, (name,))


def _row_option(tree: Path, generator: random.Random) -> Mutation:
    """One rule of the row schema: a bound, missing allowed or not, a length, a range, another kind."""
    document = json.loads((tree / ROW).read_bytes())
    column = generator.choice(document["columns"])
    before = dict(column)
    numeric = column["kind"] in ("integer", "number")
    options: list[tuple[str, Any]] = [("nullable", not column.get("nullable", False)), ("name", f"{column['name']}x")]
    options += [("ge", 1), ("le", 10_000)] if numeric else [("min_length", 3), ("max_length", 5)]
    options += [("gt", None)] * 3 if "gt" in column else []
    options += [("kind", "number")] if column["kind"] == "integer" else []
    option, value = generator.choice(options)
    column[option] = value
    if value is None:
        del column[option]
    told = f"row.json: {before['name']}.{option}: {before.get(option)!r} → {value!r}"
    return Mutation("", told, {ROW: canonical_json(document)}, (before["name"],))


def _mode(document: Any, value: Any, keys: Keys, generator: random.Random) -> Any:
    return generator.choice(("keep", "refuse", "default"))


def _is_zero(keys: Keys, value: Any) -> bool:
    return _setting(kinds=(float,))(keys, value) and value == 0


def _in_maps(*types: type) -> Callable[[Keys, Any], bool]:
    """Leaves of the maps of outputs and steps: names, or nodes."""
    return lambda keys, value: keys[0] in ("outputs", "steps") and type(value) in types


def _plan(name: str, count: int, fits: Callable[[Keys, Any], bool], change: Any = _nudged) -> Kind:
    return Kind(f"plan: {name}", count, json_kind(PLAN, fits, change, names))


_WORDS = ("name", "where", "expected", "advice")
PLANS: Sequence[Kind] = (
    _plan("a weight or constant by one ULP", 24, _setting(kinds=(float,))),
    _plan("a whole number by one", 8, _setting(kinds=(int,))),
    _plan("the sign of a zero", 4, _is_zero, lambda document, value, keys, generator: -value),
    _plan("a category's name", 10, _setting("keys", kinds=(str,))),
    Kind("plan: a category dropped", 10, _look_up(_dropped)),
    Kind("plan: values of two categories swapped", 8, _look_up(_swapped)),
    _plan("what missing or unseen gives", 12, _setting("missing", "unseen")),
    _plan("keep, refuse or default", 5, _setting("mode"), _mode),
    _plan("words of a refusal", 5, _setting(*_WORDS, kinds=(str,))),
    _plan("a dtype", 8, lambda keys, value: keys[-1] in ("dtype", "gives"), _other_dtype),
    _plan("an input of an operation", 10, lambda keys, value: "inputs" in keys, _other_input),
    Kind("plan: inputs swapped", 6, _inputs_swapped),
    _plan("another operation", 8, lambda keys, value: keys[-1] == "operation", _other_operation),
    _plan("another raw column", 6, _setting("column"), _other_column),
    _plan("which node an output or step shows", 8, _in_maps(int), _other_node),
    _plan("a name of an output or step", 5, _in_maps(str)),
    Kind("plan: a step's column gone or moved", 5, _step_map),
    _plan("tables and format", 3, lambda keys, value: keys[0] in ("tables", "format")),
    Kind("row schema: a rule", 10, _row_option),
)
