"""How a CSV file is written: its encoding, delimiter, decimal mark and marks of missing values."""

import codecs
import csv
import gzip
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from pipeline_lib.errors import InputError

ENCODINGS = ("utf-8", "cp1252")
"""Tried in this order: cp1252 refuses five bytes only, so it comes last."""
_SAMPLE_BYTES = 4_000_000
_DELIMITERS = (",", ";", "\t", "|")
_COMMA_NUMBER = re.compile(r"[+-]?\d+,\d+(e[+-]?\d+)?", re.IGNORECASE)
_COMMA_GROUPS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")
_POINT_NUMBER = re.compile(r"[+-]?\d*\.\d+(e[+-]?\d+)?", re.IGNORECASE)
_POINT_GROUPS = re.compile(r"[+-]?\d{1,3}(\.\d{3})+,\d+")


@dataclass(frozen=True)
class TextFormat:
    """The options of `pandas.read_csv` that a file needs."""

    encoding: str = "utf-8"
    sep: str = ","
    decimal: str = "."
    thousands: str = ""
    skipinitialspace: bool = False


@contextmanager
def fields_that_fit(shown: str) -> Iterator[None]:
    """InputError for a field that is too long for CSV, as after a quote that is never closed."""
    try:
        yield
    except csv.Error as error:
        raise InputError(
            f"{shown}: found a field that is no CSV ({error}), expected at most {csv.field_size_limit():,} characters "
            "and closed quotes; correct it, or save the data as Parquet"
        ) from error


def text_format(path: Path, shown: str) -> TextFormat:
    """The format of a CSV file, from its first megabytes; raises InputError for a file that is not text."""
    head, whole = _head(path, shown)
    encoding = _encoding(head, path, shown, whole=whole)
    text = head.decode(encoding, errors="ignore")
    lines = text.splitlines(keepends=True)
    lines = lines if whole or len(lines) < 2 else lines[:-1]
    if not any(line.strip() for line in lines):
        raise InputError(f"{shown}: found an empty file, expected a header and rows; write the data into it")
    with fields_that_fit(shown):
        sep = _delimiter(lines)
        rows = list(csv.reader(lines[1:5001], delimiter=sep))
    fields = [field for row in rows for field in row]
    later = [field for row in rows for field in row[1:] if field]
    spaces = bool(later) and sum(field.startswith(" ") for field in later) > len(later) / 2
    decimal, thousands = _marks(sep, map(str.strip, fields))
    return TextFormat(encoding, sep, decimal, thousands, spaces)


def opened(path: Path) -> IO[bytes]:
    """A file opened to read bytes; a gzip file is unpacked."""
    return cast(IO[bytes], gzip.open(path)) if path.suffix.lower() == ".gz" else path.open("rb")


def _head(path: Path, shown: str) -> tuple[bytes, bool]:
    """The first bytes of a file, and whether they are all."""
    try:
        with opened(path) as file:
            head = file.read(_SAMPLE_BYTES + 1)
    except (OSError, EOFError) as error:
        raise InputError(f"{shown}: found an unreadable file ({error}), expected a CSV file; check it") from error
    return head[:_SAMPLE_BYTES], len(head) <= _SAMPLE_BYTES


def _encoding(head: bytes, path: Path, shown: str, *, whole: bool) -> str:
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if b"\0" in head:
        raise InputError(f"{shown}: found bytes that are no text, expected a CSV file; {FORMATS}")
    for encoding in ENCODINGS:
        if _decodes(path, encoding) if not whole else _is_text(head, encoding):
            return encoding
    return "latin-1"


def _is_text(head: bytes, encoding: str) -> bool:
    try:
        head.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _decodes(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with opened(path) as file:
            while block := file.read(1 << 22):
                decoder.decode(block)
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _delimiter(lines: list[str]) -> str:
    """The delimiter that splits the most lines into as many fields as the header has, more than one; else a comma."""
    best, score = ",", 0.0
    for sep in _DELIMITERS:
        counts = Counter(len(row) for row in csv.reader(lines[:200], delimiter=sep) if row)
        header = len(next(csv.reader(lines[:1], delimiter=sep), []))
        agreeing = counts[header] / max(sum(counts.values()), 1)
        value = agreeing * (header > 1) + min(header, 1000) / 1e6
        if header > 1 and value > score:
            best, score = sep, value
    return best


def _marks(sep: str, fields: Iterable[str]) -> tuple[str, str]:
    """Decimal and thousands marks of the numbers among the fields.

    Where some have a decimal point and others a decimal comma, most different values decide: the others are text.
    """
    values = set(fields)
    groups = {value for value in values if _COMMA_GROUPS.fullmatch(value)}
    commas = {value for value in values if _COMMA_NUMBER.fullmatch(value)}
    points = {value for value in values if _POINT_NUMBER.fullmatch(value)} | {each for each in groups if "." in each}
    if any(_POINT_GROUPS.fullmatch(value) for value in values):
        return ",", "."
    if len(commas) > len(points) and (sep == ";" or commas - groups):
        return ",", ""
    return ".", "," if groups else ""


FORMATS = "save it as CSV, Parquet, Arrow (Feather) or Excel (.xlsx)"
