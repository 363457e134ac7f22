"""Every operation, for whole columns and for one row, over the product of special values: the same bits."""

import itertools
import math
import struct

import numpy as np
import pytest

from pipeline_lib.compiled.distinct_values import make_executor
from pipeline_lib.compiled.operations.catalog import OPERATIONS
from pipeline_lib.compiled.operations.refusals import NAT
from pipeline_lib.compiled.operations.text_columns import TextColumn
from pipeline_lib.compiled.plan import Plan
from pipeline_lib.compiled.portable_math.functions import FUNCTIONS
from pipeline_lib.compiled.row_executor import row_function
from pipeline_lib.compiler.builder import Builder
from pipeline_lib.rows.column import Column
from pipeline_lib.rows.schema import RowSchema

pytestmark = pytest.mark.core

TINY, LARGE = 5e-324, 1.7976931348623157e308
FLOATS = [0.0, -0.0, 1.0, -1.0, 0.5, 1.5, 2.5, -2.5, 0.1, 3.0, 1e16, -1e16, TINY, -TINY, LARGE, -LARGE]
FLOATS += [math.inf, -math.inf, math.nan, 2.0**52 + 1, 3.4028235677973366e38, 1.0000000596046448, 9.3e18]
INTS = [0, 1, -1, 2, 7, -7, 2**53 + 1, -(2**53) - 1, 2**63 - 1, -(2**63) + 1]
VALUES = {
    "float64": FLOATS,
    "int64": INTS,
    "bool": [False, True],
    "str": [None, "", "a", "Ab", "é", "Missing"],
    "datetime": [None, 0, 1, -1, 1_700_000_000_000_000],
}
KINDS = {"int64": "integer", "float64": "number", "bool": "boolean", "str": "string", "datetime": "datetime"}
LOOKUP = {"keys": ["a", "Ab"], "values": [1.5, -2.0], "gives": "float64", "missing": None, "unseen": 7.0}
LOOKUP |= {"mode": "default", "name": "c", "where": "test"}
TEXT = {**LOOKUP, "values": ["x", None], "gives": "str", "unseen": "other"}
NUMBERS = {**LOOKUP, "keys": [0.0, 1.5, 3.0], "values": [1.0, 2.0, 3.0]}
EXAMPLES = [  # operations with settings: name, dtypes, settings
    ("lookup", ["str"], LOOKUP),
    ("lookup", ["str"], {**LOOKUP, "missing": 4.0, "unseen": None}),
    ("lookup", ["str"], {**LOOKUP, "gives": "int64", "values": [1, 2], "missing": 0, "unseen": -1}),
    ("lookup", ["str"], TEXT),
    ("lookup", ["str"], {**TEXT, "mode": "keep", "missing": "gone"}),
    ("lookup_number", ["float64"], NUMBERS),
    ("lookup_number", ["float64"], {**NUMBERS, "mode": "keep", "missing": 9.0}),
    ("lookup_number", ["float64"], {**NUMBERS, "gives": "str", "values": ["x", "y", "z"], "unseen": None}),
    ("lookup_number", ["int64"], {**NUMBERS, "keys": [1, 7], "values": [1.0, 2.0]}),
    ("search", ["float64"], {"edges": [-1.0, 0.0, 2.5], "side": "left"}),
    ("search", ["float64"], {"edges": [-1.0, 0.0, 2.5], "side": "right"}),
    ("dot", ["float64", "float64"], {"weights": [0.1, -3.0]}),
    ("dot", ["float64"] * 90, {"weights": [1.0] + [0.1] * 89}),
]


def bits(value):
    if isinstance(value, float):
        return "nan" if value != value else struct.pack("<d", value)
    return (type(value), value)


