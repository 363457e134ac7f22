"""The columns that a fitted pipeline was fitted on, and those of them that it cannot do without."""

from collections.abc import Sequence
from typing import Any


def fitted_names(steps: Sequence[tuple[str, Any]], names: Sequence[str] = ()) -> list[str] | None:
    """The names of the columns that the first step was fitted on; None where it keeps none.

    `names` are those of a frame. LightGBM keeps its own with `_` for each space; they get theirs from the frame.
    CatBoost keeps them under another attribute, where columns without a name are called 0, 1, ….
    """
    first = _first(steps)
    fitted = getattr(first, "feature_names_in_", None)
    if fitted is None and type(first).__module__.startswith("catboost."):
        fitted = first.feature_names_ if set(first.feature_names_) <= set(names) else None
    if fitted is None:
        return None
    spaced = {name.replace(" ", "_"): name for name in names if " " in name}
    return [name if name in names else spaced.get(name, name) for name in map(str, fitted)]


def needed_names(steps: Sequence[tuple[str, Any]], names: Sequence[str] = ()) -> set[str]:
    """Those of `fitted_names` that the first step takes; a ColumnTransformer does without those that it drops."""
    first, fitted = _first(steps), fitted_names(steps, names) or []
    indices = getattr(first, "_transformer_to_input_indices", None)
    if type(first).__name__ != "ColumnTransformer" or indices is None:
        return set(fitted)
    return {
        fitted[index]
        for name, inner, _ in first.transformers_
        if not (isinstance(inner, str) and inner == "drop")
        for index in indices.get(name, ())
    }


def takes_texts(steps: Sequence[tuple[str, Any]]) -> bool:
    """Whether the first step is a vectorizer of texts, which goes through one column."""
    return type(_first(steps)).__name__ in ("CountVectorizer", "TfidfVectorizer", "HashingVectorizer")


def _first(steps: Sequence[tuple[str, Any]]) -> Any:
    """The first step that sees the columns, also inside pipelines that are a step."""
    for _, step in steps:
        if step is None or isinstance(step, str):
            continue
        inner = getattr(step, "steps", None)
        return _first(inner) if isinstance(inner, list) and inner else step
    return None
