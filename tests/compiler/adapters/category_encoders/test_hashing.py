"""HashingEncoder: its counts of columns for each bucket, also of words that training lacks."""

from typing import Any

import category_encoders as ce
import numpy as np
import pandas as pd
import pytest
from fe_plans import checked, fitted
from plans import named

from pipeline_lib.compiler.adapters.catalog import transform
from pipeline_lib.compiler.adapters.registry import NoPlanError
from pipeline_lib.compiler.builder import Builder

X = pd.DataFrame(
    {
        "city": ["Lyon", "Graz", "Łódź", "Lyon", "Åre", "Lyon", "Graz"],
        "area": np.arange(7.0),
        "size": ["S", "M", "S", "S", "L", "M", "S"],
        "code": [1, 2, 3, 1, 2, 3, 1],
    }
).astype({"city": "str", "size": "str"})
UNSEEN = X.assign(city=["Oslo", "Rome", *X["city"][2:]])
MISSING = X.assign(city=[None, *X["city"][1:]]).astype({"city": "str"})


@pytest.mark.parametrize(
    "step",
    [
        ce.HashingEncoder(max_process=1),
        ce.HashingEncoder(max_process=1, n_components=3, hash_method="sha1"),
        ce.HashingEncoder(max_process=1, cols=["size"]),
        ce.HashingEncoder(max_process=1, n_components=16, drop_invariant=True),
        ce.HashingEncoder(max_process=1, min_group_size=3, min_group_name="rest"),
    ],
    ids=named,
)
def test_buckets_are_those_of_the_library(step: Any) -> None:
    fitted(step, X)
    for rows in (X, UNSEEN, MISSING):
        checked(step, rows)


def test_numbers_as_categories_are_refused() -> None:
    step = fitted(ce.HashingEncoder(max_process=1, cols=["code"]), X)
    build = Builder()
    with pytest.raises(NoPlanError, match="found int64 column 'code', expected text: cast it to str in `load`"):
        transform(step, {n: build.input(n, "str" if n in ("city", "size") else "int64") for n in X}, build)
    rows = X.astype({"code": "str"})  # what the message says
    checked(fitted(ce.HashingEncoder(max_process=1, cols=["code"]), rows), rows)
