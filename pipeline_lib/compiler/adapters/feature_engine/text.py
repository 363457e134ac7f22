"""feature-engine: TextFeatures."""

from typing import Any

from pipeline_lib.compiled.operations.unicode_tables import frozen_digits, frozen_single_lower, frozen_spaces
from pipeline_lib.compiler.adapters.feature_engine.checks import add
from pipeline_lib.compiler.adapters.inputs import check_present
from pipeline_lib.compiler.adapters.registry import Columns, NoPlanError, transformer, use_fitted_names
from pipeline_lib.compiler.builder import Builder

_LOWERED = ("unique_word_count", "lexical_diversity")


@transformer(
    "feature_engine.text.text_features.TextFeatures", options="variables features missing_values drop_original"
)
def text_features(step: Any, columns: Columns, build: Builder) -> Columns:
    """Each feature of a text; missing text becomes "", or is refused.

    Lower case is that of pandas' `str` dtype, character by character. For text of dtype object Python's own differs
    in a few letters (U+0130); the check at compile time finds such rows.
    """
    columns = dict(use_fitted_names(step, columns))
    variables = list(map(str, step.variables_))
    for name in variables:
        value = columns[name]
        if value.dtype != "str":
            raise NoPlanError(
                f"TextFeatures: found {value.dtype} column {name!r}, expected text; cast the column in `load`"
            )
        columns[name] = check_present(value, name, step) if step.missing_values == "raise" else build.fill(value, "")
    lower = frozen_single_lower() if set(_LOWERED) & set(step.features_) else {}
    spaces, digits = frozen_spaces(), frozen_digits()
    for name in variables:
        for feature in step.features_:
            table = lower if feature in _LOWERED else {}
            result = build.text_feature(
                columns[name],
                feature=feature,
                spaces=spaces,
                digits=digits,
                capitals="".join(table),
                small="".join(table.values()),
            )
            add(columns, f"{name}_{feature}", result, step, {})
    return {n: value for n, value in columns.items() if n not in variables} if step.drop_original else columns
