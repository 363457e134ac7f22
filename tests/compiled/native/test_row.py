"""One row through the core: what Python's executor answers, and Python judges every value that is not plain."""

import ctypes
import math
import platform
import random
import sys
from collections import OrderedDict
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from pipeline_lib.compiled.native import core
from pipeline_lib.compiled.native.row import core_row
from pipeline_lib.compiled.pipeline import CompiledPipeline
from pipeline_lib.compiled.plan import Plan
from pipeline_lib.compiled.row_executor import QuickCheckError, row_function
from pipeline_lib.compiler.builder import Builder
from pipeline_lib.errors import InputError
from pipeline_lib.rows.column import Column
from pipeline_lib.rows.schema import RowSchema

pytestmark = [
    pytest.mark.core,
    pytest.mark.skipif(core.built() is None, reason="found no native core, which needs a C compiler"),
]
SCHEMA = RowSchema(
    (
        Column("size", "number", nullable=True, ge=0.0, lt=1000),
        Column("lot", "number", finite=True),
        Column("rooms", "integer", ge=1, le=20),
        Column("floors", "integer", nullable=True, gt=0),
        Column("grade", "integer", allowed=(1, 2, 3)),
        Column("new", "boolean"),
        Column("pool", "boolean", nullable=True),
        Column("place", "string", nullable=True),
        Column("street", "string", required=False, default="none"),
        Column("sold", "datetime", nullable=True, ge=datetime(1990, 1, 1)),
        Column("built", "date"),
    )
)
GOOD: dict[str, Any] = {
    "size": 90.5,
    "lot": 300.0,
    "rooms": 4,
    "floors": 2,
    "grade": 3,
    "new": True,
    "pool": None,
    "place": "hill",
    "street": "Elm",
    "sold": datetime(2020, 5, 17, 12, 30, 1, 250),
    "built": date(1968, 2, 29),
}
VALUES: list[Any] = [None, 0, 1, -1, 3, 20, 21, 2**53, 2**53 + 1, 2**70, 0.0, -0.0, 1.5, 999.9999, 1000.0, math.inf]
VALUES += [-math.inf, math.nan, True, False, "", "hill", "lake", "moon", "\ud800", "é", b"hill", Decimal(1), [1]]
VALUES += [np.float64(1.5), np.int64(3), np.bool_(True), datetime(2020, 1, 1), datetime(1980, 1, 1), date(2020, 1, 1)]


class Text(str):
    """Text of a class of one's own."""

    __slots__ = ()


def plan() -> Plan:
    """A plan that reads every column."""
    build = Builder()
    kinds = {"number": "float64", "integer": "int64", "boolean": "bool", "string": "str"}
    dtypes = {
        c.name: "float64" if c.nullable and c.kind in ("integer", "boolean") else kinds.get(c.kind, "datetime")
        for c in SCHEMA.columns
    }
    raw = {name: build.input(name, dtype) for name, dtype in dtypes.items()}
    total = build.sum([raw["size"], raw["lot"], build.number(raw["rooms"]), raw["floors"], build.number(raw["grade"])])
    known = build.lookup(raw["place"], {"hill": 1.5, "lake": -2.0}, "float64", unseen=0.25, missing=7.0)
    flags = build.where(raw["new"], raw["pool"], known)
    street = build.lookup(raw["street"], {"Elm": "tree", "none": "none"}, "str", unseen="any")
    outputs = {"total": total, "flags": flags, "street": street, "known": known, "late": raw["sold"].missing()}
    outputs["age"] = raw["built"] < raw["sold"]
    return Plan(build.nodes, {name: value.node for name, value in outputs.items()})


PLAN = plan()
ROOTS = list(PLAN.outputs.values())
PYTHON = row_function(PLAN, ROOTS, SCHEMA)
CORE = core_row(PLAN, ROOTS, SCHEMA)


