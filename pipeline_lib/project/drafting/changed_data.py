"""What changed in the raw data of a drafted pipeline: the columns that its code can no longer read."""

import difflib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

import pandas as pd

from pipeline_lib.errors import InputError
from pipeline_lib.project.data_path import data_path, project_of_caller
from pipeline_lib.project.drafting.odd_values import number_pattern
from pipeline_lib.project.drafting.raw_data import RawData, read_raw
from pipeline_lib.project.drafting.text_format import TextFormat
from pipeline_lib.project.params_errors import shorten
from pipeline_lib.project.project import project_around

_NO_DATE = re.compile(r'time data "(.*?)" doesn\'t match format "(.*?)"')
_BOOLEANS = ["True", "False", "TRUE", "FALSE", "true", "false"]
_WHOLE = r"[+-]?\d+"
_MOST = 10


class ChangedData:
    """The raw data `data` of a drafted module with these names, and what of its code they no longer fit."""

    def __init__(self, data: str, names: Mapping[str, Any]) -> None:
        self.data, self.names = data, names
        self.notebook = _notebook(names)

    def explain(self, error: Exception) -> str:
        """The columns that explain an error of `load`, one a line; the error itself where none does."""
        raw = None
        if self.data != self.names.get("CONNECTION"):
            try:
                raw = read_raw(self._path(), self.data)
            except InputError as refused:
                return str(refused)
        lines = [] if raw is None else [*self._lost(raw), *self._odd(raw, str(error))]
        return "\n".join(lines[:_MOST] or [self._unexplained(error, raw)])

    def problems(self, frame: pd.DataFrame) -> list[str]:
        """What the rows that were read lack: missing values that `Row` does not allow, classes."""
        return [*self._gaps(frame), *self._classes(frame)][:_MOST]

    def _path(self) -> Path:
        """The raw file: as the module's own `data_path` finds it."""
        given = self.names["data_path"]
        if given is not data_path:
            return Path(given(self.data))
        return project_of_caller(self.names.get("__file__"), "load").root / self.data

    def _gaps(self, frame: pd.DataFrame) -> Iterator[str]:
        for name, field in self.names["Row"].model_fields.items():
            column, kind = field.alias or name, field.annotation
            gaps = int(frame[column].isna().sum()) if column in frame else 0
            if gaps and type(None) not in get_args(kind):
                allowed = f"{getattr(kind, '__name__', kind)} | None"
                yield self._line(
                    column, f"{gaps} of {len(frame)} values missing", "none, as `Row` says",
                    f"fill them in, or write `{allowed}` for it in `Row`",
                )  # fmt: skip

    def _classes(self, frame: pd.DataFrame) -> Iterator[str]:
        target = self.names["TARGET"]
        if frame.empty:
            yield self._line(target, "no row with a value that `load` keeps", "rows", "correct the values, or `load`")
            return
        rows = frame[target].value_counts()
        for label in self.names.get("CLASSES", []):
            if rows.get(label, 0) < 2:
                yield self._line(
                    target, f"{rows.get(label, 0)} rows of the class {label!r}", "two or more, to fit and to test",
                    "bring such rows, or take it out of `CLASSES`",
                )  # fmt: skip

    def _lost(self, raw: RawData) -> Iterator[str]:
        there = list(map(str, raw.frame))
        wanted = [*self.names["DTYPES"], *self.names.get("DATES", [])]
        for name in dict.fromkeys(wanted):
            if name not in there:
                near = difflib.get_close_matches(name.lower(), [each.lower() for each in there], n=1)
                like = next((each for each in there if near and each.lower() == near[0]), None)
                new = f" ({like!r} is new)" if like and like not in wanted else ""
                remedy = "give it this name in the file, or take it out of `Row` and the lists of columns"
                yield self._line(name, f"no such column{new}", "it, as when the pipeline was drafted", remedy)

    def _odd(self, raw: RawData, error: str) -> Iterator[str]:
        missing = self.names.get("MISSING", [])
        for name, dtype in self.names["DTYPES"].items():
            if name not in raw.frame:
                continue
            cells = raw.frame[name]
            known = cells[cells.notna() & ~cells.isin(missing)].astype("str").str.strip()
            if dtype in ("int64", "float64", "bool"):
                yield from self._untyped(raw, name, dtype, known)
            date = _NO_DATE.search(error)
            if date and known.eq(date[1].strip()).any():
                dates = pd.to_datetime(known, format=date[2], errors="coerce", utc=True)
                remedy = "correct them, or change the format in `load`"
                yield self._line(name, self._first(raw, name, known[dates.isna()]), f"dates as {date[2]}", remedy)

    def _untyped(self, raw: RawData, name: str, dtype: str, known: pd.Series) -> Iterator[str]:
        text = raw.text if raw.kind == "csv" else TextFormat()
        fits = known.isin(_BOOLEANS) if dtype == "bool" else known.str.fullmatch(number_pattern(text))
        what = "true or false" if dtype == "bool" else "numbers"
        list_name = {"int64": "INTEGERS", "float64": "NUMBERS", "bool": "FLAGS"}[dtype]
        if not fits.all():
            words = "add them to `MISSING`, " if raw.kind in ("csv", "excel") else ""
            remedy = f"correct them, {words}or make it text: `str` in `Row`, CATEGORIES in place of {list_name}"
            yield self._line(name, self._first(raw, name, known[~fits]), what, remedy)
        elif dtype == "int64" and not known.str.fullmatch(_WHOLE).all() and not text.thousands:
            remedy = "correct them, or take it as numbers: `float` in `Row`, NUMBERS in place of INTEGERS"
            yield self._line(name, self._first(raw, name, known[~known.str.fullmatch(_WHOLE)]), "whole numbers", remedy)
        elif len(known) < len(raw.frame) and dtype != "float64":
            gaps = raw.frame.index.difference(known.index)
            other = "`float | None` in `Row`, NUMBERS" if dtype == "int64" else "`str | None` in `Row`, CATEGORIES"
            found = f"{len(gaps)} of {len(raw.frame)} values missing (the first: {raw.place(int(gaps[0]))})"
            yield self._line(name, found, "none", f"fill them in, or allow them: {other} in place of {list_name}")

    def _first(self, raw: RawData, name: str, odd: pd.Series) -> str:
        """How many values are odd, and the first one with its place; the value itself unless it is sensitive."""
        value = "" if name in self.names.get("SENSITIVE", []) else f"{shorten(repr(odd.iloc[0]), 40)}, "
        return (
            f"{len(odd)} of {len(raw.frame)} values that do not fit (the first: {value}{raw.place(int(odd.index[0]))})"
        )

    def _line(self, column: str, found: str, expected: str, remedy: str) -> str:
        return f"{self.data}: {column}: found {found}, expected {expected}; {remedy} in {self.notebook}"

    def _unexplained(self, error: Exception, raw: RawData | None) -> str:
        text = raw.text if raw is not None and raw.kind == "csv" else None
        looks = f"sep={text.sep!r}, decimal={text.decimal!r}, encoding={text.encoding!r}" if text else ""
        what = "no column" if isinstance(error, KeyError) else f"{type(error).__name__}:"
        first = f"{what} {(str(error).splitlines() or [''])[0]}"
        first += f" (the file has {looks})" if looks else ""
        return (
            f"{self.data}: found {first}, expected data as when "
            f"the pipeline was drafted; write them so, or change `load` in {self.notebook}"
        )


def _notebook(names: Mapping[str, Any]) -> str:
    """The pipeline notebook that a module is exported from, as messages name it."""
    file = names.get("__file__")
    project = project_around(Path(file).parent) if file else None
    if project is None or file is None:
        return "the pipeline notebook"
    return project.shown(project.notebooks / "pipelines" / f"{Path(file).stem}.ipynb")
