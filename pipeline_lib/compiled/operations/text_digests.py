"""The number of a text among a fixed count of buckets, by a digest that every platform computes alike."""

import hashlib
from collections.abc import Callable

import numpy as np

from pipeline_lib.compiled.operations.registry import Settings, operation
from pipeline_lib.compiled.operations.setting_types import INTEGER, one_of
from pipeline_lib.compiled.operations.text_columns import column_of_words
from pipeline_lib.errors import InputError

# what hashlib has on every platform, without those of variable length
METHODS = tuple(sorted(name for name in hashlib.algorithms_guaranteed if not name.startswith("shake")))


def _bind_row(settings: Settings) -> Callable[[str | None], int]:
    method: str = settings["method"]
    buckets: int = settings["buckets"]

    def bucket(text: str | None) -> int:
        digest = hashlib.new(method, ("nan" if text is None else text).encode(), usedforsecurity=False).digest()
        return int.from_bytes(digest, "big") % buckets

    return bucket


def _check(settings: Settings) -> None:
    if settings["buckets"] < 1:
        raise InputError(f"found buckets={settings['buckets']}, expected a whole number from 1 on; correct the plan")


# A missing text is the word "nan", as str() of what pandas has for it.
operation(
    "digest_bucket",
    ("str",),
    "int64",
    doc="The digest of a text as a whole number, modulo `buckets`; a missing text is the word `nan`.",
    settings={"method": one_of(METHODS), "buckets": INTEGER},
    check=_check,
    column=lambda settings: column_of_words(_bind_row(settings), np.int64),
    row=_bind_row,
    abs_max=lambda settings, maxima: float(settings["buckets"] - 1),
)
