"""The parameters of the new pipeline: literals of the split and of the model, and the notebook's named constants."""

import ast
import json
import re
from dataclasses import dataclass, field
from typing import Any

from pipeline_lib.project.from_notebook.calls import SEARCHES, calls
from pipeline_lib.project.from_notebook.edits import Edit
from pipeline_lib.project.from_notebook.estimators import (
    constructor,
    parameters_of,
    scalar,
    searched_estimator,
)
from pipeline_lib.project.from_notebook.facts import Facts
from pipeline_lib.project.from_notebook.names import free_names
from pipeline_lib.project.from_notebook.plan import Plan
from pipeline_lib.project.from_notebook.seeds import SEED, Draw, is_split, seed_edit, seeded
from pipeline_lib.project.params_cell import cell_text

SPLIT = "split"
_RESERVED = frozenset(
    [
        "copy",
        "json",
        "dict",
        "schema",
        "construct",
        "validate",
        "fields",
        "config",
        "model_config",
        "model_fields",
        "parse_obj",
        "parse_raw",
    ]
)
_REAL = frozenset(
    [
        "C",
        "alpha",
        "gamma",
        "tol",
        "l1_ratio",
        "learning_rate",
        "eta0",
        "epsilon",
        "reg_alpha",
        "reg_lambda",
        "subsample",
    ]
)
_TYPES = {bool: "bool", int: "int", float: "float", str: "str"}


@dataclass
class Parameters:
    """Values by group and name ("" for the top level), their cells, and the edits that make code read them.

    `argument` is what functions call them: the original may have a `params` of its own. `edits` are by the index of
    the statement whose text they change. `constants` are named constants that became parameters, with their
    statements; `added_seeds` the groups that had no seed.
    """

    values: dict[str, dict[str, Any]] = field(default_factory=dict)
    cells: dict[tuple[str, str], int] = field(default_factory=dict)
    edits: dict[int, list[Edit]] = field(default_factory=dict)
    constants: dict[str, int] = field(default_factory=dict)
    added_seeds: list[str] = field(default_factory=list)
    argument: str = "params"

    def add(self, group: str, name: str, value: Any, cell: int) -> bool:
        """Add a parameter, unless its name is taken by another value or cannot be a field."""
        if name in _RESERVED or group in _RESERVED or name.startswith(("model_", "_")) or group.startswith("model_"):
            return False
        if group and group in self.values.get("", {}):
            return False
        known = self.values.setdefault(group, {})
        if name in known:
            return False
        known[name] = value
        self.cells[group, name] = cell
        return True

    def model_source(self) -> str:
        """The classes of the parameters."""
        lines: list[str] = []
        for group, fields in self.values.items():
            if group:
                lines += [f"class {class_name(group)}(BaseParams):", f'    """Parameters of `{group}`."""', ""]
                lines += [f"    {name}: {_type(name, value)}" for name, value in fields.items()] + ["", ""]
        lines += ["class Params(BaseParams):", '    """What a run may vary."""', ""]
        lines += [f"    {name}: {_type(name, value)}" for name, value in self.values.get("", {}).items()]
        lines += [f"    {group}: {class_name(group)}" for group in self.values if group]
        return "\n".join(lines)

    def yaml(self, name: str, shown: str) -> str:
        """The parameters file."""
        lines = [f"# Parameters of {name}, as {shown} has them; the types are in Params.", ""]
        for key, value in self.values.get("", {}).items():
            lines += [f"# cell {self.cells['', key]}", f"{key}: {_yaml(value)}", ""]
        for group, fields in self.values.items():
            if group:
                numbers = sorted({self.cells[group, key] for key in fields})
                lines += [f"# {'cell' if len(numbers) == 1 else 'cells'} {', '.join(map(str, numbers))}", f"{group}:"]
                lines += [f"  {key}: {_yaml(value)}" for key, value in fields.items()] + [""]
        return "\n".join(lines).rstrip() + "\n"

    def cell_source(self) -> str:
        """The parameters cell of the research notebook."""
        groups = {group: fields for group, fields in self.values.items() if group}
        return cell_text({**self.values.get("", {}), **groups})

    def call_source(self) -> str:
        """A call of Params with the values, for the cells that show the pipeline."""
        parts = [f"{key}={_python(value)}" for key, value in self.values.get("", {}).items()]
        for group, fields in self.values.items():
            if group:
                inside = ", ".join(f"{key}={_python(value)}" for key, value in fields.items())
                parts.append(f"{group}={class_name(group)}({inside})")
        return f"Params({', '.join(parts)})"


def _type(name: str, value: Any) -> str:
    """The type of a field; a whole number of a parameter that is real may become a fraction."""
    return "int | float" if type(value) is int and name.rpartition("__")[2] in _REAL else _TYPES[type(value)]


def class_name(group: str) -> str:
    """The class of a group of parameters."""
    return "".join(part[:1].upper() + part[1:] for part in group.split("_") if part) + "Params"


