"""Dates, durations and local time for the core."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pipeline_lib.compiled.native.encoded import Encoded, Encoder, Encoders
from pipeline_lib.compiled.operations.dates import MOST_MICROSECONDS, ROUNDINGS, unit_of
from pipeline_lib.compiled.operations.registry import Settings

_SAME = {  # the core's name, where one loop serves several operations
    "subtract_dates": "subtract_moments",
    "add_duration": "add_moments",
    "subtract_duration": "subtract_moments",
    "add_durations": "add_moments",
    "subtract_durations": "subtract_moments",
    "scale_duration": "scale_moments",
    **{name: name for name in ("date_equal", "negate_duration", "absolute_duration", "divide_durations")},
    **{name: name for name in ("floor_divide_durations", "remainder_durations", "duration_seconds")},
}


def _encode_as(operation: str) -> Encoder:
    return lambda settings, dtypes, widths: Encoded(operation)


def encode_calendar(settings: Settings, dtypes: Sequence[str], widths: Sequence[int]) -> Encoded | None:
    """A field of a date."""
    return Encoded(f"calendar_{settings['field']}")


def encode_duration_part(settings: Settings, dtypes: Sequence[str], widths: Sequence[int]) -> Encoded | None:
    """A part of a duration."""
    return Encoded(f"duration_part_{settings['part']}")


def encode_elapsed(settings: Settings, dtypes: Sequence[str], widths: Sequence[int]) -> Encoded | None:
    """The time between two dates."""
    return Encoded("elapsed", arrays=[np.array([settings["unit"]], dtype=np.float64)])


def _encode_rounding(operation: str) -> Encoder:
    def encode(settings: Settings, dtypes: Sequence[str], widths: Sequence[int]) -> Encoded | None:
        unit = unit_of(settings)
        return Encoded(operation, (unit,)) if 0 < unit <= MOST_MICROSECONDS else None

    return encode


def encode_zone_time(settings: Settings, dtypes: Sequence[str], widths: Sequence[int]) -> Encoded | None:
    """All zones' transitions one after another; None where a zone's are in no order or do not cover the whole time."""
    first, end = int(settings["first"]), int(settings["end"])
    starts = [[int(start) for start in zone] for zone in settings["starts"]]
    shifts = [[int(shift) for shift in zone] for zone in settings["shifts"]]
    if list(map(len, starts)) != list(map(len, shifts)) or not all(starts):
        return None
    if any(zone[0] != first or zone[-1] >= end or any(a >= b for a, b in pairwise(zone)) for zone in starts):
        return None
    begins = np.cumsum([0, *map(len, starts)])
    arrays: list[NDArray[np.generic]] = [_joined([begins.tolist()]), _joined(starts), _joined(shifts)]
    return Encoded("zone_time", (first, end), arrays)


def _joined(lists: Sequence[Sequence[int]]) -> NDArray[np.int64]:
    return np.array([number for numbers in lists for number in numbers], dtype=np.int64)


ENCODERS: Encoders = {
    **{name: _encode_as(operation) for name, operation in _SAME.items()},
    **{name: _encode_rounding(name) for name in ROUNDINGS},
    "calendar": encode_calendar,
    "duration_part": encode_duration_part,
    "elapsed": encode_elapsed,
    "zone_time": encode_zone_time,
}
"""By operation of a plan."""
