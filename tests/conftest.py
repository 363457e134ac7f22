"""What several test modules share: one real run of the houses example, and what is put in its place."""

import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from example import HOUSES, PARAMETERS

from pipeline_lib.project.project import Project
from pipeline_lib.records.record import Record
from pipeline_lib.runner.run import run_pipeline

Research = Callable[..., Path]

# what starts the tests in the background may have let them ignore these, which some send
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(scope="session")
def houses_record(tmp_path_factory: pytest.TempPathFactory) -> Record:
    """The sealed record of params/houses.yml. Tests that change a record change a copy."""
    return run_pipeline(HOUSES, runs=tmp_path_factory.mktemp("runs"))


@pytest.fixture
def copy(houses_record: Record, tmp_path: Path) -> Record:
    """A copy of the houses record, to be changed."""
    folder = tmp_path / "runs" / "houses" / houses_record.id
    shutil.copytree(houses_record.folder, folder)
    return Record(folder)


@pytest.fixture
def research(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Research:
    """Puts a notebook of the given code cells in place of the research notebook."""
    import nbformat  # the core tests do without

    def put(*sources: str, tags: tuple[str, ...] = ("parameters",), parameters: str = PARAMETERS) -> Path:
        cells = [nbformat.v4.new_code_cell(parameters, metadata={"tags": list(tags)} if tags else {})]
        cells += [nbformat.v4.new_code_cell(source) for source in sources]
        kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
        path = tmp_path / "houses.ipynb"
        nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), path)
        theirs = Project.research_notebook
        monkeypatch.setattr(
            Project, "research_notebook", lambda self, name: path if name == "houses" else theirs(self, name)
        )
        return path

    return put
