"""CountVectorizer, TfidfVectorizer, TfidfTransformer, HashingVectorizer; DictVectorizer, FeatureHasher are refused.

Formulas: sklearn/feature_extraction/text.py and _hash.py. A vectorizer takes one text column and returns one sparse
column. Python versions differ in Unicode tables, so the plan stores which characters are lower case, word
characters, spaces and accents.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np

from pipeline_lib.compiled.operations import unicode_tables as characters
from pipeline_lib.compiled.operations.token_patterns import frozen_pattern, needed_classes
from pipeline_lib.compiler.adapters.inputs import join_columns, numeric_columns
from pipeline_lib.compiler.adapters.registry import Columns, NoPlanError, RefusedStepError, option_error, transformer
from pipeline_lib.compiler.builder import Builder, Value

_READING = "input encoding decode_error strip_accents lowercase preprocessor tokenizer stop_words token_pattern"
_COUNTING = f"{_READING} ngram_range analyzer max_df min_df max_features vocabulary binary dtype"
_TFIDF = "norm use_idf smooth_idf sublinear_tf"
_WORD = re.compile(r"(?:\(\?u\))?(?:\\b)?(?:((?:\\w)*)\\w\+|\\w\{(\d+),\})(?:\\b)?")
_EXACT = ("int32", "int64", "uint32", "uint64", "float32", "float64")


@transformer("sklearn.feature_extraction.text.CountVectorizer", options=_COUNTING)
def count(step: Any, columns: Columns, build: Builder) -> Columns:
    """The count of each vocabulary word in a document, or 1 with `binary`."""
    if np.dtype(step.dtype).name not in _EXACT:
        raise option_error(step, "dtype", f"one of {', '.join(_EXACT)}")
    name, text = _document(step, columns)
    return {name: _counted(step, name, text, build)}


@transformer("sklearn.feature_extraction.text.TfidfVectorizer", options=f"{_COUNTING} {_TFIDF}")
def tfidf_of_text(step: Any, columns: Columns, build: Builder) -> Columns:
    """Counts, then their TF-IDF."""
    if np.dtype(step.dtype) != np.float64:
        raise option_error(step, "dtype", "float64")
    name, text = _document(step, columns)
    return {name: _weighed(step._tfidf, _counted(step, name, text, build), build)}


@transformer("sklearn.feature_extraction.text.TfidfTransformer", options=_TFIDF)
def tfidf(step: Any, columns: Columns, build: Builder) -> Columns:
    """The TF-IDF of counts."""
    values = list(numeric_columns(step, columns, build).values())
    bag = join_columns(values, build)
    return {"x": _weighed(step, bag if bag.dtype == "bag" else build.sparse_join(bag), build)}


@transformer(
    "sklearn.feature_extraction.text.HashingVectorizer",
    options=f"{_READING} ngram_range analyzer n_features binary norm alternate_sign dtype",
)
def hashing(step: Any, columns: Columns, build: Builder) -> Columns:
    """Counts of words by their hashes, each row divided by its norm."""
    if np.dtype(step.dtype) != np.float64:
        raise option_error(step, "dtype", "float64")
    name, text = _document(step, columns)
    width, signed = int(step.n_features), bool(step.alternate_sign)
    bag = build.document_counts(text, **_reading(step, name), vocabulary=None, width=width, signed=signed)
    return {name: bag if step.norm is None else build.sparse_normalize(bag, norm=step.norm)}


def _weighed(step: Any, bag: Value, build: Builder) -> Value:
    """`TfidfTransformer.transform`: logarithms, inverse document frequencies, the norm."""
    if step.sublinear_tf:
        bag = build.sparse_log_plus_one(bag)
    if hasattr(step, "idf_"):
        bag = build.sparse_scale(bag, weights=np.array(step.idf_, dtype=np.float64))
    return bag if step.norm is None else build.sparse_normalize(bag, norm=step.norm)


def _document(step: Any, columns: Columns) -> tuple[str, Value]:
    if len(columns) != 1:
        raise NoPlanError(
            f"{type(step).__name__}: found {len(columns)} columns, expected one text column; name it by a string, not "
            "a list, in a ColumnTransformer"
        )
    ((name, value),) = columns.items()
    if value.dtype != "str":
        raise NoPlanError(f"{type(step).__name__}: found {value.dtype} column {name!r}, expected text; cast it before")
    return name, value


def _counted(step: Any, name: str, text: Value, build: Builder) -> Value:
    words = sorted(step.vocabulary_, key=step.vocabulary_.__getitem__)
    if not all(isinstance(word, str) for word in words):
        raise option_error(step, "vocabulary", "words as text")
    return build.document_counts(text, **_reading(step, name), vocabulary=words, width=len(words), signed=False)


def _reading(step: Any, name: str) -> dict[str, Any]:
    """The settings of `document_counts`: how a document becomes n-grams."""
    if step.input != "content":
        raise option_error(step, "input", "'content'")
    for option in ("preprocessor", "tokenizer"):
        if getattr(step, option) is not None:
            raise option_error(step, option, "None: a plan holds no own code")
    if callable(step.analyzer):
        raise option_error(step, "analyzer", "'word', 'char' or 'char_wb'")
    if callable(step.strip_accents):
        raise option_error(step, "strip_accents", "'ascii', 'unicode' or None")
    by_word = step.analyzer == "word"
    return {
        "name": name,
        "where": type(step).__name__,
        "analyzer": step.analyzer,
        "ngrams": [int(length) for length in step.ngram_range],
        **(_words(step) if by_word else {"shortest": 1}),
        "stop": sorted(step.get_stop_words() or ()) if by_word else [],
        "words": characters.frozen_word_ranges() if by_word else [],
        "spaces": [] if by_word else _pairs(characters.frozen_spaces()),
        "lower": _table(characters.frozen_lower()) if step.lowercase else None,
        "accents": _table(_accents(step.strip_accents)) if step.strip_accents else None,
        "hangul": step.strip_accents == "unicode",
        "binary": bool(step.binary),
    }


def _words(step: Any) -> dict[str, Any]:
    """How words are found: runs of word characters of a minimum length, or the matches of another token pattern."""
    match = _WORD.fullmatch(step.token_pattern)
    if match is not None:
        return {"shortest": int(match[2]) if match[2] else len(match[1]) // 2 + 1}
    if re.compile(step.token_pattern).flags & ~int(re.UNICODE):
        raise option_error(step, "token_pattern", "one without flags")
    needed = needed_classes(step.token_pattern)
    tables = {"digits": characters.frozen_digits(), "blanks": characters.frozen_spaces()}
    try:
        frozen_pattern(step.token_pattern, {"w": [], "d": [], "s": []})
    except ValueError as error:
        raise option_error(step, "token_pattern", f"a pattern without {error}") from None
    used = {name: tables[name] for name, letter in (("digits", "d"), ("blanks", "s")) if letter in needed}
    return {"shortest": 1, "pattern": step.token_pattern, **used}


def _pairs(ranges: str) -> list[list[int]]:
    return [[ord(first), ord(last)] for first, last in zip(ranges[::2], ranges[1::2], strict=True)]


def _table(table: dict[str, str]) -> list[list[str]]:
    return [list(table), list(table.values())]


def _decomposed() -> Iterator[str]:
    """The characters beyond ASCII of blocks in which some are combining marks, or have a decomposition."""
    for block in characters.blocks_beyond_ascii():
        if unicodedata.normalize("NFKD", block) != block or any(map(unicodedata.combining, block)):
            yield from (char for char in block if not _is_syllable(char))


def _is_syllable(char: str) -> bool:
    """Whether a character is a syllable of Hangul, which is decomposed by arithmetic."""
    return "\uac00" <= char <= "\ud7a3"


@cache
def _accents(kind: str) -> dict[str, str]:
    """The result of `strip_accents_ascii` or `strip_accents_unicode` for each non-ASCII character that it changes.

    Combining marks are dropped and ASCII stays unchanged, so a document can be converted character by character.
    """
    table = {}
    for char in _decomposed():
        plain = unicodedata.normalize("NFKD", char)
        if kind == "ascii":
            result = plain.encode("ascii", "ignore").decode()
            if result:
                table[char] = result
        else:
            result = "".join(c for c in plain if not unicodedata.combining(c))
            if result != char:
                table[char] = result
    return table


@transformer("sklearn.feature_extraction._dict_vectorizer.DictVectorizer", options="dtype separator sparse sort")
@transformer("sklearn.feature_extraction._hash.FeatureHasher", options="n_features input_type dtype alternate_sign")
def refused(step: Any, columns: Columns, build: Builder) -> Columns:
    """Refused: their rows are mappings or lists, and a plan has no such column."""
    raise RefusedStepError(
        f"{type(step).__name__}: found a step whose rows are mappings or lists, expected columns of numbers and text; "
        "make columns of them in `load`, and encode these"
    )
