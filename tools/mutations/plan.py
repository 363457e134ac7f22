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
    """A filter: leaves of nodes' settings with these names (or any) and types."""
    return lambda keys, value: (
        keys[0] == "nodes" and keys[2] == "settings" and (not names or keys[3] in names) and type(value) in kinds
    )


def _other_input(document: Any, value: Any, keys: Keys, generator: random.Random) -> Any:
    """Another earlier node of the same dtype."""
    nodes, node = document["nodes"], int(keys[1])
    same = [other for other in range(node) if nodes[other]["dtype"] == nodes[value]["dtype"] and other != value]
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
    """The names by which checks call a location of the plan: what depends on its node, or its step; else the file."""
    if keys[0] == "nodes":
        return dependents(document, int(keys[1]))
    if keys[0] == "steps":
        return (str(document["steps"][keys[1]][0]),)
    return ("outputs",) if keys[0] == "outputs" else ()


def dependents(document: Any, node: int) -> tuple[str, ...]:
    """The steps, and `outputs`, that depend on a node, and the raw columns on which it depends."""
    nodes = document["nodes"]
    above, below = {node}, {node}
    for index in range(node + 1, len(nodes)):
        if above & set(nodes[index]["inputs"]):
            above.add(index)
    for index in range(node, -1, -1):
        if index in below:
            below.update(nodes[index]["inputs"])
    names = [name for name, columns in document["steps"] if any(index in above for _, index in columns)]
    names += ["outputs"] if any(index in above for _, index in document["outputs"]) else []
    return (*names, *(nodes[index]["settings"]["column"] for index in below if nodes[index]["operation"] == "input"))


def _look_up(change: Callable[[dict[str, Any], random.Random], str]) -> Draw:
    """Change a look-up's keys and values together; None where `change` returns an empty text."""

    def draw_one(tree: Path, generator: random.Random) -> Mutation | None:
        document = json.loads((tree / PLAN).read_bytes())
        tables = [(at, node) for at, node in enumerate(document["nodes"]) if len(node["settings"].get("keys", ())) > 1]
        if not tables:
            return None
        number, node = generator.choice(tables)
        named = dependents(document, number)
        text = change(node["settings"], generator)
        location = f"artifact.json: node {number}: {text}"
        return Mutation("", location, {PLAN: canonical_json(document)}, named) if text else None

    return draw_one


def _dropped(settings: dict[str, Any], generator: random.Random) -> str:
    index = generator.randrange(len(settings["keys"]))
    settings["values"].pop(index)
    return f"without {settings['keys'].pop(index)!r}"


def _swapped(settings: dict[str, Any], generator: random.Random) -> str:
    values, keys = settings["values"], settings["keys"]
    one, other = generator.sample(range(len(values)), 2)
    values[one], values[other] = values[other], values[one]
    return f"values of {keys[one]!r} and {keys[other]!r} swapped" if values[one] != values[other] else ""


def _inputs_swapped(tree: Path, generator: random.Random) -> Mutation | None:
    document = json.loads((tree / PLAN).read_bytes())
    node = generator.choice([at for at, node in enumerate(document["nodes"]) if len(set(node["inputs"])) > 1])
    inputs = document["nodes"][node]["inputs"]
    one, other = generator.sample(range(len(inputs)), 2)
    inputs[one], inputs[other] = inputs[other], inputs[one]
    if inputs[one] == inputs[other]:
        return None
    location = f"artifact.json: node {node}: inputs {one} and {other} swapped"
    return Mutation("", location, {PLAN: canonical_json(document)}, dependents(document, node))


def _step_map(tree: Path, generator: random.Random) -> Mutation:
    """Remove a column of a step's or the outputs' map, or move it."""
    document = json.loads((tree / PLAN).read_bytes())
    name, columns = generator.choice(document["steps"])
    index = generator.randrange(len(columns))
    removed = columns.pop(index)
    if moved := generator.random() < 0.5:
        columns.insert((index + 1) % (len(columns) + 1), removed)
    location = f"artifact.json: step {name}: column {removed[0]!r} {'moved' if moved else 'removed'}"
    return Mutation("", location, {PLAN: canonical_json(document)}, (name,))


def _row_option(tree: Path, generator: random.Random) -> Mutation:
    """Change one rule of the row schema: a bound, missing values, a length, a range, the kind."""
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
    location = f"row.json: {before['name']}.{option}: {before.get(option)!r} → {value!r}"
    return Mutation("", location, {ROW: canonical_json(document)}, (before["name"],))


def _mode(document: Any, value: Any, keys: Keys, generator: random.Random) -> Any:
    return generator.choice(("keep", "refuse", "default"))


def _is_zero(keys: Keys, value: Any) -> bool:
    return _setting(kinds=(float,))(keys, value) and value == 0


def _in_maps(*types: type) -> Callable[[Keys, Any], bool]:
    """A filter: leaves of the maps of outputs and steps, which are names or nodes."""
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
