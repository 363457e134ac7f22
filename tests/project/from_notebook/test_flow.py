"""The flow of data between statements."""

import ast

import pytest
from exploration import exploration

from pipeline_lib.project.from_notebook.flow import Flow
from pipeline_lib.project.from_notebook.names import names_of
from pipeline_lib.project.from_notebook.source import source_cells, statements


def flow_of(*sources: str) -> Flow:
    return Flow(statements(source_cells(exploration(sources))))


@pytest.mark.parametrize(
    ("source", "reads", "binds", "changes"),
    [
        ("x = y", "y", "x", ""),
        ("x += y", "x y", "x", ""),
        ("a, (b, *c) = d", "d", "a b c", ""),
        ("frame['a'] = 1", "frame", "", "frame"),
        ("frame.loc[rows, 'a'] = 1", "frame rows", "", "frame"),
        ("frame.columns = names", "frame names", "", "frame"),
        ("frame.dropna(inplace=True)", "frame", "", "frame"),
        ("frame.dropna(inplace=False)", "frame", "", ""),
        ("del frame['a']", "frame", "", "frame"),
        ("model.fit(X)", "X model", "", "model"),
        ("[f(v) for v in values]", "f values", "", ""),
        ("g = lambda v: v + w", "w", "g", ""),
        ("for i in rows:\n    total = total + i", "rows total", "i total", ""),
        ("with open(p) as h:\n    t = h.read()", "open p", "h t", ""),
        ("import numpy as np", "", "np", ""),
    ],
)
def test_names_of_a_statement(source: str, reads: str, binds: str, changes: str) -> None:
    names = names_of(ast.parse(source).body[0])
    assert (sorted(names.reads), sorted(names.binds), sorted(names.changes)) == (
        reads.split(),
        binds.split(),
        changes.split(),
    )


def test_a_function_reads_its_globals_when_it_is_called() -> None:
    names = names_of(ast.parse("def f(a, b=default):\n    c = a + rate\n    return c").body[0])
    assert (names.reads, names.late, names.binds) == ({"default"}, {"rate"}, {"f"})


def test_what_makes_a_value_is_found_through_changes_in_place() -> None:
    flow = flow_of("a = read()", "b = read()", "a['x'] = 1", "a = a.dropna()", "a['y'] = b", "use(a)")
    assert flow.made_by("a", 5) == [4, 3]
    assert flow.needed([("a", 5)]) == {0, 1, 2, 3, 4}
    assert flow.needed([("a", 2)]) == {0}


def test_a_loop_may_leave_the_earlier_value() -> None:
    flow = flow_of("best = None", "for x in range(3):\n    best = x", "print(best)")
    assert flow.made_by("best", 2) == [1, 0]


def test_own_functions_that_change_their_argument_are_known() -> None:
    flow = flow_of(
        "def add(frame):\n    frame['a'] = 1", "def same(frame):\n    return frame", "t = read()", "add(t)", "same(t)"
    )
    assert flow.made_by("t", 5) == [3, 2]


def test_names_that_are_read_before_they_are_bound() -> None:
    flow = flow_of("print(a)", "a = 1", "b = nowhere", "print(len(b))")
    assert flow.unbound() == [(0, "a", 1), (2, "nowhere", None)]
