"""Texts made for the patterns of `Row`."""

import random
import re

import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from pipeline_lib import compile_pipeline
from pipeline_lib.compiled.pipeline import CompiledPipeline
from pipeline_lib.errors import InputError
from pipeline_lib.release.generated_rows import generated_rows
from pipeline_lib.release.pattern_texts import text_of
from pipeline_lib.rows.column import Column
from pipeline_lib.rows.schema import RowSchema


@pytest.mark.parametrize(
    "pattern",
    [
        r"^(\?|[0-9]+(\.[0-9]+)?)$",
        r"^[A-Z]{2}-[0-9]{4,6}$",
        r"[a-z]*?@example\.(com|org)",
        r"^(?:EUR|USD) [0-9]+$",
        r"^\w+\s\w+$",
        r"^.x[^0-9]$",
    ],
)
def test_most_texts_match(pattern: str) -> None:
    chance = random.Random(0)  # noqa: S311 (texts, not secrets)
    texts = [text_of(pattern, chance) for _ in range(200)]
    assert sum(re.search(pattern, text) is not None for text in texts) > 150
    assert len(set(texts)) > 10 or "EUR" in pattern


def test_a_pattern_that_python_cannot_read() -> None:
    assert text_of(r"[a-z](?<", random.Random(0)) == ""  # noqa: S311 (no secret)


def test_rows_are_generated_for_a_column_with_a_pattern() -> None:
    rows = pd.DataFrame({"code": ["AB-1", "CD-2"] * 5})
    fitted = make_pipeline(OneHotEncoder(handle_unknown="ignore"), LinearRegression()).fit(rows, range(10))
    plan = compile_pipeline(fitted, like=rows).plan
    model = CompiledPipeline(plan, RowSchema((Column("code", "string", pattern=r"^[A-Z]{2}-[0-9]+$"),)))
    made, _ = generated_rows(model, {}, "s", 20)
    assert len({row["code"] for row in made}) > 10
    assert all(re.search(r"^[A-Z]{2}-[0-9]+$", row["code"]) for row in made)


def test_the_reason_of_the_last_refusal_is_named() -> None:
    rows = pd.DataFrame({"size": range(10)})
    plan = compile_pipeline(LinearRegression().fit(rows, rows["size"]), like=rows).plan
    none = CompiledPipeline(plan, RowSchema((Column("size", "integer", gt=7, lt=8),)))
    with pytest.raises(InputError, match=r"found no generated row among 500 .* the last one was refused: size: found"):
        generated_rows(none, {}, "s", 10)
