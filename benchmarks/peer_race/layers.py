"""How fast the core's dense layers are by themselves: multiplications and additions a second of one thread.

A plan of one layer also copies its rows in and its results out. So each layer is carried out once, and once and more
on the same rows; the difference is the layers alone. So few rows stay in the cache, as those of a small model do.
"""

import os
import time
from typing import Any
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

from pipeline_lib.compiled.native.core import VARIABLE, load_plan
from pipeline_lib.compiled.native.plan_bytes import PlanWriter
from pipeline_lib.compiled.native.vector_layout import encode_affine

ROWS, MORE, REPEATS = 256, 2, 100

Floats = NDArray[np.float64]


def dense_layers(model: Any) -> list[Floats]:
    """The weights of a fitted model's dense layers, each inputs x outputs; none for other models."""
    return [np.asarray(weights, dtype=np.float64) for weights in getattr(model, "coefs_", ())]


def multiply_adds_a_second(model: Any, level: str) -> float | None:
    """Those that one thread does in a model's dense layers; None without layers, or without the core."""
    layers = dense_layers(model)
    with patch.dict(os.environ, {VARIABLE: level}):
        plans = [(plan_of(weights, 1), plan_of(weights, 1 + MORE)) for weights in layers]
    seconds = 0.0
    for weights, (once, often) in zip(layers, plans, strict=True):
        if once is None or often is None:
            return None
        seconds += (seconds_of(often, weights) - seconds_of(once, weights)) / MORE
    return ROWS * sum(weights.size for weights in layers) / seconds if seconds > 0 else None


def plan_of(weights: Floats, times: int) -> Any | None:
    """The core's plan of a layer that is carried out so many times; None where the core does not carry it."""
    inputs, outputs = weights.shape
    encoded = encode_affine({"matrix": weights.T, "offset": np.ones(outputs)}, ["vector"], [inputs])
    if encoded is None:
        return None
    writer = PlanWriter()
    taken = writer.register("v", inputs)
    writer.inputs = 1
    results = [writer.register("v", outputs) for _ in range(times)]
    for result in results:
        writer.instruction(encoded, [taken], result)
    return load_plan(writer.to_bytes(results[-1:]))


def seconds_of(plan: Any, weights: Floats) -> float:
    """The least time that a plan of a layer takes for ROWS rows."""
    inputs, outputs = weights.shape
    rows, result = np.random.default_rng(0).normal(size=(inputs, ROWS)), np.empty((outputs, ROWS))
    return min(_seconds(plan, rows, result) for _ in range(REPEATS))


def _seconds(plan: Any, rows: Floats, result: Floats) -> float:
    start = time.perf_counter()
    plan.run([rows], [result], 0, ROWS)
    return time.perf_counter() - start
