"""Grids: values, ranges, and what none can be."""

import pytest

from pipeline_lib.errors import InputError
from pipeline_lib.sweeps.grid import parse_grid, product


def values(text: str) -> list[dict[str, str]]:
    return product(parse_grid([text]))


def test_a_grid_has_values_ranges_of_whole_numbers_and_lists() -> None:
    assert values("a=0.1,text") == [{"a": "0.1"}, {"a": "text"}]
    assert values("seed=-1..1") == [{"seed": "-1"}, {"seed": "0"}, {"seed": "1"}]
    assert values('l=[1,2],["a,b"]') == [{"l": "[1,2]"}, {"l": '["a,b"]'}]
    assert product(parse_grid(["a=1,2", "b=3,4"]))[1] == {"a": "1", "b": "4"}


def test_python_values_become_text_that_reads_back_equal() -> None:
    axes = parse_grid({"a": [0.1 + 0.2, None, True], "b": [[1, 2]], "c": range(2)})
    assert [axis.values for axis in axes] == [("0.30000000000000004", "null", "true"), ("[1, 2]",), ("0", "1")]


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["seed"], "no `key=values`"),
        (["a=1,,2"], "empty value"),
        (["a=1,1"], "more than once"),
        (["a=5..1"], "smaller number first"),
        (["a=0..1e3:log"], "above 0"),
        (["a=1", "a=2"], "every key once"),
        (["a=0.1..0.2"], "--random N"),
        (["a=0..99999", "b=0..9"], "at most 100,000"),
    ],
)
def test_what_no_grid_can_be_is_refused(texts: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        product(parse_grid(texts))


def test_a_mapping_gives_lists_or_the_text_of_a_range_and_nothing_else() -> None:
    assert product(parse_grid({"seed": "0..1"})) == [{"seed": "0"}, {"seed": "1"}]
    assert product(parse_grid({"seed": "1,2"})) == [{"seed": "1"}, {"seed": "2"}]
    assert parse_grid({"alpha": "0.1..1:log"})[0].is_range
    for values in (1.0, {"low": 1}):
        with pytest.raises(InputError, match=r"grid\['alpha'\]: found .*, expected a list of values or a text; write"):
            parse_grid({"alpha": values})  # type: ignore[dict-item]
