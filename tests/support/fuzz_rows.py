"""Calls of functions that pandas calls row by row: values of text, numbers and dates, rows, dicts, patterns."""

from fuzz import Calls, calls


def _text(*bodies: str) -> tuple[str, ...]:
    """Functions of one text, `v`: by `map`, and where it is text by `apply`."""
    maps = tuple(f'X["u"].map(lambda v: {body})' for body in bodies)
    return (*maps, *(f'X["s"].apply(lambda v: {body} if isinstance(v, str) else {{none}})' for body in bodies[:1]))


def _of_text(*bodies: str, none: str = "nan") -> Calls:
    return calls(*(each.replace("{none}", none) for each in _text(*bodies)))


def _number(*bodies: str, columns: str = "fi", refuse: bool = False) -> Calls:
    """Functions of one number, `v`."""
    return calls(*(f'X["{column}"].map(lambda v: {body})' for body in bodies for column in columns), may_refuse=refuse)


def _function(*lines: str, column: str = "u") -> str:
    """A function of one value, `v`, of several lines."""
    return "\n".join(["def f(v):", *(f"    {line}" for line in lines), f'return X["{column}"].map(f)'])


_CASES = ("lower", "upper", "title", "capitalize", "swapcase", "casefold")
_TESTS = ("isdigit", "isalpha", "isalnum", "isnumeric", "isdecimal", "islower", "isupper", "isspace", "istitle")

VALUE_TEXT: dict[str, Calls] = {
    **{name: _of_text(f"v.{name}()", f"v.{name}().strip()") for name in _CASES},
    **{name: _of_text(f"v.{name}()", f"1 if v.{name}() else 0", none="False") for name in _TESTS},
    **{name: _of_text(f"v.{name}()", f"v.{name}({{letter}})") for name in ("strip", "lstrip", "rstrip")},
    **{name: _of_text(f"v.{name}({{count}})", f"v.{name}(8, {{letter}})") for name in ("center", "ljust", "rjust")},
    **{
        name: _of_text(f"v.{name}({{part}})", f"v.{name}(('a', {{letter}}))", none="False")
        for name in ("startswith", "endswith")
    },
    **{name: _of_text(f"v.{name}({{letter}})", none="-1") for name in ("find", "rfind", "count")},
    **{name: _of_text(f"v.{name}({{part}})") for name in ("removeprefix", "removesuffix")},
    **{
        name: calls(f'X["u"].map(lambda v: v.{name}("a") if "a" in v else -1)'.replace('"a"', "'a'"))
        for name in ("index", "rindex")
    },
    **{
        name: _of_text(f"v.{name}({{separator}})[0]", f"v.{name}({{separator}})[-1]")
        for name in ("partition", "rpartition")
    },
    "contains()": _of_text("{letter} in v", "1 if {part} in v else 0", none="False"),
    "getitem()": _of_text("v[:{count}]", "v[{index}:]", "v[0] if len(v) > 0 else ''", "v[::-1]"),
    "replace": _of_text("v.replace({letter}, {word})", "v.replace(' ', '').replace('a', 'b')", "v.replace('a', '', 1)"),
    "split": _of_text("v.split({separator})[0]", "len(v.split())", "v.split({separator}, 1)[-1]"),
    "rsplit": _of_text("v.rsplit({separator})[0]", "v.rsplit({separator}, 1)[-1]"),
    "zfill": _of_text("v.zfill({count})", "v.zfill(8)"),
}

