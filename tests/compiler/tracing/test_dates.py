"""Recorded dates: `.dt`, `pd.to_datetime` and other functions of columns give what pandas gives, bit for bit."""

from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from dtype_frames import EDGES, TRAINING
from tracing import check, own_code, refusal

from pipeline_lib.compiler.tracing.series import zones
from pipeline_lib.compiler.tracing.series.zones import transitions
from pipeline_lib.rows.column import Column
from pipeline_lib.rows.schema import RowSchema

WORDS = ["2020-01-31", "1999-02-28", None, "2020-02-30", "x", "2000-02-29"]
DATES_AS_TEXT = TRAINING.assign(
    t=pd.Series(["2020-01-31", "1999-02-28", None, "2000-02-29", "1969-12-31", "2021-03-01"], dtype="str")
)
OTHER_TEXT = TRAINING.assign(t=pd.Series(WORDS, dtype="str"))
NUMBERS_AS_TEXT = TRAINING.assign(t=pd.Series(["1", "2.5", None, "1e3", " 7 ", "-0.5"], dtype="str"))
OTHER_NUMBERS = TRAINING.assign(t=pd.Series(["", "nan", "1_000", "x", "inf", "\u0663"], dtype="str"))

FIELDS = ["year", "month", "day", "hour", "minute", "second", "microsecond", "quarter", "dayofweek", "weekday"]
FIELDS += ["day_of_week", "dayofyear", "day_of_year", "days_in_month", "daysinmonth", "is_leap_year"]
FIELDS += [f"is_{part}_{end}" for part in ("month", "quarter", "year") for end in ("start", "end")]

