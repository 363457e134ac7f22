"""The flow of data between statements: which ones make the value that another one reads."""

import ast
from collections.abc import Callable, Iterable

from pipeline_lib.project.from_notebook.names import BUILTINS, Names, changed_arguments, names_of
from pipeline_lib.project.from_notebook.source import Statement

Skip = Callable[[int], bool]


class Flow:
    """Statements in the order in which they run, with what each reads, binds and changes."""

    def __init__(self, statements: list[Statement]) -> None:
        self.statements = statements
        functions = {
            statement.node.name: changed_arguments(statement.node)
            for statement in statements
            if isinstance(statement.node, ast.FunctionDef)
        }
        self._made: dict[tuple[str, int], list[int]] = {}
        self.names: list[Names] = [names_of(statement.node, functions) for statement in statements]

    def made_by(self, name: str, before: int) -> list[int]:
        """The statements that make a name's value as the statement `before` finds it, the last one first."""
        known = self._made.get((name, before))
        if known is not None:
            return known
        result = self._made[name, before] = []
        for index in range(before - 1, -1, -1):
            names = self.names[index]
            if name in names.binds:
                result.append(index)
                if names.certain:
                    break
            elif name in names.changes:
                result.append(index)
        return result

    def bound_by(self, name: str, before: int) -> int | None:
        """The last statement before another one that binds a name."""
        return next((index for index in range(before - 1, -1, -1) if name in self.names[index].binds), None)

    def needed(self, wanted: Iterable[tuple[str, int]], skip: Skip = lambda index: False) -> set[int]:
        """All statements that make some names' values, each as one statement finds it; not beyond those to skip."""
        result: set[int] = set()
        seen: set[tuple[str, int]] = set()
        waiting = list(wanted)
        while waiting:
            name, before = waiting.pop()
            if (name, before) in seen:
                continue
            seen.add((name, before))
            for index in self.made_by(name, before):
                if skip(index):
                    continue
                names = self.names[index]
                result.add(index)
                waiting += [(read, index) for read in names.reads | names.changes]
                waiting += [(read, max(before, index)) for read in names.late]
        return result

    def users(self, index: int) -> list[int]:
        """Later statements that read or change what a statement has bound or changed."""
        mine = self.names[index].binds | self.names[index].changes
        return [
            other
            for other in range(index + 1, len(self.statements))
            for names in [self.names[other]]
            if any(
                name in names.reads | names.changes | names.late and index in self.made_by(name, other) for name in mine
            )
        ]

    def unbound(self) -> list[tuple[int, str, int | None]]:
        """Names that a statement reads before any other binds them: the statement, the name, where it is bound."""
        bound: set[str] = set(BUILTINS)
        result = []
        star = False
        for index, names in enumerate(self.names):
            star = star or "*" in names.binds
            if not star:
                later = range(index, len(self.names))
                result += [
                    (index, name, next((i for i in later if name in self.names[i].binds), None))
                    for name in sorted((names.reads | names.changes) - bound)
                ]
            bound |= names.binds | {name for _, name, _ in result}
        return result