VALUE: dict[str, Calls] = {
    "__len__": _of_text("len(v)", "len(v) > {count}", none="0"),
    "bool": _of_text("bool(v)", "bool(v) and v[0] == 'a'", none="False"),
    "float": calls('X["v"].map(float)', 'X["i"].map(lambda v: float(v) / 7)', 'X["b"].map(lambda v: float(v))'),
    "int": calls('X["v"].map(int)', 'X["p"].map(lambda v: int(min(v, 99.0)))', 'X["b"].map(lambda v: int(v))'),
    "str": calls(
        'X["i"].map(str)',
        'X["u"].map(lambda v: str(v) + "_")',
        'X["i"].map(lambda v: str(v) + f"_{{v}}")',
        'X["b"].map(str)',
    ),
    "isinstance": calls(
        'X["s"].map(lambda v: isinstance(v, str))', 'X["f"].map(lambda v: 1 if isinstance(v, float) else 0)'
    ),
    "type": calls('X["s"].map(lambda v: 1 if type(v) == str else 0)', 'X["i"].map(lambda v: type(v) == int)'),
}

NUMBERS: dict[str, dict[str, Calls]] = {
    "value float64": {
        "round()": calls('X["f"].map(lambda v: round(v, {decimals}))', 'X["p"].map(lambda v: round(v, 1) + 1)'),
        "is_integer": calls('X["f"].map(lambda v: v.is_integer())'),
    },
    "value int64": {"round()": calls('X["i"].map(lambda v: round(v, {count}))', 'X["i"].map(lambda v: round(v))')},
    "value bool": {"round()": calls('X["b"].map(lambda v: round(v, 0))', 'X["b"].map(lambda v: round(v))')},
}

PARTS: dict[str, Calls] = {
    "__len__": calls('X["u"].map(lambda v: len(v.split({separator})))', 'X["u"].map(lambda v: len(v.split()))')
}

_UNBOUND = (*_CASES, "isalnum", "isalpha", "isdigit", "isnumeric", "lstrip", "rstrip", "strip")
_FLOATS = ("atan", "cbrt", "degrees", "erf", "fabs", "radians", "tanh")
_SMALL = "max(-9.0, min(v, 9.0))"

