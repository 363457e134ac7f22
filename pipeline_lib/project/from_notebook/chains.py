"""The way of a table from the split to a fit: the steps, the selections of columns, the split.

The way is followed backwards: each `T.fit_transform(v)`, `T.transform(v)` and call of an own function is a step, until
the split, and beyond it while the whole table is transformed.
"""

import ast
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from pipeline_lib.project.from_notebook.calls import Imports, assigned, assigned_tuple, method, receiver, value_for
from pipeline_lib.project.from_notebook.estimators import is_literal
from pipeline_lib.project.from_notebook.flow import Flow
from pipeline_lib.project.from_notebook.selections import (
    any_root,
    as_brackets,
    column_root,
    selected_root,
    substituted,
)

_SAME_VALUES = ("to_numpy", "copy", "ravel", "tolist")
PARTS = ("train", "test")


@dataclass(frozen=True)
class Step:
    """A transformation on the way to the model.

    `name` is the variable of the transformer, `expression` its source where it has none (or an own function's name,
    with `kind` "function"); `columns` the source of the columns where only some are transformed.
    """

    statement: int
    kind: str
    name: str
    expression: str = ""
    columns: str = ""
    before_split: bool = False


@dataclass(frozen=True)
class Split:
    """The call of train_test_split: its statement, the names that it binds, and the call.

    The names are those of rows and targets, four; or those of two tables that hold both.
    """

    statement: int
    names: tuple[str, ...]
    call: ast.Call = field(repr=False)

    @property
    def of_tables(self) -> bool:
        """Whether whole tables are split, target included."""
        return len(self.names) == 2


@dataclass(frozen=True)
class Chain:
    """What a table went through: the steps in order, and where it came from.

    `source` is the expression of the table before all steps, `at` the statement that reads it. `split` is the split on
    the way and `part` which side of it, `unknown` statements that change the table in a way that is not followed.
    `selections` are the selections of columns after the split, the last one first; `source` includes them.
    """

    steps: tuple[Step, ...]
    source: ast.expr
    at: int
    split: Split | None = None
    part: str = ""
    unknown: tuple[int, ...] = ()
    selections: tuple[ast.expr, ...] = ()

    def selected(self, table: ast.expr) -> ast.expr:
        """The selections applied to another table."""
        return _applied(self.selections, table)


def _applied(selections: Sequence[ast.expr], table: ast.expr) -> ast.expr:
    for selection in reversed(selections):
        table = substituted(selection, any_root(selection) or "", table)
    return table


