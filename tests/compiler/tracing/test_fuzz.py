"""Generated examples of each recorded method: plans give the library's own bits, or numbers within declared ULPs."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from fuzz import ROWS, Calls, DifferenceError, try_call, try_calls
from fuzz_calls import CALLS, NAMES, NO_CALLS, calls_of
from fuzz_chains import PROGRAMS
from fuzz_values import table
from matrices import slow_sample

from pipeline_lib.compiler.tracing.recording import Recording
from pipeline_lib.compiler.tracing.registry import RULES

EXAMPLES = 200

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # pandas and NumPy compute with inf and NaN


def check_calls(name: str, examples: int) -> None:
    """Draw calls of a method: half of them must be recorded, and none may differ."""
    options, rule = calls_of(name)
    tally = try_calls(name, options, rule, examples=examples)
    assert not tally.differences, "\n".join(tally.differences)
    assert 2 * len(tally.refused) <= tally.draws, "\n".join(f"{each.code}: {each.refused}" for each in tally.refused)
    assert tally.examples >= examples


@pytest.mark.slow
@pytest.mark.parametrize("name", slow_sample(NAMES, 4))
def test_a_recorded_method_gives_what_the_library_gives(name: str) -> None:
    check_calls(name, EXAMPLES)


@pytest.mark.parametrize("name", [*NAMES[::24], *PROGRAMS])
def test_some_recorded_methods_give_what_the_library_gives(name: str) -> None:
    check_calls(name, 2 * ROWS)


def test_every_rule_has_calls_or_a_reason() -> None:
    assert set(RULES) == set(CALLS) | set(NO_CALLS)
    assert not set(CALLS) & set(NO_CALLS)
    assert all(each.templates for each in CALLS.values())


def of_the_value(call: Any) -> Any:
    """A wrong rule for `abs`: the value itself."""
    return call.value


def test_a_wrong_rule_is_refused_by_the_recorder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RULES, ("series", "abs"), replace(RULES["series", "abs"], write=of_the_value))
    with pytest.raises(AssertionError, match=r"the recorder's rule gives .* and the library"):
        check_calls("series: abs", ROWS)


def test_a_wrong_rule_that_no_shadow_sees_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RULES, ("series", "abs"), replace(RULES["series", "abs"], write=of_the_value))
    monkeypatch.setattr(Recording, "compare", lambda self, *args: None)
    with pytest.raises(AssertionError, match=r"X\[\"f\"\]\.abs\(\) \(seed \d+, 25 rows\): row \d+ alone, x0: the plan"):
        check_calls("series: abs", ROWS)


def test_an_unexpected_error_of_a_rule_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(call: Any) -> Any:
        return [][0]

    monkeypatch.setitem(RULES, ("series", "abs"), replace(RULES["series", "abs"], write=broken))
    with pytest.raises(AssertionError, match=r"IndexError"):
        check_calls("series: abs", ROWS)


def test_a_call_that_does_not_reach_its_rule_is_found() -> None:
    with pytest.raises(DifferenceError, match=r"recorded without the rule \('series', 'abs'\)"):
        try_call('X["f"] + {float}', 1, rule=("series", "abs"))


def test_a_call_that_is_always_refused_is_found() -> None:
    tally = try_calls("mean", Calls(('X["f"] - X["f"].mean()',)), None, examples=100)
    assert len(tally.refused) == tally.draws == 8
    assert tally.examples == 0
    assert not tally.differences


def test_a_seed_repeats_its_example() -> None:
    first, second = (try_call('X["f"].clip({float}, {positive})', 5) for _ in range(2))
    assert first == second
    assert first != try_call('X["f"].clip({float}, {positive})', 6)


def test_tables_are_random_rows_of_every_dtype() -> None:
    random = np.random.RandomState(0)
    first, second = table(random, 50), table(random, 50, far=True)
    assert {str(dtype) for dtype in first.dtypes} == {"float64", "int64", "bool", "str", "datetime64[us]"}
    assert first.dtypes.equals(second.dtypes)
    assert not first.equals(second)
    assert first[["f", "s", "d"]].isna().any().all()
    assert np.isinf(second["f"]).any()
    assert not np.isinf(first["f"]).any()
