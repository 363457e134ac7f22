"""What a plan says of itself: the values of its own that belong to one raw column."""

from pipeline_lib.compiled.plan import Plan
from pipeline_lib.compiler.builder import Builder


def test_own_values_are_those_beside_one_raw_column() -> None:
    build = Builder()
    a, b, town = build.input("a", "float64"), build.input("b", "float64"), build.input("town", "str")
    rank = build.lookup(town, {"Ames": 1.0, "Salem": 2.0}, "float64")
    _ = [a > 5.0, a > 5.0, rank > 1.5, build.sqrt(b) > 0.25]
    both = build.sum([a, b])
    _ = [both > 7.0, build.sqrt(both) > 8.0]  # of several columns: of none alone
    _ = build.value(1.0) + build.value(2.0)
    assert Plan(build.nodes, {}).own_values() == {"a": [5.0], "b": [0.25], "town": ["Ames", "Salem", 1.5]}
