"""Recorded dates with a time zone: `column.dt.tz_localize("UTC").dt.tz_convert("Europe/Berlin").dt.hour`.

A plan has dates without a zone. Of a column with one it keeps the moments, in UTC, and computes what the zone's clocks
show when a field is read. All else that pandas can do with such a column is refused: drop the zone first.

The moments at which clocks are set are read when the pipeline is compiled, and kept in the plan: machines have
different versions of the tz database. Moments outside of `_YEARS` are refused at predict.
"""

from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from pipeline_lib.compiler.builder import Value
from pipeline_lib.compiler.tracing.recorded import Call, Recorded
from pipeline_lib.compiler.tracing.recorded_types import records
from pipeline_lib.compiler.tracing.registry import RULES, rule
from pipeline_lib.compiler.tracing.series.accessors import Accessor
from pipeline_lib.compiler.tracing.series.dates import FIELDS
from pipeline_lib.compiler.tracing.series.dtype_rules import DROP_ZONE, dtypes_of, zone_of

_YEARS = ("1900-01-01", "2101-01-01")
_HOUR = 3_600_000_000  # microseconds
_SECOND = 1_000_000


@records(lambda real: isinstance(real, pd.Series) and zone_of(real.dtype) is not None)
class RecordedZoned(Recorded):
    """A Series of dates with a time zone; its column are the moments in UTC."""

    __slots__ = ()
    _kind = "zoned"
    _title = "Series with a time zone"
    _library_name = "Series"

    def _unknown(self, name: str) -> Any:
        self._stop(f"`{name}` of a {self._title}", "a plan has dates without a zone", DROP_ZONE)


class RecordedZonedDates(Accessor):
    """The `.dt` of such a Series; its column is what the zone's clocks show."""

    __slots__ = ()
    _kind = "zoned dates"
    _title = "Series.dt with a time zone"
    _library_name = "Series.dt"
    _unknown = RecordedZoned._unknown


@rule("zoned", "dt", attribute=True, raw=True)
def accessor(call: Call) -> Any:
    """The fields of dates with a time zone."""
    series = call.owner
    if call.value.kind != "datetime":  # a raw column that is a placeholder
        call.stop(
            f"a raw column of {dtypes_of(series)[0]}",
            "raw rows have datetimes without a zone",
            'write .dt.tz_localize("UTC") here, and drop the zone in `load`',
        )

    def write(reals: list[Any]) -> Any:
        made = RecordedZonedDates(call.recording, reals, [_local(call)], series._rows)
        object.__setattr__(made, "_series", series)
        return made

    return call.recording.perform("Series.dt", lambda number: series._reals[number].dt, write, series._rows)


def _local(call: Call) -> Value:
    """What the zone's clocks show at the moments of a column."""
    build, zone = call.build, zone_of(dtypes_of(call.owner)[0])
    first, end, starts, shifts = transitions(zone)
    if not any(shifts):
        return call.value
    line = call.recording.line()
    settings: dict[str, Any] = {"first": first, "end": end, "starts": [starts], "shifts": [shifts]}
    return build.apply(
        "zone_time", call.value, build.value(0), **settings, name=str(zone), where=str(line) if line else "own code"
    )


for _name in (*FIELDS, "isocalendar", "day_name", "month_name", "strftime", "date", "tz"):
    RULES["zoned dates", _name] = RULES["dates", _name]


@rule("dates", "tz_localize")
def localize(call: Call, tz: Any, ambiguous: Any = "raise", nonexistent: Any = "raise") -> Value:
    """The same dates, read as UTC."""
    if tz is not None and any(transitions(zone_of(call.reals[0].dtype))[3]):
        call.stop(
            f"{call.name} of local time in {tz}",
            "when clocks are set back an hour comes twice",
            'make it UTC in `load`, and write .dt.tz_localize("UTC").dt.tz_convert(zone) here',
        )
    return call.value


@rule("zoned dates", "tz_convert")
def convert(call: Call, tz: Any) -> Value:
    """The same moments in another zone; without a zone they are UTC."""
    moments: Value = call.owner._series._values[0]
    return moments


@rule("zoned dates", "tz_localize")
def drop_zone(call: Call, tz: Any, ambiguous: Any = "raise", nonexistent: Any = "raise") -> Value:
    """What the clocks show, without the zone."""
    return call.value


@cache
def transitions(zone: Any) -> tuple[int, int, list[int], list[int]]:
    """The covered microseconds since 1970 (from, to before), and when a zone's clocks are how far ahead of UTC."""
    first, end = (int(pd.Timestamp(day).as_unit("us").value) // 1000 for day in _YEARS)
    hours = np.arange(first, end, _HOUR)
    ahead = _ahead(hours, zone)
    changes = np.flatnonzero(np.diff(ahead)) + 1
    low, high = hours[changes - 1], hours[changes]  # the clocks are set in between, on a second
    while (high - low > _SECOND).any():
        middle = low + (high - low) // (2 * _SECOND) * _SECOND
        later = _ahead(middle, zone) == ahead[changes]
        low, high = np.where(later, low, middle), np.where(later, middle, high)
    return first, end, [first, *high.tolist()], [int(ahead[0]), *ahead[changes].tolist()]


def _ahead(moments: Any, zone: Any) -> Any:
    """How many microseconds a zone's clocks are ahead of UTC at moments."""
    index = pd.DatetimeIndex(moments.astype("datetime64[us]"), tz="UTC").tz_convert(zone).tz_localize(None)
    return index.as_unit("us").asi8 - moments
