"""From research notebook to production library: the same raw rows give the same bits.

The public API is what `__all__` names. Names load when first used, so that production, which loads a model
and predicts, never imports what research needs.
"""

import importlib
from typing import TYPE_CHECKING, Any

from pipeline_lib.errors import DifferenceError, InputError, PipelineLibError, RunError

if TYPE_CHECKING:
    from pipeline_lib.authoring import (
        RowwiseTransformer,
        check_classification,
        check_columns,
        check_dtypes,
        check_regression,
        check_tables,
    )
    from pipeline_lib.comparison.compare import compare
    from pipeline_lib.comparison.not_worse import assert_not_worse
    from pipeline_lib.compiled.pipeline import load_model
    from pipeline_lib.compiler.builder import Builder, Value
    from pipeline_lib.compiler.compile import compile_pipeline
    from pipeline_lib.compiler.tracing.view import trace
    from pipeline_lib.parity.check import check_parity
    from pipeline_lib.parity.deliveries import Delivery, RowsToDeliver
    from pipeline_lib.parity.variations import Variation
    from pipeline_lib.project.checked_load import checked_load
    from pipeline_lib.project.data_path import data_path
    from pipeline_lib.project.load_params import load_params
    from pipeline_lib.project.params_model import BaseParams
    from pipeline_lib.records.query import runs
    from pipeline_lib.rows.context import Context
    from pipeline_lib.rows.draft_row import draft_row
    from pipeline_lib.rows.model import Lookup, Tables, schema_of
    from pipeline_lib.rule_model import RuleModel
    from pipeline_lib.runner.cache.raw_data import keep_raw
    from pipeline_lib.runner.queries import fetch, sql
    from pipeline_lib.runner.research_run import start_run
    from pipeline_lib.runner.run import run_pipeline
    from pipeline_lib.runner.threshold import choose_threshold, with_threshold
    from pipeline_lib.scoring.read_rows import read_rows
    from pipeline_lib.sweeps.sweep import sweep

__all__ = [
    "BaseParams",
    "Builder",
    "Context",
    "Delivery",
    "DifferenceError",
    "InputError",
    "Lookup",
    "PipelineLibError",
    "RowsToDeliver",
    "RowwiseTransformer",
    "RuleModel",
    "RunError",
    "Tables",
    "Value",
    "Variation",
    "assert_not_worse",
    "check_classification",
    "check_columns",
    "check_dtypes",
    "check_parity",
    "check_regression",
    "check_tables",
    "checked_load",
    "choose_threshold",
    "compare",
    "compile_pipeline",
    "data_path",
    "draft_row",
    "fetch",
    "keep_raw",
    "load_model",
    "load_params",
    "read_rows",
    "run_pipeline",
    "runs",
    "schema_of",
    "sql",
    "start_run",
    "sweep",
    "trace",
    "with_threshold",
]

_HOMES = {
    "BaseParams": "project.params_model",
    "Builder": "compiler.builder",
    "Context": "rows.context",
    "Delivery": "parity.deliveries",
    "Lookup": "rows.model",
    "RowsToDeliver": "parity.deliveries",
    "RowwiseTransformer": "authoring",
    "RuleModel": "rule_model",
    "Tables": "rows.model",
    "Value": "compiler.builder",
    "Variation": "parity.variations",
    "assert_not_worse": "comparison.not_worse",
    "check_classification": "authoring",
    "check_columns": "authoring",
    "check_dtypes": "authoring",
    "check_parity": "parity.check",
    "check_regression": "authoring",
    "check_tables": "authoring",
    "checked_load": "project.checked_load",
    "choose_threshold": "runner.threshold",
    "compare": "comparison.compare",
    "compile_pipeline": "compiler.compile",
    "data_path": "project.data_path",
    "draft_row": "rows.draft_row",
    "fetch": "runner.queries",
    "keep_raw": "runner.cache.raw_data",
    "load_model": "compiled.pipeline",
    "load_params": "project.load_params",
    "read_rows": "scoring.read_rows",
    "run_pipeline": "runner.run",
    "runs": "records.query",
    "schema_of": "rows.model",
    "sql": "runner.queries",
    "start_run": "runner.research_run",
    "sweep": "sweeps.sweep",
    "trace": "compiler.tracing.view",
    "with_threshold": "runner.threshold",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'pipeline_lib' has no attribute {name!r}")
    try:
        return getattr(importlib.import_module(f"pipeline_lib.{_HOMES[name]}"), name)
    except ModuleNotFoundError as error:
        raise InputError(
            f"{name}: found no package {str(error.name).partition('.')[0]!r}, expected the requirements of research; "
            "pip install 'nb-pipeline-lib[opaque,research]'"
        ) from error


def __dir__() -> list[str]:
    return sorted(__all__)


def load_ipython_extension(shell: Any) -> None:
    """`%load_ext pipeline_lib` in Jupyter: the commands of `pipeline-lib` as `%pipeline run …`."""
    importlib.import_module("pipeline_lib.cli.magic").load(shell)
