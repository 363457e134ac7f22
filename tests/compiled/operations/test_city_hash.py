"""CatBoost's hash of a category: equal to those in its exported models, for every length of text."""

import json

import numpy as np
import pandas as pd
import pytest

from pipeline_lib.compiled.operations.catalog import OPERATIONS
from pipeline_lib.compiled.operations.city_hash import category_hash
from pipeline_lib.compiled.operations.text_columns import TextColumn

LENGTHS = ([1, 2, 3, 4], [5, 8, 9, 16], [17, 24, 31, 32], [33, 48, 63, 64], [65, 128, 129, 300])


def word(length):
    return "".join(chr(97 + (7 * place + length) % 26) for place in range(length))


@pytest.mark.parametrize("words", [[word(n) for n in lengths] for lengths in LENGTHS] + [["Łódź", "Åre", "", "ß"]])
def test_catboost_stores_the_hash_of_a_word(words, tmp_path):
    catboost = pytest.importorskip("catboost")
    rows = pd.DataFrame({"word": words * 10})
    model = catboost.CatBoostRegressor(
        iterations=20, depth=2, cat_features=["word"], one_hot_max_size=9, verbose=0, allow_writing_files=False
    )
    model.fit(rows, np.tile([0.0, 1.0, 5.0, 25.0], 10))
    model.save_model(str(tmp_path / "model.json"), format="json")
    exported = json.loads((tmp_path / "model.json").read_text())["features_info"]["categorical_features"]
    hashes = {category_hash(word) for word in words}
    assert len(set(exported[0]["values"]) & hashes) == len(exported[0]["values"]) >= 3


def test_a_column_is_hashed_once_a_word_and_missing_has_no_hash():
    operation = OPERATIONS["city_hash"].column({})
    found = operation(TextColumn.of(["a", None, "b", "a"]))
    assert found[0] == found[3] == category_hash("a") != found[2]
    assert np.isnan(found[1])
    assert operation("a") == category_hash("a")
