"""The parameters that a sweep varies: `estimator.alpha=0.0005,0.001,0.002`, `seed=0..4`, and ranges to draw from."""

import itertools
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline_lib.errors import InputError

_WHOLE = re.compile(r"(-?\d+)\.\.(-?\d+)")
_NUMBER = r"-?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_RANGE = re.compile(rf"({_NUMBER})\.\.({_NUMBER})(:log)?")
_EXPECTED = "expected for example estimator.alpha=0.001,0.002 or seed=0..4"
MOST_MEMBERS = 100_000
"""A larger product is a mistake: its members would run for weeks."""


@dataclass(frozen=True)
class Axis:
    """One parameter with its values as text, as in a parameters file; or a range without a list of values.

    `low` and `high` are set for a range of fractional numbers, from which only a search can draw; `log` draws evenly
    in orders of magnitude.
    """

    key: str
    values: tuple[str, ...]
    low: float | None = None
    high: float | None = None
    log: bool = False

    @property
    def is_range(self) -> bool:
        """Whether there is no list of values."""
        return self.low is not None


def parse_grid(grid: Sequence[str] | Mapping[str, Iterable[Any]]) -> list[Axis]:
    """Axes from `key=value,value` texts or from a mapping of keys to values; InputError names every invalid one.

    `0..4` means 0, 1, 2, 3, 4; `0.001..0.1` is a range, `0.001..0.1:log` one to draw from by orders of magnitude.
    Commas inside brackets or quotes belong to a value. A mapping's values are a list, or such a text.

    >>> parse_grid(["seed=0..2"])[0].values
    ('0', '1', '2')
    """
    texts = [_as_axis_text(key, values) for key, values in grid.items()] if isinstance(grid, Mapping) else list(grid)
    problems: list[str] = []
    axes: list[Axis] = []
    for text in texts:
        try:
            axes.append(_axis(text))
        except ValueError as error:
            problems.append(f"--grid {text}: {error}")
    keys = [axis.key for axis in axes]
    problems += [
        f"--grid {key}: found it {keys.count(key)} times, expected every key once; put its values into one"
        for key in dict.fromkeys(keys)
        if keys.count(key) > 1
    ]
    if problems:
        raise InputError("\n".join(problems))
    return axes


def _as_axis_text(key: str, values: Any) -> str:
    """An axis of a mapping as `key=values`."""
    if isinstance(values, str):
        return f"{key}={values}"
    if isinstance(values, Mapping) or not isinstance(values, Iterable):
        raise InputError(
            f"grid[{key!r}]: found {values!r}, expected a list of values or a text; "
            f"write [{values!r}], or for a range '0.001..0.1'"
        )
    return f"{key}={','.join(map(as_text, values))}"


def product(axes: Sequence[Axis]) -> list[dict[str, str]]:
    """Every combination of values, the last axis moving fastest. InputError for a range, and for too many."""
    for axis in axes:
        if axis.is_range:
            raise InputError(
                f"--grid {axis.key}: found the range {axis.low}..{axis.high}, expected values, since a grid takes "
                "each; list them, or search with --random N or --bayes N"
            )
    count = 1
    for axis in axes:
        count *= len(axis.values)
    if count > MOST_MEMBERS:
        raise InputError(f"found {count:,} combinations, expected at most {MOST_MEMBERS:,}; use --random N")
    keys = [axis.key for axis in axes]
    return [dict(zip(keys, values, strict=True)) for values in itertools.product(*(axis.values for axis in axes))]


def _axis(text: str) -> Axis:
    key, sign, listed = text.partition("=")
    if not (sign and key and listed):
        raise ValueError(f"found no `key=values`, {_EXPECTED}")
    whole = _WHOLE.fullmatch(listed)
    if whole:
        low, high = map(int, whole.groups())
        if low > high or high - low >= MOST_MEMBERS:
            raise ValueError(f"found {listed}, expected the smaller number first, and at most {MOST_MEMBERS:,} of them")
        return Axis(key, tuple(map(str, range(low, high + 1))))
    fractional = _RANGE.fullmatch(listed)
    if fractional:
        first, last, log = float(fractional[1]), float(fractional[2]), bool(fractional[3])
        if not first < last or (log and first <= 0):
            raise ValueError(
                f"found {listed}, expected the smaller number first{', above 0' if log else ''}; write LOW..HIGH"
            )
        return Axis(key, (), first, last, log)
    values = _split(listed)
    if "" in values:
        raise ValueError("found an empty value, expected one between commas; write '' as null, or remove a comma")
    doubled = sorted({value for value in values if values.count(value) > 1})
    if doubled:
        raise ValueError(f"found {', '.join(doubled)} more than once, expected every value once; leave the others out")
    return Axis(key, tuple(values))


def _split(text: str) -> list[str]:
    """Split at commas outside brackets and quotes."""
    parts, depth, quoted, escaped = [""], 0, False, False
    for letter in text:
        if letter == "," and depth == 0 and not quoted:
            parts.append("")
            continue
        parts[-1] += letter
        if letter == '"' and not escaped and depth:
            quoted = not quoted
        elif not quoted and letter in "[{":
            depth += 1
        elif not quoted and letter in "]}":
            depth -= 1
        escaped = letter == "\\" and not escaped
    return parts


def as_text(value: Any) -> str:
    """A Python value as a parameters file would hold it; floats in the shortest form that reads back equal."""
    if value is None or isinstance(value, bool | list | tuple | dict):
        return json.dumps(value)
    return str(value.item() if hasattr(value, "item") else value)
