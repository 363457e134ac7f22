"""A plan of the core as bytes: registers, arrays and code, as native/plan.c reads them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline_lib.compiled.native.core import operations
from pipeline_lib.compiled.native.encoded import Encoded

_MAGIC = 0x313045524F434C50
_NO_OUTPUT = 2**64 - 1
_ARRAY_KINDS = {"float64": "d", "float32": "f", "int64": "i", "int32": "l", "uint64": "u", "uint16": "h", "uint8": "b"}
_LINE = 64  # arrays begin at multiples of it


@dataclass
class PlanWriter:
    """Registers in order: inputs first, then constants and results; instructions; arrays, each once."""

    registers: list[int] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    widths: list[int] = field(default_factory=list)
    inputs: int = 0
    arrays: list[NDArray[Any]] = field(default_factory=list)
    code: list[int] = field(default_factory=list)
    instructions: int = 0

    def register(self, kind: str, width: int = 1, constant: int | None = None) -> int:
        """A new register; `constant` are the bits of its value."""
        self.registers += [ord(kind) | (constant is not None) << 8 | width << 32, constant or 0]
        self.kinds.append(kind)
        self.widths.append(width)
        return len(self.kinds) - 1

    def instruction(self, encoded: Encoded, inputs: Sequence[int], output: int | None) -> None:
        """Append an operation; None for one without a result."""
        arrays = range(len(self.arrays), len(self.arrays) + len(encoded.arrays))
        self.arrays += [np.ascontiguousarray(array) for array in encoded.arrays]
        self.code += [operations()[encoded.operation][0], len(inputs), len(encoded.ints), len(arrays)]
        self.code += [_NO_OUTPUT if output is None else output, *inputs]
        self.code += [int(number) % 2**64 for number in encoded.ints]
        self.code += arrays
        self.instructions += 1

    def to_bytes(self, outputs: Sequence[int]) -> bytes:
        """The plan with these registers as its outputs."""
        words = 8 + len(self.registers) + len(outputs) + 3 * len(self.arrays) + len(self.code)
        place, table, parts = _up(8 * words), [], []
        for array in self.arrays:
            table += [ord(_ARRAY_KINDS[array.dtype.name]), place, array.size]
            parts.append(array.tobytes().ljust(_up(array.nbytes), b"\0"))
            place += len(parts[-1])
        header = [_MAGIC, place, len(self.kinds), self.inputs, len(outputs), self.instructions]
        header += [len(self.arrays), len(self.code)]
        whole = np.array([*header, *self.registers, *outputs, *table, *self.code], dtype=np.uint64)
        return b"".join([whole.tobytes().ljust(_up(8 * words), b"\0"), *parts])


def _up(size: int) -> int:
    return -(-size // _LINE) * _LINE