def test_plain_rows_are_answered_as_python_answers_them() -> None:
    assert CORE is not None
    assert repr(CORE(GOOD)) == repr(PYTHON(GOOD))
    assert repr(CORE(GOOD)) == "(399.5, nan, 'tree', 1.5, False, True)"


def test_any_value_is_answered_as_python_does_or_left_to_python() -> None:
    assert CORE is not None
    draw, answered, left = random.Random(3), 0, 0  # noqa: S311 (no secret)
    names = [column.name for column in SCHEMA.columns]
    for _ in range(20_000):
        row = dict(GOOD)
        for name in draw.sample(names, draw.randint(1, 2)):
            row[name] = draw.choice(VALUES)
            if draw.random() < 0.02:
                del row[name]
        own = CORE(row)
        if own is None:
            left += 1
            continue
        answered += 1
        assert repr(own) == repr(PYTHON(row)), row
    assert answered > 1000
    assert left > 5000


def test_what_python_answers_the_core_answers_too() -> None:
    """Else single rows would be slow without a reason: only values that conform has to judge are left."""
    assert CORE is not None
    for name in GOOD:
        for value in VALUES:
            row = {**GOOD, name: value}
            try:
                expected = PYTHON(row)
            except (QuickCheckError, InputError):
                continue
            assert repr(CORE(row)) == repr(expected), (name, value)


@pytest.mark.parametrize("row", [OrderedDict(GOOD), [], None, GOOD | {"place": Text("hill")}, {}])
def test_other_rows_are_left_to_python(row: Any) -> None:
    assert CORE is not None
    assert CORE(row) is None


@pytest.mark.skipif(
    platform.machine() not in ("x86_64", "AMD64") or sys.platform != "linux", reason="sets MXCSR by glibc"
)
def test_bounds_are_compared_with_subnormal_numbers_whatever_the_caller_has_set() -> None:
    """A library may let the processor take subnormal numbers for 0.0: -1e-310 would be at least 0.0."""
    assert CORE is not None
    library, kept, flushing = ctypes.CDLL("libm.so.6"), ctypes.create_string_buffer(32), ctypes.create_string_buffer(32)
    library.fegetenv(kept)
    ctypes.memmove(flushing, kept, 32)
    state = int.from_bytes(kept.raw[28:], "little") | 0x8040  # flush to zero, subnormal numbers are zero
    flushing[28:] = state.to_bytes(4, "little")
    below, tiny = dict(GOOD, size=-1e-310), dict(GOOD, size=0.0, lot=1e-310)
    library.fesetenv(flushing)
    try:
        flushed, refused, answered = tiny["lot"] * 1.0, CORE(below), CORE(tiny)
    finally:
        library.fesetenv(kept)
    assert flushed == 0.0, "the control: this thread takes subnormal numbers for 0.0"
    assert refused is None
    assert repr(answered) == repr(PYTHON(tiny))


def test_a_refused_row_has_the_message_of_python() -> None:
    build = Builder()
    checked = build.finite(build.input("size", "float64") * 2.0, name="size", where="step")
    model = CompiledPipeline(
        Plan(build.nodes, {"prediction": checked.node}), RowSchema((Column("size", "number", nullable=True),))
    )
    assert model.predict_row({"size": 1.5}) == 3.0
    with pytest.raises(InputError, match="step: found inf in column 'size', expected a finite number"):
        model.predict_row({"size": math.inf})
    with pytest.raises(InputError, match="size: found 'a'"):
        model.predict_row({"size": "a"})


def test_threads_and_calls_inside_a_call_share_nothing() -> None:
    """Dates are converted by Python, where another thread may take over and run a row of its own."""
    from concurrent.futures import ThreadPoolExecutor

    assert CORE is not None
    rows = [{**GOOD, "size": float(number % 900)} for number in range(5000)]
    expected = [PYTHON(row)[0] for row in rows]
    with ThreadPoolExecutor(4) as pool:
        found = [answer[0] for answer in pool.map(CORE, rows)]  # type: ignore[index]
    assert found == expected
