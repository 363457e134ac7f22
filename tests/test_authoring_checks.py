"""What the checks for authors refuse, in which words; and that they need no scikit-learn."""

import subprocess
import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline_lib import (
    InputError,
    check_classification,
    check_columns,
    check_dtypes,
    check_regression,
    check_tables,
)

FRAME = pd.DataFrame({"fare": [8.05], "party": pd.array([1], dtype="Int64"), "name": pd.Series(["Ann"], dtype="str")})


class PerHead:
    """Lends its name to the messages."""


def test_a_frame_that_fits_passes() -> None:
    check_columns(PerHead(), FRAME, ["fare", "name"])
    check_dtypes(PerHead(), FRAME, iter(["fare", "party"]), text=False)
    check_dtypes(PerHead(), FRAME, ["name"], text=True)
    check_tables(PerHead(), {"rows": FRAME, "others": 1}, {"rows": ["fare"]})


@pytest.mark.parametrize("data", [FRAME.to_numpy(), [8.05], FRAME["fare"], None])
def test_anything_but_a_frame_is_named(data: Any) -> None:
    message = f"^PerHead: found {type(data).__name__}, expected a DataFrame; pass one with named columns$"
    with pytest.raises(InputError, match=message):
        check_columns(PerHead(), data, [])
    with pytest.raises(InputError, match=message):
        check_dtypes(PerHead(), data, [], text=True)


def test_an_absent_column_is_named_before_its_dtype_is_read() -> None:
    for check in (check_columns, lambda *args: check_dtypes(*args, text=False)):
        with pytest.raises(InputError, match="found the columns fare, party, name, expected also 'fares'; add it"):
            check(PerHead(), FRAME, ["fare", "fares"])


@pytest.mark.parametrize(
    ("column", "text", "expected"),
    [
        ("name", False, "found str in column 'name', expected numbers"),
        ("fare", True, "found float64 in column 'fare', "),
    ],
)
def test_another_dtype_is_named_with_the_cast(column: str, text: bool, expected: str) -> None:
    with pytest.raises(InputError, match=rf"PerHead: {expected}.*cast it, for example X.astype\({{'{column}': "):
        check_dtypes(PerHead(), FRAME, [column], text=text)


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        (FRAME, "found DataFrame, expected a mapping of the frames rows; pass all of them"),
        ([FRAME], "found list, expected a mapping"),
        ({"row": FRAME}, "found tables row, expected a mapping"),
        ({"rows": FRAME["fare"]}, "found tables rows, expected a mapping of the frames"),
        ({"rows": FRAME[["name"]]}, "rows: found no fare, party, expected these columns; add them"),
    ],
)
def test_other_tables_are_named(tables: Any, message: str) -> None:
    with pytest.raises(InputError, match=f"^PerHead: {message}"):
        check_tables(PerHead(), tables, {"rows": ["fare", "party"]})


def test_targets_and_predictions_of_numbers_come_back_as_float64() -> None:
    for column in check_regression(pd.Series([1, 2], index=[4, 2]), [1.5, 2.5]):
        assert (type(column), column.dtype, column.shape) == (np.ndarray, np.float64, (2,))
    assert len(check_regression([1.0], [2.0], rows=1)) == 2


@pytest.mark.parametrize(
    ("target", "predictions", "message"),
    [
        ([1, 2], [1, 2, 3], r"targets of shape \(2,\) and predictions of shape \(3,\), expected one column"),
        ([[1], [2]], [[1], [2]], r"targets of shape \(2, 1\)"),
        ([1], [1], "expected one column of the same length, 2 rows or more"),
        ([1, 2], [1, np.nan], "found a number that is not finite"),
        ([np.inf, 2], [1, 2], "found a number that is not finite"),
    ],
)
def test_other_numbers_are_refused(target: Any, predictions: Any, message: str) -> None:
    with pytest.raises(InputError, match=f"^metrics: .*{message}"):
        check_regression(target, predictions)


def test_labels_keep_their_type_and_probabilities_are_float64() -> None:
    target, predictions = pd.Series(["no", "yes"], dtype="str"), np.array(["no", "no"])
    actual, predicted, chances = check_classification(target, predictions, [[1, 0], [0, 1]], ["no", "yes"])
    assert (actual.tolist(), predicted is predictions, chances.dtype) == (["no", "yes"], True, np.float64)
    check_classification([2, 2], [1, 2], np.eye(3)[:2], range(3))


@pytest.mark.parametrize(
    ("target", "predictions", "probabilities"),
    [
        ([0, 1], [0, 1, 1], [[0.5, 0.5]] * 2),
        ([0, 1], [0, 1], [[0.5, 0.5]] * 3),
        ([0, 1], [0, 1], [[0.2, 0.3, 0.5]] * 2),
        ([0, 1], [0, 1], [0.5, 0.5]),
        ([0, 2], [0, 1], [[0.5, 0.5]] * 2),
        (["0", "1"], [0, 1], [[0.5, 0.5]] * 2),
    ],
)
def test_other_labels_and_shapes_are_refused(target: Any, predictions: Any, probabilities: Any) -> None:
    with pytest.raises(InputError, match=r"^metrics: found targets .* expected only the classes 0, 1, one column"):
        check_classification(target, predictions, probabilities, (0, 1))


def test_every_class_must_occur_where_a_metric_needs_each() -> None:
    one_class: Any = ([1, 1], [0, 1], [[0.5, 0.5]] * 2, (0, 1))
    check_classification(*one_class)
    with pytest.raises(InputError, match=r"found targets 1 of shape .* expected each of the classes 0, 1, one column"):
        check_classification(*one_class, all_present=True)


def alone(code: str) -> str:
    """What a fresh process prints that has no scikit-learn."""
    start = "import sys; sys.modules['sklearn'] = None\n"
    done = subprocess.run([sys.executable, "-c", start + code], capture_output=True, text=True, check=True)  # noqa: S603
    return done.stdout.strip()


def test_the_checks_need_no_scikit_learn_and_the_base_class_says_what_is_missing() -> None:
    code = "from pipeline_lib.authoring import check_columns, check_regression\n"
    assert alone(code + "print(check_regression([1, 2], [1, 2])[0].sum())") == "3.0"
    code = "import pipeline_lib\ntry:\n    pipeline_lib.RowwiseTransformer\nexcept pipeline_lib.InputError as error:\n"
    message = alone(code + "    print(error)")
    assert message.startswith(
        "RowwiseTransformer: found no package 'sklearn', expected the requirements of research; pip"
    )


def test_importing_the_package_imports_nothing_of_it_but_errors() -> None:
    code = "import pipeline_lib\nprint(sorted(name for name in sys.modules if name.startswith('pipeline_lib')))"
    assert alone(code) == "['pipeline_lib', 'pipeline_lib.errors']"


def test_the_base_class_is_one_class_wherever_it_is_imported_from() -> None:
    import pipeline_lib
    from pipeline_lib import authoring
    from pipeline_lib.authoring import RowwiseTransformer

    assert RowwiseTransformer is authoring.RowwiseTransformer is pipeline_lib.RowwiseTransformer
    assert (RowwiseTransformer.__module__, RowwiseTransformer.__qualname__) == (
        "pipeline_lib.authoring",
        "RowwiseTransformer",
    )
    with pytest.raises(AttributeError, match="no attribute 'ColumnwiseTransformer'"):
        _ = authoring.ColumnwiseTransformer