EXACT = [
    *(f"X['d'].dt.{field}" for field in FIELDS),
    *("X['d'].dt.isocalendar()", "X['d'].dt.isocalendar().week", "X['d'].dt.isocalendar().week.astype(float)"),
    *("X['d'].dt.day_name()", "X['d'].dt.month_name()", "X['d'].dt.normalize()", "X['d'].dt.floor('D')"),
    *("X['d'].dt.floor('h')", "X['d'].dt.ceil('h')", "X['d'].dt.round('D')", "X['d'].dt.floor('15min')"),
    *("X['d'].dt.round('30s')", "X['d'].dt.floor('7D')", "X['d'].dt.ceil('1ms')", "X['d'].dt.round(freq='2h')"),
    *(
        "X['d'].dt.as_unit('s')",
        "X['d'].dt.as_unit('us')",
        "X['d'].dt.strftime('%Y-%m-%d %H:%M')",
        "X['d'].dt.strftime('%j %%')",
    ),
    *(
        "X['d'].dt.date",
        "X['d'].dt.date == X['e'].dt.date",
        "X['d'].dt.date != X['e'].dt.date",
        "pd.to_datetime(X['d'].dt.date)",
    ),
    *("X['d'].dt.date == datetime.date(2000, 2, 29)", "X['d'].dt.date.isna()"),
    *("(X['d'] - X['e']).dt.days", "(X['d'] - X['e']).dt.seconds", "(X['d'] - X['e']).dt.microseconds"),
    *("(X['d'] - X['e']).dt.total_seconds()", "(X['d'] - X['e']).dt.floor('h')", "(X['d'] - X['e']).dt.round('D')"),
    *(
        "X['d'].dt.year + 1",
        "X['d'].dt.month.map({1: 'January'})",
        "X['d'].dt.hour.isin([0, 12])",
        "X['d'].dt.dayofweek >= 5",
    ),
    *(
        "(X['d'].dt.dayofweek >= 5).astype(int)",
        "X['d'].dt.hour.between(8, 18)",
        "X['d'].dt.year.fillna(0).astype(int)",
    ),
    *("X['d'].dt.month % 12 // 3 + 1", "X['d'].dt.quarter == 1", "X['d'].dt.hour + X['d'].dt.minute / 60"),
    *("np.sin(X['d'].dt.hour * 2 * np.pi / 24) * 0", "X['d'].dt.is_month_end & X['b']", "X['d'].isna()"),
    *("pd.to_datetime(X['d'])", "pd.to_datetime(X['i'], unit='s')", "pd.to_datetime(X['j'], unit='D')"),
    *(
        "pd.to_timedelta(X['j'], unit='D')",
        "X['e'] + pd.to_timedelta(X['j'], unit='h')",
        "pd.to_timedelta(X['d'] - X['e'])",
    ),
    *("pd.isna(X['x'])", "pd.isnull(X['t'])", "pd.notna(X['d'])", "pd.notnull(X['c'])", "pd.isna(X[['x', 't']])"),
    *(
        "pd.isna(X['x'].values)",
        "pd.to_numeric(X['i'])",
        "pd.to_numeric(X['x'], errors='coerce')",
        "pd.to_numeric(X['b'])",
    ),
    *(
        "pd.cut(X['x'], [0, 1, 2])",
        "pd.cut(X['x'], [0, 1.5, 2], labels=False)",
        "pd.cut(X['x'], [0, 1, 200], labels=['a', 'b'])",
    ),
    *(
        "pd.cut(X['x'], [-3, 0, 1.5, 2], labels=False, include_lowest=True)",
        "pd.cut(X['i'], [-10, 0, 10], labels=False)",
    ),
    *(
        "pd.cut(X['x'], [0, 1.5, 100], labels=['a', 'b'], right=False)",
        "pd.cut(X['x'], [0, 1.5, 4, 9], labels=[1, 2, 3])",
    ),
    *(
        "pd.cut(X['x'], [-np.inf, 0, np.inf], labels=['n', 'p'])",
        "pd.cut(X['x'], [0, 1, 1, 5], duplicates='drop', labels=False)",
    ),
    *(
        "pd.cut(X['x'], bins=[0, 1, 2], right=False, include_lowest=True)",
        "pd.cut(X['i'], np.array([0, 3, 9]), labels=False)",
    ),
    *("pd.cut(X['x'], [0, 0.5, 1.5, 200]).astype(str)", "pd.cut(X['x'], [0, 1, 200], labels=['a', 'b']).astype(str)"),
    *("pd.cut(X['x'], [0, 1, 200], labels=[0, 1]).astype(float)", "pd.cut(X['x'], [0, 1, 2]).cat.codes"),
    *("pd.Series(X['x'].values, index=X.index)", "pd.Series(1, index=X.index)", "pd.Series('x', index=X.index)"),
    *(
        "pd.Series(0, index=X.index, dtype=float)",
        "pd.Series(np.nan, index=X.index)",
        "pd.Series(X['x'])",
        "pd.Series(X['i'], dtype=float)",
    ),
    *(
        "pd.Series(np.where(X['x'] > 0, 1, 0), index=X.index, name='q')",
        "pd.Series(X['x'].values)",
        "pd.Series(index=X.index, dtype=float)",
    ),
]


@pytest.mark.parametrize("text", EXACT)
def test_a_column_is_what_pandas_gives(text: str) -> None:
    may_refuse = "strftime" in text or "total_seconds" in text  # years before 1000, and 285 years in microseconds
    check(own_code(text), TRAINING, EDGES, bounded="np.sin" in text, may_refuse=may_refuse)


@pytest.mark.parametrize("errors", ["raise", "coerce"])
def test_text_in_a_format_is_parsed_as_pandas_does(errors: str) -> None:
    text = f"pd.to_datetime(X['t'], format='%Y-%m-%d', errors={errors!r})"
    check(own_code(text), DATES_AS_TEXT, OTHER_TEXT)


@pytest.mark.parametrize("errors", ["raise", "coerce"])
def test_text_is_read_as_numbers_as_pandas_does(errors: str) -> None:
    check(own_code(f"pd.to_numeric(X['t'], errors={errors!r})"), NUMBERS_AS_TEXT, OTHER_NUMBERS)


