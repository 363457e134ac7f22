"""What an estimator is made with: its call, the literals that may become parameters, and whether it draws at random."""

import ast

from pipeline_lib.project.from_notebook.calls import argument, assigned, method, receiver

_NO_PARAMETERS = frozenset({"n_jobs", "verbose", "memory", "copy"})
_RANDOM = (
    *("Forest", "ExtraTree", "DecisionTree", "RandomTrees", "GradientBoosting", "MLP", "SGD", "Bagging", "AdaBoost"),
    *("Perceptron", "PassiveAggressive", "LinearSVC", "LinearSVR", "KMeans", "GaussianMixture", "RANSAC", "TheilSen"),
    *("TruncatedSVD", "SparsePCA", "FastICA", "NMF", "LatentDirichlet", "RandomProjection", "RBFSampler", "Nystroem"),
    *("QuantileTransformer", "SMOTE", "ADASYN", "RandomOverSampler", "RandomUnderSampler", "EasyEnsemble", "RUSBoost"),
    *("RandomizedSearch", "HalvingGridSearch", "HalvingRandomSearch"),
)
"""Parts of the names of classes that draw at random."""
_SOLVERS = ("solver", ("sag", "saga", "liblinear"))
_RANDOM_IF = {
    **dict.fromkeys(("LogisticRegression", "LogisticRegressionCV", "Ridge", "RidgeClassifier"), _SOLVERS),
    **dict.fromkeys(("SVC", "NuSVC"), ("probability", ("True",))),
    **dict.fromkeys(("Lasso", "LassoCV", "ElasticNet", "ElasticNetCV"), ("selection", ("random",))),
    **dict.fromkeys(("DummyClassifier",), ("strategy", ("stratified", "uniform"))),
}
"""Classes that draw at random with certain values of one argument."""
_SCALAR = (bool, int, float, str)


def constructor(node: ast.stmt) -> ast.expr:
    """The value that a statement assigns, without the call of `fit` at its end."""
    found = assigned(node)
    value = found[1] if found else ast.Constant(None)
    while isinstance(value, ast.Call) and method(value) == "fit" and (inside := receiver(value)) is not None:
        value = inside
    return value


def searched_estimator(node: ast.stmt) -> ast.expr:
    """The estimator whose parameters a search varies."""
    call = constructor(node)
    found = argument(call, 0, "estimator") if isinstance(call, ast.Call) else None
    return found if found is not None else ast.Constant(None)


def is_literal(value: ast.expr) -> bool:
    """Whether an expression is a literal, lists and dicts of literals included."""
    try:
        ast.literal_eval(value)
    except (ValueError, TypeError, SyntaxError, RecursionError):
        return False
    return True


def scalar(value: ast.expr) -> bool:
    """Whether an expression is a number, a truth value or plain text, as a parameters file can hold it."""
    try:
        result = ast.literal_eval(value)
    except (ValueError, TypeError, SyntaxError, RecursionError):
        return False
    if isinstance(result, str):
        return result.isascii() and result.replace("_", "").replace("-", "").isalnum() and result != "null"
    return isinstance(result, _SCALAR)


def parameters_of(call: ast.Call) -> list[tuple[str, ast.expr]]:
    """The keyword arguments of a call that may become parameters."""
    return [
        (keyword.arg, keyword.value)
        for keyword in call.keywords
        if keyword.arg and keyword.arg not in _NO_PARAMETERS and scalar(keyword.value)
    ]


def draws_at_random(class_name: str, call: ast.Call) -> bool:
    """Whether an estimator that is made without a seed may draw at random, with the arguments that it has.

    >>> make = ast.parse("SVC(probability=True)", mode="eval").body
    >>> draws_at_random("SVC", make), draws_at_random("RandomForestRegressor", make), draws_at_random("Ridge", make)
    (True, True, False)
    """
    if any(word in class_name for word in _RANDOM):
        return True
    if class_name == "PCA":  # all columns, or a share of the variance, are computed without draws
        solver, count = argument(call, 99, "svd_solver"), argument(call, 0, "n_components")
        some = isinstance(count, ast.Constant) and type(count.value) is int
        return _text(solver) in ("randomized", "arpack") or (some and _text(solver) in ("", "auto"))
    name, values = _RANDOM_IF.get(class_name, ("", ()))
    return bool(name) and _text(argument(call, 99, name)) in values


def _text(value: ast.expr | None) -> str:
    return str(value.value) if isinstance(value, ast.Constant) else ""
