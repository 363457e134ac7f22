"""Steps that still run through their libraries, made as repeatable as that allows.

State is stored in skops format and loaded against our own allow-list. Rows are evaluated in blocks of one
fixed size, the last one padded by repeating its last row, on one thread: so a row meets the same block
shape alone and among a million. What this cannot promise is another CPU or BLAS.
"""

import importlib
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from pipeline_lib.compiled.library_columns import data_columns, library_series, plan_column
from pipeline_lib.compiled.operations.text_columns import TextColumn
from pipeline_lib.errors import InputError

BLOCK_ROWS = 256
_PACKAGES = ("sklearn.", "feature_engine.")
_PLAIN_TYPES = frozenset({"collections.defaultdict", "collections.OrderedDict", "pandas.Index"})


class OpaqueRunner:
    """Evaluates one method of a loaded step over blocks of a plan's columns."""

    def __init__(self, step: Any, settings: Mapping[str, Any], dtypes: Sequence[str]) -> None:
        self._call = getattr(step, settings["method"])
        self._name, self._names, self._given = settings["step"], settings["names"], list(dtypes)
        self._makes = list(settings["dtypes"])

    def __call__(self, *columns: Any) -> list[Any]:
        """The step's columns, one by one, for as many rows as go in."""
        rows = max(len(column) for column in columns)
        blocks = []
        with quiet_libraries():
            for start in range(0, rows, BLOCK_ROWS):
                take = np.minimum(np.arange(start, start + BLOCK_ROWS), rows - 1)
                made = self._call(self._library_input(columns, take))
                if made.shape[0] != BLOCK_ROWS:
                    raise InputError(
                        f"step {self._name}: found {made.shape[0]} rows for {BLOCK_ROWS}, expected one for one; "
                        "a step that drops rows cannot serve production"
                    )
                blocks.append([values[: rows - start] for _, values in data_columns(made)])
        return [self._joined([block[place] for block in blocks], dtype) for place, dtype in enumerate(self._makes)]

    def _joined(self, parts: Sequence[Any], dtype: str) -> Any:
        if dtype == "str":
            return TextColumn.of([word for part in parts for word in plan_column(part, dtype).tolist()])
        return np.concatenate([plan_column(part, dtype) for part in parts])

    def _library_input(self, columns: Sequence[Any], take: Any) -> Any:
        if self._names is None:
            return np.column_stack([np.broadcast_to(c, (take[-1] + 1,))[take] for c in columns]).astype(np.float64)
        import pandas as pd

        series = {
            name: library_series(c, dtype, take)
            for name, c, dtype in zip(self._names, columns, self._given, strict=True)
        }
        return pd.DataFrame(series)


def load_state(state: bytes, library: str) -> Any:
    """A fitted step from skops format; only estimators of two packages and what `library` exports are loaded."""
    import skops.io

    try:
        unknown = skops.io.get_untrusted_types(data=state)
    except Exception as error:
        raise InputError(f"found a damaged opaque step ({error}), expected skops format; run again") from error
    refused = [name for name in unknown if not _is_allowed(name, library)]
    if refused:
        raise InputError(
            f"found {', '.join(refused)} in an opaque step, expected only estimators of scikit-learn and "
            f"feature-engine, which must be installed, and what {library}.steps and {library}.pipelines export; "
            "pip install 'nb-pipeline-lib[opaque]', or export own code from a notebook"
        )
    step = skops.io.loads(state, trusted=unknown)
    parameters = step.get_params(deep=True)
    step.set_params(**{name: 1 for name in parameters if name.rpartition("__")[2] == "n_jobs"})
    return step


def _is_allowed(name: str, library: str) -> bool:
    """Our allow-list: exported code of the library, estimator classes of two packages, a few plain types."""
    if name in _PLAIN_TYPES or name.startswith((f"{library}.steps.", f"{library}.pipelines.")):
        return True
    if not name.startswith(_PACKAGES):
        return False
    from sklearn.base import BaseEstimator

    module, _, attribute = name.rpartition(".")
    try:
        found = getattr(importlib.import_module(module), attribute, None)
    except ImportError:
        return False
    kernel = module == "sklearn.gaussian_process.kernels"  # state of an estimator, though no estimator itself
    return isinstance(found, type) and (issubclass(found, BaseEstimator) or kernel)


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """One thread, no optional pandas accelerators, and no word about a known change in select_dtypes."""
    import pandas as pd
    import sklearn.utils  # noqa: F401  its thread pools are among those that are limited
    from threadpoolctl import threadpool_limits

    options = ("compute.use_bottleneck", False, "compute.use_numexpr", False)
    with threadpool_limits(limits=1), pd.option_context(*options), warnings.catch_warnings():
        quiet_select_dtypes()
        yield


def quiet_select_dtypes() -> None:
    """Silence pandas' notice that object selections will stop to include str columns.

    feature-engine 1.9 asks select_dtypes for object columns to check its input; under pandas 3 the answer
    still includes str columns, so no result changes.
    """
    warnings.filterwarnings("ignore", message="For backward compatibility, 'str' dtypes", category=DeprecationWarning)
