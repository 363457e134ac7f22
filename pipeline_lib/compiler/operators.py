"""Operators of `Value`: Python's and NumPy's operators write operations of a plan, or raise an error with a remedy.

A plan is written once for all rows, so a value has no truth, length or number while it is written. Code that
needs one (`if`, `in`, `max`, `float`) would silently write another formula; it raises InputError instead.

    columns["year"] == 2010               a bool column
    np.where(year > 2000, 1.0, 0.0)       a column
    if columns["year"] == 2010: ...       refused: use build.where
"""

from typing import Any, NoReturn, Self

import numpy as np

from pipeline_lib.compiled.plan import Scalar
from pipeline_lib.compiler.numpy_functions import FUNCTIONS, METHODS, UFUNCS
from pipeline_lib.compiler.times import TIMES, is_time
from pipeline_lib.errors import InputError

_ARITHMETIC = {"add": "+", "subtract": "-", "multiply": "*"}
"""Operations for which NumPy does not take bools for 0 and 1."""
_MOST_BITS = 63
"""Largest exponent of an integer power: beyond it only 0, 1 and -1 stay within int64."""


class Operators:
    """Operators, conversions and NumPy functions of a value; `Value` inherits them."""

    build: Any
    kind: Any
    abs_max: Any

    def __hash__(self) -> int:
        _refuse(
            "a value looked up in a set or a dict",
            "write build.lookup(value, {key: result, ...}, gives, missing=..., unseen=...)",
        )

    def _with(self, other: Any, operation: str, *, swapped: bool = False) -> Self:
        left, right = self, self.build.value(other)
        if swapped:
            left, right = right, left
        if left.kind == right.kind == "bool" and operation in _ARITHMETIC:
            _refuse(
                f"`{_ARITHMETIC[operation]}` of two bools, which NumPy takes for logic and not for numbers",
                "write | or &, or build.integer(value) for 0 and 1",
            )
        result: Self = self.build.arithmetic(operation, left, right)
        return result

    def __add__(self, other: Self | Scalar) -> Self:
        return self._with(other, "add")

    def __radd__(self, other: Scalar) -> Self:
        return self._with(other, "add", swapped=True)

    def __sub__(self, other: Self | Scalar) -> Self:
        return self._with(other, "subtract")

    def __rsub__(self, other: Scalar) -> Self:
        return self._with(other, "subtract", swapped=True)

    def __mul__(self, other: Self | Scalar) -> Self:
        return self._with(other, "multiply")

    def __rmul__(self, other: Scalar) -> Self:
        return self._with(other, "multiply", swapped=True)

    def __truediv__(self, other: Self | Scalar) -> Self:
        return self._with(other, "divide")

    def __rtruediv__(self, other: Scalar) -> Self:
        return self._with(other, "divide", swapped=True)

    def __neg__(self) -> Self:
        if self.kind == "bool":
            _refuse("`-` of a bool, for which NumPy raises an error", "write ~value, or -build.integer(value)")
        if self.kind == "int64":
            return 0 - self
        negate = self.build.negate_duration if self.kind == "duration" else self.build.negative
        result: Self = negate(self if self.kind == "duration" else self.build.number(self))
        return result

    def __abs__(self) -> Self:
        if self.kind == "bool":
            return self
        if self.kind == "int64":
            positive: Self = self.build.where(self < 0, 0 - self, self)
            return positive
        absolute = self.build.absolute_duration if self.kind == "duration" else self.build.absolute
        result: Self = absolute(self if self.kind == "duration" else self.build.number(self))
        return result

    def __lt__(self, other: Self | Scalar) -> Self:
        return self._with(other, "less")

    def __le__(self, other: Self | Scalar) -> Self:
        return self._with(other, "less_equal")

    def __gt__(self, other: Self | Scalar) -> Self:
        return self._with(other, "less", swapped=True)

    def __ge__(self, other: Self | Scalar) -> Self:
        return self._with(other, "less_equal", swapped=True)

    def __and__(self, other: Self) -> Self:
        result: Self = self.build.logical_and(self, other)
        return result

    def __or__(self, other: Self) -> Self:
        result: Self = self.build.logical_or(self, other)
        return result

    def __invert__(self) -> Self:
        result: Self = self.build.logical_not(self)
        return result

    def __eq__(self, other: object) -> Any:
        if isinstance(other, str):
            if self.kind != "str":
                _refuse(f"`==` of a {self.kind} column and the text {other!r}", "compare values of one dtype")
            return self.build.lookup(self, {other: True}, "bool", missing=False, unseen=False)
        if self.kind == "str":
            _refuse(f"`==` of a text column and {type(other).__name__}", "compare it with a constant text")
        _check_operand("==", other)
        return self._with(other, "equal")

    def equals(self, other: Self | Scalar) -> Self:
        """The same as `==`."""
        result: Self = self == other
        return result

    def __ne__(self, other: object) -> Any:
        return ~(self == other)

    def __xor__(self, other: Any) -> Any:
        both, either = self & other, self | other
        return either & ~both

    def __pow__(self, exponent: Any) -> Any:
        if self.kind in ("int64", "bool") and isinstance(exponent, int) and not isinstance(exponent, bool):
            if not 0 <= exponent <= _MOST_BITS:
                _refuse(f"an integer column `** {exponent}`", "write build.number(value) ** exponent")
            return self.build.power_int(self.build.integer(self), exponent)
        if self.kind == "int64" and isinstance(exponent, Operators) and exponent.kind == "int64":
            return self.build.power_int(self, _not_negative(self.build, exponent))
        if isinstance(exponent, int | float) and exponent in (1, 2):  # as NumPy: x**2 is x * x
            number = self.build.number(self)
            return number if exponent == 1 else number * number
        if isinstance(exponent, int | float) and exponent in (-1, 0.5):  # as NumPy: 1 / x, and the square root
            number = self.build.number(self)
            return 1.0 / number if exponent == -1 else self.build.sqrt(number)
        _check_operand("**", exponent)
        return self.build.pow(self.build.number(self), self.build.number(exponent))

    def __rpow__(self, base: Any) -> Any:
        _check_operand("**", base)
        if self.kind == "int64" and isinstance(base, int | np.integer) and not isinstance(base, bool):
            return self.build.power_int(self.build.value(base), _not_negative(self.build, self))
        return self.build.pow(self.build.number(base), self.build.number(self))

    def __floordiv__(self, other: Any) -> Any:
        return _whole_division(self, other, "floor_divide", self)

    def __rfloordiv__(self, other: Any) -> Any:
        return _whole_division(other, self, "floor_divide", self)

    def __mod__(self, other: Any) -> Any:
        return _whole_division(self, other, "remainder", self)

    def __rmod__(self, other: Any) -> Any:
        return _whole_division(other, self, "remainder", self)

    def __bool__(self) -> bool:
        _refuse(
            "a branch on a value (`if`, `and`, `or`, `not`, `in`, max, min, a chained comparison)",
            "write build.where(condition, then, other), & | ~ for and, or, not, build.larger and build.smaller",
        )

    def __iter__(self) -> Any:
        _refuse("a loop over a value", "operate on the whole column; build.items(vector) has a vector's numbers")

    def __contains__(self, item: object) -> bool:
        _refuse("`in` of a value", "write build.lookup(value, {key: True, ...}, 'bool', missing=False, unseen=False)")

    def __len__(self) -> int:
        _refuse("the length of a value", "a plan is written for any number of rows")

    def __getitem__(self, index: object) -> Any:
        _refuse("an index of a value", "operate on the whole column; build.item(vector, index=0) is one number")

    def __float__(self) -> float:
        _refuse("a value taken as a number (float, round, math functions)", "use the methods of `build`")

    __int__ = __index__ = __round__ = __trunc__ = __floor__ = __ceil__ = __complex__ = __float__

    def __str__(self) -> str:
        _refuse("a value written as text (str, an f-string, print)", "write build.concatenate, build.text_of_number")

    def __format__(self, form: str) -> str:
        return str(self)

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        _refuse("a value given to a function of NumPy or pandas", "use the methods of `build`, or NumPy's ufuncs")

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        write = UFUNCS.get(ufunc.__name__)
        if method != "__call__" or options or (write is None and ufunc.__name__ not in METHODS):
            _refuse(f"np.{ufunc.__name__}{'' if method == '__call__' else f'.{method}'}", "use the methods of `build`")
        # a NumPy scalar on the left of an operator arrives as an array without dimensions
        inputs = tuple(value[()] if isinstance(value, np.ndarray) and not value.ndim else value for value in inputs)
        for value in inputs:
            if not isinstance(value, Operators):
                _check_operand(f"np.{ufunc.__name__}", value)
        if write is None:
            return getattr(self.build, ufunc.__name__)(*(self.build.number(value) for value in inputs))
        return write(self.build, *(self.build.value(value) for value in inputs))

    def __array_function__(self, function: Any, types: Any, inputs: Any, options: Any) -> Any:
        write = FUNCTIONS.get(function.__name__)
        if write is None or options:
            _refuse(f"np.{function.__name__}", "use the methods of `build`, or NumPy's ufuncs")
        return write(self.build, *inputs)


