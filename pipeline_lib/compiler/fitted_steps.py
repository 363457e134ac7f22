"""The steps of whatever was fitted: a pipeline, a search over one, an estimator alone."""

from typing import Any

from pipeline_lib.errors import InputError


def fitted_pipeline(fitted: Any) -> Any:
    """What a search such as GridSearchCV has fitted to all rows (`best_estimator_`); anything else as it is.

    Raises InputError for a search that fitted none.
    """
    while True:
        best = getattr(fitted, "best_estimator_", None)
        if best is None or isinstance(best, type):
            break
        fitted = best
    if hasattr(fitted, "best_params_") and hasattr(fitted, "refit"):
        raise InputError(
            f"found {type(fitted).__name__} with refit={fitted.refit!r}, expected the best pipeline fitted to all "
            "rows; search with refit=True"
        )
    return fitted


def fitted_steps(fitted: Any) -> list[tuple[str, Any]]:
    """The steps from raw rows to prediction, by name; the last has `predict`.

    An estimator alone is one step. A pipeline, or a search, that is itself the last step is taken apart. Samplers of
    imbalanced-learn are left out, as they do nothing at predict. Raises InputError for what is not fitted, or has no
    predict.
    """
    if isinstance(fitted, type):
        raise InputError(f"found the class {fitted.__name__}, expected a fitted object of it; pass what `fit` returns")
    steps = _steps(fitted_pipeline(fitted))
    final = steps[-1][1] if steps else None
    if not callable(getattr(final, "predict", None)) or _is_xgboost_booster(final):
        raise InputError(_without_predict(fitted, final))
    _check_fitted(fitted_pipeline(fitted), final)
    return _unique(steps)


def _steps(fitted: Any) -> list[tuple[str, Any]]:
    steps = getattr(fitted, "steps", None)
    if not isinstance(steps, list):
        return [(type(fitted).__name__.lower(), fitted)]
    kept = [(name, step) for name, step in steps if not is_sampler(step)]
    if not kept:
        return []
    (name, final), before = kept[-1], kept[:-1]
    final = fitted_pipeline(final)
    return [*before, *(_steps(final) if isinstance(getattr(final, "steps", None), list) else [(name, final)])]


def is_sampler(step: Any) -> bool:
    """Whether a step of an imbalanced-learn pipeline changes the training rows alone."""
    return hasattr(step, "fit_resample") and not hasattr(step, "predict")


def _unique(steps: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """The steps under distinct names: two pipelines may have a step of one name."""
    result: dict[str, Any] = {}
    for name, step in steps:
        label, number = name, 2
        while label in result:
            label, number = f"{name}-{number}", number + 1
        result[label] = step
    return list(result.items())


def _is_xgboost_booster(final: Any) -> bool:
    return (type(final).__module__, type(final).__name__) == ("xgboost.core", "Booster")


def _without_predict(fitted: Any, final: Any) -> str:
    kind = type(final).__name__ if final is not None else type(fitted).__name__
    if _is_xgboost_booster(final):
        return (
            "found xgboost.Booster, which predicts a DMatrix, expected one of its scikit-learn classes; "
            "save_model(file) of the booster, then load_model(file) of a new XGBRegressor() or XGBClassifier()"
        )
    if hasattr(final, "fit_predict"):
        return (
            f"found {kind}, which labels the rows that it was fitted on and has no predict for others, expected an "
            "estimator with predict; use one that has, such as KMeans, or fit a classifier to the labels"
        )
    if hasattr(final, "transform") or isinstance(final, str):
        step = repr(final) if isinstance(final, str) else kind
        return f"found a final step {step} without predict, expected an estimator; end the pipeline with one"
    return f"found {kind}, expected something fitted with predict: a pipeline, an estimator, or a search over one"


def _check_fitted(fitted: Any, final: Any) -> None:
    from sklearn.exceptions import NotFittedError
    from sklearn.utils.validation import check_is_fitted

    if callable(getattr(final, "is_fitted", None)):  # CatBoost keeps no attribute by which scikit-learn knows
        if final.is_fitted():
            return
        raise InputError(f"found {type(final).__name__} that is not fitted, expected a fitted one; call fit first")
    try:
        check_is_fitted(fitted)
    except NotFittedError as error:
        raise InputError(
            f"found a pipeline that is not fitted ({error}), expected a fitted one; call fit(X_train, y_train) first"
        ) from None
    except TypeError:  # an estimator of another library, whose fit cannot be asked for
        return
