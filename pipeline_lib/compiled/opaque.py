"""Opaque steps: their library evaluates them, as repeatably as it allows.

State is stored in skops format and loaded against our own allow-list. A library's sums may depend on the shape of the
batch and on the number of threads. So rows are evaluated on one thread, in blocks of one fixed size; the last block is
padded with its last row. One row alone has the same block shape as in a million rows. Another CPU or BLAS may still
give other bits.
"""

import importlib
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from pipeline_lib.compiled.columns import concat_rows
from pipeline_lib.compiled.library_columns import data_columns, library_series, plan_column
from pipeline_lib.errors import InputError

BLOCK_ROWS = 256  # part of what an artifact computes: another size may give other bits
_PACKAGES = ("sklearn.", "feature_engine.")
_CONTAINERS = frozenset({"collections.defaultdict", "collections.OrderedDict", "pandas.Index"})


class OpaqueRunner:
    """Evaluates one method of a loaded step over blocks of a plan's columns."""

    def __init__(self, step: Any, settings: Mapping[str, Any], dtypes: Sequence[str]) -> None:
        self._call = getattr(step, settings["method"])
        self._step, self._names, self._input_dtypes = settings["step"], settings["names"], list(dtypes)
        self._dtypes = list(settings["dtypes"])

    def __call__(self, *columns: Any) -> list[Any]:
        """The step's columns, of as many rows as the input columns have."""
        rows = max(len(column) for column in columns)
        blocks = []
        with quiet_libraries():
            for start in range(0, rows, BLOCK_ROWS):
                block = np.minimum(np.arange(start, start + BLOCK_ROWS), rows - 1)
                result = self._call(self._library_input(columns, block))
                if result.shape[0] != BLOCK_ROWS:
                    raise InputError(
                        f"step {self._step}: found {result.shape[0]} rows for {BLOCK_ROWS}, expected one for one; "
                        "a step that drops rows cannot serve production"
                    )
                blocks.append([values[: rows - start] for _, values in data_columns(result)])
        return [
            concat_rows([plan_column(block[index], dtype) for block in blocks])
            for index, dtype in enumerate(self._dtypes)
        ]

    def _library_input(self, columns: Sequence[Any], rows: Any) -> Any:
        """The rows with these indices as the frame or array that the step takes."""
        if self._names is None:
            return np.column_stack([np.broadcast_to(c, (rows[-1] + 1,))[rows] for c in columns]).astype(np.float64)
        import pandas as pd

        series = {
            name: library_series(c, dtype, rows)
            for name, c, dtype in zip(self._names, columns, self._input_dtypes, strict=True)
        }
        return pd.DataFrame(series)


def load_state(state: bytes, library: str) -> Any:
    """A fitted step from skops format; only estimators of two packages and classes that `library` exports are loaded.

    Parameters named `n_jobs` become 1. Raises InputError for damaged state and for classes outside the allow-list.
    """
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
            f"{_remedy(refused)}"
        )
    step = skops.io.loads(state, trusted=unknown)
    parameters = step.get_params(deep=True)
    step.set_params(**{name: 1 for name in parameters if name.rpartition("__")[2] == "n_jobs"})
    return step


def _remedy(refused: Sequence[str]) -> str:
    packages = {name.partition(".")[0] for name in refused if name.split(".")[1:2] in (["steps"], ["pipelines"])}
    if len(packages) == 1:
        return f"where you trust that package, load_model(folder, library={packages.pop()!r})"
    return "pip install 'nb-pipeline-lib[opaque]', or export own code from a notebook"


def _is_allowed(name: str, library: str) -> bool:
    """Whether a class is on our allow-list: exported by `library`, an estimator of two packages, a container."""
    if name in _CONTAINERS or name.startswith((f"{library}.steps.", f"{library}.pipelines.")):
        return True
    if not name.startswith(_PACKAGES):
        return False
    from sklearn.base import BaseEstimator

    module, _, attribute = name.rpartition(".")
    try:
        named = getattr(importlib.import_module(module), attribute, None)
    except ImportError:
        return False
    kernel = module == "sklearn.gaussian_process.kernels"  # state of an estimator, though no estimator itself
    return isinstance(named, type) and (issubclass(named, BaseEstimator) or kernel)


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """One thread, no optional accelerators of pandas, and no notice of a known change in select_dtypes."""
    import pandas as pd
    import sklearn.utils  # noqa: F401  loads the thread pools that are limited
    from threadpoolctl import threadpool_limits

    options = ("compute.use_bottleneck", False, "compute.use_numexpr", False)
    with threadpool_limits(limits=1), pd.option_context(*options), warnings.catch_warnings():
        quiet_select_dtypes()
        yield


def quiet_select_dtypes() -> None:
    """Silence pandas' notice that a selection of object columns will no longer include str columns.

    feature-engine 1.9 checks its input with select_dtypes of object columns; pandas 3 still includes str columns, so
    no result changes.
    """
    warnings.filterwarnings("ignore", message="For backward compatibility, 'str' dtypes", category=DeprecationWarning)
