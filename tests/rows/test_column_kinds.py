"""The kind of raw column that each dtype holds; the advice for a dtype of none makes one of it."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline_lib.rows.column_kinds import conversion, kind_of

DAYS = pd.Series(pd.date_range("2020-01-01", periods=3))


@pytest.mark.parametrize(
    ("series", "kind"),
    [
        *((pd.Series([1, 2], dtype=name), ("integer", False)) for name in ("int8", "uint64")),
        *((pd.Series([1, None], dtype=name), ("integer", True)) for name in ("Int32", "uint8[pyarrow]")),
        *(
            (pd.Series([1.5], dtype=name), ("number", True))
            for name in ("float32", "float64", "Float32", "double[pyarrow]")
        ),
        (pd.Series([True]), ("boolean", False)),
        *((pd.Series([True, None], dtype=name), ("boolean", True)) for name in ("boolean", "bool[pyarrow]", object)),
        *(
            (pd.Series(["a", None], dtype=name), ("string", True))
            for name in ("str", "string", "string[pyarrow]", object)
        ),
        (pd.Series(["a"], dtype="category"), ("string", True)),
        (pd.Series([1, 2], dtype="category"), ("integer", True)),
        (pd.Series([1, 2.5], dtype=object), ("number", True)),
        (pd.Series([None, None], dtype=object), ("string", True)),
        *((DAYS.astype(name), ("datetime", True)) for name in ("datetime64[ns]", "timestamp[us][pyarrow]", object)),
        (DAYS.dt.date, ("date", True)),
    ],
    ids=lambda value: str(value.dtype) if isinstance(value, pd.Series) else "",
)
def test_kinds(series: Any, kind: Any) -> None:
    assert kind_of(series) == kind


OTHERS = {
    "zone": DAYS.dt.tz_localize("Europe/Berlin"),
    "duration": DAYS - DAYS[0],
    "arrow duration": (DAYS - DAYS[0]).astype("duration[us][pyarrow]"),
    "period": DAYS.dt.to_period("D"),
    "sparse": pd.Series(pd.arrays.SparseArray([0.0, 1.0])),
    "decimal": pd.Series([Decimal("1.5")]),
    "float16": pd.Series([1.5], dtype="float16"),
    "longdouble": pd.Series([1.5], dtype=np.longdouble),
    "interval": pd.cut(pd.Series([1.0, 2.0]), 2),
    "mixed": pd.Series([1, "a"], dtype=object),
    "list": pd.Series([[1], [2]]),
    "zoned objects": pd.Series([datetime.fromisoformat("2020-01-01T00:00:00+01:00")], dtype=object),
    "dates and datetimes": pd.Series([date(2020, 1, 1), datetime(2020, 1, 1)], dtype=object),
}


@pytest.mark.parametrize("series", OTHERS.values(), ids=OTHERS)
def test_the_advice_for_a_dtype_of_no_kind_makes_one(series: Any) -> None:
    assert kind_of(series) is None
    advice = conversion(series.rename("c"))
    code = next(part for part in advice.replace("for example ", "").split(", ")[-1:] if "X['c']" in part)
    code = code[code.index("X['c']") :].split(" is ")[0].split(" holds ")[0]
    assert kind_of(eval(code, {"X": pd.DataFrame({"c": series})})) is not None, advice  # noqa: S307  our own text
