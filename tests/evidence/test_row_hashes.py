"""A raw value has the same hash whatever kind its column has, and another one under another key."""

import random
from datetime import date, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pipeline_lib.evidence.row_hashes import CLASSES, hashes_of_column, hashes_of_rows
from pipeline_lib.rows.arrow_arrays import ARROW_TYPES
from pipeline_lib.rows.column import KINDS

KEY = "abcdefghijklmnop"
WORD = 2**64 - 1


def hashes(kind: str, values: Any, key: str = KEY) -> list[int]:
    column = pa.chunked_array([pa.array(values, ARROW_TYPES[kind])])
    result: list[int] = hashes_of_column(column, kind, key).tolist()
    return result


def sip_hash(key: bytes, content: bytes) -> int:
    """SipHash-2-4, written down from its paper."""
    first, second = (int.from_bytes(key[start : start + 8], "little") for start in (0, 8))
    v = [
        first ^ 0x736F6D6570736575,
        second ^ 0x646F72616E646F6D,
        first ^ 0x6C7967656E657261,
        second ^ 0x7465646279746573,
    ]
    words = [content[start : start + 8] for start in range(0, len(content) // 8 * 8, 8)]
    last = content[len(content) // 8 * 8 :].ljust(7, b"\0") + bytes([len(content) % 256])
    for word in [*words, last]:
        number = int.from_bytes(word, "little")
        v[3] ^= number
        sip_round(sip_round(v))
        v[0] ^= number
    v[2] ^= 0xFF
    for _ in range(4):
        sip_round(v)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def sip_round(v: list[int]) -> list[int]:
    for one, other, bits in ((0, 1, 13), (2, 3, 16), (0, 3, 21), (2, 1, 17)):
        v[one] = (v[one] + v[other]) & WORD
        v[other] = rotated(v[other], bits) ^ v[one]
        v[one] = rotated(v[one], 32) if bits in (13, 17) else v[one]
    return v


def rotated(number: int, bits: int) -> int:
    return (number << bits | number >> 64 - bits) & WORD


def mixed(number: int) -> int:
    """What pandas does with a SipHash: a permutation of the 64-bit numbers."""
    number = (number ^ number >> 30) * 0xBF58476D1CE4E5B9 & WORD
    number = (number ^ number >> 27) * 0x94D049BB133111EB & WORD
    return number ^ number >> 31


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("integer", 1, 8294575962797881851),
        ("number", 1.5, 4754093054000091916),
        ("string", "Köln", 15368352492059538808),
        ("datetime", datetime(2026, 11, 30, 12), 13186742782004166583),
        ("boolean", None, 5346234673552888495),
        ("integer", 2**53 + 1, 567446422958416711),
    ],
)
def test_the_hash_of_a_value_stays(kind: str, value: Any, expected: int) -> None:
    assert hashes(kind, [value]) == [expected]


@pytest.mark.parametrize(
    ("kind", "value", "content"),
    [
        ("integer", 1, b"\x00\x00\x00\x00\x00\x00\xf0\x3f"),
        ("number", -0.0, b""),
        ("string", "Köln", "Köln".encode()),
        ("string", None, b"\xff is missing"),
        ("integer", 2**53 + 1, b"\x01\x00\x00\x00\x00\x00\x20\x00\x01"),
        ("date", date(1970, 1, 2), (86_400_000_000).to_bytes(8, "little").rstrip(b"\0")),
    ],
)
def test_a_hash_is_the_sip_hash_of_the_canonical_bytes(kind: str, value: Any, content: bytes) -> None:
    assert hashes(kind, [value]) == [mixed(sip_hash(KEY.encode(), content))]


def test_the_sip_hash_of_these_tests_is_the_published_one() -> None:
    assert sip_hash(bytes(range(16)), bytes(range(15))) == 0xA129CA6149BE45E5  # Aumasson, Bernstein 2012, appendix A


def test_the_hash_of_a_row_stays_and_the_order_of_its_columns_says_nothing() -> None:
    columns = {"a": np.array([1, 2], np.uint64), "b": np.array([3, 3], np.uint64)}
    rows = hashes_of_rows(columns)
    assert rows.tolist() == [4423820711747990644, 3563156779521628949]
    assert hashes_of_rows(dict(reversed(columns.items()))).tolist() == rows.tolist()
    assert hashes_of_rows({"a": columns["b"], "b": columns["a"]})[0] != rows[0]


def test_every_kind_has_a_class() -> None:
    assert set(CLASSES) == set(KINDS)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("integer", 1), ("number", 1.0)),
        (("integer", 1), ("boolean", True)),
        (("integer", 0), ("number", -0.0)),
        (("number", 0.0), ("number", -0.0)),
        (("integer", -5), ("number", -5.0)),
        (("integer", 2**53), ("number", 2.0**53)),
        (("integer", 2**53 + 2), ("number", 2.0**53 + 2)),
        (("integer", 2**62), ("number", 2.0**62)),
        (("integer", -(2**63)), ("number", -(2.0**63))),
        (("number", float("nan")), ("number", None)),
        (("number", None), ("integer", None)),
        (("number", None), ("string", None)),
        (("date", None), ("datetime", None)),
        (("boolean", None), ("string", None)),
        (("date", date(2026, 11, 30)), ("datetime", datetime(2026, 11, 30))),
        (("date", date(1, 1, 1)), ("datetime", datetime(1, 1, 1))),
        (("date", date(9999, 12, 31)), ("datetime", datetime(9999, 12, 31))),
    ],
)
def test_equal_values_have_equal_hashes(one: tuple[str, Any], other: tuple[str, Any]) -> None:
    assert hashes(one[0], [one[1]]) == hashes(other[0], [other[1]])


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("number", [0.0, 1.0, -1.0, 1.5, 256.0, 2.0**53, 2.0**63, float("inf"), float("-inf"), 5e-324, None]),
        ("integer", [0, 1, -1, 256, 2**53, 2**53 + 1, 2**53 + 2, -(2**53) - 1, 2**63 - 1, 2**63 - 2, -(2**63), None]),
        (
            "string",
            ["", " ", "a", "A", "a ", "None", "nan", "NaN", "1", "1.0", "\x00", "a\x00", "\u00e9", "e\u0301", None],
        ),
        ("datetime", [datetime(1970, 1, 1), datetime(1970, 1, 1, 0, 0, 0, 1), datetime(1969, 12, 31), None]),
        ("boolean", [True, False, None]),
    ],
)
def test_different_values_have_different_hashes(kind: str, values: list[Any]) -> None:
    assert len(set(hashes(kind, values))) == len(values)
    for value, alone in zip(values, hashes(kind, values), strict=True):
        assert hashes(kind, [value]) == [alone]  # whatever stands beside it


