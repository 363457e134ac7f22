"""Steps that still run through their libraries, made as repeatable as that allows.

State is stored in skops format and loaded against our own allow-list. Rows are evaluated in blocks of one
fixed size, the last one padded by repeating its last row, on one thread: so a row meets the same block
shape alone and among a million. What this cannot promise is another CPU or BLAS.
"""

import importlib
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline_lib.compiled.adapters import Columns, RefusedStepError
from pipeline_lib.compiled.builder import Builder
from pipeline_lib.compiled.faithful import plan_column
from pipeline_lib.compiled.operations import NAT, Text
from pipeline_lib.errors import InputError

BLOCK_ROWS = 256
_METHODS = {"transform": "transform", "prediction": "predict", "probability": "predict_proba"}
_METHODS["decision"] = "decision_function"
_PACKAGES = ("sklearn.", "feature_engine.")
_PLAIN_TYPES = frozenset({"collections.defaultdict", "collections.OrderedDict", "pandas.Index"})


@dataclass(frozen=True)
class OpaqueStep:
    """A fitted step that its library evaluates.

    `frame` holds the names of the input columns where the step takes a DataFrame, else None; `results` are the
    dtypes of the columns that each of its methods makes, by their names.
    """

    name: str
    state: bytes
    frame: tuple[str, ...] | None
    results: Mapping[str, Mapping[str, str]]

    @classmethod
    def of(cls, name: str, step: Any, given: Any, made: Mapping[str, Any], library: str) -> "OpaqueStep":
        """The step, after it was loaded again and repeated the rows `given` to what it `made` of them."""
        state = dump_state(step)
        again = load_state(state, library)
        frame = tuple(map(str, given.columns)) if hasattr(given, "columns") else None
        for kind, expected in made.items():
            _check_rows(name, getattr(again, _METHODS[kind]), given, expected)
        results = {kind: {column: _dtype(values) for column, values in _columns(data)} for kind, data in made.items()}
        return cls(name, state, frame, results)

    def write(self, columns: Columns, build: Builder) -> dict[str, Columns]:
        """The step as operations of a plan: its columns by kind and name."""
        written = {}
        for kind, dtypes in self.results.items():
            if any(value.dtype in ("vector", "bag") for value in columns.values()):
                raise InputError(f"step {self.name}: found sparse input, expected columns; make its input dense")
            settings: dict[str, Any] = {"step": self.name, "method": _METHODS[kind], "dtypes": list(dtypes.values())}
            settings |= {"names": list(self.frame) if self.frame else None}
            parts = build.apply("opaque", *columns.values(), **settings)
            written[kind] = {
                column: build.apply("opaque_part", parts, place=place, gives=dtype)
                for place, (column, dtype) in enumerate(dtypes.items())
            }
        return written


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
                blocks.append([values[: rows - start] for _, values in _columns(made)])
        return [self._joined([block[place] for block in blocks], dtype) for place, dtype in enumerate(self._makes)]

    def _joined(self, parts: Sequence[Any], dtype: str) -> Any:
        if dtype == "str":
            return Text.of([word for part in parts for word in plan_column(part, dtype).tolist()])
        return np.concatenate([plan_column(part, dtype) for part in parts])

    def _library_input(self, columns: Sequence[Any], take: Any) -> Any:
        if self._names is None:
            return np.column_stack([np.broadcast_to(c, (take[-1] + 1,))[take] for c in columns]).astype(np.float64)
        import pandas as pd

        series = {
            name: _series(c, dtype, take) for name, c, dtype in zip(self._names, columns, self._given, strict=True)
        }
        return pd.DataFrame(series)


def _series(column: Any, dtype: str, take: Any) -> Any:
    import pandas as pd

    if dtype == "str":
        words = Text(column.codes[take], column.words).tolist()
        return pd.Series([np.nan if word is None else word for word in words], dtype=pd.StringDtype(na_value=np.nan))
    values = np.asarray(column)[take]
    if dtype == "datetime":
        moments = values.view("datetime64[us]").copy()
        moments[values == NAT] = np.datetime64("NaT")
        return pd.Series(moments)
    return pd.Series(values)


def _columns(data: Any) -> list[tuple[str, Any]]:
    if hasattr(data, "toarray"):
        data = data.toarray()
    if hasattr(data, "columns"):
        return [(str(name), data.iloc[:, place]) for place, name in enumerate(data.columns)]
    if data.ndim == 1:
        return [("x0", data)]
    return [(f"x{place}", data[:, place]) for place in range(data.shape[1])]


def _dtype(values: Any) -> str:
    """A column's dtype in the plan, the same for every batch: all numbers are float64."""
    kind = values.dtype.kind if hasattr(values.dtype, "kind") else "O"
    if kind in "fiu":
        return "float64"
    if kind in "bM":
        return "bool" if kind == "b" else "datetime"
    plain = values.tolist() if str(values.dtype) != "category" else values.astype(object).tolist()
    return "str" if any(isinstance(value, str) for value in plain) else "float64"


def _check_rows(name: str, call: Any, given: Any, expected: Any) -> None:
    """Refuse a step that draws numbers, or whose rows affect each other: the same rows, then every second one."""
    half = given.iloc[::2] if hasattr(given, "iloc") else given[::2]
    for data, reference in ((given, _columns(expected)), (half, [(n, v[::2]) for n, v in _columns(expected)])):
        for (column, found), (_, wanted) in zip(_columns(call(data)), reference, strict=True):
            if not _alike(found, wanted):
                raise RefusedStepError(
                    f"step {name}, column {column}: found other values for the same rows "
                    f"{'a second time' if data is given else 'in a smaller batch'}, expected each row to have its "
                    "own; a step that draws numbers, or whose rows affect each other, cannot serve production"
                )


def _alike(found: Any, wanted: Any) -> bool:
    dtype = _dtype(wanted)
    left, right = plan_column(found, dtype), plan_column(wanted, dtype)
    if dtype != "float64":
        return bool(left.tolist() == right.tolist())
    return bool(np.allclose(left, right, rtol=1e-6, atol=1e-9, equal_nan=True))  # BLAS moves last bits; this is larger


def dump_state(fitted: Any) -> bytes:
    """A fitted step in skops format. Raises InputError for what skops cannot store."""
    import skops.io

    try:
        state: bytes = skops.io.dumps(fitted)
    except Exception as error:
        raise InputError(
            f"found a fitted step that skops cannot store ({type(error).__name__}: {error}), expected state "
            "of arrays, numbers, text and exported classes; keep other objects out of the fitted steps"
        ) from error
    return state


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
