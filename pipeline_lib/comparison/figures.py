"""Numbers that stand together on a page: an estimate and its limits have the same number of decimal places."""

import math
from collections.abc import Sequence

from pipeline_lib.comparison.paired import PairedDifference
from pipeline_lib.system.html_page import Markup, element, joined

UNKNOWN = "not known"
"""Stands for a number that no row, or too few, can give."""
_DIGITS = 3  # significant ones of the largest number
_LARGE = ((1e9, " billion"), (1e6, " million"))


def alike(values: Sequence[float], *, sign: bool = False) -> list[str]:
    """Numbers with the same decimal places, so many that the largest has three significant digits.

    With `sign` positive numbers have one, too.

        >>> alike([0.62, 0.5222, 0.717], sign=True)
        ['+0.620', '+0.522', '+0.717']
        >>> alike([812.4, 340.0, 1290.2])
        ['812', '340', '1,290']
        >>> alike([2.5e6, -31000.0])
        ['2.50 million', '-0.03 million']
    """
    largest = max((abs(value) for value in values if math.isfinite(value)), default=0.0)
    size, name = next((each for each in _LARGE if largest >= each[0]), (1.0, ""))
    if 0 < largest < 1e-5:
        return [f"{value:{'+' if sign and value else ''}.2g}" if math.isfinite(value) else UNKNOWN for value in values]
    places = max(_DIGITS - 1 - math.floor(math.log10(largest / size)), 0) if largest else 0
    return [_text(value / size, places, sign=sign) + (name if math.isfinite(value) else "") for value in values]


def _text(value: float, places: int, *, sign: bool) -> str:
    if not math.isfinite(value):
        return UNKNOWN
    text = f"{value:{'+' if sign else ''},.{places}f}"
    return text if any(digit in text for digit in "123456789") else text.lstrip("+-")


def difference_texts(difference: PairedDifference) -> tuple[str, str]:
    """The estimate, and its limits as `low to high`, with signs."""
    estimate, low, high = alike([difference.estimate, difference.low, difference.high], sign=True)
    return estimate, UNKNOWN if UNKNOWN in (low, high) else f"{low} to {high}"


def count(number: int, noun: str) -> str:
    """A number with its noun.

    >>> count(1, "segment"), count(2000, "row")
    ('1 segment', '2,000 rows')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def unbroken(text: str) -> str:
    """A text that stays on one line: an interval in a narrow column."""
    return text.replace(" ", "\N{NO-BREAK SPACE}")


def named_cell(name: object, below: str = "") -> Markup:
    """The first cell of a row: a name, wide enough on a phone, with small print below."""
    return element("div", joined(name, element("small", below)) if below else name, style="min-width:8.5rem")