@pytest.mark.parametrize("kind", KINDS)
def test_another_key_gives_other_hashes(kind: str) -> None:
    values = {
        "integer": [1, 2**53 + 1], "number": [1.0, 2.5], "string": ["a", ""], "boolean": [True, False],
        "datetime": [datetime(2020, 1, 1)], "date": [date(2020, 1, 1)],
    }[kind]  # fmt: skip
    one, other = hashes(kind, [*values, None]), hashes(kind, [*values, None], KEY[::-1])
    assert set(one).isdisjoint(other)


@pytest.mark.parametrize("seed", range(20))
def test_hashes_agree_with_equality_in_python(seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311  not a secret
    special = [0, -1, 2**53, 2**53 + 1, 2**63 - 1, -(2**63)]
    whole = [draw.choice([*special, draw.randint(-300, 300), draw.randint(-(2**63), 2**63 - 1)]) for _ in range(200)]
    floats = [draw.choice([float(value), draw.uniform(-2, 2), None, float("nan")]) for value in whole]
    pairs = list(zip(whole, hashes("integer", whole), strict=True))
    pairs += list(zip(floats, hashes("number", floats), strict=True))
    by_hash: dict[int, Any] = {}
    for value, hashed in pairs:
        canonical = None if value is None or value != value else value
        assert by_hash.setdefault(hashed, canonical) == canonical
    assert len(by_hash) == len(set(by_hash.values()))


def test_chunks_slices_and_dictionaries_make_no_difference() -> None:
    values = ["a", None, "b", "a", ""] * 3
    whole = pa.array(values, pa.string())
    expected = hashes("string", values)
    for column in (
        pa.chunked_array([whole.slice(0, 4), whole.slice(4)]),
        pa.chunked_array([pa.array(["x", *values], pa.string()).slice(1)]),
        pa.chunked_array([whole]).dictionary_encode(),
        pa.chunked_array([whole.slice(0, 4).dictionary_encode(), whole.slice(4).dictionary_encode()]),
        pa.chunked_array([whole.cast(pa.large_string())]),
        pa.chunked_array([pa.DictionaryArray.from_arrays([0, 1, 2, 0, 3] * 3, pa.array(["a", None, "b", ""]))]),
    ):
        assert hashes_of_column(column, "string", KEY).tolist() == expected
    numbers = pa.array([0.5, None, float("nan"), -0.0], pa.float64())
    cut = pa.chunked_array([numbers.slice(0, 1), numbers.slice(1)])
    assert hashes_of_column(cut, "number", KEY).tolist() == hashes("number", [0.5, None, None, 0.0])


@pytest.mark.parametrize("kind", KINDS)
def test_no_rows_have_no_hashes(kind: str) -> None:
    assert hashes(kind, []) == []
    assert hashes(kind, [None, None])[0] == hashes("string", [None])[0]
