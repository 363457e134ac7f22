"""The number of rows, `len(X)` or `X.shape[0]`: good for making columns, for nothing else."""

from typing import Any, NoReturn

from pipeline_lib.compiler.tracing.recorded import Recorded
from pipeline_lib.compiler.tracing.recording import Rows
from pipeline_lib.compiler.tracing.refusals import ONE_ROW


class RowCount:
    """How many rows a recorded object has. Nothing but comparisons with 0 and 1 is known of it: rows come in ones or more."""

    def __init__(self, owner: Recorded) -> None:
        self.owner = owner
        self.rows: Rows = owner._rows

    def _compare(self, other: Any, name: str) -> bool:
        if type(other) is RowCount and name in ("__eq__", "__ne__") and self.rows.same(other.rows, by_position=True):
            return name == "__eq__"
        if type(other) is int and self.rows.condition is None:
            one, many = (getattr(count, name)(other) for count in (1, 10**9))
            if other < 2 and one == many:
                return bool(one)
        self._stop()

    def __eq__(self, other: object) -> bool:
        return self._compare(other, "__eq__")

    def __ne__(self, other: object) -> bool:
        return self._compare(other, "__ne__")

    def __lt__(self, other: Any) -> bool:
        return self._compare(other, "__lt__")

    def __le__(self, other: Any) -> bool:
        return self._compare(other, "__le__")

    def __gt__(self, other: Any) -> bool:
        return self._compare(other, "__gt__")

    def __ge__(self, other: Any) -> bool:
        return self._compare(other, "__ge__")

    __hash__ = None  # type: ignore[assignment]

    def __bool__(self) -> bool:
        return self._compare(0, "__ne__")

    def _stop(self, *args: Any) -> NoReturn:
        self.owner._stop("the number of rows as a number", ONE_ROW, "leave it out; columns need no length")

    __index__ = __int__ = __float__ = __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _stop
    __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = __pow__ = _stop


def counts_of(shape: Any) -> tuple[RowCount, int | None] | None:
    """The row count and the number of columns (None for one dimension) of a shape; None for other shapes."""
    if type(shape) is RowCount:
        return shape, None
    if isinstance(shape, tuple | list) and shape and type(shape[0]) is RowCount:
        if len(shape) == 1:
            return shape[0], None
        if len(shape) == 2 and isinstance(shape[1], int):
            return shape[0], shape[1]
    return None
