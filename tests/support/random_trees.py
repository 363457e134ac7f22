"""Random ensembles of trees, as the settings of `trees` and of `oblivious_trees`."""

from typing import Any

import numpy as np

INPUTS, SETS = 4, 5
THRESHOLDS = (-np.inf, -1.0, -0.0, 0.0, 0.5, 2.0, 3.0, np.inf)


def ensemble(rng: np.random.Generator, sizes: list[int], **changes: Any) -> dict[str, Any]:
    """Random trees with that many leaves; `sets` and `fine` add categories and thresholds that are no float32."""
    sets, fine, width = changes.pop("sets", False), changes.pop("fine", False), changes.get("width", 1)
    feature, left, right, roots, leaves = [], [], [], [], 0
    for size in sizes:
        first, open_nodes = len(feature), [0]
        roots.append(first)
        children: list[tuple[int, int] | None] = [None]
        while len(open_nodes) < size:
            node = open_nodes.pop(int(rng.integers(len(open_nodes))))
            children[node] = (len(children), len(children) + 1)
            open_nodes += [len(children), len(children) + 1]
            children += [None, None]
        for pair in children:
            feature.append(-1 if pair is None else int(rng.integers(INPUTS)))
            left.append(leaves if pair is None else first + pair[0])
            right.append(-1 if pair is None else first + pair[1])
            leaves += pair is None
    count, inner = len(feature), np.array(feature) >= 0
    thresholds = rng.normal(size=count) * 2 if fine else rng.choice(THRESHOLDS, count)
    by_set = inner & (rng.random(count) < 0.4) & (np.array(feature) == 1) & sets
    values = rng.normal(size=(leaves, 1 if changes.get("outputs") else width)) * 10.0 ** rng.integers(
        -6, 6, (leaves, 1)
    )
    values[rng.random(leaves) < 0.2] = -0.0
    return {
        "feature": np.array(feature, dtype=np.int32),
        "threshold": np.where(inner, thresholds, 0.0),
        "left": np.array(left, dtype=np.int32),
        "right": np.array(right, dtype=np.int32),
        "missing_left": inner & (rng.random(count) < 0.5),
        "category": np.where(by_set, rng.integers(0, SETS, count), -1).astype(np.int32),
        "sets": rng.random((SETS, 7)) < 0.5,
        "roots": np.array(roots, dtype=np.int32),
        "values": values.astype(np.float32).astype(float) if changes.get("single") else values,
        "outputs": None,
        "start": None,
        "single": False,
        "width": 1,
        "inputs": INPUTS,
    } | changes


def oblivious(rng: np.random.Generator, depths: tuple[int, ...] = (2, 0, 4, 1)) -> dict[str, Any]:
    """Random oblivious trees of these depths; shorter ones are filled up with splits that no number is above."""
    most, sizes = max(depths), [2**depth for depth in depths]
    values = rng.normal(size=(sum(sizes), int(rng.choice([1, 3])))) * 10.0 ** rng.integers(-6, 6, (sum(sizes), 1))
    return {
        "split_columns": [[*rng.integers(0, INPUTS, own).tolist(), *[0] * (most - own)] for own in depths],
        "thresholds": [[*rng.choice([0.0, 0.5, 1.0, -np.inf], own), *[np.inf] * (most - own)] for own in depths],
        "first": (np.cumsum(sizes) - sizes).tolist(),
        "values": values.tolist(),
    }
