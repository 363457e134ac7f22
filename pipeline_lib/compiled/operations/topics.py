"""The topics of a document by variational inference, as LatentDirichletAllocation infers them.

Each row is iterated by itself: from topics of equal weight, words are shared out among topics, and topics weighed by
their words, until their weights change by less than a tolerance:

    share of a word     E[topic] * B[topic, word] / norm[word]      norm: the sum over the topics, plus 2**-52
    weight of a topic   prior + sum over the words of count * share
    E[topic]            exp(psi(weight) - psi(sum of the weights))

Rows that have stopped keep their weights while others go on, so a row has the bits of many. Source:
sklearn/decomposition/_lda.py, `_update_doc_distribution`, and _online_lda_fast.pyx.
"""

from typing import Any

import numpy as np

from pipeline_lib.compiled.operations.refusals import RefusedRowsError
from pipeline_lib.compiled.operations.registry import Settings, operation
from pipeline_lib.compiled.operations.setting_types import INTEGER, MATRIX, NUMBER, TEXT
from pipeline_lib.compiled.operations.sparse import SparseColumn, sparse_error_bounds
from pipeline_lib.compiled.portable_math.exponentials import exp_vector
from pipeline_lib.compiled.portable_math.logarithms import log_vector

_EULER = 0.577215664901532860606512090082402431
_LEAST, _LARGE = 1e-6, 6.0  # below and above: the two series of psi
_EPSILON = 2.0**-52  # np.finfo(np.float64).eps
_PIECE = 1 << 20  # numbers of a working array
_NEAR = 1e-7  # a change so near to the tolerance may stop a reference earlier or later


def psi(x: Any) -> Any:
    """The derivative of log(gamma(x)) of positive numbers, by Algorithm AS 103 as the library computes it."""
    near = x <= _LEAST
    shifted, result = np.where(near, 1.0, x), np.zeros(x.shape)
    for _ in range(int(_LARGE)):
        below = shifted < _LARGE
        result = np.where(below, result - 1.0 / shifted, result)
        shifted = np.where(below, shifted + 1.0, shifted)
    r = 1.0 / shifted
    result = result + (log_vector(shifted) - 0.5 * r)
    r = r * r
    result = result - r * ((1.0 / 12.0) - r * ((1.0 / 120.0) - r * (1.0 / 252.0)))
    return np.where(near, -_EULER - 1.0 / np.where(near, x, 1.0), result)


def _sum(parts: Any) -> Any:
    total = np.zeros(parts.shape[1:])
    for part in parts:
        total = total + part
    return total


def _expectation(weights: Any) -> Any:
    return exp_vector(psi(weights) - psi(_sum(weights)))


def _step(sparse: SparseColumn, words: Any, shares: Any, prior: float) -> Any:
    """New weights of the topics; `words` (topics x values) are the stored expectations of each value's word."""
    rows, lengths = sparse.rows(), np.diff(sparse.indptr)
    norm = np.zeros(len(rows))
    for share, known in zip(shares, words, strict=True):
        norm += np.repeat(share, lengths) * known
    ratio = sparse.values / (norm + _EPSILON)
    sums = [np.bincount(rows, weights=ratio * known, minlength=len(lengths)) for known in words]
    return shares * np.array(sums) + prior


def _infer(sparse: SparseColumn, settings: Settings, words: Any) -> tuple[Any, Any]:
    """The weights of the topics (topics x rows), and how near the last changes came to the tolerance."""
    prior, tolerance = float(settings["prior"]), float(settings["tolerance"])
    weights, margin = np.ones((len(words), len(sparse))), np.full(len(sparse), np.inf)
    part, known, last, rows = sparse, words[:, sparse.indices], weights, np.arange(len(sparse))
    shares, going = exp_vector(psi(last) - psi(_sum(last))), np.ones(len(sparse), dtype=bool)
    for _ in range(int(settings["iterations"])):
        new = _step(part, known, shares, prior)
        change = _sum(np.abs(last - new)) / len(words)
        weights[:, rows[going]] = new[:, going]
        margin[rows[going]] = np.minimum(margin[rows[going]], np.abs(change - tolerance)[going])
        going &= ~(change < tolerance)
        if not going.any():
            break
        last, shares = new, _expectation(new)
        if 2 * going.sum() < len(going):  # the others have stopped: their weights stay
            kept = np.flatnonzero(going)
            part, last, shares, rows, going = part.take(kept), last[:, kept], shares[:, kept], rows[kept], going[kept]
            known = words[:, part.indices]
    return weights, margin


def _normalised(weights: Any) -> Any:
    return weights / _sum(weights)


def _in_pieces(function: Any, sparse: SparseColumn, topics: int) -> list[Any]:
    """A function of so many rows at once that its working arrays stay small."""
    longest = int(np.diff(sparse.indptr).max(initial=1)) * topics
    size = max(1, _PIECE // max(longest, 1))
    return [function(sparse.slice(at, min(at + size, len(sparse)))) for at in range(0, max(len(sparse), 1), size)]


def _refuse_negative(sparse: SparseColumn, where: str) -> None:
    bad = sparse.values < 0
    if bad.any():
        first = int(np.argmax(bad))
        raise RefusedRowsError(
            int(sparse.rows()[first]),
            f"{where}: found {sparse.values[first].item()!r} in column {int(sparse.indices[first])}, expected a count "
            "of 0 or more; correct the row",
        )


def _bind_topics(settings: Settings) -> Any:
    words = np.asarray(settings["words"], dtype=np.float64)

    def topics(column: Any) -> Any:
        sparse = SparseColumn.of(column)
        _refuse_negative(sparse, settings["where"])
        parts = _in_pieces(lambda part: _normalised(_infer(part, settings, words)[0]), sparse, len(words))
        return np.concatenate(parts, axis=1)

    return topics


def _topics_error_bound(settings: Settings, inputs: Any, bounds: Any, result: Any) -> Any:
    """How far the topics move with the last bits of the stored numbers; infinite where a row may stop elsewhere."""
    sparse, moved = SparseColumn.of(inputs[0]), sparse_error_bounds(bounds[0], inputs[0])
    words = np.asarray(settings["words"], dtype=np.float64)
    longest = int(np.diff(sparse.indptr).max(initial=0))
    signs = np.where(np.arange(words.size).reshape(words.shape) * 7 % 3 == 1, 1.0, -1.0)
    other = words * (1.0 + signs * (longest + 8) * _EPSILON)

    def movement(part: SparseColumn) -> Any:
        weights, margin = _infer(part, settings, other)
        return np.where(margin <= _NEAR * float(settings["tolerance"]), np.inf, _normalised(weights))

    largest = np.abs(
        np.concatenate(_in_pieces(movement, sparse.holding(sparse.values + moved), len(words)), 1) - result
    )
    return 16.0 * largest + 64.0 * _EPSILON


operation(
    "document_topics",
    ("bag|vector",),
    "vector",
    doc="The shares of topics in a document of word counts, by iteration; `words` (topics x words) is fitted.",
    parameters=("counts",),
    settings={"words": MATRIX, "prior": NUMBER, "iterations": INTEGER, "tolerance": NUMBER, "where": TEXT},
    column=_bind_topics,
    error_bound=_topics_error_bound,
    width=lambda settings, widths: len(settings["words"]),
)
