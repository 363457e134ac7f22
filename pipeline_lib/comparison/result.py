"""The result of a comparison: one sentence for each challenger, and what it rests on."""

from dataclasses import dataclass
from typing import Any

from pipeline_lib.comparison.answer import Compared


@dataclass(frozen=True, repr=False)
class Comparison(Compared):
    """A champion against one or more challengers on the same rows, which a notebook shows as its page does."""

    def to_json(self) -> dict[str, Any]:
        """JSON values."""
        from pipeline_lib.comparison.as_json import comparison_json

        return comparison_json(self)

    def __repr__(self) -> str:
        from pipeline_lib.comparison.as_text import comparison_text

        return comparison_text(self)

    def _repr_html_(self) -> str:
        from pipeline_lib.comparison.page import comparison_html

        return comparison_html(self)
