"""The examples in the docstrings of the public names run, and print what they say."""

import doctest
import inspect
from pathlib import Path

import pytest

import pipeline_lib

RECORDS = Path(__file__).parent / "data" / "records"
RUNS = {"houses": "tiny/20261129T123837487-9fa751", "shop": "daily/20261129T123835523-1e2f38"}


@pytest.fixture
def project_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The working folder of an example: `runs/houses/ID` and `runs/shop/ID` are records."""
    for name, record in RUNS.items():
        (tmp_path / "runs" / name).mkdir(parents=True)
        (tmp_path / "runs" / name / "ID").symlink_to(RECORDS / record)
    monkeypatch.chdir(tmp_path)


def examples(name: str) -> list[doctest.DocTest]:
    """The examples of a public name and of its methods, as each docstring has them."""
    public = getattr(pipeline_lib, name)
    found = doctest.DocTestFinder().find(public, name, module=inspect.getmodule(public))
    return [test for test in found if test.examples]


@pytest.mark.usefixtures("project_folder")
@pytest.mark.parametrize("name", pipeline_lib.__all__)
def test_the_examples_of_a_public_name_run(name: str) -> None:
    for example in examples(name):
        runner, output = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS), []
        runner.run(example, out=output.append)
        assert not runner.summarize(verbose=False).failed, "".join(output)


@pytest.mark.parametrize("name", ["BaseParams", "Context", "Lookup", "PipelineLibError", "Tables", "draft_row"])
def test_a_public_name_has_an_example(name: str) -> None:
    assert examples(name)


def test_an_example_that_prints_something_else_is_found() -> None:
    wrong = doctest.DocTestParser().get_doctest(">>> 1 + 1\n3\n", {}, "wrong", None, None)
    runner = doctest.DocTestRunner()
    runner.run(wrong, out=lambda text: None)
    assert runner.summarize(verbose=False).failed == 1
