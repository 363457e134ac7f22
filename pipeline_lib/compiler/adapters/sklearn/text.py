"""Text vectorizers of scikit-learn. Formulas: sklearn/feature_extraction/text.py and _hash.py.

A vectorizer takes one text column and makes one sparse column. What lower case, word characters, spaces and accents
are is frozen in the plan: Pythons differ in it.
"""

import re
import sys
import unicodedata
from functools import cache
from typing import Any

import numpy as np

from pipeline_lib.compiled.operations import unicode_tables as characters
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
    """How often each word of the vocabulary is in a document, or whether it is."""
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
    return {"x": _weighed(step, bag if bag.dtype == "bag" else build.apply("bag_join", bag), build)}


@transformer(
    "sklearn.feature_extraction.text.HashingVectorizer",
    options=f"{_READING} ngram_range analyzer n_features binary norm alternate_sign dtype",
)
def hashing(step: Any, columns: Columns, build: Builder) -> Columns:
    """Counts of words by their hashes, each row divided by its norm."""
    if np.dtype(step.dtype) != np.float64:
        raise option_error(step, "dtype", "float64")
    name, text = _document(step, columns)
    settings = {"vocabulary": None, "width": int(step.n_features), "signed": bool(step.alternate_sign)}
    bag = build.apply("document_counts", text, **_reading(step, name), **settings)
    return {name: bag if step.norm is None else build.apply("bag_normalize", bag, norm=step.norm)}


def _weighed(step: Any, bag: Value, build: Builder) -> Value:
    """`TfidfTransformer.transform`: logarithms, inverse document frequencies, the norm."""
    if step.sublinear_tf:
        bag = build.apply("bag_log_plus_one", bag)
    if hasattr(step, "idf_"):
        bag = build.apply("bag_scale", bag, weights=np.array(step.idf_, dtype=np.float64))
    return bag if step.norm is None else build.apply("bag_normalize", bag, norm=step.norm)


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
    settings = {"vocabulary": words, "width": len(words), "signed": False}
    return build.apply("document_counts", text, **_reading(step, name), **settings)


def _reading(step: Any, name: str) -> dict[str, Any]:
    """How a document becomes n-grams, as settings of `document_counts`."""
    if step.input != "content":
        raise option_error(step, "input", "'content'")
    for option in ("preprocessor", "tokenizer"):
        if getattr(step, option) is not None:
            raise option_error(step, option, "None: code of one's own is no part of a plan")
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
        "shortest": _shortest(step) if by_word else 1,
        "stop": sorted(step.get_stop_words() or ()) if by_word else [],
        "words": characters.frozen_word_ranges() if by_word else [],
        "spaces": [] if by_word else _pairs(characters.frozen_spaces()),
        "lower": _table(characters.frozen_lower()) if step.lowercase else None,
        "accents": _table(_accents(step.strip_accents)) if step.strip_accents else None,
        "hangul": step.strip_accents == "unicode",
        "binary": bool(step.binary),
    }


def _shortest(step: Any) -> int:
    """How many characters a word has at least, from a pattern of word characters alone."""
    found = _WORD.fullmatch(step.token_pattern)
    if found is None:
        raise option_error(step, "token_pattern", r"word characters alone, such as '(?u)\b\w\w+\b'")
    return int(found[2]) if found[2] else len(found[1]) // 2 + 1


def _pairs(ranges: str) -> list[list[int]]:
    return [[ord(first), ord(last)] for first, last in zip(ranges[::2], ranges[1::2], strict=True)]


def _table(table: dict[str, str]) -> list[list[str]]:
    return [list(table), list(table.values())]


@cache
def _accents(kind: str) -> dict[str, str]:
    """What `strip_accents_ascii` or `strip_accents_unicode` makes of each character beyond ASCII, if it changes it.

    Combining marks are dropped and ASCII never moves, so a document's characters can be taken one by one.
    """
    table = {}
    for code in range(128, sys.maxunicode + 1):
        char = chr(code)
        if 0xAC00 <= code <= 0xD7A3 or 0xD800 <= code <= 0xDFFF:
            continue  # Hangul syllables come apart by arithmetic; surrogates are no characters
        plain = unicodedata.normalize("NFKD", char)
        if kind == "ascii":
            made = plain.encode("ascii", "ignore").decode()
            if made:
                table[char] = made
        else:
            made = "".join(c for c in plain if not unicodedata.combining(c))
            if made != char:
                table[char] = made
    return table


@transformer("sklearn.feature_extraction._dict_vectorizer.DictVectorizer", options="dtype separator sparse sort")
@transformer("sklearn.feature_extraction._hash.FeatureHasher", options="n_features input_type dtype alternate_sign")
def refused(step: Any, columns: Columns, build: Builder) -> Columns:
    """Refused: a row of theirs is a mapping or a list, which no column of a plan holds."""
    raise RefusedStepError(
        f"{type(step).__name__}: found a step whose rows are mappings or lists, expected columns of numbers and text; "
        "make columns of them in `load`, and encode these"
    )
