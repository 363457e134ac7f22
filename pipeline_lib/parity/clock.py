"""Another day: the clock of this process is moved, and who reads it is written down.

The methods of `datetime.datetime` are changed where they are, so that pandas, which asks that class, follows.
What reads the system's clock in C (`numpy.datetime64("now")`) does not follow.
"""

import ctypes
import datetime
import gc
import sys
import time
from collections.abc import Callable
from typing import Any

DAY = 86_400
_readers: dict[str, None] = {}


def move(days: int) -> None:
    """Move every clock that Python code reads by whole days. Cannot be undone; CPython only."""
    seconds, now, utcnow = days * DAY, datetime.datetime.now, datetime.datetime.utcnow
    ahead, time_, time_ns = datetime.timedelta(days=days), time.time, time.time_ns

    def moved_now(cls: type[datetime.datetime], tz: datetime.tzinfo | None = None) -> datetime.datetime:
        _note("datetime.now")
        return _as(cls, now(tz) + ahead)

    def moved_utcnow(cls: type[datetime.datetime]) -> datetime.datetime:
        _note("datetime.utcnow")
        return _as(cls, utcnow() + ahead)

    def moved_today(cls: Any) -> Any:
        _note("today")
        return cls.fromtimestamp(time_() + seconds)

    _put(datetime.datetime, "now", classmethod(moved_now))
    _put(datetime.datetime, "utcnow", classmethod(moved_utcnow))
    _put(datetime.date, "today", classmethod(moved_today))
    _put(time, "time", _noted("time.time", lambda: time_() + seconds))
    _put(time, "time_ns", _noted("time.time_ns", lambda: time_ns() + seconds * 10**9))
    for name, unit in (("clock_gettime", 1), ("clock_gettime_ns", 10**9)):
        _put(time, name, _of_a_clock(name, seconds * unit))
    for name, place in (("localtime", 0), ("gmtime", 0), ("ctime", 0), ("strftime", 1)):
        _put(time, name, _defaulting(name, place, lambda: time_() + seconds))


def moved_days() -> list[int]:
    """By how many days each way of asking for the time is moved against the system's own clock."""
    system = _SYSTEM(time.CLOCK_REALTIME)
    moments = [time.time(), time.time_ns() / 10**9, datetime.datetime.now().timestamp()]
    moments += [time.mktime(time.localtime()), datetime.datetime.today().timestamp()]
    days = {round((moment - system) / DAY) for moment in moments}
    days.add((datetime.date.today() - datetime.date.fromtimestamp(system)).days)
    pandas = sys.modules.get("pandas")
    if pandas is not None:
        days.add(round((pandas.Timestamp.now("UTC").timestamp() - system) / DAY))
    return sorted(days)


def readers() -> list[str]:
    """Who read the moved clock, in order: function, module and line, and what it called."""
    return list(_readers)


def _as(cls: type[datetime.datetime], moment: datetime.datetime) -> datetime.datetime:
    if cls is datetime.datetime:
        return moment
    return cls(*moment.timetuple()[:6], moment.microsecond, moment.tzinfo, fold=moment.fold)


def _noted(name: str, read: Callable[[], Any]) -> Callable[[], Any]:
    def moved() -> Any:
        _note(name)
        return read()

    return moved


def _of_a_clock(name: str, ahead: int) -> Callable[[int], Any]:
    """A function of `time` that reads the clock it is asked for; the calendar's is moved."""
    original = getattr(time, name)

    def moved(clock: int) -> Any:
        if clock != time.CLOCK_REALTIME:
            return original(clock)
        _note(f"time.{name}")
        return original(clock) + ahead

    return moved


def _defaulting(name: str, place: int, read: Callable[[], float]) -> Callable[..., Any]:
    """A function of `time` that takes the current moment where none is given."""
    original = getattr(time, name)

    def moved(*given: Any) -> Any:
        if len(given) > place and given[place] is not None:
            return original(*given)
        _note(f"time.{name}")
        return original(*given[:place], _LOCAL(read()) if name == "strftime" else read())

    return moved


_LOCAL = time.localtime
_SYSTEM = time.clock_gettime


def _put(owner: Any, name: str, value: Any) -> None:
    if not isinstance(owner, type):
        setattr(owner, name, value)
        return
    gc.get_referents(owner.__dict__)[0][name] = value  # a built-in type lets nobody set its attributes
    ctypes.pythonapi.PyType_Modified(ctypes.py_object(owner))


def _note(called: str) -> None:
    """Write down the nearest Python function that asked."""
    frame: Any = sys._getframe(1)
    while frame is not None and frame.f_globals.get("__name__") == __name__:
        frame = frame.f_back
    if frame is not None:
        where = f"{frame.f_code.co_qualname} ({frame.f_globals.get('__name__')}, line {frame.f_lineno})"
        _readers[f"{where} calls {called}"] = None