ROW_FUNCTIONS: dict[str, Calls] = {
    **{
        f"builtins.str.{name}": calls(f'X["u"].map(str.{name})', f'X["u"].map(lambda v: str.{name}(v))')
        for name in _UNBOUND
    },
    "builtins.str.count": calls('X["u"].map(lambda v: str.count(v, {letter}))'),
    "builtins.str.startswith": calls('X["u"].map(lambda v: str.startswith(v, {letter}))'),
    "builtins.str.endswith": calls('X["u"].map(lambda v: str.endswith(v, {letter}))'),
    "builtins.str.replace": calls('X["u"].map(lambda v: str.replace(v, {letter}, {word}))'),
    "builtins.str.split": calls('X["u"].map(lambda v: str.split(v, {separator})[0])'),
    "builtins.str.zfill": calls('X["u"].map(lambda v: str.zfill(v, 6))'),
    **{
        f"math.{name}": calls(f'X["f"].map(lambda v: math.{name}(v))', f'X["i"].map(lambda v: math.{name}(v))')
        for name in _FLOATS
    },
    **{
        f"math.{name}": calls(f'X["q"].map(lambda v: math.{name}({_SMALL}))', f'X["k"].map(math.{name})')
        for name in ("cos", "sin", "tan", "exp", "expm1")
    },
    **{
        f"math.{name}": calls(f'X["p"].map(math.{name})', f'X["q"].map(lambda v: math.{name}(v) * 2)')
        for name in ("log", "log10", "log1p", "log2", "sqrt")
    },
    "math.acos": calls('X["f"].map(lambda v: math.acos(max(-1.0, min(v, 1.0))) if v == v else nan)'),
    "math.asin": calls('X["f"].map(lambda v: math.asin(max(-1.0, min(v, 1.0))) if v == v else nan)'),
    **{
        f"math.{name}": calls(f'X["q"].map(lambda v: math.{name}({_SMALL}))', f'X["i"].map(math.{name})')
        for name in ("ceil", "floor", "trunc")
    },
    **{
        f"math.{name}": calls(f'X["f"].map(math.{name})', f'X["i"].map(math.{name})')
        for name in ("isfinite", "isinf", "isnan")
    },
    "math.pow": calls(
        'X["q"].map(lambda v: math.pow(v, 0.5))',
        'X["i"].map(lambda v: math.pow(v, 2))',
        'X["k"].map(lambda v: math.pow({positive}, v))',
    ),
    "math.atan2": calls('X["f"].map(lambda v: math.atan2(v, {float}))', 'X["i"].map(lambda v: math.atan2({int}, v))'),
    "numpy.float64": calls('X["i"].map(lambda v: np.float64(v) / 3)', 'X["f"].map(np.float64)'),
    "numpy.int64": calls('X["k"].map(lambda v: np.int64(v) + 1)', 'X["b"].map(np.int64)'),
    "numpy.absolute": calls('X["f"].map(lambda v: np.absolute(v) + 1)', 'X["i"].map(lambda v: np.absolute(v))'),
    **{
        f"numpy.{name}": calls(f'X["f"].map(lambda v: np.{name}(v))', f'X["i"].map(np.{name})')
        for name in ("isfinite", "isinf", "isnan")
    },
    "numpy.where": calls(
        'X["f"].map(lambda v: np.where(v > {float}, 1, 0))', 'X["i"].map(lambda v: np.where(v > 3, v, -v))'
    ),
    "pandas.Series": calls(
        'X[["f", "p"]].apply(lambda r: pd.Series([r["f"] + 1, r["p"] * 2]), axis=1)',
        'X[["u", "i"]].apply(lambda r: pd.Series({{"n": len(r["u"]), "j": r["i"]}}), axis=1)',
    ),
    **{
        f"pandas.{name}": calls(
            f'X["f"].map(lambda v: pd.{name}(v))',
            f'X["s"].map(lambda v: 0 if pd.{name}(v) else 1)',
            f'X["d"].map(pd.{name})',
        )
        for name in ("isna", "notna")
    },
    "re.search": calls(
        'X["u"].map(lambda v: bool(re.search({pattern}, v)))', 'X["u"].map(lambda v: 1 if re.search({group}, v) else 0)'
    ),
    "re.match": calls(
        'X["u"].map(lambda v: 1 if re.match({pattern}, v) else 0)',
        'X["u"].map(lambda v: re.match("[a-z]*", v).group())',
    ),
    "re.fullmatch": calls(
        'X["u"].map(lambda v: re.fullmatch({pattern}, v) is not None)',
        'X["u"].map(lambda v: bool(re.fullmatch("[a-zA-Z]+", v)))',
    ),
    "re.findall": calls(
        'X["u"].map(lambda v: len(re.findall({pattern}, v)))',
        'X["u"].map(lambda v: re.findall("[a-z]", v)[0] if re.findall("[a-z]", v) else "")',
    ),
    "re.split": calls(
        'X["u"].map(lambda v: re.split("[,;]", v)[0])', 'X["u"].map(lambda v: len(re.split({pattern}, v)))'
    ),
    "re.sub": calls(
        'X["u"].map(lambda v: re.sub({pattern}, {letter}, v))',
        r"""X["u"].map(lambda v: re.sub({group}, r'<\1>', v))""",
        'X["u"].map(lambda v: re.sub("[0-9]", "", v).strip())',
    ),
}

_ROW = 'X[["f", "p", "q"]]'
_ROWS_OF_MIXED = 'X[["u", "p", "i"]]'