def both(name, dtypes, settings):
    """An operation's results for the product of special values: of the column executor, and of the row executor."""
    build = Builder()
    inputs = [build.input(f"c{index}", dtype) for index, dtype in enumerate(dtypes)]
    result = build.apply(name, *inputs, **settings)
    plan = Plan(build.nodes, {"y": result.node})
    if len(dtypes) > 3:
        rows = [tuple(VALUES[d][(i * 7 + j) % len(VALUES[d])] for j, d in enumerate(dtypes)) for i in range(50)]
    else:
        rows = list(itertools.product(*(VALUES[dtype] for dtype in dtypes)))
    columns = {}
    for index, dtype in enumerate(dtypes):
        values = [row[index] for row in rows]
        if dtype == "str":
            columns[f"c{index}"] = TextColumn.of(values)
        else:
            values = [NAT if value is None else value for value in values]
            columns[f"c{index}"] = np.array(values, dtype="int64" if dtype == "datetime" else dtype)
    whole = make_executor(plan, [result.node]).run(columns, len(rows))[0].tolist()
    schema = RowSchema(
        tuple(
            Column(f"c{index}", KINDS[dtype], nullable=dtype in ("float64", "str", "datetime"))
            for index, dtype in enumerate(dtypes)
        )
    )
    function = row_function(plan, [result.node], schema)
    alone = []
    for row in rows:
        values = {
            f"c{index}": np.datetime64(value, "us").item()
            if dtypes[index] == "datetime" and value is not None
            else value
            for index, value in enumerate(row)
        }
        alone.append(function(values)[0])
    return rows, whole, alone


def plain_operations():
    for name, operation in sorted(OPERATIONS.items()):
        if not operation.settings and operation.takes:
            for dtypes in itertools.product(*(take.split("|") for take in operation.takes)):
                if set(dtypes) <= set(VALUES):
                    yield pytest.param(name, list(dtypes), id=f"{name}-{'-'.join(dtypes)}")


@pytest.mark.parametrize(("name", "dtypes"), list(plain_operations()))
def test_columns_and_rows_have_the_same_bits(name, dtypes):
    rows, whole, alone = both(name, dtypes, {})
    differing = [row for row, a, b in zip(rows, whole, alone, strict=True) if bits(a) != bits(b)]
    assert not differing


@pytest.mark.parametrize(("name", "dtypes", "settings"), EXAMPLES)
def test_operations_with_settings_have_the_same_bits(name, dtypes, settings):
    _, whole, alone = both(name, dtypes, settings)
    assert list(map(bits, whole)) == list(map(bits, alone))


@pytest.mark.parametrize("dtype", ["float64", "int64", "str", "datetime"])
def test_where_takes_any_dtype(dtype):
    _, whole, alone = both("where", ["bool", dtype, dtype], {})
    assert list(map(bits, whole)) == list(map(bits, alone))


def test_the_comparison_sees_the_sign_of_zero():
    assert bits(0.0) != bits(-0.0)
    assert bits(1.0) != bits(math.nextafter(1.0, 2.0))
    assert bits(1) != bits(1.0)


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("divide", (1.0, 0.0), math.inf),
        ("divide", (-1.0, 0.0), -math.inf),
        ("divide", (1.0, -0.0), -math.inf),
        ("rint", (2.5, None), 2.0),
        ("rint", (-0.5, None), -0.0),
        ("round32", (1.0000000596046448, None), 1.0),
        ("smaller", (1.0, math.nan), 1.0),
        ("remainder", (-7.0, 3.0), 2.0),
    ],
)
def test_values_are_what_ieee_says(name, arguments, expected):
    dtypes = ["float64"] * sum(value is not None for value in arguments)
    rows, whole, _ = both(name, dtypes, {})
    wanted = [value for value in arguments if value is not None]
    results = [y for row, y in zip(rows, whole, strict=True) if list(map(bits, row)) == list(map(bits, wanted))]
    if not results:
        build = Builder()
        value = build.apply(name, *[build.input(f"c{i}", "float64") for i in range(len(wanted))])
        columns = {f"c{i}": np.array([v]) for i, v in enumerate(wanted)}
        results = make_executor(Plan(build.nodes, {}), [value.node]).run(columns, 1)[0].tolist()
    assert bits(results[0]) == bits(expected)


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_an_operation_is_documented_in_one_line(operation):
    assert operation.doc.endswith(".")
    assert "\n" not in operation.doc
    assert len(operation.doc) <= 110
    assert operation.doc[0].isupper() or operation.doc[0] in "`1e"


def test_every_elementary_function_is_an_operation():
    assert set(FUNCTIONS) <= set(OPERATIONS)
