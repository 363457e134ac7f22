"""What was preloaded stays unknown to a process until it imports it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from example import HOUSES

from pipeline_lib.project.project import find_project
from pipeline_lib.runner.warm.cold_only import check_packages, hidden_modules_here
from pipeline_lib.runner.warm.module_list import preload_names

UNKNOWN = """
import xml, sys
found = [hasattr(xml, 'sax'), 'xml.sax' in sys.modules, 'numpy' in sys.modules]
import xml.sax
found += [hasattr(xml, 'sax'), hasattr(xml.sax, 'saxutils')]
import xml.sax.saxutils
found += [hasattr(xml.sax, 'saxutils'), 'xml.sax.handler' in sys.modules]
"""


def test_a_preloaded_module_is_unknown_until_it_is_imported(warm: Callable[..., Any]) -> None:
    assert warm(UNKNOWN) == [False, False, False, True, False, True, True]


def test_what_was_preloaded_is_not_executed_again(warm: Callable[..., Any]) -> None:
    hidden = "import sys, numpy\nhidden = next(one for one in sys.meta_path if type(one).__name__ == 'HiddenModules')\n"
    assert warm(hidden + "found = hidden.modules['numpy'] is numpy and numpy.__spec__.origin.endswith('.py')")


HELD = """
import sys
hidden = next(one for one in sys.meta_path if type(one).__name__ == 'HiddenModules')
before = hidden.modules['wsgiref.validate'], hidden.modules['jsonschema']
import wsgiref.validate, jsonschema
found = [wsgiref.validate is before[0], jsonschema is before[1], 'idn-email' in jsonschema.FormatChecker.checkers]
found += ['iri' in jsonschema.FormatChecker.checkers]
"""


def test_what_only_a_runner_needs_is_preloaded_for_runners_alone(warm: Callable[..., Any]) -> None:
    assert warm(HELD, runner=True) == [True, True, True, False]  # a runner does not load the grammar for IRIs
    assert warm(HELD) == [False, False, True, True]


def test_a_hidden_package_tells_where_its_files_lie(warm: Callable[..., Any]) -> None:
    code = "import importlib.util, sys\nspec = importlib.util.find_spec('pandas')\n"
    code += "found = [bool(list(spec.submodule_search_locations)), 'pandas' in sys.modules]"
    assert warm(code) == [True, False]
    code = "import importlib.util\nspec = importlib.util.find_spec('wsgiref.simple_server')\n"
    assert warm(f"{code}found = spec.submodule_search_locations") is None  # a module is no package


def test_what_asks_for_the_running_shell_as_it_is_imported_is_not_preloaded(warm: Callable[..., Any]) -> None:
    held = "import sys\nhidden = next(one for one in sys.meta_path if type(one).__name__ == 'HiddenModules')\n"
    code = held + "found = ['matplotlib' in hidden.modules, 'matplotlib_inline.backend_inline' in hidden.modules]"
    assert warm(code) == [True, False]


def test_pandas_shows_frames_as_in_a_cold_kernel(warm: Callable[..., Any]) -> None:
    assert warm("import pandas\nfound = pandas.get_option('display.max_columns')") == 20


def test_no_project_code_is_preloaded(warm: Callable[..., Any]) -> None:
    assert warm("import sys\nfound = [name for name in sys.modules if name.startswith('pipeline_lib')]") == []
    names = preload_names(find_project(HOUSES.parent), "houses")
    assert {"sklearn.linear_model", "matplotlib.pyplot"} < set(names)
    assert not any(name.startswith("pipeline_lib") for name in names)


def test_two_processes_draw_other_random_numbers(warm: Callable[..., Any]) -> None:
    draw = "import random, numpy as np\nfound = [random.random(), np.random.rand(), random.Random().random()]"
    first, second = warm(draw), warm(draw)
    assert not set(first) & set(second)


def test_generators_that_packages_keep_draw_other_numbers_in_each_process_unless_seeded(
    warm: Callable[..., Any],
) -> None:
    draw = "import drawing\nfound = [drawing.seeded.random(), *drawing.draw()]"
    first, second = warm(draw), warm(draw)
    assert first[0] == second[0]
    assert not set(first[1:]) & set(second[1:])


REFUSED = """
import os, sys
{change}
try:
    import {name}
    found = "imported"