def parameters(plan: Plan, facts: Facts) -> Parameters:
    """The parameters of the split, of the steps, of the model, and named constants that these read."""
    taken = any("params" in names.binds for names in plan.flow.names)
    result = Parameters(argument="chosen_params" if taken else "params")
    _add_constants(plan, result)
    _add_split(plan, result)
    for index in sorted(plan.build):
        _add_estimators(plan, result, index)
    if plan.model.search:
        group = searched_name(plan)
        for name, value in facts.best.items():
            if type(value) in _TYPES and scalar(ast.parse(repr(value), mode="eval").body):
                result.add(group, name, value, plan.cell_of(plan.model.statement))
    _add_seeds(plan, result)
    return result


def searched_name(plan: Plan) -> str:
    """The name of the model that a search varies: its variable, or its class in lower case."""
    searched = searched_estimator(plan.statements[plan.model.made].node)
    if isinstance(searched, ast.Name):
        return searched.id
    return (plan.roles.imports.makes_estimator(searched) or "estimator").lower()


def _add_constants(plan: Plan, result: Parameters) -> None:
    """Constants of plain values that are read by the split and by `build` alone."""
    split = plan.roles.split
    readers = set(plan.build) | ({split.statement} if split else set())
    if plan.model.search:
        readers.discard(plan.model.made)
    packed = free_names([plan.model.chain.source, plan.target[0]])
    for name, index in plan.constants.items():
        node = plan.statements[index].node
        value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
        if index not in plan.module or value is None or not scalar(value):
            continue
        users = {
            i for i in (plan.load | plan.module | readers) if name in plan.flow.names[i].reads | plan.flow.names[i].late
        }
        if (
            name in packed
            or not users
            or not users <= readers
            or not result.add("", name.lower(), ast.literal_eval(value), plan.cell_of(index))
        ):
            continue
        result.constants[name] = index
        for user in users:
            for part in ast.walk(plan.statements[user].node):
                if isinstance(part, ast.Name) and part.id == name and isinstance(part.ctx, ast.Load):
                    result.edits.setdefault(user, []).append((part, f"{result.argument}.{name.lower()}"))


def _add_split(plan: Plan, result: Parameters) -> None:
    split = plan.roles.split
    if split is None:
        result.add(SPLIT, "test_size", 0.2, plan.cell_of(plan.model.statement))
        result.add(SPLIT, "random_state", 0, plan.cell_of(plan.model.statement))
        result.added_seeds.append(SPLIT)
        return
    cell = plan.cell_of(split.statement)
    for name, value in parameters_of(split.call):
        if result.add(SPLIT, name, ast.literal_eval(value), cell):
            result.edits.setdefault(split.statement, []).append((value, f"{result.argument}.{SPLIT}.{name}"))
    if any(is_split(plan, draw) for draw in seeded(plan)):
        result.add(SPLIT, SEED, plan.seed or 0, cell)
        result.added_seeds.append(SPLIT)


def _add_estimators(plan: Plan, result: Parameters, index: int) -> None:
    node = plan.statements[index].node
    for call in calls(node):
        made = plan.roles.imports.makes_estimator(call)
        if not made or made in ("Pipeline", "ColumnTransformer"):
            continue
        group = _group(node, call, made)
        for name, value in parameters_of(call):
            if result.add(group, name, ast.literal_eval(value), plan.cell_of(index)):
                result.edits.setdefault(index, []).append((value, f"{result.argument}.{group}.{name}"))


def _add_seeds(plan: Plan, result: Parameters) -> None:
    """A parameter `random_state` for each estimator of `build` that has none; a literal where its name is taken."""
    for draw in seeded(plan):
        if is_split(plan, draw):
            continue
        group, seed = _seed_group(plan, draw), plan.seed or 0
        text = str(seed)
        if group and result.add(group, SEED, seed, plan.cell_of(draw.statement)):
            result.added_seeds.append(group)
            text = f"{result.argument}.{group}.{SEED}"
        if draw.statement in plan.build or group:
            result.edits.setdefault(draw.statement, []).append(seed_edit(draw.call, text))


def _seed_group(plan: Plan, draw: Draw) -> str:
    """The group of the parameters of an estimator that `build` makes; "" for other draws."""
    node = plan.statements[draw.statement].node
    made = plan.roles.imports.makes_estimator(draw.call)
    if plan.model.search and draw.statement == plan.model.made:
        searched = searched_estimator(node)
        if draw.call is searched:
            return searched_name(plan)
        return made.lower() if any(part is draw.call for part in ast.walk(searched)) else ""
    if draw.statement not in plan.build or not made or made in SEARCHES:
        return ""
    return _group(node, draw.call, made)


def _group(node: ast.stmt, call: ast.Call, made: str) -> str:
    """The variable of an estimator, or its class in lower case where it has none."""
    target = node.targets[0] if isinstance(node, ast.Assign) else None
    variable = target.id if isinstance(target, ast.Name) else ""
    group = variable if call is constructor(node) and variable else made.lower()
    return group.lower() if group.isupper() else group


def _yaml(value: Any) -> str:
    return json.dumps(value) if isinstance(value, bool) else (value if isinstance(value, str) else _number(value))


def _number(value: float) -> str:
    return re.sub(r"e-0?", "e-", repr(value))


def _python(value: Any) -> str:
    return json.dumps(value) if isinstance(value, str) else repr(value)
