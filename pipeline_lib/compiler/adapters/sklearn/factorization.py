"""NMF and the sparse codes of DictionaryLearning, MiniBatchDictionaryLearning and SparseCoder.

Source: sklearn/decomposition/_nmf.py and _dict_learning.py, `sparse_encode`. A batch's rows affect each other in NMF
but where it makes a fixed number of iterations, and in MiniBatchNMF always.
"""

from typing import Any

import numpy as np

from pipeline_lib.compiler.adapters.inputs import dense_inputs, numeric_columns
from pipeline_lib.compiler.adapters.outputs import affine, to_float64
from pipeline_lib.compiler.adapters.registry import Columns, RefusedStepError, option_error, transformer
from pipeline_lib.compiler.builder import Builder, Value

_NMF = "n_components init beta_loss tol max_iter random_state alpha_W alpha_H l1_ratio verbose"
_CODING = (
    "n_components alpha max_iter tol fit_algorithm transform_algorithm transform_n_nonzero_coefs transform_alpha "
    "transform_max_iter n_jobs code_init dict_init callback verbose split_sign random_state positive_code "
    "positive_dict batch_size shuffle max_no_improvement"
)


def _refused(step: Any, why: str) -> RefusedStepError:
    return RefusedStepError(
        f"{type(step).__name__}: found {why}, so that a batch's rows affect each other, expected each row to have its "
        "own result; fit NMF(solver='cd', tol=0), which makes max_iter iterations for every row"
    )


@transformer("sklearn.decomposition._nmf.NMF", options=f"{_NMF} solver shuffle")
def factorized(step: Any, columns: Columns, build: Builder) -> Columns:
    """Weights of at least 0 of the components, by coordinate descent."""
    if step.solver != "cd":
        raise _refused(step, f"solver={step.solver!r}, which starts from the mean of all rows")
    if step.tol != 0:
        raise _refused(step, f"tol={step.tol!r}, which stops once all rows together have changed little")
    if step.shuffle:
        raise option_error(step, "shuffle", "False, since it draws the order of the components at predict")
    values = [
        value
        if value.dtype == "bag"
        else build.check(
            value, value >= 0.0, name=name, where="NMF", expected="a number that is not negative", advice="correct it"
        )
        for name, value in numeric_columns(step, columns, build).items()
    ]
    components = to_float64(step.components_)
    width = components.shape[1]
    gram = components @ components.T + np.eye(len(components)) * width * step.alpha_W * (1.0 - step.l1_ratio)
    less = width * step.alpha_W * step.l1_ratio
    products = affine(values, components, np.full(len(components), -less) if less else None, build)
    weights = build.coordinate_descent(products, gram=gram, sweeps=int(step.max_iter))
    return {f"x{index}": value for index, value in enumerate(build.items(weights))}


@transformer(
    "sklearn.decomposition._nmf.MiniBatchNMF",
    options=f"{_NMF} batch_size max_no_improvement forget_factor fresh_restarts fresh_restarts_max_iter "
    "transform_max_iter",
)
def factorized_in_batches(step: Any, columns: Columns, build: Builder) -> Columns:
    """Refused: each transform starts from the mean of all rows."""
    raise _refused(step, "a transform that starts from the mean of all rows")


@transformer(
    "sklearn.decomposition._dict_learning.DictionaryLearning",
    "sklearn.decomposition._dict_learning.MiniBatchDictionaryLearning",
    options=_CODING,
)
def learned_codes(step: Any, columns: Columns, build: Builder) -> Columns:
    """The codes of the rows by the learned atoms."""
    alpha = step.alpha if step.transform_alpha is None else step.transform_alpha
    return _codes(step, columns, build, step.components_, alpha)


@transformer("sklearn.decomposition._dict_learning.SparseCoder", options=f"{_CODING} dictionary")
def codes(step: Any, columns: Columns, build: Builder) -> Columns:
    """The codes of the rows by the atoms of a dictionary."""
    return _codes(step, columns, build, step.dictionary, step.transform_alpha)


def _codes(step: Any, columns: Columns, build: Builder, atoms: Any, alpha: float | None) -> Columns:
    dictionary = to_float64(atoms)
    products = affine(dense_inputs(step, list(columns.values()), build), dictionary, None, build)
    if step.transform_algorithm == "threshold":
        parts = [_towards_0(value, 1.0 if alpha is None else float(alpha), build) for value in build.items(products)]
        if step.positive_code:
            parts = [build.larger(part, 0.0) for part in parts]
    elif step.transform_algorithm == "omp":
        gram = dictionary @ dictionary.T
        parts = build.items(build.matching_pursuit(products, gram=gram, count=_count(step, dictionary)))
    else:
        raise option_error(step, "transform_algorithm", "'omp' or 'threshold'")
    if step.split_sign:
        parts = [build.larger(part, 0.0) for part in parts] + [-build.smaller(part, 0.0) for part in parts]
    return {f"x{index}": part for index, part in enumerate(parts)}


def _count(step: Any, dictionary: Any) -> int:
    count = step.transform_n_nonzero_coefs
    return int(min(max(dictionary.shape[1] / 10, 1), len(dictionary)) if count is None else count)


def _towards_0(value: Value, by: float, build: Builder) -> Value:
    """The number moved towards 0, and 0 where it would pass it."""
    size = build.larger(abs(value) - by, 0.0)
    return build.where(value < 0.0, -size, size)
