"""How alike two texts are."""

from collections import Counter
from collections.abc import Callable

import numpy as np

from pipeline_lib.compiled.operations.registry import Settings, operation
from pipeline_lib.compiled.operations.setting_types import TEXT
from pipeline_lib.compiled.operations.text_columns import column_of_words


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


# The formula of difflib's `SequenceMatcher(None, text, keyword).quick_ratio()`.
operation(
    "similarity",
    ("str",),
    "float64",
    doc="Twice the characters that a text shares with `keyword`, over the characters of both.",
    settings={"keyword": TEXT},
    column=lambda settings: column_of_words(_bind_row(settings), np.float64),
    row=_bind_row,
)
