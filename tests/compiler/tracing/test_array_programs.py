"""Random programs on arrays: columns taken, set, masked, changed in place and through views, as NumPy has them."""

from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np
import pytest
from trace_frames import ARRAY
from tracing import check

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

ROWS = np.round(ARRAY[:8] * 2) / 2
OTHERS = np.array(
    [[0.0, 1.0, 2.0], [3.0, 3.0, 3.0], [np.nan, 1.0, -1.0], [-2.0, np.inf, 0.5], [2.5, 0.0, -3.0], [1e3, 0.5, np.nan]]
)
CONSTANTS = ("0", "1", "-1", "2.5", "0.5", "3", "np.nan", "1e3")


class Program:
    """A program that is drawn line by line; `arrays` are its arrays of several columns with their widths."""

    def __init__(self, draw: Random) -> None:
        self.draw = draw
        self.arrays = {"X": 3}
        self.columns: list[str] = []
        self.lines = ["X = X.copy()"]

    def name(self) -> str:
        return f"v{len(self.lines)}"

    def array(self) -> str:
        return self.draw.choice(list(self.arrays))

    def place(self) -> str:
        array = self.array()
        return f"{array}[:, {self.draw.randrange(self.arrays[array])}]"

    def column(self) -> str:
        return self.draw.choice(self.columns) if self.columns and self.draw.random() < 0.5 else self.place()

    def operand(self) -> str:
        return self.draw.choice([self.draw.choice(CONSTANTS), self.column()])

    def condition(self) -> str:
        return f"({self.column()} {self.draw.choice(['>', '<', '>=', '==', '!='])} {self.operand()})"

    def value(self) -> str:
        return self.draw.choice(
            [
                self.column(),
                f"({self.column()} {self.draw.choice('+-*/')} {self.operand()})",
                f"np.where({self.condition()}, {self.column()}, {self.operand()})",
                f"np.maximum({self.column()}, {self.operand()})",
                f"np.floor({self.column()})",
                f"{self.condition()}.astype(float)",
            ]
        )

    def keep(self, value: str, width: int | None = None) -> None:
        name = self.name()
        self.lines.append(f"{name} = {value}")
        if width is None:
            self.columns.append(name)
        else:
            self.arrays[name] = width

    def line(self) -> None:
        array = self.array()
        width, draw = self.arrays[array], self.draw
        first = draw.randrange(width)
        choices: list[Callable[[], Any]] = [
            lambda: self.keep(self.value()),
            lambda: self.keep(self.place()),
            lambda: self.keep(f"{array}[:, {first}:]", width - first),
            lambda: self.keep(f"{array}[:, [{first}, 0]]", 2),
            lambda: self.keep(f"{array}{draw.choice(['.copy()', '', ' * 1', '[:, ::-1]', '.T.T'])}", width),
            lambda: self.keep(f"np.c_[{array}, {self.column()}]", width + 1),
            lambda: self.lines.append(f"{self.place()} = {self.value()}"),
            lambda: self.lines.append(f"{array}[{self.condition()}, {first}] = {draw.choice(CONSTANTS)}"),
            lambda: self.lines.append(f"{array}[{array} > {draw.choice(CONSTANTS)}] = {draw.choice(CONSTANTS)}"),
            lambda: self.lines.append(f"{array} *= {draw.choice(CONSTANTS)}"),
            lambda: self.masked(array, first),
            lambda: self.in_place(),
        ]
        draw.choice(choices)()

    def masked(self, array: str, place: int) -> None:
        name = self.name()
        self.lines.append(f"{name} = {self.condition()}")
        self.lines.append(f"{array}[{name}, {place}] = {self.column()}[{name}] + {self.draw.choice(CONSTANTS)}")

    def in_place(self) -> None:
        if self.columns:
            column = self.draw.choice(self.columns)
            self.lines.append(f"{column} += {self.operand()}")
            self.lines.append(f"{column}[{self.condition()}] = {self.draw.choice(CONSTANTS)}")

    def source(self) -> str:
        parts = [*self.arrays, *(f"{column}[:, None]" for column in self.columns)]
        body = [*self.lines, f"return np.hstack([{', '.join(parts)}])"]
        return "def transform(self, X):\n" + "".join(f"    {line}\n" for line in body)


@pytest.mark.parametrize("seed", range(60))
def test_a_random_program_gives_what_numpy_gives(seed: int) -> None:
    program = Program(Random(seed))  # noqa: S311  a test's draw
    for _ in range(9):
        program.line()
    names: dict[str, Any] = {"np": np, "__name__": "own_programs"}
    exec(compile(program.source(), f"<program {seed}>", "exec"), names)  # noqa: S102  the program just drawn
    check(names["transform"], ROWS, OTHERS)
