"""Calls of text and dates: the methods of `.str`, of the parts of a split, of `.dt`."""

from fuzz import Calls, calls


def _columns(call: str, columns: str = "su") -> tuple[str, ...]:
    """A call on columns of text, with missing values and without."""
    return tuple(f'X["{column}"].str.{call}' for column in columns)


def _lists(*templates: str) -> Calls:
    """Calls of lists of parts: pandas raises an error for a missing row alone, which it answers among others."""
    return calls(*templates, may_raise=True)


_PLAIN = (
    *("capitalize", "casefold", "lower", "upper", "swapcase", "title", "len", "isalnum", "isalpha", "isascii"),
    *("isdecimal", "isdigit", "islower", "isnumeric", "isspace", "istitle", "isupper"),
)

TEXT: dict[str, Calls] = {
    **{name: calls(*_columns(f"{name}()")) for name in _PLAIN},
    **{name: calls(*_columns(f"{name}()"), *_columns(f"{name}({{letter}})", "s")) for name in ("strip", "lstrip")},
    "rstrip": calls(*_columns("rstrip()"), *_columns("rstrip({part})", "s")),
    **{
        name: calls(*_columns(f"{name}({{count}})"), *_columns(f"{name}({{count}}, {{letter}})", "s"))
        for name in ("center", "ljust", "rjust")
    },
    "pad": calls(*_columns("pad(6, side={side}, fillchar={letter})"), *_columns("pad(5, 'both')", "s")),
    "zfill": calls(*_columns("zfill({count})"), *_columns("zfill(8)", "vs")),
    "contains": calls(
        *(
            *_columns("contains({part}, regex=False)"),
            *_columns("contains({pattern})"),
            *_columns("contains('a|b')", "s"),
        ),
        *_columns("contains({group}, case=False)", "u"),
        *_columns("contains({part}, na=False, regex=False)", "s"),
        may_refuse=True,
    ),
    "match": calls(*_columns("match({pattern})"), *_columns("match({group}, case=False)", "s"), may_refuse=True),
    "fullmatch": calls(*_columns("fullmatch({pattern})"), *_columns("fullmatch('[a-zA-Z]+')", "s")),
    "count": calls(*_columns("count({pattern})"), *_columns("count('a')", "s")),
    "extract": calls(
        *(
            *_columns("extract({group}, expand=False)"),
            *_columns("extract({group})"),
            *_columns("extract({group})[0]", "s"),
        ),
        *_columns(r"extract(r'(\\w+)\\s(\\w+)')".replace("\\\\", "\\"), "s"),
        *_columns("extract(r'(?P<first>[a-z])(?P<then>\\d)?')", "s"),
    ),
    "findall": _lists(*_columns("findall({pattern}).str.len()"), *_columns("findall({group}).str[0]")),
    "replace": calls(
        *(*_columns("replace({part}, {word})"), *_columns("replace({pattern}, {letter}, regex=True)")),
        *(*_columns("replace({letter}, '', n=1)", "s"), *_columns(r"replace({group}, r'<\1>', regex=True)", "s")),
        *_columns("replace({part}, '', regex=False).str.strip()", "s"),
    ),
    **{
        name: calls(*_columns(f"{name}({{part}})"), *_columns(f"{name}(({{part}}, {{letter}}))", "s"))
        for name in ("startswith", "endswith")
    },
    **{
        name: calls(*_columns(f"{name}({{part}})"), *_columns(f"{name}({{letter}})", "s")) for name in ("find", "rfind")
    },
    "get": calls(*_columns("get({index})"), *_columns("get(0)", "s")),
    "slice": calls(
        *_columns("slice({index}, {index2})"), *_columns("slice(0, None, 2)", "s"), *_columns("slice(step=-1)", "s")
    ),
    "slice_replace": calls(
        *_columns("slice_replace(1, 3, {word})"), *_columns("slice_replace({count}, repl={letter})", "s")
    ),
    "removeprefix": calls(*_columns("removeprefix({part})"), *_columns("removeprefix('a')", "s")),
    "removesuffix": calls(*_columns("removesuffix({part})"), *_columns("removesuffix('b')", "s")),
    "repeat": calls(*_columns("repeat({count})"), *_columns("repeat(2)", "s")),
    "cat": calls(
        'X["s"].str.cat(X["t"])',
        'X["s"].str.cat(X["t"], sep={separator})',
        'X["s"].str.cat(X["t"], na_rep={word})',
        'X["s"].str.cat([X["t"], X["u"]], sep="-")',
    ),
    "translate": calls(
        *_columns("translate(str.maketrans('abc', 'xyz'))"), *_columns("translate({{97: 'Z', 98: None}})", "s")
    ),
    "partition": _lists(
        *_columns("partition({separator})[0]"),
        *_columns("partition({separator})[2]", "s"),
        *_columns("partition({separator})", "s"),
    ),
    "rpartition": _lists(*_columns("rpartition({separator})[0]"), *_columns("rpartition({separator})[2]", "s")),
    "split": _lists(
        *(
            *_columns("split({separator}).str[{index}]"),
            *_columns("split().str[0]"),
            *_columns("split({separator}).str.len()", "s"),
        ),
        *(
            *_columns("split({separator}, n={count}).str[1]", "s"),
            *_columns("split({separator}, n=1, expand=True)[0]", "u"),
        ),
        *_columns("split('[, ]', regex=True).str[0]", "s"),
    ),
    "rsplit": _lists(
        *_columns("rsplit({separator}).str[{index}]"), *_columns("rsplit({separator}, n={count}).str[-1]", "s")
    ),
}