ROWS: dict[str, Calls] = {
    "__len__": calls(f'{_ROW}.apply(lambda r: len(r) * r["p"], axis=1)'),
    "all": calls('X[["b", "c"]].apply(lambda r: r.all(), axis=1)'),
    "any": calls('X[["b", "c"]].apply(lambda r: r.any(), axis=1)', f"{_ROW}.apply(lambda r: r.isna().any(), axis=1)"),
    "copy": calls(f'{_ROW}.apply(lambda r: r.copy()["p"] + 1, axis=1)'),
    "get": calls(f'{_ROW}.apply(lambda r: r.get("p", 0) - r.get("none", {{float}}), axis=1)'),
    "index": calls(f"{_ROW}.apply(lambda r: sum(r[name] for name in r.index), axis=1)"),
    "isna": calls(f'{_ROW}.apply(lambda r: r.isna()["f"], axis=1)'),
    "isnull": calls(f"{_ROW}.apply(lambda r: r.isnull().sum(), axis=1)"),
    "notna": calls(f"{_ROW}.apply(lambda r: r.notna().all(), axis=1)"),
    "notnull": calls(f'{_ROW}.apply(lambda r: r.notnull()["f"], axis=1)'),
    "items": calls(f'{_ROW}.apply(lambda r: sum(v for name, v in r.items() if name != "f"), axis=1)'),
    "keys": calls(f'{_ROW}.apply(lambda r: len(r.keys()) + r["q"], axis=1)'),
    **{
        name: calls(
            *(f"{each}.apply(lambda r: r.{name}(), axis=1)" for each in (_ROW, 'X[["i", "j"]]', 'X[["f", "g"]]')),
            f"{_ROW}.apply(lambda r: r.{name}() * 2, axis=1)",
        )
        for name in ("max", "mean", "min", "sum")
    },
    "to_dict": calls(f'{_ROW}.apply(lambda r: r.to_dict()["p"], axis=1)'),
    "to_list": calls(f"{_ROW}.apply(lambda r: r.to_list()[1], axis=1)"),
    "tolist": calls(
        f"{_ROW}.apply(lambda r: r.tolist()[-1], axis=1)", f"{_ROWS_OF_MIXED}.apply(lambda r: r.tolist()[0], axis=1)"
    ),
}

DICTS: dict[str, Calls] = {
    "__getitem__": calls(
        'd = {{0: {float}, 1: {float2}, 2: {float3}, 3: -1.0}}\nreturn X["k"].map(lambda v: d[v])',
        'd = {wordtoint}\nreturn X["u"].map(lambda v: d[v] if v in d else {int})',
    ),
    "get": calls(
        'd = {wordtofloat}\nreturn X["u"].map(lambda v: d.get(v, {float}))',
        'd = {inttoword}\nreturn X["i"].map(lambda v: d.get(v, "none"))',
        'd = {wordtoint}\nreturn X["u"].map(lambda v: d.get(v, -1))',
    ),
    "__contains__": calls(
        'd = {wordtofloat}\nreturn X["u"].map(lambda v: v in d)',
        'd = {inttofloat}\nreturn X["i"].map(lambda v: 1 if v in d else 0)',
    ),
}

MATCHES: dict[str, dict[str, Calls]] = {
    "match": {
        "group": calls(
            'def f(v):\n    m = re.search({group}, v)\n    return m.group(1) if m else ""\nreturn X["u"].map(f)',
            _function('m = re.match("([a-z]+)(\\\\d)?", v)', 'return m.group() if m else "none"'),
            'X["u"].map(lambda v: re.search("[a-z]*", v).group(0))',
        ),
        "groups": calls(_function('m = re.search("(\\\\w+) (\\\\w+)", v)', 'return m.groups()[1] if m else ""')),
        "groupdict": calls(_function('m = re.search("(?P<x>[a-z]+)", v)', 'return m.groupdict()["x"] if m else ""')),
    },
    "matches": {"__len__": calls('X["u"].map(lambda v: len(re.findall({pattern}, v)))')},
}

_FIELDS = ("year", "month", "day", "hour", "minute", "second", "microsecond", "quarter", "dayofweek", "day_of_week")
_FIELDS += ("dayofyear", "day_of_year", "week", "weekofyear", "days_in_month", "daysinmonth")
_CONDITIONS = ("month_start", "month_end", "quarter_start", "quarter_end", "year_start", "year_end")

