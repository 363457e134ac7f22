"""Cells as Python: lines of IPython, cells that are none, statements with their text."""

import pytest
from exploration import exploration

from pipeline_lib.project.from_notebook.source import in_order, source_cells, statements


@pytest.mark.parametrize(
    ("source", "python"),
    [
        ("%matplotlib inline\nx = 1", "pass\nx = 1"),
        ("if x:\n    !ls", "if x:\n    pass"),
        ("files = !ls *.csv", "files = None"),
        ("frame.head?", "pass"),
        ("%%time\nx = 1", "pass\nx = 1"),
        ('text = """\n%s\n!ls"""', 'text = """\n%s\n!ls"""'),
        ("rest = 7 % 2", "rest = 7 % 2"),
    ],
)
def test_lines_of_ipython_make_room_and_line_numbers_stay(source: str, python: str) -> None:
    (cell,) = source_cells(exploration([source]))
    assert (cell.python, cell.problem) == (python, "")
    assert bool(cell.magics) == (source != python)


@pytest.mark.parametrize(
    ("source", "problem"), [("%%bash\nls", "a cell of %%bash"), ("x = = 1", "a syntax error in line 1")]
)
def test_a_cell_that_is_no_python_has_a_problem_and_no_statements(source: str, problem: str) -> None:
    (cell,) = source_cells(exploration([source]))
    assert cell.problem.startswith(problem)
    assert statements([cell]) == []


def test_statements_keep_their_text_and_the_comments_above_them() -> None:
    source = (
        "a = 1; b = 2\n\n# why\n\n# twice\nc = f(\n    a,  # first\n)\n@cache\ndef g(): return 1\nh = 'é'; \n\n# end\n"
    )
    found = statements(source_cells(exploration([source])))
    texts = [statement.text for statement in found]
    assert texts == [
        "a = 1",
        "b = 2",
        "# why\n\n# twice\nc = f(\n    a,  # first\n)",
        "@cache\ndef g(): return 1",
        "h = 'é'\n\n# end",
    ]
    assert [statement.alone for statement in found] == [False, False, True, True, True]


def test_pairs_that_ran_the_other_way_round_are_found() -> None:
    cells = source_cells(exploration(["a", "b", "c", "d"], [1, 4, None, 2]))
    assert [(earlier.number, later.number) for earlier, later in in_order(cells)] == [(2, 4)]
    assert list(in_order(source_cells(exploration(["a", "b"], [1, 2])))) == []
