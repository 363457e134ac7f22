"""How many earlier rows the values of a plan depend on, against the context that production will have."""

from pipeline_lib.errors import InputError


class Lookback:
    """The longest reach of a plan's values, and the step `where` it is.

    `context` is the declared count of earlier rows. Without `collects` a longer reach is refused as it is noted; with
    it, `check` refuses it once all steps are known.
    """

    def __init__(self, context: int, *, collects: bool = False) -> None:
        self.context = context
        self._collects = collects
        self._longest, self._where = context, ""

    def note(self, rows: int, where: str) -> None:
        """A value of the step `where` depends on so many earlier rows."""
        if rows > self._longest:
            self._longest, self._where = rows, where
            if not self._collects:
                self.check()

    @property
    def exceeds_context(self) -> bool:
        """Whether a value depends on more earlier rows than the declared context has."""
        return self._longest > self.context

    def check(self) -> None:
        """Raise InputError where a value depends on more earlier rows than the declared context has."""
        if self.exceeds_context:
            raise InputError(
                f"{self._where}: found a value that depends on {self._longest} earlier rows, expected at most the "
                f"declared context of {self.context}; in production a row comes alone: compile with "
                f"context={self._longest}, or make such columns in `load`"
            )
