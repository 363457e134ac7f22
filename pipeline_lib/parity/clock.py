"""Another day: the clock of this process is moved, and the functions that read it are listed.

The methods of `datetime.datetime` are replaced in the class itself, so that pandas, which calls them, follows.
Code that reads the system's clock in C (`numpy.datetime64("now")`) does not follow.
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

    _replace(datetime.datetime, "now", classmethod(moved_now))
    _replace(datetime.datetime, "utcnow", classmethod(moved_utcnow))
    _replace(datetime.date, "today", classmethod(moved_today))
    _replace(time, "time", _noting("time.time", lambda: time_() + seconds))
    _replace(time, "time_ns", _noting("time.time_ns", lambda: time_ns() + seconds * 10**9))
    for name, unit in (("clock_gettime", 1), ("clock_gettime_ns", 10**9)):
        _replace(time, name, _of_a_clock(name, seconds * unit))
    for name, position in (("localtime", 0), ("gmtime", 0), ("ctime", 0), ("strftime", 1)):
        _replace(time, name, _defaulting(name, position, lambda: time_() + seconds))


def moved_days() -> list[int]:
    """The days by which each function that returns the time is ahead of the system's clock: equal values once."""
    system = _SYSTEM(time.CLOCK_REALTIME)
    timestamps = [time.time(), time.time_ns() / 10**9, datetime.datetime.now().timestamp()]
    timestamps += [time.mktime(time.localtime()), datetime.datetime.today().timestamp()]
    days = {round((timestamp - system) / DAY) for timestamp in timestamps}
    days.add((datetime.date.today() - datetime.date.fromtimestamp(system)).days)
    pandas = sys.modules.get("pandas")
    if pandas is not None:
        days.add(round((pandas.Timestamp.now("UTC").timestamp() - system) / DAY))
    return sorted(days)


def readers() -> list[str]:
    """The functions that read the clock, in order: function, module and line, and what it called."""
    return list(_readers)


def _as(cls: type[datetime.datetime], value: datetime.datetime) -> datetime.datetime:
    if cls is datetime.datetime:
        return value
    return cls(*value.timetuple()[:6], value.microsecond, value.tzinfo, fold=value.fold)


def _noting(name: str, read: Callable[[], Any]) -> Callable[[], Any]:
    def moved() -> Any:
        _note(name)
        return read()

    return moved


def _of_a_clock(name: str, ahead: int) -> Callable[[int], Any]:
    """A function of `time` that takes the id of a clock; only the real-time clock is moved."""
    original = getattr(time, name)

    def moved(clock: int) -> Any:
        if clock != time.CLOCK_REALTIME:
            return original(clock)
        _note(f"time.{name}")
        return original(clock) + ahead

    return moved


def _defaulting(name: str, position: int, read: Callable[[], float]) -> Callable[..., Any]:
    """A function of `time` whose argument at `position` defaults to the current time."""
    original = getattr(time, name)

    def moved(*args: Any) -> Any:
        if len(args) > position and args[position] is not None:
            return original(*args)
        _note(f"time.{name}")
        return original(*args[:position], _LOCAL(read()) if name == "strftime" else read())

    return moved


_LOCAL = time.localtime
_SYSTEM = time.clock_gettime


def _replace(owner: Any, name: str, value: Any) -> None:
    if not isinstance(owner, type):
        setattr(owner, name, value)
        return
    gc.get_referents(owner.__dict__)[0][name] = value  # attributes of a built-in type cannot be set
    ctypes.pythonapi.PyType_Modified(ctypes.py_object(owner))


def _note(called: str) -> None:
    """List the nearest Python function outside this module."""
    frame: Any = sys._getframe(1)
    while frame is not None and frame.f_globals.get("__name__") == __name__:
        frame = frame.f_back
    if frame is not None:
        function = f"{frame.f_code.co_qualname} ({frame.f_globals.get('__name__')}, line {frame.f_lineno})"
        _readers[f"{function} calls {called}"] = None
