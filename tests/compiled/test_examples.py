"""The examples in docstrings of production's public functions print what they show."""

import doctest
from pathlib import Path

import pytest

from pipeline_lib.compiled import pipeline
from pipeline_lib.compiled.pipeline import CompiledPipeline, load_model

pytestmark = pytest.mark.core

RECORDS = Path(__file__).parents[1] / "data" / "records"
RUNS = {"houses": "tiny/20261129T123837487-9fa751", "shop": "daily/20261129T123835523-1e2f38"}
WITH_EXAMPLES = [
    load_model,
    CompiledPipeline.predict,
    CompiledPipeline.predict_row,
    CompiledPipeline.trace_row,
    CompiledPipeline.forecast,
]


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder `runs` of the examples, with kept records in it."""
    for name, record in RUNS.items():
        (tmp_path / "runs" / name).mkdir(parents=True)
        (tmp_path / "runs" / name / "ID").symlink_to(RECORDS / record)
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("runs")
@pytest.mark.parametrize("function", WITH_EXAMPLES, ids=lambda function: function.__name__)
def test_an_example_prints_what_it_shows(function: object) -> None:
    (test,) = doctest.DocTestFinder(recurse=False).find(function, globs=vars(pipeline).copy())
    output: list[str] = []
    result = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, out=output.append)
    assert result.failed == 0, "".join(output)
    assert result.attempted > 0
