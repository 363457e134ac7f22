"""What a fitted pipeline itself answers for the training rows, for the comparison from end to end."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class LibraryAnswers:
    """The answers of a fitted pipeline for the rows after the context, or after the first that lack earlier rows.

    `data` are the training rows as the pipeline takes them, the context first. `last` are the answers of the last
    step by method, for the rows from the context on, or for more rows. Where it is `alone`, they are the pipeline's.
    """

    fitted: Any
    data: Any
    context: int
    last: Mapping[str, Any]
    alone: bool = False

    def answer(self, method: str) -> Any:
        """The result of a method such as `predict`, as the library gives it.

        With a context it is that of the last step: the pipeline itself refuses the first rows, whose lags are missing.
        """
        if self.context or self.alone:
            return self.last_answer(method)
        return getattr(self.fitted, method)(self.data)

    def last_answer(self, method: str) -> Any:
        """The result of a method of the last step, for the rows after the context; it was computed before."""
        answers = self.last[method]
        if isinstance(answers, list):
            return [each[len(each) - self._rows :] for each in answers]
        return answers[answers.shape[0] - self._rows :]

    @property
    def _rows(self) -> int:
        return int(self.data.shape[0]) - self.context
