"""Own code that leaves something behind for the next call is refused, at the line that does."""

import copy
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from own_refusals import X, assert_refused
from sklearn.preprocessing import StandardScaler

COUNT = 0
SEEN: list[Any] = []
TABLE = {"x": 1.0}
ARRAY = np.zeros(3)
FRAME = pd.DataFrame({"q": [1.0]})


def global_written(self, X):
    global COUNT
    COUNT += 1
    return X


def global_in_helper(self, X):
    def helper():
        global COUNT
        COUNT = 3

    helper()
    return X


def global_list(self, X):
    SEEN.append(1)
    return X.assign(z=len(SEEN))


def global_dict(self, X):
    TABLE["y"] = 2.0
    return X


def global_updated(self, X):
    names = list(X.columns)
    TABLE.update({"y": 1.0})
    return X[names]


def global_array(self, X):
    ARRAY[0] = 2.0
    return X


def global_frame(self, X):
    FRAME["new"] = 2.0
    return X


def default_list(self, X, seen=[]):  # noqa: B006
    seen.append(1)
    return X.assign(z=len(seen))


def function_attribute(self, X):
    _counted.calls = 1
    return X


def _counted():
    return 1


def class_attribute(self, X):
    type(self).calls = 1
    return X


def class_attribute_too(self, X):
    self.__class__.calls = 1
    return X


def attribute(self, X):
    self.last = 1
    return X


def attribute_of_columns(self, X):
    self.last_ = X
    return X


def attribute_set(self, X):
    setattr(self, "last", 1)  # noqa: B010
    return X


def attribute_by_object(self, X):
    object.__setattr__(self, "last", 1)
    return X


def attribute_in_dict(self, X):
    self.__dict__["last"] = 1
    return X


def attribute_in_vars(self, X):
    vars(self)["last"] = 1
    return X


def attribute_deleted(self, X):
    del self.list_
    return X


def attribute_counted(self, X):
    self.number_ += 1
    return X


def list_of_self(self, X):
    self.list_.append(1)
    return X


def dict_of_self(self, X):
    self.dict_["k"] = 2
    return X


def dict_of_columns(self, X):
    self.dict_["k"] = X["a"]
    return X


def dict_default(self, X):
    self.dict_.setdefault("new", 2)
    return X


def set_of_self(self, X):
    self.set_.add(2)
    return X


def array_of_self(self, X):
    self.array_[:] = 1.0
    return X


def array_in_dict(self, X):
    self.nested_["k"][0] = 1.0
    return X


def frame_of_self(self, X):
    self.frame_["new"] = 1.0
    return X


def counter_of_self(self, X):
    self.counter_["x"] += 1
    return X


def swallowed(self, X):
    try:
        self.list_.append(1)
    except ValueError:
        return None
    return X


def scaler_attribute(self, X):
    self.scaler_.mean_ = 3.0
    return X


def scaler_fitted(self, X):
    self.scaler_.fit(X[["a"]])
    return X


def scaler_made(self, X):
    return StandardScaler().fit_transform(X[["a"]])


def scaler_set(self, X):
    self.scaler_.set_params(with_mean=False)
    return X


def params_set(self, X):
    self.set_params()
    return X


def other_object(self, X):
    self.other_.value = 3
    return X


class Other:
    value = 1


STATES = [
    *[(global_written, "COUNT += 1"), (global_in_helper, "COUNT = 3"), (global_list, "SEEN.append")],
    *[(default_list, "seen.a"), (global_dict, "TABLE["), (global_updated, "TABLE.update"), (global_array, "ARRAY[0]")],
    *[(global_frame, "FRAME["), (function_attribute, "_counted.calls"), (class_attribute, "type(self)")],
    *[(class_attribute_too, "self.__class__"), (attribute, "self.last"), (attribute_of_columns, "self.last_")],
    *[(attribute_set, "setattr"), (attribute_by_object, "object.__setattr__"), (attribute_in_dict, "self.__dict__")],
    *[(attribute_in_vars, "vars("), (attribute_deleted, "del "), (attribute_counted, "+= 1"), (list_of_self, "append")],
    *[(dict_of_self, "self.dict_["), (dict_of_columns, "self.dict_["), (dict_default, "setdefault")],
    *[(set_of_self, "add(2)"), (array_of_self, "[:]"), (array_in_dict, "[0]"), (frame_of_self, "self.frame_")],
    *[(counter_of_self, "+= 1"), (swallowed, "append"), (scaler_attribute, "mean_"), (scaler_set, "set_params")],
    *[(params_set, "set_params"), (other_object, "self.other_")],
]


@pytest.mark.parametrize(("function", "line"), STATES, ids=[function.__name__ for function, _ in STATES])
def test_state_that_outlives_the_call_is_refused(function: Any, line: str) -> None:
    state: dict[str, Any] = {"list_": [], "dict_": {"a": 1}, "set_": {1}, "array_": np.zeros(2), "number_": 1}
    state |= {"nested_": {"k": np.zeros(2)}, "frame_": FRAME.copy(), "counter_": Counter("x"), "other_": Other()}
    state["scaler_"] = StandardScaler().fit(X[["a"]])
    before = copy.deepcopy({name: value for name, value in state.items() if name not in ("scaler_", "other_")})
    assert_refused(function, line, "the result of a row would depend on the calls before", "in `fit`", **state)
    after = {name: state[name] for name in before}
    assert repr(after) == repr(before)
    assert (COUNT, SEEN, TABLE, ARRAY.tolist(), list(FRAME)) == (0, [], {"x": 1.0}, [0.0] * 3, ["q"])


@pytest.mark.parametrize(("function", "line"), [(scaler_fitted, ".fit("), (scaler_made, "fit_transform")])
def test_learning_in_transform_is_refused(function: Any, line: str) -> None:
    says = ("another thing for one row", "call fit in `fit`")
    assert_refused(function, line, *says, scaler_=StandardScaler().fit(X[["a"]]))


def captured_counter() -> Callable[..., Any]:
    count = 0

    def transform(self, X):
        nonlocal count
        count += 1
        return X.assign(z=count)

    return transform


def test_a_captured_variable_that_is_written_is_refused() -> None:
    assert_refused(captured_counter(), "count += 1", "captured variable 'count'", "depend on the calls before")
