"""Parts of a text, and numbers written in it: the same for columns and for one row, and as the standard library."""

import math
import struct

import pytest

from pipeline_lib.compiled.distinct_values import make_executor
from pipeline_lib.compiled.operations.text_columns import TextColumn
from pipeline_lib.compiled.plan import Plan
from pipeline_lib.compiled.row_executor import row_function
from pipeline_lib.compiler.builder import Builder
from pipeline_lib.errors import InputError
from pipeline_lib.rows.column import Column
from pipeline_lib.rows.schema import RowSchema

pytestmark = pytest.mark.core

SCHEMA = RowSchema((Column("t", "string", nullable=True),))
NUMBERS = {"name": "t", "where": "Step"}


def both(operation, words, **settings):
    """What the operation makes of words, as a column and row by row."""
    build = Builder()
    result = build.apply(operation, build.input("t", "str"), **settings)
    plan = Plan(build.nodes, {"y": result.node})
    one = row_function(plan, [result.node], SCHEMA)
    column = make_executor(plan, [result.node]).run({"t": TextColumn.of(words)}, len(words))[0].tolist()
    return column, [one({"t": word})[0] for word in words]


@pytest.mark.parametrize("word", ["0", "-0.0", "+7", ".5", "5.", "1e3", "0.1", "1E-400", "2.2250738585072011e-308"])
def test_a_decimal_number_is_read_as_python_reads_it(word):
    bits = struct.pack("<d", float(word))
    assert [struct.pack("<d", value[0]) for value in both("parse_number", [word], **NUMBERS)] == [bits, bits]


def test_no_text_is_no_number():
    assert all(math.isnan(value[0]) for value in both("parse_number", [None], **NUMBERS))


@pytest.mark.parametrize("word", ["", "?", "1,5", " 1", "1 ", "1_000", "nan", "inf", "1e999", "0x10", "\u0661", "1\n"])
def test_what_is_no_decimal_number_is_refused(word):
    build = Builder()
    result = build.apply("parse_number", build.input("t", "str"), **NUMBERS)
    plan = Plan(build.nodes, {"y": result.node})
    message = "Step: found .* in column 't', expected a decimal number; correct the row"
    with pytest.raises(InputError, match=f"row 1: {message}"):
        make_executor(plan, [result.node]).run({"t": TextColumn.of(["1", word])}, 2)
    with pytest.raises(InputError, match=message):
        row_function(plan, [result.node], SCHEMA)({"t": word})


def test_a_word_that_no_row_has_refuses_none():
    build = Builder()
    result = build.apply("parse_number", build.input("t", "str"), **NUMBERS)
    text = TextColumn.of(["1", "?"])
    one = TextColumn(text.codes[:1], text.words)
    value = make_executor(Plan(build.nodes, {"y": result.node}), [result.node]).run({"t": one}, 1)
    assert value[0].tolist() == [1.0]


@pytest.mark.parametrize(
    ("pattern", "word", "part"),
    [
        (r", ([A-Z][a-z]+)\.", "Allen, Miss. Elisabeth", "Miss"),
        (r", ([A-Z][a-z]+)\.", "Allen", None),
        (r"^([A-Z])", "C22 C26", "C"),
        (r"(\w+)", "éa", "a"),  # ASCII's word characters: Unicode's differ between Pythons
        (r"(x)?b", "ab", None),
        (r"()", "", ""),
        (r"(.)", None, None),
    ],
)
def test_the_first_group_of_the_first_match_is_the_part(pattern, word, part):
    assert both("extract", [word], pattern=pattern) == ([part], [part])
