import numpy as np
import pandas as pd
import pytest
from fe_plans import check_refused, checked, fitted
from feature_engine.text import TextFeatures
from feature_engine.text.text_features import TEXT_FEATURES
from word_ranges import is_word

from pipeline_lib.compiled.operations import text_features as strings
from pipeline_lib.compiled.operations.catalog import OPERATIONS
from pipeline_lib.compiled.operations.text_columns import TextColumn
from pipeline_lib.compiled.operations.unicode_tables import (
    contains,
    frozen_digits,
    frozen_lower,
    frozen_single_lower,
    frozen_spaces,
    frozen_word_ranges,
    lower,
    members,
)
from pipeline_lib.compiler.adapters.catalog import transform
from pipeline_lib.compiler.adapters.registry import NoPlanError
from pipeline_lib.compiler.builder import Builder
from pipeline_lib.errors import InputError

EVERYTHING = [chr(code) for code in (*range(0xD800), *range(0xE000, 0x110000))]
WORDS = [
    "Two  words.",
    "",
    "   ",
    None,
    "one one ONE two!",
    "a.\n",
    "a.\nb",
    "no end\n.",
    "\tTab\x0band\x1fmore\u00a0spaces\u3000 ",
    "١٢ digits 34",
    "Ünïcode ÄÖ äö Straße",
    "\u0391\u03a3 \u03b1\u03c2 \u0391\u03c3 \u03a3\u0391\u03a3",
    "x?!..y! Z.",
    "Ends?",
    "1",
    "A",
    "é",
    "\u2028line\u2029",
    "ǅ ǆ Ǆ",
]
TEXT = pd.DataFrame({"x": range(len(WORDS)), "t": pd.Series(WORDS, dtype="str")})


@pytest.mark.parametrize("dtype", ["str", "object"])
@pytest.mark.parametrize("options", [{}, {"drop_original": True}, {"features": ["is_empty", "lexical_diversity"]}])
def test_every_feature(dtype, options):
    rows = TEXT.astype({"t": dtype})
    checked(fitted(TextFeatures(["t"], **options), rows), rows)


def test_every_feature_of_the_library_has_a_plan():
    assert set(strings.TEXT_FEATURES) == set(TEXT_FEATURES)


@pytest.mark.parametrize("feature", sorted(TEXT_FEATURES))
def test_characters_of_all_of_unicode(feature):
    """Every character of the plane that is in use, in texts of 64 with a word before and behind."""
    texts = [f"A{''.join(EVERYTHING[start : start + 64])} b" for start in range(0, 0x20000, 64)]
    rows = pd.DataFrame({"t": pd.Series(texts, dtype="str")})
    step = fitted(TextFeatures(["t"], features=[feature]), rows)
    build = Builder()
    result = transform(step, {"t": build.input("t", "str")}, build)
    node = build.nodes[list(result.values())[-1].node]
    result = [OPERATIONS["text_feature"].column(node.settings)(TextColumn.of(texts))][0]
    np.testing.assert_array_equal(result, step.transform(rows).iloc[:, -1])


def test_missing_text_is_refused_where_the_library_raises():
    rows = TEXT.iloc[:3].reset_index(drop=True)
    step = fitted(TextFeatures(["t"], missing_values="raise"), rows)
    checked(step, rows)
    check_refused(step, TEXT.iloc[:4], "TextFeatures: found a missing value in column 't'")


def test_a_column_without_text_is_refused():
    rows = pd.DataFrame({"t": pd.Series([1.5, 2.0], dtype=object)})
    step = fitted(TextFeatures(["t"]), rows)
    build = Builder()
    with pytest.raises(NoPlanError, match="found float64 column 't', expected text"):
        transform(step, {"t": build.input("t", "float64")}, build)


def test_lower_case_that_pandas_dtypes_disagree_on_is_found():
    """For `str` Arrow lowers U+0130 to one letter, for object Python does to two: a plan has one of them."""
    rows = pd.DataFrame({"t": ["\u0130 i"]})
    step = fitted(TextFeatures(["t"]), rows)
    checked(step, rows)
    with pytest.raises(InputError, match="as the library computes it"):
        checked(step, rows.astype(object))


def test_a_wrong_table_is_found(monkeypatch):
    monkeypatch.setattr("pipeline_lib.compiler.adapters.feature_engine.text.frozen_digits", lambda: "09")
    with pytest.raises(InputError, match="as the library computes it"):
        checked(fitted(TextFeatures(["t"], features=["digit_count"]), TEXT), TEXT)


def test_lower_case_is_pythons_for_every_character_and_the_final_sigma():
    table = frozen_lower()
    for char in EVERYTHING:
        assert lower(char, table) == char.lower()
    around = [char for char in EVERYTHING if ord(char) < 0x3000]
    texts = [text for char in around for text in (f"A{char}Σ", f"{char}Σ", f"AΣ{char}", f"AΣ{char}b", f"Σ{char}Σ")]
    assert [lower(text, table) for text in texts] == [text.lower() for text in texts]


def test_sets_beside_a_sigma_are_those_that_python_looks_for():
    table = frozen_lower()
    some = [char for char in EVERYTHING if char < "\U00020000" or char >= "\U000e0000"]
    cased = {char for char in some if f"{char}Σ".lower()[-1] == "ς"}
    skipped = {char for char in some if f"A{char}Σ".lower()[-1] == "ς" and char not in cased}
    assert (members(table["cased"]), members(table["ignorable"])) == (cased, skipped)
    assert {"ª", "Ǆ"} <= cased
    assert {"\u0301", "\u00ad"} <= skipped


def test_lower_case_comes_from_the_table_not_from_the_running_python():
    assert lower("É", {}) == "É"
    assert lower("ÉA", {"É": "x"}) == "xa"
    assert lower("BÉÉ bÖA", {"É": "Y"}) == "bYY bÖa"
    assert lower("AΣ ÉΣ", {"Σ": "s", "É": "e"}) == "as es"  # a table without the sets has no final sigma


def test_sets_of_characters_are_those_of_re():
    words, spaces, digits = frozen_word_ranges(), frozen_spaces(), frozen_digits()
    text = pd.Series(EVERYTHING, dtype=object)
    assert [is_word(ord(char), words) for char in EVERYTHING] == text.str.match(r"\w").tolist()
    assert [contains(spaces, char) for char in EVERYTHING] == text.str.match(r"\s").tolist()
    assert sorted(members(digits)) == text[text.str.match(r"\d")].tolist()
    assert len(set(frozen_single_lower()) ^ (set(frozen_lower()) - {"cased", "ignorable"})) < 100
