"""One operation of the core: what an encoder makes of a plan's node."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline_lib.compiled.operations.registry import Settings


@dataclass(frozen=True)
class Encoded:
    """The core's operation with its settings: integers, and arrays of float64, float32, int64, int32, uint64, uint16
    or uint8."""

    operation: str
    ints: Sequence[int] = ()
    arrays: Sequence[NDArray[np.generic]] = ()


Encoder = Callable[[Settings, Sequence[str], Sequence[int]], Encoded | None]
"""From a node's settings and its inputs' dtypes and widths; None where the core cannot carry it."""
Encoders = dict[str, Encoder]
