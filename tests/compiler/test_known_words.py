"""The categories of a column: those of the look-up before it, of a raw category column, or none."""

import numpy as np
import pandas as pd
import pytest
from feature_engine.encoding import MeanEncoder
from lightgbm import LGBMClassifier
from sklearn.pipeline import make_pipeline

from pipeline_lib.compiler.builder import Builder
from pipeline_lib.compiler.compile import compile_pipeline
from pipeline_lib.compiler.fidelity import StepPlan
from pipeline_lib.compiler.known_words import known_words, note_words

TABLE = {"b": "b", "a": "a"}


def test_a_look_up_knows_the_words_that_it_lets_through():
    build = Builder()
    city = build.input("city", "str")
    assert known_words(city) == ()
    assert known_words(build.lookup(city, TABLE, "str")) == ("b", "a")
    assert known_words(build.lookup(city, TABLE, "str", mode="keep")) == ()  # any other word comes through
    assert known_words(build.lookup(city, TABLE, "str", unseen="c")) == ()


def test_the_plan_that_is_checked_knows_them_too():
    build = Builder()
    city = build.lookup(build.input("city", "str"), TABLE, "str")
    found = []
    StepPlan.write(lambda columns, copy: found.append(known_words(columns["city"])) or [], {"city": city})
    assert found == [("b", "a")]


def test_columns_that_a_library_gets_as_categories():
    build = Builder()
    values = [build.input("size", "float64"), build.input("city", "str")]
    note_words(values, pd.DataFrame({"size": [1.0], "city": pd.Categorical(["x"], ["x", "y"])}))
    assert [known_words(value) for value in values] == [(), ("x", "y")]
    numbers = build.lookup(values[1], {"x": 0.5}, "float64")
    assert known_words(numbers) == (0.5,)
    for rows in (pd.DataFrame({"city": [0.5]}), np.array([[0.5]])):  # which are no categories
        note_words([numbers], rows)
        assert known_words(numbers) == ()


@pytest.mark.filterwarnings("ignore:During the encoding, NaN values were introduced")
@pytest.mark.parametrize("unseen", ["ignore", "encode"])
def test_encoded_categories_are_numbers_to_lightgbm(unseen: str) -> None:
    frame = pd.DataFrame({"city": ["x", "y", "z", "y"] * 20, "size": [1.0, 2.0] * 40})
    target = [0, 1, 1, 0] * 20
    fitted = make_pipeline(MeanEncoder(unseen=unseen), LGBMClassifier(n_estimators=3, verbose=-1)).fit(frame, target)
    model = compile_pipeline(fitted, like=frame)
    other = frame.assign(city="never seen")
    assert model.predict_proba(other).tolist() == fitted.predict_proba(other).tolist()
