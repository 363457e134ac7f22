"""The number of rows, `len(X)` or `X.shape[0]`: good for making columns and for comparisons with 0 alone."""

from typing import Any, NoReturn

from pipeline_lib.compiler.tracing.batch import truth
from pipeline_lib.compiler.tracing.own_code.scan import only_shown
from pipeline_lib.compiler.tracing.recorded import Recorded
from pipeline_lib.compiler.tracing.refusals import ONE_ROW, own_frame
from pipeline_lib.compiler.tracing.selection import Rows


class RowCount:
    """How many rows a recorded object has.

    Of all rows nothing is known but that there is one or more. Of the rows in which a condition holds it can be asked
    whether there are any, to raise an error.
    """

    _no_value = ("the number of rows as a value", ONE_ROW, "leave it out; a constant column is X.assign(one=1)")

    def __init__(self, owner: Recorded) -> None:
        self.owner = owner
        self.rows: Rows = owner._rows

    def of_shadow(self, number: int) -> int:
        """How many rows the library's object has, for one shadow."""
        return int(self.owner._reals[number].shape[0])

    def _compare(self, other: Any, name: str) -> bool:
        if type(other) is RowCount and name in ("__eq__", "__ne__") and self.rows.same(other.rows, by_position=True):
            return name == "__eq__"
        if self.rows.condition is not None:
            return bool(truth(self.owner._recording, self.rows.condition)._compare(other, name))
        if type(other) is not int:
            self._stop()
        one, many = (getattr(count, name)(other) for count in (1, 10**9))
        if other > 1 or one != many:
            self._stop()
        return bool(one)

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

    def __repr__(self) -> str:
        frame = own_frame(self.owner._recording.codes)
        return "..." if frame is None or only_shown(frame) else self._stop()

    def _stop(self, *args: Any) -> NoReturn:
        self.owner._stop("the number of rows as a number", ONE_ROW, "leave it out; columns need no length")

    __index__ = __int__ = __float__ = __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _stop
    __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = __pow__ = __rpow__ = _stop
    __divmod__ = __neg__ = __abs__ = __round__ = __trunc__ = __and__ = __or__ = __array__ = _stop


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


def count_in(argument: Any) -> RowCount | None:
    """A row count among arguments, such as in a shape."""
    if type(argument) is RowCount:
        return argument
    if isinstance(argument, tuple | list):
        return next((found for each in argument if (found := count_in(each)) is not None), None)
    return None


def with_counts(shape: Any, number: int) -> Any:
    """A shape with the numbers of rows of one shadow in place of row counts."""
    if type(shape) is RowCount:
        return shape.of_shadow(number)
    if isinstance(shape, tuple | list):
        return tuple(with_counts(each, number) for each in shape)
    return shape
