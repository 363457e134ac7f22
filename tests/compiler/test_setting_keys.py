"""Keys of settings: equal where type and bits are, whatever the size."""

from typing import Any

import numpy as np
import pytest

from pipeline_lib.compiler.setting_keys import setting_key

LONG = np.arange(1000.0)
CHANGED = np.where(np.arange(1000) == 900, -1.0, LONG)


@pytest.mark.parametrize(
    "setting",
    [
        "a",
        1,
        0.5,
        None,
        ["a", "b"],
        [1, 2],
        [1, "a", None],
        {"a": [1.0, {"b": "c"}]},
        {1: "a", 2: "b"},
        LONG,
        np.array(["a", "b"], dtype=object),
        np.zeros((0, 3)),
        np.array(2.0),
    ],
    ids=repr,
)
def test_equal_settings_have_equal_keys(setting: Any) -> None:
    other = setting.copy() if hasattr(setting, "copy") else setting
    assert setting_key(other) == setting_key(setting)
    assert hash(setting_key(other)) == hash(setting_key(setting))


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (0.0, -0.0),
        (1, 1.0),
        (1, True),
        ("1", 1),
        ("ab", ["a", "b"]),
        (["ab"], ["a", "b"]),
        ([1, 0], [1, False]),
        ([1, 2], [1.0, 2.0]),
        ([0.0], [-0.0]),
        ({1: "a"}, {True: "a"}),
        ({"a": 1}, {"a": 1.0}),
        (LONG, CHANGED),
        (LONG, LONG.reshape(10, 100)),
        (LONG, LONG.astype("float32")),
        (np.array([0.0]), np.array([-0.0])),
        (LONG, LONG.tolist()),
    ],
    ids=repr,
)
def test_settings_of_other_types_or_bits_have_other_keys(left: Any, right: Any) -> None:
    assert setting_key(left) != setting_key(right)