VALUE_DATES: dict[str, Calls] = {
    **{name: calls(f'X["h"].map(lambda v: v.{name})', f'X["h"].map(lambda v: v.{name} % 4 + 1)') for name in _FIELDS},
    **{
        f"is_{name}": calls(f'X["h"].map(lambda v: v.is_{name})', f'X["h"].map(lambda v: 1 if v.is_{name} else 0)')
        for name in (*_CONDITIONS, "leap_year")
    },
    **{
        name: calls(f'X["h"].map(lambda v: v.{name}())', f'X["h"].apply(lambda v: v.{name}())')
        for name in ("weekday", "isoweekday", "toordinal", "day_name", "month_name", "normalize")
    },
    "isocalendar": calls('X["h"].map(lambda v: v.isocalendar()[1])', 'X["h"].map(lambda v: v.isocalendar().year)'),
    "date": calls('X["h"].map(lambda v: v.date() > datetime.date(2001, 1, 1))', 'X["h"].map(lambda v: v.date().year)'),
    "strftime": calls('X["h"].map(lambda v: v.strftime({format}))'),
    "to_pydatetime": calls('X["h"].map(lambda v: v.to_pydatetime().year)'),
}

VALUE_DURATIONS: dict[str, Calls] = {
    **{
        name: calls(
            f'(X["h"] - pd.Timestamp({{date}})).map(lambda v: v.{name})',
            f'X[["h"]].apply(lambda r: (r["h"] - pd.Timestamp({{date}})).{name}, axis=1)',
        )
        for name in ("days", "seconds", "microseconds")
    },
    "total_seconds": calls('(X["h"] - pd.Timestamp({date})).map(lambda v: v.total_seconds())'),
}

VALUES: dict[str, Calls] = {
    "arithmetic": calls(
        *(
            f'X["{column}"].map(lambda v: {body})'
            for column in "fi"
            for body in ("v + {float}", "v * 2 - 1", "-v", "abs(v)", "v / 7", "{float} - v")
        ),
        'X["i"].map(lambda v: v // {nonzero})',
        'X["i"].map(lambda v: v % {nonzero})',
        'X["f"].map(lambda v: v // 2.5)',
        'X["f"].map(lambda v: v % 2.5)',
        'X["i"].map(lambda v: v ** 2)',
        'X["p"].map(lambda v: v ** 0.5)',
        'X["f"].map(lambda v: v ** 2)',
        may_refuse=True,
    ),
    "branches": calls(
        'X["f"].map(lambda v: 1 if v > {float} else 0)',
        'X["i"].map(lambda v: "a" if v < 0 else "b" if v < {int} else "c")',
        'X["f"].map(lambda v: v if v >= 0 and v < {high} else -1.0)',
        'X["u"].map(lambda v: v in {words})',
        'X["s"].map(lambda v: v == {word})',
        _function("if v > {float}:", "    return {float2}", "elif v == v:", "    return v", "return -1.0", column="f"),
        'X["i"].map(lambda v: max(v, {int}))',
        'X["f"].map(lambda v: min(v, {float}))',
        'X["b"].map(lambda v: "yes" if v else "no")',
        'X["i"].map(lambda v: 0 < v <= {int})',
        'X["f"].map(lambda v: not v > 0)',
    ),
    "rows": calls(
        'X[["f", "g"]].apply(lambda r: r["f"] if r["f"] > r["g"] else r["g"], axis=1)',
        'X[["i", "j"]].apply(lambda r: r["i"] + r["j"], axis=1)',
        'X[["u", "v"]].apply(lambda r: r["u"] + "_" + r["v"], axis=1)',
        'X[["h", "d"]].apply(lambda r: (r["h"] - r["d"]).days, axis=1)',
        'X[["f", "s"]].apply(lambda r: r["f"] if r["s"] == {word} else 0.0, axis=1)',
        'X[["i", "p"]].apply(lambda r: r["p"] / r["i"] if r["i"] != 0 else 0.0, axis=1)',
        'X[["f", "p"]].apply(lambda r: r.p if pd.isna(r.f) else r.f, axis=1)',
        'X[["b", "f", "p"]].apply(lambda r: r["f"] * r["p"] if r["b"] else 0, axis=1)',
    ),
}
"""Operators and branches on values of one row, which have no entry in the table of rules."""
