"""Numbers as people read them."""

import math

_DIGITS = 3  # significant ones
_LARGE = ((1e9, "billion"), (1e6, "million"))


def number_text(value: float, digits: int = _DIGITS) -> str:
    """A number with three significant digits, or as many as are asked for, without an exponent where it can be read so.

    >>> [number_text(value) for value in (1234567.0, 812.44, 0.01234, -3.0, 0.0, 4.2e-9)]
    ['1.23 million', '812', '0.0123', '-3', '0', '4.2e-09']
    """
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    for size, name in _LARGE:
        if abs(value) >= size:
            return f"{value / size:,.{digits}g} {name}"
    if abs(value) < 1e-5:
        return f"{value:.2g}"
    places = max(digits - 1 - math.floor(math.log10(abs(value))), 0)
    text = f"{value:,.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
