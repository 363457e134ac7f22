"""Targets and predictions as tables: one column, or one for each of several targets, and back.

    shape (rows,)            target            prediction
    shape (rows, targets)    target[NAME], …   prediction[0], …   also for a single target

NAME is that of a DataFrame's column, else its number.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    import pandas as pd

TARGET, PREDICTION = "target", "prediction"


def target_table(target: Any) -> pa.Table:
    """True values, a sequence or a table with a column for each target, as an Arrow table.

    >>> target_table([[1.5, 2.0], [3.0, 4.0]]).column_names
    ['target[0]', 'target[1]']
    """
    if hasattr(target, "columns"):
        columns = {f"{TARGET}[{name}]": target.iloc[:, index] for index, name in enumerate(target.columns)}
        return pa.table({name: pa.array(np.asarray(values)) for name, values in columns.items()})
    values = np.asarray(target)
    if values.ndim == 2:
        return pa.table({f"{TARGET}[{index}]": pa.array(values[:, index]) for index in range(values.shape[1])})
    return pa.table({TARGET: pa.array(values)})


def target_of(table: pa.Table) -> "pd.Series[Any] | pd.DataFrame":
    """What `target_table` made a table of: a Series, or a DataFrame with a column for each target."""
    import pandas as pd

    if table.column_names == [TARGET]:
        return pd.Series(table.column(TARGET).to_numpy())
    return pd.DataFrame({name[len(TARGET) + 1 : -1]: table.column(name).to_numpy() for name in table.column_names})


def prediction_names(outputs: pa.Table) -> list[str]:
    """The names of the predictions among a pipeline's outputs, in the order of the targets."""
    return [name for name in outputs.column_names if name == PREDICTION or name.startswith(f"{PREDICTION}[")]


def predictions_of(outputs: pa.Table) -> np.ndarray[Any, Any]:
    """The predictions among a pipeline's outputs in the shape that `predict` gives them."""
    names = prediction_names(outputs)
    columns = [np.asarray(outputs.column(name).to_numpy()) for name in names]
    return columns[0] if names == [PREDICTION] else np.column_stack(columns)
