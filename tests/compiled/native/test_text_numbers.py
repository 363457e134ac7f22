"""Numbers in texts, read by the core: the bits of Python, near the halves between two doubles too, and its refusals."""

import math
import random
import struct
import unicodedata
from decimal import Decimal, localcontext
from typing import Any
from unittest.mock import patch

import pytest
from shadowed import same_bits

from pipeline_lib.compiled.column_executor import ColumnExecutor
from pipeline_lib.compiled.native import core, text_number_layout
from pipeline_lib.compiled.native.executor import core_executor
from pipeline_lib.compiled.operations.text_columns import TextColumn
from pipeline_lib.compiled.operations.unicode_14 import is_known
from pipeline_lib.compiled.plan import Plan
from pipeline_lib.compiler.builder import Builder
from pipeline_lib.errors import InputError

pytestmark = [
    pytest.mark.core,
    pytest.mark.skipif(core.built() is None, reason="found no native core, which needs a C compiler"),
]
OPERATIONS: list[tuple[str, dict[str, Any]]] = [
    ("number_of_text", {"how": "python"}),
    ("number_of_text", {"how": "pandas", "errors": "refuse"}),
    ("int_of_text", {}),
    ("parse_number", {"name": "size", "where": "step"}),
]
EDGES = [" 1 ", "1_0", "1__0", "_1", "1_", "1_.5", "1.e5", "1e5_0", "e5", ".", "+.5", "0x1", "-0", "-0.0", "007", ""]
EDGES += ["nan", "-nan", "inf", " inf", "+Infinity", "-infinity\t", "infin", "1\x00", "\x1c1", "\x0b1", "\x851", "1é"]
EDGES += ["\u0661\u0662", "\uff11.\uff15", "\u2003-7\u2003", "\U0001d7d7", "9" * 400, "1" + "0" * 30, "0e99999999999"]
EDGES += ["9223372036854775807", "-9223372036854775808", "9223372036854775808", "1.7976931348623159e308", "1e308"]
EDGES += ["1e400", "-1e-400", "2.4703282292062327e-324", "2.4703282292062328e-324", "5e-324"]


def number(bits: int) -> float:
    return float(struct.unpack("<d", struct.pack("<Q", bits))[0])


def drawn_texts(draw: random.Random, count: int) -> list[str]:
    """Texts of doubles, of exact halves between two of them and of what is just above, and with many digits."""
    found: list[str] = []
    while len(found) < count:
        bits = draw.getrandbits(63) if draw.random() < 0.7 else draw.getrandbits(draw.randint(1, 53))
        low, high = number(bits), number(bits + 1)
        if not (math.isfinite(low) and math.isfinite(high)):
            continue
        with localcontext(prec=1200):
            half = format((Decimal(low) + Decimal(high)) / 2, draw.choice("fE"))
        above = f"{half}{'0' * draw.randint(0, 90)}1" if "." in half and "E" not in half else half
        digits = "".join(draw.choices("0123456789", k=draw.randint(1, 900)))
        found += [repr(low), half, above, f"{digits}e{draw.randint(-1300, 300)}", f"-0.{digits}", digits[:25]]
    return found


@pytest.mark.parametrize(("name", "settings"), OPERATIONS)
def test_the_core_reads_numbers_as_numpys_executor(name: str, settings: dict[str, Any]) -> None:
    build = Builder()
    root = build.apply(name, build.input("t", "str"), **settings).node
    plan = Plan(build.nodes, {})
    reference, executor = ColumnExecutor(plan, [root]), core_executor(plan, [root], ColumnExecutor, least=1)
    assert executor is not None
    assert executor.alone
    texts = [*EDGES, None, *drawn_texts(random.Random(5), 600)]  # noqa: S311 (no secret)
    answered = 0
    for text in texts:
        columns = {"t": TextColumn.of([text])}
        found = executor.quick(columns, 1)
        try:
            expected = reference.run(columns, 1)
        except InputError:
            assert found is None, text
            continue
        answered += 1
        assert found is not None, text
        assert same_bits(found[0], expected[0], 1), text
    assert 10 < answered <= len(texts) - (0 if settings.get("how") == "python" else 1)


def test_a_refused_text_has_numpys_words_and_row() -> None:
    build = Builder()
    root = build.apply("parse_number", build.input("t", "str"), name="size", where="step").node
    executor = core_executor(Plan(build.nodes, {}), [root], ColumnExecutor, least=1)
    assert executor is not None
    with pytest.raises(InputError, match=r"^row 2: step: found '1,5' in column 'size', expected a decimal number"):
        executor.run({"t": TextColumn.of(["1.5", None, "1,5", "x"])}, 4)


def test_the_zeros_are_those_of_every_script() -> None:
    digits = [chr(code) for code in range(0x80, 0x110000) if chr(code).isdecimal() and is_known(chr(code))]
    zeros = [f"{ord(char):x}" for char in digits if unicodedata.decimal(char) == 0]
    assert text_number_layout.ZEROS.split() == zeros
    assert [chr(int(zero, 16) + digit) for zero in zeros for digit in range(10)] == digits
    # negative control: a script that is left out is read as another text
    with patch.object(text_number_layout, "ZEROS", "6f0"):
        build = Builder()
        root = build.apply("int_of_text", build.input("t", "str")).node
        executor = core_executor(Plan(build.nodes, {}), [root], ColumnExecutor, least=1)
    assert executor is not None
    assert executor.quick({"t": TextColumn.of(["\u0661"])}, 1) is None
    assert executor.quick({"t": TextColumn.of(["\u06f1"])}, 1) is not None
