"""What a clean environment says where it cannot be made."""

from pathlib import Path

import pytest

from pipeline_lib.parity.clean_environments import _install, _reason, find_uv
from pipeline_lib.parity.process_settings import AbsentError


def test_the_first_cause_is_told_and_not_what_follows_from_it() -> None:
    causes = """error: No solution found when resolving dependencies
  cause: Because the current Python version (3.11.7) does not satisfy Python>=3.12 and numpy==2.5.5 depends on it.
         And because you require numpy, we can conclude that your requirements are unsatisfiable.
"""
    assert _reason(causes).startswith("Because the current Python version (3.11.7) does not satisfy Python>=3.12 and")
    assert _reason("building\n\n  error: no compiler\n") == "error: no compiler"
    assert _reason(" \n") == "no message"


def test_a_wheel_for_a_later_python_alone_is_told(tmp_path: Path) -> None:
    project = tmp_path / "pyproject.toml"
    project.write_text('[project]\nname = "later"\nversion = "1"\nrequires-python = ">=3.99"\n')
    command = [find_uv(), "pip", "install", "--offline", "--quiet", "--target", str(tmp_path / "lib"), str(tmp_path)]
    with pytest.raises(AbsentError, match=r"`uv pip install` failed: Because the current Python version \(3\."):
        _install(command)
