"""feature-engine: DatetimeFeatures, DatetimeSubtraction, DatetimeOrdinal."""

import math
import re
from collections.abc import Sequence
from typing import Any

from pipeline_lib.compiled.operations.text_features import DATE_DIRECTIVES
from pipeline_lib.compiler.adapters.feature_engine.checks import add
from pipeline_lib.compiler.adapters.inputs import check_present
from pipeline_lib.compiler.adapters.registry import (
    Columns,
    NoPlanError,
    RefusedStepError,
    option_error,
    transformer,
    use_fitted_names,
)
from pipeline_lib.compiler.builder import Builder, Value

# The fields of a missing date for which pandas gives a number: comparisons with NaT and NaN are false.
_OF_MISSING = {"semester": 2, "weekend": 1, "leap_year": 0} | {
    f"{period}_{end}": 0 for period in ("month", "quarter", "year") for end in ("start", "end")
}
_REFUSE_MISSING = ("week", "days_in_month")  # pandas raises: it casts them to an integer
# pandas: np.timedelta64(1, unit) in nanoseconds; a year is 365.2425 days, a month a twelfth of it.
_NANOSECONDS = {
    "Y": 31_556_952_000_000_000,
    "M": 2_629_746_000_000_000,
    "W": 604_800_000_000_000,
    "D": 86_400_000_000_000,
    "h": 3_600_000_000_000,
    "m": 60_000_000_000,
    "s": 1_000_000_000,
    "ms": 1_000_000,
    "us": 1_000,
    "μs": 1_000,
    "ns": 1,
}


def date_of(step: Any, value: Value, name: str, form: Any) -> Value:
    """A column as dates: dates unchanged, text parsed with the step's format.

    Text without a format is refused: pandas infers a format from each batch, so the same text may become another
    date in another batch.
    """
    where = type(step).__name__
    if value.dtype == "datetime":
        return value
    if value.dtype != "str":
        raise NoPlanError(f"{where}: found {value.dtype} column {name!r}, expected dates, or text with a format")
    if form is None or form in ("ISO8601", "mixed"):
        raise NoPlanError(
            f"{where}: found text in column {name!r} with format={form!r}, expected an explicit format such as "
            "'%Y-%m-%d', as without one pandas infers it from the first row of each batch, and one row alone may be "
            "another date; set `format`, or parse the column in `load`"
        )
    _check_format(where, str(form))
    return value.build.parse_date(value, format=str(form), name=name, where=where)


def _check_format(where: str, form: str) -> None:
    directives = re.findall("%(.?)", form.replace("%%", ""))
    unknown = sorted(set(directives) - DATE_DIRECTIVES)
    if unknown:
        raise NoPlanError(
            f"{where}: found %{', %'.join(unknown)} in format={form!r}, expected directives of fixed numbers: "
            f"%{', %'.join(sorted(DATE_DIRECTIVES))}; parse the column in `load`"
        )
    both = {"Y", "y"} <= set(directives) or ("j" in directives and {"m", "d"} & set(directives))
    if both or len(set(directives)) < len(directives) or not form.isascii():
        raise NoPlanError(
            f"{where}: found format={form!r}, expected ASCII text with each part of a date once (%Y or %y; %j or %m "
            "and %d); parse the column in `load`"
        )


@transformer(
    "feature_engine.datetime.datetime.DatetimeFeatures",
    options="variables features_to_extract drop_original missing_values dayfirst yearfirst utc format",
)
def features(step: Any, columns: Columns, build: Builder) -> Columns:
    """Calendar fields of each date; `utc` reads dates without a time zone as UTC, which changes no field.

    `dayfirst` and `yearfirst` have no effect on dates, nor on text with a format.
    """
    if isinstance(step.variables, str) and step.variables == "index":
        raise RefusedStepError(
            "DatetimeFeatures: found variables='index', expected names of columns, as raw rows have no index in "
            "production; make the index a column in `load`"
        )
    columns = dict(use_fitted_names(step, columns))
    names = list(map(str, step.variables_))
    result: Columns = {}
    for name in names:
        value = columns[name]
        if step.missing_values == "raise":
            value = columns[name] = check_present(value, name, step)
        complete = step.missing_values == "raise" and value.dtype == "datetime"  # text may say "NaT"
        date = date_of(step, value, name, step.format)
        for feature in step.features_to_extract_:
            add(result, f"{name}_{feature}", _field(step, date, feature, name, complete=complete), step, columns)
    columns |= result
    return _without(columns, names) if step.drop_original else columns


def _field(step: Any, date: Value, feature: Any, name: str, *, complete: bool) -> Value:
    build = date.build
    if complete:
        return build.calendar(date, field=feature)
    if feature in _REFUSE_MISSING:
        return build.calendar(check_present(date, name, step), field=feature)
    field = build.calendar(date, field=feature)
    return build.where(date.missing(), _OF_MISSING.get(feature, math.nan), field)


@transformer(
    "feature_engine.datetime.datetime_subtraction.DatetimeSubtraction",
    options="variables reference new_variables_names output_unit missing_values drop_original dayfirst yearfirst utc "
    "format",
)
def subtraction(step: Any, columns: Columns, build: Builder) -> Columns:
    """The time from each reference to each variable: nanoseconds as float64, divided by `output_unit`."""
    if step.output_unit not in _NANOSECONDS:
        raise option_error(step, "output_unit", f"one of {', '.join(_NANOSECONDS)}, as others are 0 nanoseconds")
    columns = dict(use_fitted_names(step, columns))
    variables, references = list(map(str, step.variables_)), list(map(str, step.reference_))
    dates = {}
    for name in dict.fromkeys([*variables, *references]):
        if step.missing_values == "raise":
            columns[name] = check_present(columns[name], name, step)
        dates[name] = date_of(step, columns[name], name, step.format)
    result: list[Value] = [
        build.elapsed(
            dates[variable],
            dates[reference],
            unit=_NANOSECONDS[step.output_unit],
            name=f"{variable}_sub_{reference}",
            where="DatetimeSubtraction",
        )
        for reference in references
        for variable in variables
    ]
    for name, value in zip(step._get_new_features_name(), result, strict=True):
        add(columns, str(name), value, step, {})
    return _without(columns, [*variables, *references]) if step.drop_original else columns


@transformer(
    "feature_engine.datetime.datetime_ordinal.DatetimeOrdinal",
    options="variables missing_values start_date drop_original",
)
def ordinal(step: Any, columns: Columns, build: Builder) -> Columns:
    """The day number of each date, missing where the date is; day 1 is `start_date`, by default 0001-01-01."""
    columns = dict(use_fitted_names(step, columns))
    names = list(map(str, step.variables_))
    start = 0 if step.start_date_ordinal_ is None else int(step.start_date_ordinal_) - 1
    result: Columns = {}
    for name in names:
        date = date_of(step, columns[name], name, None)
        complete = step.missing_values == "raise"
        if complete:
            date = columns[name] = check_present(date, name, step)
        number = build.calendar(date, field="ordinal") - start
        value = number if complete else build.where(date.missing(), math.nan, number)
        add(result, f"{name}_ordinal", value, step, columns)
    columns |= result
    return _without(columns, names) if step.drop_original else columns


def _without(columns: Columns, dropped: Sequence[str]) -> Columns:
    return {name: value for name, value in columns.items() if name not in dropped}
