"""Trees as the core reads them: nodes by slot for walks, and tests with ranks where trees are small.

`native/trees_walk.h` and `native/trees_scorer.h` say what the arrays mean; the order of integers and arrays is that of
the lists in `native/trees.h`.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline_lib.compiled.native.encoded import Encoded, Encoders
from pipeline_lib.compiled.native.oblivious_layout import as_trees
from pipeline_lib.compiled.native.tree_nodes import TreeNodes
from pipeline_lib.compiled.native.tree_scorer import NO_SCORER, Scorer, score
from pipeline_lib.compiled.operations.registry import Settings
from pipeline_lib.compiled.operations.tree_arrays import TreeArrays

_PADDING = 64  # cells behind the leaves: a table of up to 64 leaves is read whole
_MOST_COLUMNS, _MOST_PAIRS = 4095, 1 << 20  # what fits into a node's link


def encode_trees(settings: Settings, dtypes: Sequence[str], widths: Sequence[int]) -> Encoded | None:
    """The core's operation `trees`, or None for trees that it does not carry."""
    if not len(settings["roots"]) or any(dtype != "float64" for dtype in dtypes):
        return None
    trees = TreeArrays(settings)
    wide = settings["outputs"] is None
    if wide and len(trees.values) != settings["width"]:
        return None
    if not wide and len(settings["outputs"]) != len(trees.roots):
        return None
    nodes = TreeNodes(trees)
    if nodes.shared or np.isnan(nodes.thresholds).any():
        return None
    if len(nodes.columns) > _MOST_COLUMNS or max(trees.leaves) > _MOST_PAIRS:
        return None
    return _encoded(settings, trees, nodes, score(trees, nodes) or NO_SCORER)


def encode_oblivious_trees(settings: Settings, dtypes: Sequence[str], widths: Sequence[int]) -> Encoded | None:
    """The core's operation `trees` with the sums of oblivious trees, or None for those that it does not carry."""
    trees = as_trees(settings, len(dtypes))
    return None if trees is None else encode_trees(trees, dtypes, widths)


def _encoded(settings: Settings, trees: TreeArrays, nodes: TreeNodes, scorer: Scorer) -> Encoded:
    width, wide = int(settings["width"]), settings["outputs"] is None
    near, far, all_near = nodes.slots()
    ints = [
        width,
        width if wide else 1,
        len(trees.roots),
        int(bool(settings["single"])),
        int(all_near),
        len(nodes.columns),
        nodes.set_column,
        nodes.set_size,
        scorer.rows,
        scorer.width,
    ]
    arrays: list[NDArray[Any]] = [
        _start(settings, trees.values.dtype),
        np.asarray([] if wide else settings["outputs"], dtype=np.int32),
        _values(settings, trees, nodes),
        nodes.at,
        trees.depths.astype(np.int32),
        near,
        far,
        nodes.columns,
        nodes.bits,
        scorer.parts,
        scorer.steps,
        scorer.ranks,
        scorer.thresholds,
        scorer.tests,
        scorer.answers,
        scorer.row_blocks,
        scorer.row_tests,
    ]
    return Encoded("trees" if width == 1 else "trees_vector", ints, arrays)


def _start(settings: Settings, dtype: Any) -> NDArray[np.float64]:
    """What sums begin with. Without a start the first wide leaf is taken as it is: -0.0 plus x has the bits of x."""
    if settings["start"] is not None:
        return np.asarray(settings["start"], dtype=dtype).astype(np.float64)
    return np.full(settings["width"], 0.0 if settings["outputs"] is not None else -0.0)


def _values(settings: Settings, trees: TreeArrays, nodes: TreeNodes) -> NDArray[Any]:
    """The leaves in tree order, from the left; as many numbers each as trees have, one where a tree has an output."""
    values = trees.values if settings["outputs"] is None else trees.values[:1]
    leaves = values[:, trees.left[nodes.leaves]].T.ravel()
    return np.concatenate([leaves, np.zeros(_PADDING, dtype=values.dtype)])


ENCODERS: Encoders = {"trees": encode_trees, "oblivious_trees": encode_oblivious_trees}
