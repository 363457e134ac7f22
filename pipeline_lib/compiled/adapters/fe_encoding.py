"""Encoders of feature-engine: categories to categories, or to numbers."""

from typing import Any

from pipeline_lib.compiled.adapters.registry import Columns, NoPlanError, by_fitted_names, transformer
from pipeline_lib.compiled.plan import Builder


@transformer(
    "feature_engine.encoding.rare_label.RareLabelEncoder",
    options="tol n_categories max_n_categories replace_with missing_values variables ignore_format",
)
def rare_label(step: Any, columns: Columns, build: Builder) -> Columns:
    """Any label but the learned frequent ones becomes `replace_with`; missing stays missing, or is refused."""
    columns = dict(by_fitted_names(step, columns))
    for name in map(str, step.variables_):
        value = columns[name]
        if value.dtype != "str" or not isinstance(step.replace_with, str):
            raise NoPlanError(
                f"RareLabelEncoder: found {value.dtype} column {name!r} with replace_with={step.replace_with!r}, "
                "expected text replaced by text; compile with allow_opaque=True"
            )
        frequent = [label for label in step.encoder_dict_[name] if label == label]
        kept = build.lookup(value, {label: label for label in frequent}, "str", unseen=step.replace_with)
        columns[name] = kept
    return columns


@transformer(
    "feature_engine.encoding.ordinal.OrdinalEncoder",
    options="encoding_method variables missing_values ignore_format unseen",
)
def ordinal(step: Any, columns: Columns, build: Builder) -> Columns:
    """A label becomes its learned number; others become missing, are refused, or become -1, as `unseen` says."""
    columns = dict(by_fitted_names(step, columns))
    for name, table in step.encoder_dict_.items():
        learned = {label: number for label, number in table.items() if label == label}
        columns[str(name)] = build.lookup(
            columns[str(name)],
            learned,
            "float64",
            unseen=-1.0 if step.unseen == "encode" else None,
            missing=-1.0 if step.unseen == "encode" else None,
            mode="refuse" if step.unseen == "raise" else "default",
            name=str(name),
            where="OrdinalEncoder",
        )
    return columns
