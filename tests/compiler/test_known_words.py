"""The categories of a column: those of the look-up before it, of a raw category column, or none."""

import pandas as pd

from pipeline_lib.compiler.builder import Builder
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
    note_words(values[:1], [[1.0]])  # an array has no categories