FORMATS = {
    "%Y%m%d": "20200131",
    "%Y-%m-%d": "2020-01-31",
    "%d/%m/%Y": "01/02/2020",
    "%Y-%m-%d %H:%M:%S": "2020-01-01 10:11:12",
    "%m/%d/%y": "01/02/20",
    "%Y-%m-%dT%H:%M:%S.%f": "2020-01-01T10:11:12.5",
    "%H:%M": "10:11",
}


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("errors", ["raise", "coerce"])
def test_odd_text_is_no_other_date_than_to_pandas(form: str, errors: str) -> None:
    good = FORMATS[form]
    odd = ["nan", "NaT", "", "None", "x", "2020-1-3", "1-1-1", "2020-02-30", " 2020-01-01", "9999-12-31", "2020/01/03"]
    odd += [good + " ", good + "5", good[:-1], good.replace("2020", "20"), good.replace("0", "1"), good + "Z", "202011"]
    training = pd.DataFrame({"t": pd.Series([good, None, good], dtype="str")})
    others = pd.DataFrame({"t": pd.Series(odd, dtype="str")})
    text = f"pd.to_datetime(X['t'], format={form!r}, errors={errors!r})"
    check(own_code(text), training, others, may_refuse=errors == "coerce" or "%f" in form)


BERLIN = "X['d'].dt.tz_localize('UTC').dt.tz_convert('Europe/Berlin')"
ZONED = [
    *(f"{BERLIN}.dt.{field}" for field in FIELDS),
    f"{BERLIN}.dt.isocalendar().week.astype(float)",
    f"{BERLIN}.dt.day_name()",
    f"{BERLIN}.dt.strftime('%Y-%m-%d %H:%M')",
    f"{BERLIN}.dt.date.isna()",
    f"{BERLIN}.dt.tz_localize(None)",
    f"{BERLIN}.dt.tz_convert(None)",
    f"{BERLIN}.dt.tz_localize(None).dt.floor('D')",
    f"{BERLIN}.dt.tz_convert('Asia/Kathmandu').dt.minute",
    "pd.to_datetime(X['d'], utc=True).dt.tz_convert('America/New_York').dt.hour + X['x']",
    "X.assign(z=X['d'].dt.tz_localize('UTC')).assign(z=lambda f: f['z'].dt.tz_convert('Europe/London').dt.hour)",
    "X['d'].dt.tz_localize(None).dt.hour",
    "X['d'].dt.tz_localize('Etc/UTC').dt.hour",
    "X['d'].dt.tz_localize(datetime.timezone.utc).dt.day",
]


@pytest.mark.parametrize("text", ZONED)
def test_local_time_of_a_zone(text: str) -> None:
    check(own_code(text), TRAINING, EDGES, may_refuse=True)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"])
def test_every_change_of_the_clocks(zone: str) -> None:
    """Rows around each moment at which clocks are set, where a fold or a gap begins."""
    moments = np.array(transitions(ZoneInfo(zone))[2][1:][-150:])
    around = np.concatenate([moments - 1, moments, moments + 1, moments + 1_800_000_000]).astype("datetime64[us]")
    training = pd.DataFrame({"d": pd.Series(around)})
    check(own_code(f"X['d'].dt.tz_localize('UTC').dt.tz_convert({zone!r}).dt.tz_localize(None)"), training)


def test_an_hour_that_is_not_the_zones_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    right = zones.transitions
    ahead = {"Europe/Berlin": 3_600_000_000, "UTC": 0}
    monkeypatch.setattr(zones, "transitions", lambda zone: (*right(zone)[:3], [ahead[str(zone)]] * len(right(zone)[3])))
    summer = pd.DataFrame({"d": pd.date_range("2021-06-01", periods=9, freq="D", unit="us")})
    assert "the recorder's rule gives" in refusal(own_code(f"{BERLIN}.dt.hour"), summer)


def test_dates_beyond_nanoseconds_are_refused_rows() -> None:
    training = TRAINING.assign(d=TRAINING["d"].fillna(pd.Timestamp("2020-01-01")))
    check(lambda self, X: X["d"].astype("datetime64[ns]").dt.year, training, EDGES)


