"""How rows of an opaque step are grouped follows from the batches in which they keep their bits."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline_lib.compiler.opaque_shapes import block_of

FRAME = pd.DataFrame({"a": np.linspace(0.0, 1.0, 400), "b": np.linspace(5.0, 9.0, 400)})


def alike(X: Any) -> Any:
    return X.to_numpy().sum(axis=1)


def by_size(X: Any) -> Any:
    """The last bit depends on the number of rows, as with sums that BLAS blocks."""
    return np.nextafter(alike(X), 99.0 if len(X) % 2 else 0.0)


def by_place(X: Any) -> Any:
    """The last bit depends on the place of a row in its batch, as where the last rows go through another kernel."""
    total = alike(X)
    total[-4:] = np.nextafter(total[-4:], 99.0)
    return total


def by_large_batch(X: Any) -> Any:
    """Only a batch of more than 300 rows differs."""
    return np.nextafter(alike(X), 99.0) if len(X) > 300 else alike(X)


@pytest.mark.parametrize(("call", "block"), [(alike, 400), (by_size, None), (by_large_batch, None), (by_place, 1)])
def test_rows_are_grouped_as_their_bits_allow(call: Any, block: int | None) -> None:
    assert block_of(call, FRAME, ["float64"]) == block


def test_few_rows_are_repeated_to_the_sizes_that_are_tried() -> None:
    sizes: list[int] = []

    def noted(X: Any) -> Any:
        sizes.append(len(X))
        return alike(X)

    assert block_of(noted, FRAME.head(3), ["float64"]) == 257
    assert {1, 3, 7, 256, 257} <= set(sizes)


def test_a_step_that_writes_into_its_input_does_not_change_what_is_asked_next() -> None:
    frame = FRAME.copy()

    def writing(X: Any) -> Any:
        X["a"] = X["a"] + 1.0
        return alike(X)

    assert block_of(writing, frame, ["float64"]) == 400
    pd.testing.assert_frame_equal(frame, FRAME)


def test_a_library_may_give_one_row_alone_another_shape() -> None:
    """It is then never asked one row alone: blocks are padded."""

    def squeezed(X: Any) -> Any:
        return X.to_numpy()[0] if len(X) == 1 else X.to_numpy()

    assert block_of(squeezed, FRAME, ["float64", "float64"]) is None


def test_words_are_compared_too() -> None:
    def named(X: Any) -> Any:
        return np.array([f"{value:.3f}{'*' if len(X) == 7 else ''}" for value in X["a"]], dtype=object)

    assert block_of(named, FRAME, ["str"]) is None
