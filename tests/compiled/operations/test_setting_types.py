"""Types of settings accept what a plan may hold, and nothing else."""

from typing import Any

import numpy as np
import pytest

from pipeline_lib.compiled.operations.setting_types import (
    FLAG,
    FLAG_MATRIX,
    FLAGS,
    INTEGER,
    INTEGER_LISTS,
    INTEGERS,
    MATRIX,
    NUMBER,
    NUMBERS,
    SCALAR,
    SCALARS_OR_NONE,
    TEXT,
    TEXT_LISTS,
    TEXTS,
    SettingType,
    one_of,
    optional,
    or_none,
)

pytestmark = pytest.mark.core

LEFT_OR_RIGHT = one_of(("left", "right"))
ACCEPTED: list[tuple[SettingType, Any]] = [
    (TEXT, ""),
    (TEXTS, []),
    (TEXTS, ["a", "b"]),
    (FLAG, False),
    (INTEGER, -3),
    (NUMBER, 2),
    (NUMBER, np.float64(2.5)),
    (NUMBERS, [1, 2.5]),
    (NUMBERS, (1.0,)),
    (NUMBERS, np.array([1.0, 2.0], dtype=np.float32)),
    (NUMBERS, np.array([1, 2])),
    (INTEGERS, np.array([1, 2], dtype=np.int32)),
    (FLAGS, np.array([True])),
    (MATRIX, [[1.0, 2.0], [3, 4]]),
    (MATRIX, np.eye(2)),
    (FLAG_MATRIX, np.zeros((0, 4), dtype=bool)),
    (INTEGER_LISTS, [[1], [], np.array([2, 3])]),
    (TEXT_LISTS, [["ä"], ["a"]]),
    (SCALAR, True),
    (SCALARS_OR_NONE, [1, "a", None, 2.5, False]),
    (LEFT_OR_RIGHT, "left"),
    (or_none(LEFT_OR_RIGHT), None),
    (or_none(NUMBERS), [1.0]),
]
REFUSED: list[tuple[SettingType, Any]] = [
    (TEXT, b"a"),
    (TEXT, None),
    (TEXTS, "ab"),
    (FLAG, 1),
    (FLAG, np.True_),
    (INTEGER, True),
    (INTEGER, 3.0),
    (INTEGER, np.int64(3)),
    (NUMBER, "2"),
    (NUMBER, False),
    (NUMBERS, 1.0),
    (NUMBERS, [None]),
    (NUMBERS, np.array([True])),
    (NUMBERS, np.array(["1"])),
    (NUMBERS, np.eye(2)),
    (INTEGERS, [1.0]),
    (INTEGERS, np.array([1.0])),
    (FLAGS, [0, 1]),
    (MATRIX, [1.0, 2.0]),
    (MATRIX, np.zeros(3)),
    (FLAG_MATRIX, np.zeros((2, 2))),
    (INTEGER_LISTS, [1, 2]),
    (TEXT_LISTS, ["ab"]),
    (SCALAR, None),
    (SCALARS_OR_NONE, [["a"]]),
    (LEFT_OR_RIGHT, "middle"),
    (LEFT_OR_RIGHT, ["left"]),
    (or_none(NUMBER), "None"),
]


@pytest.mark.parametrize(("kind", "value"), ACCEPTED)
def test_a_value_of_the_type_is_accepted(kind: SettingType, value: Any) -> None:
    assert kind.accepts(value)


@pytest.mark.parametrize(("kind", "value"), REFUSED)
def test_another_value_is_refused(kind: SettingType, value: Any) -> None:
    assert not kind.accepts(value)


def test_types_say_what_they_are_in_python_and_in_words() -> None:
    assert (LEFT_OR_RIGHT.annotation, LEFT_OR_RIGHT.expected) == ('Literal["left", "right"]', "one of 'left', 'right'")
    assert (or_none(TEXT).annotation, or_none(TEXT).expected) == ("str | None", "text, or None")
    assert (optional(TEXT).annotation, optional(TEXT).optional, TEXT.optional) == ("str", True, False)
