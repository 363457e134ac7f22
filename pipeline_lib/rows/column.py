"""One raw column: its kind, and what its values may be."""

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime
from typing import Any

from pipeline_lib.errors import InputError

BOUNDS = ("ge", "gt", "le", "lt")
KINDS = ("integer", "number", "string", "boolean", "datetime", "date")
MAX_EXACT_INTEGER = 2**53  # float64 has a 53-bit significand: it holds every integer up to here
_BOUND_TYPES: dict[str, tuple[type, ...]] = {
    "integer": (int,),
    "number": (int, float),
    "datetime": (datetime,),
    "date": (date,),
}
# Which characters these classes match grows with every Unicode version: a pattern would depend on the machine.
_UNICODE_CLASS = re.compile(r"(?<!\\)(?:\\\\)*(\\[dDwWsSbBpP]|\(\?\w*i)")

Bound = int | float | datetime | date


@dataclass(frozen=True)
class Column:
    """One raw column: its name, its kind (one of `KINDS`), and what its values may be.

    `allowed` lists all values it may take. A column that is not `required` gets `default` where it is absent; absent
    is not the same as missing, which `nullable` allows. `finite` excludes infinities. A `sensitive` column's values
    appear in no message. A comparison of models shows the rates of each group of a `protected` column. The `entity`
    says whose row it is, such as a customer's, who may have several rows; `time` orders the rows.

    Raises `InputError` for options that contradict each other, or that cannot be checked the same way on every
    machine.
    """

    name: str
    kind: str
    nullable: bool = False
    ge: Bound | None = None
    gt: Bound | None = None
    le: Bound | None = None
    lt: Bound | None = None
    finite: bool = False
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None
    allowed: tuple[str, ...] | tuple[int, ...] | None = None
    sensitive: bool = False
    protected: bool = False
    required: bool = True
    default: str | int | float | bool | None = None
    entity: bool = False
    time: bool = False

    def __post_init__(self) -> None:
        """Check every option."""
        if not isinstance(self.name, str):
            self._refuse(f"{self.name!r} as a name", "text")
        if self.kind not in KINDS:
            self._refuse(f"kind {self.kind!r}", f"one of {', '.join(KINDS)}")
        for option in ("nullable", "finite", "sensitive", "protected", "required", "entity", "time"):
            if not isinstance(getattr(self, option), bool):
                self._refuse(f"{option} {getattr(self, option)!r}", "true or false")
        for option in BOUNDS:
            self._check_bound(option, getattr(self, option))
        if self.finite and self.kind != "number":
            self._refuse(f"finite in a column of kind {self.kind}", "it only for numbers")
        if self.entity and self.kind == "boolean":
            self._refuse("entity in a column of kind boolean", "a column that names a person, a household or a thing")
        if self.time and self.kind in ("string", "boolean"):
            self._refuse(f"time in a column of kind {self.kind}", "dates, datetimes or numbers, which have an order")
        self._check_text()
        self._check_allowed()
        default = self.default
        if not isinstance(default, str | int | float | None) or (
            isinstance(default, float) and not math.isfinite(default)
        ):
            self._refuse(f"default {default!r}", "a JSON value: text, a finite number, true, false or null")

    def _refuse(self, found: str, expected: str) -> None:
        raise InputError(f"{self.name}: found {found}, expected {expected}; correct the field of Row")

    def _check_bound(self, option: str, bound: Bound | None) -> None:
        if bound is None:
            return
        types = _BOUND_TYPES.get(self.kind, ())
        # type(), not isinstance(): bool is an int and datetime is a date, but neither bounds the other's columns
        if type(bound) not in types:
            names = " or ".join(kind.__name__ for kind in types)
            self._refuse(f"{option}={bound!r} in a column of kind {self.kind}", names or "no bounds")
        if isinstance(bound, datetime) and bound.tzinfo:
            self._refuse(f"{option}={bound!r} with a time zone", "a naive datetime")
        if isinstance(bound, float) and not math.isfinite(bound):
            self._refuse(f"{option}={bound!r}", "a finite number")
        limit = 2**63 - 1 if self.kind == "integer" else MAX_EXACT_INTEGER
        if isinstance(bound, int) and abs(bound) > limit:
            self._refuse(f"{option}={bound!r}", f"a bound that the column can hold, at most {limit}")

    def _check_text(self) -> None:
        for option in ("min_length", "max_length"):
            length = getattr(self, option)
            if length is not None and (self.kind != "string" or type(length) is not int or length < 0):
                self._refuse(f"{option}={length!r} in a column of kind {self.kind}", "a length, and only of text")
        if self.pattern is None:
            return
        if self.kind != "string" or not isinstance(self.pattern, str):
            self._refuse(f"pattern {self.pattern!r} in a column of kind {self.kind}", "text, and only for text")
        unicode_class = _UNICODE_CLASS.search(self.pattern)
        if unicode_class:
            expected = "the characters themselves, such as [0-9] or [A-Za-z_]"
            self._refuse(f"{unicode_class[1]} in pattern {self.pattern!r}, which depends on Unicode", expected)
        import pyarrow as pa  # only here: a schema without patterns predicts one row without Arrow
        import pyarrow.compute as pc

        try:
            pc.match_substring_regex(pa.nulls(1, pa.string()), self.pattern)
        except pa.ArrowInvalid as error:
            self._refuse(f"pattern {self.pattern!r} ({error})", "a pattern that RE2 reads")

    def _check_allowed(self) -> None:
        if self.allowed is None:
            return
        kind = {"string": str, "integer": int}.get(self.kind)
        if not self.allowed or any(type(value) is not kind for value in self.allowed):
            self._refuse(f"allowed values {self.allowed!r} for {self.kind}", "at least one, all text or all int")
        if kind is int and any(abs(int(value)) >= 2**63 for value in self.allowed):
            self._refuse(f"allowed values {self.allowed!r}", "integers of 64 bits")

    def to_json(self) -> dict[str, Any]:
        """The column as JSON values, without options at their defaults; bounds of dates are ISO 8601 text."""
        defaults = Column(self.name, self.kind)
        values = {key: value for key, value in asdict(self).items() if value != getattr(defaults, key)}
        values |= {key: values[key].isoformat() for key in BOUNDS if isinstance(values.get(key), date)}
        if self.allowed is not None:
            values["allowed"] = list(self.allowed)
        if not self.required:
            values["default"] = self.default
        return {"name": self.name, "kind": self.kind, **values}

    @classmethod
    def from_json(cls, values: Any) -> "Column":
        """Read what `to_json` wrote. Raises `InputError` for another key or type."""
        known = {field.name for field in fields(cls)}
        if not isinstance(values, Mapping) or not {"name", "kind"} <= set(values) <= known:
            found = sorted(values) if isinstance(values, Mapping) else type(values).__name__
            raise InputError(
                f"row schema: found a column with {found}, expected name, kind, and any of {sorted(known)}"
            )
        options = dict(values)
        parse = {"datetime": datetime.fromisoformat, "date": date.fromisoformat}.get(str(options["kind"]))
        try:
            if parse:
                options |= {key: parse(options[key]) for key in BOUNDS if key in options}
            if "allowed" in options:
                options["allowed"] = tuple(options["allowed"])
        except (TypeError, ValueError) as error:
            raise InputError(f"row schema: {options['name']}: found {error}, expected a bound or list") from error
        return cls(**options)