class Chains:
    """Follows tables in one notebook."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.imports = Imports(flow.statements)
        self.functions = {
            statement.node.name: statement.index
            for statement in flow.statements
            if isinstance(statement.node, ast.FunctionDef | ast.ClassDef)
        }
        self.constants = {
            found[0] for statement in flow.statements if (found := assigned(statement.node)) and is_literal(found[1])
        }
        self.splits = [split for statement in flow.statements if (split := self._split(statement.index))]

    def _split(self, index: int) -> Split | None:
        found = assigned_tuple(self.flow.statements[index].node)
        if not found:
            return None
        names, value = found
        if not isinstance(value, ast.Call) or self.imports.name(value.func).rpartition(".")[2] != "train_test_split":
            return None
        if (len(names), len(value.args)) not in ((4, 2), (2, 1)):
            return None
        return Split(index, tuple(names), value)

    def chain(self, rows: ast.expr, at: int) -> Chain:
        """What a table has gone through since it was read, the last step last."""
        steps: list[Step] = []
        unknown: list[int] = []
        selections: list[ast.expr] = []
        split: Split | None = None
        part = ""
        source, here = rows, at
        base = (rows, at)  # where the last step, or the split, found its table
        for _ in range(2 * len(self.flow.statements) + 20):
            step = self._step(source, here)
            if step and not (split and step[0][1] == "function"):
                unknown += [here] * bool(selections and not split)
                selections = selections if split else []
                steps.append(Step(*step[0], before_split=split is not None))
                source = step[1]
                base = (source, here)
                continue
            if self._inner(source) is not source:
                source = self._inner(source)
                continue
            root = None if split else any_root(source)
            if root and not isinstance(source, ast.Name):
                known = selected_root(source, self.constants) is not None
                selections += [source] * known
                unknown += [here] * (not known)
                source = ast.Name(root, ast.Load())
                continue
            made = self.flow.made_by(source.id, here) if isinstance(source, ast.Name) else []
            if not isinstance(source, ast.Name) or not made:
                break
            last = made[0]
            entered = next((one for one in self.splits if one.statement == last and source.id in one.names[:2]), None)
            if entered and not split:
                split, part = entered, PARTS[entered.names.index(source.id)]
                source, here = _applied(selections, entered.call.args[0]), last
                base = (source, here)
                continue
            partial = None if split else self._partial(last, source.id)
            if partial:
                steps.append(partial)
                here = last
                continue
            value = value_for(self.flow.statements[last].node, source.id)
            if value is not None:
                source, here = value, last
            elif split is None and source.id not in self.flow.names[last].binds:
                unknown.append(last)
                here = last
            else:
                break
        unknown = unknown if part else []
        return Chain(tuple(reversed(steps)), *base, split, part, tuple(reversed(unknown)), tuple(selections))

    def column(self, value: ast.expr, at: int) -> Chain | None:
        """The columns of a split table that an expression takes; None where it takes none."""
        selections: list[ast.expr] = []
        for _ in range(len(self.flow.statements)):
            if self._inner(value) is not value:
                value = self._inner(value)
                continue
            root = column_root(value, self.constants)
            if root:
                selections.append(as_brackets(value))
                value = ast.Name(root, ast.Load())
                continue
            made = self.flow.made_by(value.id, at) if isinstance(value, ast.Name) else []
            if not isinstance(value, ast.Name) or not made:
                return None
            split = next((one for one in self.splits if one.statement == made[0] and value.id in one.names), None)
            if split and split.of_tables and selections:
                chain = Chain(
                    (), split.call.args[0], made[0], split, PARTS[split.names.index(value.id)], (), tuple(selections)
                )
                return replace(chain, source=chain.selected(chain.source))
            found = value_for(self.flow.statements[made[0]].node, value.id)
            if found is None:
                return None
            value, at = found, made[0]
        return None

    def _step(self, value: ast.expr, at: int) -> tuple[tuple[int, str, str, str], ast.expr] | None:
        """The step that an expression applies, as the first fields of `Step`, and what it is applied to."""
        if not isinstance(value, ast.Call) or not value.args:
            return None
        on, verb = receiver(value), method(value)
        if verb in ("fit_transform", "transform") and on is not None:
            if isinstance(on, ast.Name):
                return (at, "fitted", on.id, ""), value.args[0]
            if self.imports.makes_estimator(on):
                return (at, "fitted", "", ast.unparse(on)), value.args[0]
        own = value.func.id if isinstance(value.func, ast.Name) else ""
        is_function = own in self.functions and isinstance(
            self.flow.statements[self.functions[own]].node, ast.FunctionDef
        )
        if is_function and len(value.args) == 1 and not value.keywords:
            return (at, "function", own, ""), value.args[0]
        return None

    def _partial(self, index: int, name: str) -> Step | None:
        """`X[columns] = T.fit_transform(X[columns])` as a step on some columns."""
        match self.flow.statements[index].node:
            case ast.Assign(
                targets=[ast.Subscript(value=ast.Name(id=target), slice=columns)],
                value=ast.Call(
                    func=ast.Attribute(value=ast.Name(id=transformer), attr="fit_transform" | "transform"),
                    args=[ast.Subscript(value=ast.Name(id=source), slice=others)],
                ),
            ) if target == source == name and ast.dump(columns) == ast.dump(others):
                return Step(index, "fitted", transformer, "", ast.unparse(columns))
        return None

    def _inner(self, value: ast.expr) -> ast.expr:
        """The table inside an expression that keeps its values."""
        if isinstance(value, ast.Attribute) and value.attr == "values":
            return value.value
        if isinstance(value, ast.Call):
            inside = receiver(value)
            if method(value) in _SAME_VALUES and inside is not None:
                return inside
            if self.imports.name(value.func) in ("pandas.DataFrame", "numpy.array", "numpy.asarray") and value.args:
                first = value.args[0]
                if isinstance(first, ast.Name) or self._step(first, 0):
                    return first
        return value