def test_fields_of_a_column_that_is_never_missing_are_integers() -> None:
    training = TRAINING[["e", "i"]].assign(e=TRAINING["e"].fillna(pd.Timestamp("2020-01-01")))
    schema = RowSchema((Column("e", "datetime", nullable=False), Column("i", "integer", nullable=False)))
    trace = check(lambda self, X: X["e"].dt.year.astype(str) + "!", training, schema=schema)
    assert "where" not in {node.operation for node in trace.nodes}


REFUSED = {
    "X['d'].dt.date == X['e']": "normalize",
    "X['d'].dt.date == pd.Timestamp('2020-01-01')": "normalize",
    "X['d'].dt.date - datetime.date(2020, 1, 1)": "normalize",
    "X['d'].dt.date < X['e'].dt.date": "normalize",
    "X['d'].dt.date.dt.year": "pd.to_datetime",
    "X['d'].dt.time": "hour * 60",
    "X['d'].dt.to_period('M')": "strftime",
    "X['d'].dt.tz_localize('UTC')": "drop the zone",
    "X.assign(z=X['d'].dt.tz_localize('UTC'))": "drop the zone",
    "X['d'].dt.tz_localize('UTC').dt.normalize().dt.hour": "drop the zone",
    "X['d'].dt.tz_localize('UTC').dt.tz_convert('Europe/Berlin').astype(str)": "drop the zone",
    "X['d'].dt.tz_localize('UTC').isna()": "drop the zone",
    "X['d'].dt.tz_localize('UTC').dt.tz_convert('Mars/Olympus').dt.hour": "must answer",
    "X['d'].dt.tz_localize('Europe/Berlin', ambiguous='NaT', nonexistent='NaT').dt.hour": "comes twice",
    "X['d'].dt.tz_convert('UTC')": "tz_localize",
    "X['d'].dt.floor('MS')": "must answer",
    "X['d'].dt.strftime('%B')": "found",
    "X['d'].dt.day_name(locale='en_US.utf8')": "found",
    "X['d'].dt.year.astype(str)": "'1' in one batch",
    "X['d'].dt.isocalendar().week + 1": "astype(float)",
    "X['i'].dt.year": "found",
    "pd.to_datetime(X['t'])": "must answer",
    "pd.to_datetime(X['d'].dt.strftime('%Y-%m-%d'))": "format=",
    "pd.to_datetime(X['d'].dt.strftime('%Y-%m-%d'), format='mixed')": "format=",
    "pd.to_datetime(X['d'].dt.strftime('%Y-%m-%d'), format='%b %d, %Y')": "must answer",
    "pd.to_datetime(X['t'].where(X['t'] == '?'), format='%b %d, %Y')": "directive %b",
    "pd.to_datetime(X['i'])": "unit",
    "pd.to_datetime(X[['i', 'j', 'x']])": "must answer",
    "pd.to_timedelta(X['x'], unit='D')": "integers",
    "pd.to_numeric(X['i'], downcast='integer')": "downcast",
    "pd.to_numeric(X['c'])": "astype(float)",
    "pd.cut(X['i'], 3)": "self.edges_",
    "pd.cut(X['x'], [0, 1, 2]).astype(str)": "beside a missing value",
    "pd.qcut(X['x'], 4)": "pd.qcut(X['a'], 4, retbins=True)",
    "pd.cut(X['x'], [0, 1, 2], labels=['a', 'b']) == X['t']": "astype(str)",
    "pd.cut(X['x'], [0, 1, 2]) == 'a'": "astype(str)",
    "pd.factorize(X['t'])": "self.codes_",
    "pd.Series([1, 2, 3, 4, 5, 6])": "columns computed",
    "pd.Series(X['x'], index=[0, 1])": "index=X.index",
    "pd.Series(1)": "columns computed",
    "pd.Timestamp.now() - X['d']": "parameter",
    "X['d'].dt.components": "fields",
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_has_no_exact_rule_is_refused_with_a_remedy(text: str) -> None:
    assert REFUSED[text] in refusal(own_code(text), TRAINING)
