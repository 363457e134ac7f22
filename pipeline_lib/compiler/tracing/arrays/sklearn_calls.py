"""Checks that steps call: scikit-learn's `check_array`, `validate_data`, `check_is_fitted`, and those of pipeline_lib.

They run on the shadows as they are; what they refuse for a row, the plan refuses for it.
"""

from collections.abc import Callable
from typing import Any

from sklearn.utils import validation

from pipeline_lib import authoring
from pipeline_lib.compiler.builder import Value
from pipeline_lib.compiler.tracing.arrays.array import link
from pipeline_lib.compiler.tracing.arrays.dtypes import cast, dtype_of
from pipeline_lib.compiler.tracing.arrays.methods import arranged
from pipeline_lib.compiler.tracing.arrays.numpy_functions import is_finite
from pipeline_lib.compiler.tracing.arrays.row_counts import RowCount
from pipeline_lib.compiler.tracing.recorded import Call, Recorded, of_shadow
from pipeline_lib.compiler.tracing.recording import RowCheck
from pipeline_lib.compiler.tracing.refusals import ONE_ROW, refuse
from pipeline_lib.compiler.tracing.registry import function, refused

_ANY_VALUE = (
    "copy",
    "accept_sparse",
    "accept_large_sparse",
    "order",
    "estimator",
    "input_name",
    "ensure_2d",
    "force_writeable",
)
_KNOWN = (*_ANY_VALUE, "dtype", "ensure_all_finite", "force_all_finite", "ensure_min_features", "ensure_min_samples")


@function("sklearn.utils.check_array", raw=True)
def check_array(call: Call, array: Any, **options: Any) -> Any:
    """The columns as an array; rows with missing or infinite numbers are refused, unless they are allowed."""
    return _checked_array(call, array, lambda real: validation.check_array(real, **options), options)


@function("sklearn.utils.as_float_array", raw=True)
def as_float_array(call: Call, X: Any, *, copy: bool = True, ensure_all_finite: Any = True) -> Any:
    """The columns as an array of floats."""
    options = {"copy": copy, "ensure_all_finite": ensure_all_finite}
    return _checked_array(call, X, lambda real: validation.as_float_array(real, **options), options)


def _checked_array(call: Call, array: Any, real: Callable[[Any], Any], options: dict[str, Any]) -> Any:
    if not isinstance(array, Recorded) or array._kind not in ("frame", "series", "array"):
        refuse(f"{call.name} of something else than columns", "the recorder has no rule for it", "give X")
    unknown = set(options) - set(_KNOWN)
    if unknown or options.get("ensure_min_samples", 1) > 1:
        found = ", ".join(sorted(unknown)) or "ensure_min_samples"
        refuse(f"{call.name} with {found}", "the recorder has no rule for it", "leave it out")
    finite = options.get("ensure_all_finite", options.get("force_all_finite", True))

    def write(reals: list[Any]) -> list[Value]:
        sources = [dtype_of(array._reals[0], index) for index in range(len(array._values))]
        values = [
            cast(call, value, source, reals[0].dtype) for value, source in zip(array._values, sources, strict=True)
        ]
        return [_finite(call, value, finite, index, array) for index, value in enumerate(values)]

    result = call.recording.perform(call.name, lambda number: real(array._reals[number]), write, array._rows)
    link(array, result, list(range(len(result._values))))
    return result


def _finite(call: Call, value: Value, finite: Any, index: int, owner: Recorded) -> Value:
    """A number, checked as `ensure_all_finite` says."""
    if not finite or value.kind != "float64":
        return value
    columns = getattr(owner._reals[0], "columns", None)
    name = f"x{index}" if columns is None else str(columns[index])
    where = call.name.rsplit(".", 1)[1]
    if finite == "allow-nan":
        return call.build.not_infinite(value, name=name, where=where)
    return call.build.finite(value, name, where)


@function("sklearn.utils.validate_data", raw=True)
def validate_data(
    call: Call,
    _estimator: Any,
    /,
    X: Any = "no_validation",
    y: Any = "no_validation",
    reset: bool = True,
    validate_separately: Any = False,
    skip_check_array: bool = False,
    **options: Any,
) -> Any:
    """`check_array` after a check of the columns' names and number."""
    if reset:
        refuse(
            "validate_data without reset=False",
            "it changes the fitted step",
            "write validate_data(self, X, reset=False)",
        )
    if not (y is None or (isinstance(y, str) and y == "no_validation")) or validate_separately:
        refuse("validate_data of a target", "production has none", "write validate_data(self, X, reset=False)")

    def real(data: Any) -> Any:
        return validation.validate_data(_estimator, data, reset=False, skip_check_array=skip_check_array, **options)

    if skip_check_array:
        return call.recording.perform(
            call.name, lambda number: real(X._reals[number]), lambda reals: list(X._values), X._rows, trusted=X._values
        )
    return _checked_array(call, X, real, options)


@function("sklearn.utils.column_or_1d", raw=True)
def column_or_1d(
    call: Call, y: Any, *, dtype: Any = None, input_name: str = "y", warn: bool = False, device: Any = None
) -> Any:
    """A column as one dimension."""
    if not isinstance(y, Recorded) or dtype is not None:
        refuse("column_or_1d with these arguments", "the recorder has no rule for it", "write np.ravel(y)")
    return arranged(call, y, validation.column_or_1d)


@function("sklearn.utils.assert_all_finite", "sklearn.utils._assert_all_finite", raw=True)
def assert_all_finite(call: Call, X: Any, *, allow_nan: bool = False, **options: Any) -> None:
    """Rows with missing or infinite numbers are refused."""
    call.recording.on_shadows(
        call.name, lambda number: validation.assert_all_finite(X._reals[number], allow_nan=allow_nan)
    )
    for value in X._values:
        if value.kind == "float64":
            finite = is_finite(call.build, value)
            good = finite | value.missing() if allow_nan else finite
            call.recording.checks.append(RowCheck(~good, "ValueError: input contains missing or infinite values"))


@function("sklearn.utils._num_samples", raw=True)
def number_of_samples(call: Call, x: Any) -> Any:
    """The number of rows."""
    return RowCount(x)


@function("sklearn.utils.check_consistent_length", raw=True)
def check_consistent_length(call: Call, *arrays: Any) -> None:
    """Nothing: recorded columns have the same rows, or are refused where they meet."""


def _run_on_shadows(check: Callable[..., None]) -> Callable[..., None]:
    def run(call: Call, step: Any, X: Any, *args: Any, **options: Any) -> None:
        call.recording.on_shadows(call.name, lambda number: check(step, of_shadow(X, number), *args, **options))

    return run


for _check in (authoring.check_columns, authoring.check_dtypes, authoring.check_tables):
    function(f"pipeline_lib.{_check.__name__}", raw=True)(_run_on_shadows(_check))


@function("sklearn.utils.check_random_state!", raw=True)
def check_random_state(call: Call, seed: Any) -> Any:
    """Refused: random draws."""
    refuse("check_random_state", "a random draw gives a row another result each time", "draw in `fit`, keep the result")


refused("function", "sklearn.utils.check_X_y", "it checks a target, which production has not", "write check_array(X)")
refused(
    "function", "sklearn.utils.shuffle sklearn.utils.resample", ONE_ROW, "draw rows in `fit`, or before the pipeline"
)
