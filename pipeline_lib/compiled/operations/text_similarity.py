"""How alike two texts are."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

from pipeline_lib.compiled.operations.registry import Settings, operation
from pipeline_lib.compiled.operations.setting_types import TEXT
from pipeline_lib.compiled.operations.text_columns import TextColumn


def _bind_row(settings: Settings) -> Callable[[str | None], float]:
    keyword: str = settings["keyword"]
    characters = Counter(keyword)

    def similarity(text: str | None) -> float:
        if text is None:
            return float("nan")
        length = len(text) + len(keyword)
        shared = (characters & Counter(text)).total()
        return 2.0 * shared / length if length else 1.0

    return similarity


def _bind(settings: Settings) -> Callable[[Any], Any]:
    similarity, key = _bind_row(settings), object()

    def column(text: Any) -> Any:
        text = text if isinstance(text, TextColumn) else TextColumn.of([text])
        return text.numbers(key, lambda words: np.array([similarity(word) for word in words], dtype=np.float64))

    return column


# The formula of difflib's `SequenceMatcher(None, text, keyword).quick_ratio()`.
operation(
    "similarity",
    ("str",),
    "float64",
    doc="Twice the characters that a text shares with `keyword`, over the characters of both.",
    settings={"keyword": TEXT},
    column=_bind,
    row=_bind_row,
)
