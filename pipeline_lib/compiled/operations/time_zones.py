"""Local time: a timestamp in UTC as the clocks of a zone show it, by transitions that the plan holds.

Governments change the rules of zones, and machines have different versions of the tz database. So a plan holds the
timestamps at which a zone's clocks were set, as they were at fit, and refuses timestamps outside of them.
"""

from bisect import bisect_right
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import chain
from typing import Any

import numpy as np

from pipeline_lib.compiled.operations.refusals import NAT, refuse
from pipeline_lib.compiled.operations.registry import Settings, operation
from pipeline_lib.compiled.operations.setting_types import INTEGER, INTEGER_LISTS, TEXT
from pipeline_lib.errors import InputError

_EPOCH = datetime(1970, 1, 1)


def _beyond(settings: Settings) -> Callable[[Any], str]:
    def message(timestamp: Any) -> str:
        first, end = (_EPOCH + timedelta(microseconds=settings[key]) for key in ("first", "end"))
        found = "a timestamp" if settings.get("hidden") else f"microsecond {timestamp}"
        return (
            f"{settings['where']}: found {found} outside of the zones' years in column {settings['name']!r}, expected "
            f"one from {first:%Y-%m-%d} to before {end:%Y-%m-%d} UTC; correct the row, or fit with more years"
        )

    return message


def _bind(settings: Settings) -> Callable[[Any, Any], Any]:
    """All zones' transitions in one sorted list, so that one search serves all rows: zone i is shifted by i spans."""
    first, end = int(settings["first"]), int(settings["end"])
    starts: list[list[int]] = settings["starts"]
    span = end - first
    offsets = np.arange(len(starts)) * span - first  # from a timestamp to its key, by zone
    keys = np.concatenate([np.add(zone, offset) for zone, offset in zip(starts, offsets, strict=True)])
    shifts = np.array([*chain(*settings["shifts"])], dtype=np.int64)

    def local(timestamps: Any, zones: Any) -> Any:
        timestamps, zones = np.broadcast_arrays(timestamps, zones)
        known = (timestamps != NAT) & (zones >= 0)
        inside = timestamps if known.all() else timestamps[known]
        zones = np.maximum(zones, 0)  # of missing ones any zone will do
        if not inside.size:
            return np.full(known.shape, NAT)
        low, high = inside.min(), inside.max()
        if low < first or high >= end:
            refuse(timestamps, ~known | ((timestamps >= first) & (timestamps < end)), _beyond(settings))
        before, after = (np.searchsorted(keys, timestamp + offsets, side="right") - 1 for timestamp in (low, high))
        if (before == after).all():  # no clock is set between the first timestamp and the last
            ahead = shifts[before][zones]
        else:
            wanted = np.where(known, timestamps + offsets[zones], 0)
            ahead = shifts[np.searchsorted(keys, wanted, side="right") - 1]
        return timestamps + ahead if inside is timestamps else np.where(known, timestamps + ahead, NAT)

    return local


def _bind_row(settings: Settings) -> Callable[[int, int], int]:
    first, end = int(settings["first"]), int(settings["end"])
    zones = list(zip(settings["starts"], settings["shifts"], strict=True))

    def local(timestamp: int, zone: int) -> int:
        if timestamp == NAT or zone < 0:
            return NAT
        if not first <= timestamp < end:
            raise InputError(_beyond(settings)(timestamp))
        starts, shifts = zones[zone]
        return int(timestamp + shifts[bisect_right(starts, timestamp) - 1])

    return local


# `starts` holds for each zone the timestamps from which on its clocks are `shifts` (microseconds) ahead of UTC; its
# first is `first`. Timestamps from `first` to before `end` are covered.
operation(
    "zone_time",
    ("datetime", "int64"),
    "datetime",
    doc="What a zone's clocks show at a timestamp in UTC; the zone is an index, -1 if missing.",
    parameters=("timestamp", "zone"),
    settings={
        "first": INTEGER,
        "end": INTEGER,
        "starts": INTEGER_LISTS,
        "shifts": INTEGER_LISTS,
        "name": TEXT,
        "where": TEXT,
    },
    column=_bind,
    row=_bind_row,
)
