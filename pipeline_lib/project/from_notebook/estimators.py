"""What an estimator is made with: its call, the literals that may become parameters, and whether it draws at random."""

import ast

from pipeline_lib.project.from_notebook.calls import argument, assigned, method, receiver

_NO_PARAMETERS = frozenset({"n_jobs", "verbose", "memory", "copy"})
_RANDOM = ("Forest", "ExtraTree", "DecisionTree", "GradientBoosting", "MLP", "SGD", "Bagging", "AdaBoost")
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


def lacks_seed(class_name: str, call: ast.Call) -> bool:
    """Whether an estimator draws at random and no seed is given."""
    return any(word in class_name for word in _RANDOM) and argument(call, 99, "random_state") is None
