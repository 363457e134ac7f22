"""LabelPropagation and LabelSpreading: the labels that fitting gave to the training rows vote for a new row.

Source: sklearn/semi_supervised/_label_propagation.py.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from pipeline_lib.compiler.adapters.inputs import vector_input
from pipeline_lib.compiler.adapters.outputs import class_labels, class_prediction, float64_of, sum_in_order
from pipeline_lib.compiler.adapters.registry import NoPlanError, Outputs, estimator
from pipeline_lib.compiler.adapters.sklearn.neighbors import nearest_points
from pipeline_lib.compiler.builder import Builder, Value


@estimator(
    "sklearn.semi_supervised._label_propagation.LabelPropagation",
    "sklearn.semi_supervised._label_propagation.LabelSpreading",
    options="kernel gamma n_neighbors alpha max_iter tol n_jobs",
)
def label_propagation(step: Any, values: Sequence[Value], build: Builder) -> Outputs:
    """The training rows' shares of each class, weighted by the kernel or of the nearest rows, as parts of their sum."""
    classes = class_labels(step.classes_)
    labels = float64_of(step, "label_distributions_")
    if callable(step.kernel):
        raise NoPlanError(
            f"{type(step).__name__}: found kernel={step.kernel!r}, expected 'rbf' or 'knn'; a function of one's own is "
            "code, which a plan cannot hold"
        )
    if step.kernel == "knn":
        nearest = nearest_points(step.nn_fit, values, build, int(step.n_neighbors))
        sums = build.items(build.neighbors_mean(nearest, targets=labels, weights="uniform"))
    else:
        kernels = build.kernel(
            vector_input(step, values, build),
            points=np.asarray(float64_of(step, "X_")),
            kernel="rbf",
            gamma=float(step.gamma),
            coef0=0.0,
            degree=1,
            expanded=True,
        )
        sums = build.items(build.affine(kernels, matrix=np.ascontiguousarray(labels.T), offset=None))
    whole = sum_in_order(sums)
    shares = [value / whole for value in sums]
    return Outputs([class_prediction(build, shares, classes)], shares, classes=classes)