def _refuse(found: str, remedy: str) -> NoReturn:
    raise InputError(f"found {found} in a plan, expected operations on whole columns; {remedy}")


def _check_operand(symbol: str, other: object) -> None:
    """Refuse what is neither a value nor a constant: None, arrays, lists."""
    if isinstance(other, Operators | bool | int | float | np.bool_ | np.integer | np.floating) or is_time(other):
        return
    remedy = "write value.missing()" if other is None else "give a value or a constant"
    _refuse(f"`{symbol}` of a value and {type(other).__name__}", remedy)


def _whole_division(left: Any, right: Any, operation: str, value: Any) -> Any:
    """`//` and `%` as NumPy's; of integers only by a constant other than 0, by which pandas and NumPy differ."""
    symbol = "//" if operation == "floor_divide" else "%"
    _check_operand(symbol, left if left is not value else right)
    build = value.build
    if {build.value(left).kind, build.value(right).kind} & set(TIMES):
        return build.arithmetic(operation, build.value(left), build.value(right))
    whole = {build.value(left).kind, build.value(right).kind} <= {"int64", "bool"}
    if whole and isinstance(right, int | np.integer) and right != 0:
        return getattr(build, f"{operation}_int")(build.integer(left), build.integer(right))
    if whole:
        _refuse(
            f"integers `{symbol}` a column or 0, where pandas and NumPy differ in rows that divide by 0",
            f"write build.{operation}(build.number(left), build.number(right))",
        )
    return getattr(build, operation)(build.number(left), build.number(right))


def _not_negative(build: Any, exponent: Any) -> Any:
    """An integer exponent; a negative one is refused when it predicts, as NumPy raises an error for it."""
    advice = "write build.number(value) ** exponent"
    return build.check(
        exponent, exponent >= 0, name="exponent", where="**", expected="an exponent of at least 0", advice=advice
    )
