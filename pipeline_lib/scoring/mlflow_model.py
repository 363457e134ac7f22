"""A record's artifact as MLflow's pyfunc loads it: MLflow imports this module by its name, and nothing is unpickled.

    MLmodel              of MLflow; its `loader_module` is this module
    data/record.json     which record it is, and the SHA-256 of each file of the artifact
    data/artifact/       what `load_model` loads

MLflow checks a frame against the signature before it is passed in here. Columns whose values MLflow would convert
silently (1.5 to the integer 1, any text to True) have the type `Any` there, so that `Row` alone decides on them.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from pipeline_lib.compiled.pipeline import DECISION, PREDICTION, PROBABILITY, CompiledPipeline
from pipeline_lib.errors import InputError
from pipeline_lib.rows.column import Column
from pipeline_lib.rows.conform_errors import RefusedColumnsError
from pipeline_lib.scoring.installed import InstalledPackage
from pipeline_lib.scoring.json_values import is_text, parse_texts

if TYPE_CHECKING:
    import pandas as pd

OUTPUTS = "outputs"
"""The parameter of `predict` that names the outputs."""
_KINDS = (PREDICTION, PROBABILITY, DECISION)


class MlflowModel:
    """What pyfunc wraps: `predict(frame, params)` answers with a frame of outputs."""

    def __init__(self, model: CompiledPipeline) -> None:
        self.model = model

    def predict(self, rows: "pd.DataFrame", params: Mapping[str, Any] | None = None) -> "pd.DataFrame":
        """Outputs of raw rows: a column for each output and the index of the rows.

        `rows` has a row for each main row. Columns are found by name. Dates and times may be ISO 8601 text. Of several
        tables a child's column `table.column` holds a list for each main row. Where the pipeline needs earlier rows,
        the first `model.context` rows are those, and get no output.

        `params["outputs"]` are of "prediction" (the default), "probability" and "decision".

        Raises InputError for rows outside the schema, too few rows, or another output.
        """
        kinds = _kinds(params)
        table = self._table(rows)
        earlier = self.model.context
        if earlier and table.num_rows <= earlier:
            raise InputError(
                f"found {table.num_rows:,} rows, expected more than {earlier:,}: the first {earlier:,} are the earlier "
                "rows that the pipeline needs, and get no prediction; put them before the rows to predict"
            )
        context = table.slice(0, earlier) if earlier else None
        outputs = self.model.predict_table(table.slice(earlier), outputs=kinds, context=context)
        frame: pd.DataFrame = outputs.to_pandas()
        return frame.set_axis(rows.index[earlier:], axis="index")

    def _table(self, rows: "pd.DataFrame") -> pa.Table:
        """The columns that reach an output, as an Arrow table that the model takes."""
        from pipeline_lib.rows.conform import conform

        if not hasattr(rows, "columns"):
            raise InputError(f"found {type(rows).__name__}, expected a DataFrame of pandas; pass one")
        schema = self.model.row.keep(self.model.reads)
        if schema.key is None:
            return conform(_with_dates(rows, schema.columns), schema)
        return conform(_joined(rows, schema.arrow), schema)


def _load_pyfunc(path: str) -> MlflowModel:
    """Load `data/`, whose every file is verified first. MLflow calls this function by name.

    Raises DifferenceError for a file that is not as it was logged, InputError for a damaged artifact.
    """
    return MlflowModel(InstalledPackage(Path(path), remedy="download the model again").load())


def _kinds(params: Mapping[str, Any] | None) -> list[str]:
    requested = (params or {}).get(OUTPUTS)
    kinds = [PREDICTION] if requested is None else list(map(str, requested))
    if not kinds or not set(kinds) <= set(_KINDS):
        raise InputError(
            f"found the {OUTPUTS} {', '.join(kinds) or 'none'}, expected some of {', '.join(_KINDS)}; correct params"
        )
    return kinds


def _with_dates(rows: "pd.DataFrame", columns: Sequence[Column]) -> "pd.DataFrame":
    """The frame with texts of dates and times as values, since JSON has only text for them."""
    problems = []
    for column in columns:
        if not is_text(column) or column.name not in rows.columns:
            continue
        values = [{column.name: value} for value in rows[column.name].tolist()]
        if any(isinstance(value[column.name], str) for value in values):
            problems += parse_texts(values, [column])
            rows = rows.assign(**{column.name: _objects([value[column.name] for value in values])})
    if problems:
        raise RefusedColumnsError(problems)
    return rows


def _objects(values: list[Any]) -> Any:
    """Values as an array of objects, which pandas does not convert."""
    import numpy as np

    array = np.empty(len(values), object)
    array[:] = values
    return array


def _joined(rows: "pd.DataFrame", schema: pa.Schema) -> pa.Table:
    """Main rows with their lists of child values, in the types of the schema; values only where that is exact."""
    arrays, names = [], []
    for field in schema:
        if field.name not in rows.columns:
            continue  # `conform` names it
        try:
            arrays.append(pa.array(rows[field.name].tolist(), field.type, from_pandas=True))
        except (pa.ArrowException, TypeError, ValueError, OverflowError):
            expected = f"a list of {field.type.value_type}" if pa.types.is_large_list(field.type) else str(field.type)
            raise InputError(
                f"{field.name}: found a value of another kind, expected {expected} in every row; correct it there"
            ) from None
        names.append(field.name)
    return pa.table(arrays, names=names)
