"""What the tests of feature-engine's adapters ask beyond `plans`: names, no rows, and rows that are refused."""

import warnings
from typing import Any

import pandas as pd
import pytest
from plans import KINDS, _row, check_transformer, plan_column, plan_dtype, same_bits, writer

from pipeline_lib.compiled.pipeline import CompiledPipeline
from pipeline_lib.compiled.plan import Plan
from pipeline_lib.compiler.adapters.catalog import transform
from pipeline_lib.compiler.builder import Builder
from pipeline_lib.errors import InputError
from pipeline_lib.rows.column import Column
from pipeline_lib.rows.schema import RowSchema


def fitted(step: Any, rows: pd.DataFrame, y: Any = None) -> Any:
    """The step, fitted; what it warns of there is no matter of its plan."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return step.fit(rows, y)


def checked(step: Any, rows: pd.DataFrame) -> pd.DataFrame:
    """The plan's columns of a fitted step: the library's values and names, the same bits everywhere, and of no rows."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = check_transformer(step, rows)
        assert list(made) == list(map(str, step.transform(rows).columns))
    none = rows.iloc[:0]
    if all(plan_dtype(none[name]) == plan_dtype(rows[name]) for name in rows):  # not of nullable booleans
        same_bits(writer(step, rows), none)
    return made


def check_refused(step: Any, rows: pd.DataFrame, match: str) -> None:
    """The last row is refused by the library, by the plan over columns, which names the row, and by the plan of one."""
    with pytest.raises(ValueError):  # noqa: PT011  each library has its own words
        step.transform(rows)
    model, dtypes = _model(step, rows)
    roots = list(model.plan.outputs.values())
    columns = {name: plan_column(rows[name], dtype) for name, dtype in dtypes.items()}
    with pytest.raises(InputError, match=f"row {len(rows) - 1}: .*{match}"):
        model.evaluators.batches.executor(roots)[1].run(columns, len(rows))
    with pytest.raises(InputError, match=match):
        model.evaluators.rows.evaluate(roots, _row(columns, dtypes, len(rows) - 1))


def _model(step: Any, rows: pd.DataFrame) -> tuple[CompiledPipeline, dict[str, str]]:
    build = Builder()
    dtypes = {str(name): plan_dtype(rows[name]) for name in rows.columns}
    made = transform(step, {name: build.input(name, dtype) for name, dtype in dtypes.items()}, build)
    schema = RowSchema(
        tuple(Column(n, KINDS[dtype], nullable=dtype in ("float64", "str", "datetime")) for n, dtype in dtypes.items())
    )
    return CompiledPipeline(Plan(build.nodes, {n: value.node for n, value in made.items()}), schema), dtypes
