"""Structure of frames and arrays: columns chosen, ordered or renamed by the library itself, on one row of numbers."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from pipeline_lib.compiler.builder import Value
from pipeline_lib.compiler.tracing.recorded import Recorded
from pipeline_lib.compiler.tracing.recording import PLAN
from pipeline_lib.compiler.tracing.refusals import refuse


def structure(owner: Recorded, name: str, change: Callable[[Any], Any]) -> Any:
    """A selection, order or renaming of columns, by pandas itself on one row of column numbers.

    `change` is the call; it must not look at values or dtypes.
    """
    numbers = pd.DataFrame([list(range(len(owner._values)))], columns=owner._reals[0].columns)

    def write(reals: list[Any]) -> list[Value]:
        try:
            chosen = change(numbers)
        except (ValueError, TypeError) as error:
            refuse(f"{name}, which looks at rows ({error})", "it must choose columns by name or position", PLAN)
        flat = np.atleast_1d(chosen.iloc[0] if chosen.ndim == 2 else chosen.to_numpy())
        if chosen.shape[0] != 1 or not np.isfinite(np.asarray(flat, dtype=float)).all():
            refuse(f"{name}, which gives columns that are not in the frame", "the recorder has no rule for it", PLAN)
        return [owner._values[int(number)] for number in flat]

    return owner._recording.perform(name, lambda number: change(owner._reals[number]), write, owner._rows)
