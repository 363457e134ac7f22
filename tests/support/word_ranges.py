"""Word characters by the ranges that a plan holds."""

from collections.abc import Sequence


def is_word(code: int, ranges: Sequence[Sequence[int]]) -> bool:
    """Whether a code point is a word character; `ranges` are those beyond ASCII."""
    if code < 128:
        return code == 95 or chr(code).isalnum()
    low, high = 0, len(ranges)
    while low < high:
        middle = (low + high) // 2
        if ranges[middle][1] < code:
            low = middle + 1
        else:
            high = middle
    return low < len(ranges) and ranges[low][0] <= code
