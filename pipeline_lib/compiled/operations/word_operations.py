"""Operations that are a Python function of one text: for columns once per distinct word, for a row once.

    rows    "b"  "a"  None  "b"         words ["a", "b", None]
    upper   "B"  "A"  None  "B"         "A" and "B" are computed once each

A missing text gives missing text, NaN or False, by the result's dtype. A text that an operation does not accept is
refused in the rows that hold it.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from pipeline_lib.compiled.operations.refusals import refuse
from pipeline_lib.compiled.operations.registry import Settings, operation
from pipeline_lib.compiled.operations.setting_types import SettingType
from pipeline_lib.compiled.operations.text_columns import text_column
from pipeline_lib.errors import InputError

Word = Callable[[str], Any]
Words = Sequence[str | None]
_MISSING: dict[str, Any] = {"str": None, "float64": math.nan, "bool": False}


def word_operation(
    name: str,
    gives: str,
    doc: str,
    function: Callable[[Settings], Word],
    *,
    settings: Mapping[str, SettingType] | None = None,
    accepts: Callable[[Settings], Callable[[str], bool] | None] = lambda settings: None,
    message: str = "",
    check: Callable[[Settings], None] | None = None,
) -> None:
    """Register an operation of one text.

    `function(settings)` is the function of a present text. `accepts(settings)` says which texts it accepts, None where
    it accepts all; other texts are refused with `message`. `check` is that of `Operation`.
    """
    missing = _MISSING[gives]

    def column(settings: Settings) -> Callable[[Any], Any]:
        return _of_columns(function(settings), accepts(settings), message, gives)

    def row(settings: Settings) -> Callable[[str | None], Any]:
        compute, accepted = function(settings), accepts(settings)
        convert = float if gives == "float64" else _unchanged

        def of_one(word: str | None) -> Any:
            if word is None:
                return missing
            if accepted is not None and not accepted(word):
                raise InputError(message)
            return convert(compute(word))

        return of_one

    operation(
        name,
        ("str",),
        gives,
        doc=doc,
        parameters=("text",),
        settings=settings,
        column=column,
        row=row,
        check=check,
        abs_max=(lambda settings, maxima: 1.0) if gives == "bool" else None,
    )


def _unchanged(result: Any) -> Any:
    return result


def _of_columns(
    compute: Word, accepted: Callable[[str], bool] | None, message: str, gives: str
) -> Callable[[Any], Any]:
    result_key, accepted_key = object(), object()  # of this operation in the words' cache

    def is_good(word: str | None) -> bool:
        return word is None or accepted is None or accepted(word)

    def results(words: Words) -> list[Any]:
        return [compute(word) if word is not None and is_good(word) else _MISSING[gives] for word in words]

    def of_column(text: Any) -> Any:
        text = text_column(text)
        if accepted is not None:
            good = text.numbers(accepted_key, lambda words: np.array([is_good(word) for word in words]))
            refuse(text, good, lambda value: message)
        if gives == "str":
            return text.texts(result_key, results)
        return text.numbers(result_key, lambda words: np.array(results(words), dtype=gives))

    return of_column
