"""Error bounds of a library that computes in float32: how far its result may be from a plan's.

A plan computes in float64, so every rounding that the library does besides is the library's own: 2**29 times as large,
and also where float64 would not round at all.

    operation                              bound of the result, besides what its inputs move it by
    copy, look-up, comparison, integers    none: bits must be equal
    + - * / and roots                      one ULP of float32 of the result
    sum of terms, elementary function      its bound in float64, in ULPs of float32
    constant                               what float32 cannot hold of it

A sum of x - mean, say, may then be off by the float32 ULPs of both, not of their difference.
"""

from typing import Any

import numpy as np

from pipeline_lib.compiled.operations.catalog import OPERATIONS
from pipeline_lib.compiler.error_bounds import BoundedEvaluation, error_bound_of

_SINGLE = 2.0**29  # one ULP of float32 (24 bits) in ULPs of float64 (53 bits)
_ULP = 2.0**-23  # of float32, relative
_ROUNDED = ("add", "subtract", "multiply", "divide", "sqrt")
_MOVED = ("item", "stack", "earlier", "allow_ulps")  # numbers that are handed on, not computed with


class Float32Evaluation(BoundedEvaluation):
    """Evaluates nodes with the bounds of a library that computes in float32."""

    def _error_bound(self, index: int) -> Any:
        node = self._plan.nodes[index]
        if node.operation == "constant":
            return _lost(node.settings["value"])
        if node.operation == "input":
            return None
        operation, result = OPERATIONS[node.operation], self._values[index]
        inputs = [self._values[number] for number in node.inputs]
        bounds = [self._bounds[number] for number in node.inputs]
        if operation.error_bound is None or operation.name in _MOVED:
            moved = bounds
        else:
            moved = [_held(value, bound) for value, bound in zip(inputs, bounds, strict=True)]
        total: Any = error_bound_of(operation, node.settings, inputs, moved, result)
        own = error_bound_of(operation, node.settings, inputs, [None] * len(inputs), result)
        if own is not None:
            total = (0.0 if total is None else total) + np.where(np.isfinite(own), own * _SINGLE, 0.0)
        if operation.name in _ROUNDED:
            total = (0.0 if total is None else total) + np.nan_to_num(_ULP * np.abs(result), posinf=0.0)
        return total if total is not None and np.any(total) else None


def _lost(constant: Any) -> Any:
    """What float32 cannot hold of a constant; None where it holds all of it."""
    if not isinstance(constant, float) or not np.isfinite(constant):
        return None
    with np.errstate(all="ignore"):
        return abs(constant - float(np.float32(constant))) or None


def _held(value: Any, bound: Any) -> Any:
    """The bound of an input that float32 holds, of which the operation takes differences or products."""
    if not isinstance(value, np.ndarray | float) or np.asarray(value).dtype != np.float64:
        return bound
    size = np.where(np.isfinite(value), np.abs(value), 0.0)
    return (0.0 if bound is None else bound) + _ULP * size
