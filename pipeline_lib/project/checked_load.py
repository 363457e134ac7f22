"""`checked_load`: the errors of a drafted `load` name the file, the column, and where to decide."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, ParamSpec

from pipeline_lib.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

P = ParamSpec("P")


def checked_load(load: Callable[P, pd.DataFrame]) -> Callable[P, pd.DataFrame]:
    """Decorate the `load` of a pipeline that `pipeline-lib new` has drafted from raw data.

    A raw file that has changed is refused with one line for each column that no longer fits: a column that is gone,
    text among numbers, another format of dates, missing values where `Row` allows none, a class that is gone. So is a
    row of a CSV file with more fields than the header. What is expected is read where `load` is defined: `Row`,
    `DTYPES`, `TARGET` and, where there are any, `MISSING`, `DATES`, `CLASSES` and `SENSITIVE`. The parameter `data`
    names the file. Raises InputError.
    """

    @functools.wraps(load)
    def checked(*args: P.args, **kwargs: P.kwargs) -> pd.DataFrame:
        from pandas.errors import ParserWarning

        from pipeline_lib.project.drafting.changed_data import ChangedData

        data = str(getattr([*args, *kwargs.values()][0], "data", "data"))
        changed = ChangedData(data, load.__globals__)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", ParserWarning)  # fields of the first row beyond the header are lost
                frame = load(*args, **kwargs)
        except InputError:
            raise
        # pandas', Arrow's and openpyxl's
        except (ValueError, TypeError, KeyError, OverflowError, ParserWarning) as error:
            raise InputError(changed.explain(error)) from error
        problems = changed.problems(frame)
        if problems:
            raise InputError("\n".join(problems))
        return frame

    return checked
