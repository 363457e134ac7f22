"""Builder's methods and docs/operations.md are generated from the table of operations, and are not stale."""

from dataclasses import replace
from pathlib import Path

import pytest

from pipeline_lib.compiled.operations.catalog import OPERATIONS
from tools.operations import FILES, METHODS, PAGE, main


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_generated_files_are_those_of_the_table(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == FILES[path](), "run python -m tools.operations"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_stale_file_is_seen(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(OPERATIONS, "log1p", replace(OPERATIONS["log1p"], doc="Another line."))
    assert path.read_text(encoding="utf-8") != FILES[path]()


def test_the_command_writes_each_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {tmp_path / path.name: text for path, text in FILES.items()}
    monkeypatch.setattr("tools.operations.FILES", files)
    monkeypatch.setattr("tools.operations.ROOT", tmp_path)
    texts = {path: text() for path, text in files.items()}
    main()
    assert {path: path.read_text(encoding="utf-8") for path in files} == texts


def test_methods_and_page_show_documentation_and_settings() -> None:
    methods, page = METHODS.read_text(encoding="utf-8"), PAGE.read_text(encoding="utf-8")
    assert "def search(self, value: V | Scalar, *, edges: Sequence[float] | NDArray[Any], side: Literal[" in methods
    assert "`edges`: a list or array of numbers<br>`side`: one of 'left', 'right'" in page
    assert all(operation.doc in page for operation in OPERATIONS.values())
