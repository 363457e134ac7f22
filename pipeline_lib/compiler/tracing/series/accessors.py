"""Accessors of a Series: what `.str`, `.dt` and `.cat` give before one of their methods is called."""

from typing import Any, TypeVar

from pipeline_lib.compiler.tracing.recorded import Call, Recorded


class Accessor(Recorded):
    """An accessor; `_values` is the column of the Series, `_series` the recorded Series."""

    __slots__ = ("_series",)
    _series: Recorded


Kind = TypeVar("Kind", bound=Accessor)


def access(call: Call, kind: type[Kind], name: str) -> Kind:
    """The accessor `name` of the Series whose attribute is read."""
    series = call.owner

    def write(reals: list[Any]) -> Kind:
        made = kind(call.recording, reals, series._values, series._rows)
        object.__setattr__(made, "_series", series)
        return made

    made: Kind = call.recording.perform(
        f"Series.{name}", lambda number: getattr(series._reals[number], name), write, series._rows
    )
    return made
