"""Local time: a moment in UTC as the clocks of a zone show it, by transitions that stand in the plan.

Governments change the rules of zones and machines have them in different versions, so a plan carries the moments at
which a zone's clocks were set, as they were when it was fitted, and refuses moments that these do not cover.
"""

from bisect import bisect_right
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import chain
from typing import Any

import numpy as np

from pipeline_lib.compiled.operations.refusals import NAT, refuse
from pipeline_lib.compiled.operations.registry import Settings, operation
from pipeline_lib.errors import InputError

_EPOCH = datetime(1970, 1, 1)


def _beyond(settings: Settings) -> Callable[[Any], str]:
    def words(moment: Any) -> str:
        first, end = (_EPOCH + timedelta(microseconds=settings[key]) for key in ("first", "end"))
        found = "a moment" if settings.get("hidden") else f"microsecond {moment}"
        return (
            f"{settings['where']}: found {found} outside of the zones' years in column {settings['name']!r}, expected "
            f"one from {first:%Y-%m-%d} to before {end:%Y-%m-%d} UTC; correct the row, or fit with more years"
        )

    return words


def _bind(settings: Settings) -> Callable[[Any, Any], Any]:
    """All zones' transitions in one sorted list: each zone's moments follow those of the zone before it."""
    first, end = int(settings["first"]), int(settings["end"])
    starts: list[list[int]] = settings["starts"]
    span = end - first
    offsets = np.arange(len(starts)) * span - first  # from a moment to its place among the keys, by zone
    keys = np.concatenate([np.add(zone, offset) for zone, offset in zip(starts, offsets, strict=True)])
    shifts = np.array([*chain(*settings["shifts"])], dtype=np.int64)

    def local(moments: Any, places: Any) -> Any:
        moments, places = np.broadcast_arrays(moments, places)
        known = (moments != NAT) & (places >= 0)
        inside = moments if known.all() else moments[known]
        places = np.maximum(places, 0)  # of missing ones any will do
        if not inside.size:
            return np.full(known.shape, NAT)
        low, high = inside.min(), inside.max()
        if low < first or high >= end:
            refuse(moments, ~known | ((moments >= first) & (moments < end)), _beyond(settings))
        before, after = (np.searchsorted(keys, moment + offsets, side="right") - 1 for moment in (low, high))
        if (before == after).all():  # no clock is set between the first moment and the last
            ahead = shifts[before][places]
        else:
            asked = np.where(known, moments + offsets[places], 0)
            ahead = shifts[np.searchsorted(keys, asked, side="right") - 1]
        return moments + ahead if inside is moments else np.where(known, moments + ahead, NAT)

    return local


def _bind_row(settings: Settings) -> Callable[[int, int], int]:
    first, end = int(settings["first"]), int(settings["end"])
    zones = list(zip(settings["starts"], settings["shifts"], strict=True))

    def local(moment: int, place: int) -> int:
        if moment == NAT or place < 0:
            return NAT
        if not first <= moment < end:
            raise InputError(_beyond(settings)(moment))
        starts, shifts = zones[place]
        return int(moment + shifts[bisect_right(starts, moment) - 1])

    return local


# What the clocks of a zone, given by its place among the zones, show at a moment in UTC; missing where either is.
# `starts` has for each zone the moments from which on its clocks are `shifts` ahead of UTC, the first being `first`.
operation("zone_time", ("datetime", "int64"), "datetime", column=_bind, row=_bind_row)
