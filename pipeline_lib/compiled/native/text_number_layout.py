"""Numbers in texts for the core: settings, and the digits and spaces beyond ASCII that Python reads in a number."""

from collections.abc import Sequence

import numpy as np

from pipeline_lib.compiled.native.encoded import Encoded, Encoders
from pipeline_lib.compiled.native.text_layout import SPACES, pairs_of
from pipeline_lib.compiled.native.word_index import Array
from pipeline_lib.compiled.operations.registry import Settings

_WAYS = ("python", "pandas")
ZEROS = """
660 6f0 7c0 966 9e6 a66 ae6 b66 be6 c66 ce6 d66 de6 e50 ed0 f20 1040 1090 17e0 1810 1946 19d0 1a80 1a90 1b50 1bb0 1c40
1c50 a620 a8d0 a900 a9d0 a9f0 aa50 abf0 ff10 104a0 10d30 11066 110f0 11136 111d0 112f0 11450 114d0 11650 116c0 11730
118e0 11950 11c50 11d50 11da0 16a60 16ac0 16b50 1d7ce 1d7d8 1d7e2 1d7ec 1d7f6 1e140 1e2f0 1e950 1fbf0
"""
"""The zero of each script beyond ASCII in Unicode 14, nine digits behind it; the tests compare them with Python's."""


def _digits_and_spaces() -> list[Array]:
    """Digits of each script, from its zero on, and spaces, as ranges."""
    tens = [[zero, zero + 9] for zero in (int(code, 16) for code in ZEROS.split())]
    spaces = [pair for pair in pairs_of(SPACES) if pair[0] >= ord("\x80")]
    return [np.array(pairs, dtype=np.int32).ravel() for pairs in (tens, spaces)]


def _number(settings: Settings, dtypes: Sequence[str], widths: Sequence[int]) -> Encoded:
    ints = [_WAYS.index(settings["how"]), int(settings.get("errors") == "refuse")]
    return Encoded("number_of_text", ints, _digits_and_spaces())


def _integer(settings: Settings, dtypes: Sequence[str], widths: Sequence[int]) -> Encoded:
    return Encoded("int_of_text", (), _digits_and_spaces())


def _decimal(settings: Settings, dtypes: Sequence[str], widths: Sequence[int]) -> Encoded:
    return Encoded("parse_number")


ENCODERS: Encoders = {"number_of_text": _number, "int_of_text": _integer, "parse_number": _decimal}
"""By operation of a plan."""
