"""Trees as generated source for one row: each is written as nested conditions, whose leaves are literals."""

from array import array
from collections.abc import Callable, Sequence

import numpy as np

from pipeline_lib.compiled.operations.python_source import Code
from pipeline_lib.compiled.operations.registry import Settings


def splits_left(settings: Settings, node: int) -> Callable[[float], bool]:
    """The function that says, for one row, whether a node that splits by category sends it left."""
    members = np.asarray(settings["sets"])[settings["category"][node]].tolist()
    missing, size = bool(settings["missing_left"][node]), len(members) - 1

    def test(x: float) -> bool:
        return missing if x != x else members[int(x) if -1.0 < x < size else size]

    return test


class TreeWriter:
    """Writes the trees of an ensemble into the source of a plan."""

    def __init__(self, code: Code, settings: Settings, inputs: Sequence[str]) -> None:
        self.code, self.settings, self.inputs = code, settings, inputs
        names = ("feature", "threshold", "left", "right", "missing_left", "category")
        self.feature, self.threshold, self.left, self.right, self.missing, self.category = (
            np.asarray(settings[name]).tolist() for name in names
        )
        self.leaf = code.fresh("leaf")
        self.cell = code.fresh("single") if settings["single"] else ""

    def write(self) -> str:
        """Write all trees; returns the expression of their sum."""
        code, outputs, width = self.code, self.settings["outputs"], self.settings["width"]
        totals = [code.fresh("trees") for _ in range(width)]
        start = self.settings["start"]
        if self.cell:
            code.line(f"{self.cell} = {code.bind(array, 'array')}('f', (0.0,))")
        for total, first in zip(totals, start or (), strict=False):
            code.line(f"{total} = {code.literal(float(first))}")
        wide = outputs is None and width > 1
        for tree, root in enumerate(np.asarray(self.settings["roots"]).tolist()):
            self._node(root, "", wide=wide)
            add = "" if tree == 0 and start is None else "+"
            if wide:
                for output, total in enumerate(totals):
                    self._add(total, self._sum(total, add, output))
            else:
                total = totals[0 if outputs is None else int(outputs[tree])]
                self._add(total, self._sum(total, add))
        return totals[0] if width == 1 else f"{code.bind(np.array, 'array')}(({', '.join(totals)},))"

    def _add(self, total: str, expression: str) -> None:
        if self.cell:  # an array of one float32 rounds what is stored in it
            self.code.line(f"{self.cell}[0] = {expression}; {total} = {self.cell}[0]")
        else:
            self.code.line(f"{total} = {expression}")

    def _sum(self, total: str, add: str, output: int | None = None) -> str:
        leaf = self.leaf if output is None else f"{self.leaf}[{output}]"
        return f"{total} + {leaf}" if add else leaf

    def _node(self, node: int, indent: str, *, wide: bool) -> None:
        feature = self.feature[node]
        if feature < 0:
            row = np.asarray(self.settings["values"])[self.left[node]].tolist()
            value = f"({', '.join(map(self.code.literal, row))},)" if wide else self.code.literal(row[0])
            self.code.line(f"{indent}{self.leaf} = {value}")
            return
        self.code.line(f"{indent}if {self._test(node, self.inputs[feature])}:")
        self._node(self.left[node], indent + " ", wide=wide)
        self.code.line(f"{indent}else:")
        self._node(self.right[node], indent + " ", wide=wide)

    def _test(self, node: int, name: str) -> str:
        if self.category[node] >= 0:
            return f"{self.code.bind(splits_left(self.settings, node), 'set')}({name})"
        threshold = self.code.literal(self.threshold[node])
        return f"not {name} > {threshold}" if self.missing[node] else f"{name} <= {threshold}"