except Exception as error:
    found = f"{{type(error).__name__}}: {{error}}"
"""
CHANGES = [
    ("os.environ['OMP_NUM_THREADS'] = '7'", "ColdOnlyError: found OMP_NUM_THREADS changed"),
    ("del os.environ['GIVEN']", "ColdOnlyError: found GIVEN changed"),
    ("os.environ['TERM'] = 'xterm-color'", "imported"),  # as ipykernel does
    ("os.environ['GIVEN'] = 'so'", "imported"),
    ("import sqlite3", "imported"),
]


@pytest.mark.parametrize(("change", "answer"), CHANGES)
def test_a_package_is_refused_after_a_change_of_variables_that_it_may_have_read(
    warm: Callable[..., Any], change: str, answer: str
) -> None:
    assert warm(REFUSED.format(change=change, name="numpy"), GIVEN="so").startswith(answer)


def test_python_modules_are_refused_only_for_variables_that_they_read(warm: Callable[..., Any]) -> None:
    changes = ("os.environ['READ'] = 'otherwise'", "os.environ['OTHER'] = 'otherwise'")
    answers = [warm(REFUSED.format(change=change, name="reading")) for change in changes]
    assert answers[0].startswith("ColdOnlyError: found READ changed")
    assert answers[1] == "imported"


def test_a_refusal_that_a_cell_catches_is_noted(warm: Callable[..., Any]) -> None:
    noted = (
        "\nfrom pipeline_lib.runner.warm.cold_only import hidden_modules_here"
        "\nos.environ.clear()\nfound = hidden_modules_here().refused"
    )
    answers = [warm(REFUSED.format(change=change, name="numpy") + noted, GIVEN="so") for change, _ in CHANGES[1:3]]
    assert answers[0].startswith("found GIVEN changed")
    assert answers[1] == ""


PACKAGES = """
from pipeline_lib.system import fingerprint
from pipeline_lib.runner.warm.cold_only import check_packages, hidden_modules_here
check_packages()
fingerprint._packages = lambda: {"package ropes-2.0.dist-info": "another"}
try:
    check_packages()
except Exception as error:
    found = [type(error).__name__, hidden_modules_here().refused == str(error), str(error)]
"""


def test_packages_that_changed_since_they_were_imported_need_a_cold_process(warm: Callable[..., Any]) -> None:
    kind, noted, message = warm(PACKAGES)
    assert (kind, noted) == ("ColdOnlyError", True)
    assert message.startswith("found that packages changed")
    check_packages()  # a cold process has imported what is installed
    assert hidden_modules_here() is None


LAZY = """
import importlib.util, sys
spec = importlib.util.find_spec("xml.sax.saxutils")
created = spec.loader.create_module(spec)
import xml.sax.handler
created.__spec__ = spec
sys.modules["xml.sax.saxutils"] = created
spec.loader.exec_module(created)
found = [hasattr(created, "escape"), "xml.sax.handler" in sys.modules, sys.modules["xml.sax.saxutils"] is created]
"""


def test_a_module_that_is_executed_later_finds_modules_imported_after_its_creation(
    warm: Callable[..., Any],
) -> None:
    assert warm(LAZY) == [True, True, True]


def test_a_local_module_wins_over_an_installed_one(warm: Callable[..., Any], tmp_path: Path) -> None:
    assert warm("import cycler\nfound = hasattr(cycler, 'cycler')") is True
    (tmp_path / "cycler.py").write_text("local = True\n")
    assert warm("import cycler\nfound = cycler.local") is True
    for change in ("", "import cycler"):  # a package that imports it would have got the local one
        assert warm(REFUSED.format(change=change, name="drawing")).startswith(f"ColdOnlyError: found {tmp_path}")


def test_a_hidden_module_is_described_as_a_cold_one(warm: Callable[..., Any]) -> None:
    code = "import importlib.util\nspec = importlib.util.find_spec('pandas')\n"
    code += "found = [spec.origin, spec.cached, spec.has_location, list(spec.submodule_search_locations)]"
    cold: dict[str, Any] = {}
    exec(code, cold)  # noqa: S102 (the code above, in this process, which is cold)
    assert warm(code) == cold["found"]