LISTS_TEXT: dict[str, Calls] = {
    "get": _lists(*_columns("split({separator}).str.get({index})"), *_columns("split().str.get(-1)", "s")),
    "len": _lists(*_columns("split({separator}).str.len()"), *_columns("rsplit(',', n={count}).str.len()", "s")),
    "join": _lists(*_columns("split({separator}).str.join({word})"), *_columns("split().str.join('')", "s")),
}
LISTS: dict[str, Calls] = {"str": _lists(*_columns("split({separator}).str[0]"))}

_FIELDS = (
    *(
        "year",
        "month",
        "day",
        "hour",
        "minute",
        "second",
        "microsecond",
        "quarter",
        "dayofweek",
        "day_of_week",
        "weekday",
    ),
    *("dayofyear", "day_of_year", "days_in_month", "daysinmonth", "is_leap_year", "is_month_start", "is_month_end"),
    *("is_quarter_start", "is_quarter_end", "is_year_start", "is_year_end"),
)

DATES: dict[str, Calls] = {
    **{
        name: calls(
            f'X["d"].dt.{name}',
            f'X["h"].dt.{name}',
            f'X["h"].dt.{name} * 2 if "{name}"[:2] != "is" else ~X["h"].dt.{name}',
        )
        for name in _FIELDS
    },
    **{
        name: calls(
            f'X["d"].dt.{name}({{frequency}})',
            f'X["h"].dt.{name}("{{unit}}")'.replace('"{unit}"', "{unit}"),
            f'(X["d"] - X["e"]).dt.{name}({{unit}})',
        )
        for name in ("floor", "ceil", "round")
    },
    "date": calls('X["h"].dt.date == X["d"].dt.date', 'pd.to_datetime(X["h"].dt.date)'),
    "as_unit": calls('X["d"].dt.as_unit("us")', 'X["h"].dt.as_unit("us").dt.year'),
    "day_name": calls('X["d"].dt.day_name()', 'X["h"].dt.day_name()'),
    "month_name": calls('X["d"].dt.month_name()', 'X["h"].dt.month_name()'),
    "normalize": calls('X["d"].dt.normalize()', 'X["h"].dt.normalize()', 'X["d"] - X["d"].dt.normalize()'),
    "strftime": calls('X["d"].dt.strftime({format})', 'X["h"].dt.strftime({format})'),
    "isocalendar": calls(
        'X["h"].dt.isocalendar().week.astype(int)',
        'X["h"].dt.isocalendar().astype(int)',
        'X["d"].dt.isocalendar().week.astype(float)',
    ),
    "tz": calls('if X["d"].dt.tz is not None:\n    raise ValueError("zone")\nreturn X["d"]'),
    "unit": calls('X["h"].dt.as_unit(X["h"].dt.unit)'),
    **{
        name: calls(f'(X["d"] - X["e"]).dt.{name}', f'(X["h"] - pd.Timestamp({{date}})).dt.{name}')
        for name in ("days", "seconds", "microseconds")
    },
    "total_seconds": calls(
        '(X["d"] - X["e"]).dt.total_seconds()', '(X["h"] - pd.Timestamp({date})).dt.total_seconds() / 86400'
    ),
}

_UTC = '.dt.tz_localize("UTC")'
_ZONES = ('.dt.tz_convert("America/New_York")', '.dt.tz_convert("Asia/Kathmandu")')


def _zoned(templates: Calls) -> Calls:
    """Calls of fields of dates, of dates in a zone."""
    of_one = [each for each in templates.templates if each.count(".dt.") == 1]
    made = [each.replace(".dt.", f"{_UTC}{zone}.dt.") for each in of_one for zone in _ZONES]
    return calls(*made, may_refuse=True)  # moments for which no clocks are known


ZONED_DATES: dict[str, Calls] = {
    **{name: _zoned(DATES[name]) for name in (*_FIELDS, "day_name", "month_name", "strftime")},
    "date": calls(*(f'pd.to_datetime(X["h"]{_UTC}{zone}.dt.date)' for zone in _ZONES), may_refuse=True),
    "isocalendar": calls(
        *(f'X["h"]{_UTC}{zone}.dt.isocalendar().week.astype(int)' for zone in _ZONES), may_refuse=True
    ),
    "tz": calls(
        f'D = X["d"]{_UTC}{_ZONES[0]}\nif D.dt.tz is None:\n    raise ValueError("zone")\nreturn D.dt.hour',
        may_refuse=True,
    ),
    "tz_convert": calls(
        *(f'X["d"]{_UTC}{zone}.dt.tz_convert("Europe/Berlin").dt.hour' for zone in _ZONES),
        f'X["d"]{_UTC}{_ZONES[0]}.dt.tz_convert(None)',
        may_refuse=True,
    ),
    "tz_localize": calls(*(f'X["d"]{_UTC}{zone}.dt.tz_localize(None)' for zone in _ZONES), may_refuse=True),
}
ZONED: dict[str, Calls] = {"dt": calls(f'X["h"]{_UTC}.dt.hour', f'X["d"]{_UTC}.dt.year')}
DATES["tz_localize"] = calls('X["d"].dt.tz_localize("UTC").dt.tz_localize(None)', 'X["h"].dt.tz_localize(None)')
