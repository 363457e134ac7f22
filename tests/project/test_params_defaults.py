"""Parameters stand once, in the parameters file; export writes the research notebook's cell from it."""

import json
import os
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline_lib.errors import InputError
from pipeline_lib.project.notebooks import clean_notebook, notebook_bytes, parameters_cell, read_notebook
from pipeline_lib.project.params_cell import HEADING
from pipeline_lib.project.params_defaults import check_defaults, write_defaults
from pipeline_lib.project.project import Project, find_project

MODULE = """
    from datetime import date
    from pipeline_lib import BaseParams

    class Model(BaseParams):
        alpha: float
        depth: int | None = 3

    class Params(BaseParams):
        seed: int
        since: date
        tags: list[str] = ["a"]
        model: Model
"""
FILE = """
    seed: 7
    since: 2020-02-01
    # strength
    model:
      alpha: 1
"""
CELL = 'seed = 7\nsince = "2020-02-01"\ntags = ["a"]\nmodel = {"alpha": 1.0, "depth": 3}'
Put = Callable[..., Path]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project `coast` with the pipeline boats, whose cell is what its parameters file says."""
    (tmp_path / "settings.ini").write_text(
        "[project]\nlib_name = coast\nnbs_path = nbs\nparams_path = params\nruns_path = runs\n"
    )
    for folder in ("nbs/pipelines", "nbs/research", "params", "coast/pipelines"):
        (tmp_path / folder).mkdir(parents=True)
    for package in ("coast", "coast/pipelines"):
        (tmp_path / package / "__init__.py").touch()
    (tmp_path / "nbs/pipelines/boats.ipynb").write_text("{}")
    (tmp_path / "coast/pipelines/boats.py").write_text(textwrap.dedent(MODULE))
    (tmp_path / "params/boats.yml").write_text(textwrap.dedent(FILE))
    put(tmp_path, CELL)
    return find_project(tmp_path)


def put(root: Path, source: str, **metadata: object) -> Path:
    """Write the research notebook with this parameters cell between two others."""
    cell = {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": []}
    items = [
        {"cell_type": "markdown", "id": "title", "metadata": {}, "source": ["# Boats\n", "Łódź"]},
        {**cell, "id": "p", "metadata": {"tags": ["parameters"]}, "source": source.splitlines(keepends=True)},
        {**cell, "id": "use", "source": ["# my comment\n", "seed + 1"], **metadata},
    ]
    path = root / "nbs" / "research" / "boats.ipynb"
    content = {"cells": items, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def source(project: Project) -> str:
    return parameters_cell(read_notebook(project.research_notebook("boats"), "n"), "n").source


def test_a_cell_with_the_values_of_the_file_is_left_alone(project: Project) -> None:
    assert check_defaults(project) == []
    before = project.research_notebook("boats").stat().st_mtime_ns
    written = write_defaults(project)
    assert (written.changes, written.notes, written.problems) == ([], [], [])
    assert project.research_notebook("boats").stat().st_mtime_ns == before


def test_another_format_of_the_same_values_is_up_to_date(project: Project) -> None:
    put(project.root, "# mine\nmodel = {\n 'depth': 3, 'alpha': 1}\nseed = 7\nsince = '2020-02-01'\ntags = ['a']")
    assert check_defaults(project) == []


def test_a_changed_file_makes_the_cell_stale_and_export_writes_it_once(project: Project) -> None:
    file = project.params / "boats.yml"
    file.write_text(file.read_text().replace("alpha: 1", "alpha: 0.5\n  depth: null"))
    (problem,) = check_defaults(project)
    assert problem == (
        "nbs/research/boats.ipynb: cell 2 (id p): model: found {'alpha': 1.0, 'depth': 3}, expected "
        "{'alpha': 0.5, 'depth': None} as in params/boats.yml; run `pipeline-lib export`"
    )
    before = read_notebook(project.research_notebook("boats"), "n")
    written = write_defaults(project)
    assert written.changes == [
        "updated nbs/research/boats.ipynb: cell 2 (id p) from params/boats.yml",
        "  model: found {'alpha': 1.0, 'depth': 3}, expected {'alpha': 0.5, 'depth': None} as in params/boats.yml",
    ]
    assert source(project).split("\n") == [
        HEADING,
        "seed = 7",
        'since = "2020-02-01"',
        'tags = ["a"]',
        'model = {"alpha": 0.5, "depth": None}',
    ]
    after = read_notebook(project.research_notebook("boats"), "n")
    assert [before["cells"][i] == after["cells"][i] for i in range(3)] == [True, False, True]
    assert write_defaults(project).changes == []
    assert project.research_notebook("boats").read_bytes() == notebook_bytes(clean_notebook(after))


def test_a_new_parameter_is_written_and_a_removed_one_goes(project: Project) -> None:
    put(project.root, CELL.replace("tags = ", "old = "))
    assert [line.partition("; run ")[2].partition(",")[0] for line in check_defaults(project)] == [
        "`pipeline-lib export`"
    ]
    assert "old" in check_defaults(project)[0]
    assert "  old: " in write_defaults(project).changes[1]
    assert source(project) == f"{HEADING}\n{CELL}"


def test_a_parameter_with_a_default_that_the_cell_lacks_is_written(project: Project) -> None:
    put(project.root, CELL.replace('tags = ["a"]\n', ""))
    (problem,) = check_defaults(project)
    assert "tags: found nothing, expected ['a'] as in params/boats.yml" in problem
    write_defaults(project)
    assert check_defaults(project) == []


def test_an_empty_cell_is_filled(project: Project) -> None:
    put(project.root, "")
    write_defaults(project)
    assert source(project) == f"{HEADING}\n{CELL}"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("import os", "found `import os`, expected only `name = literal`; move other code to the next cell"),
        ("seed = 2 * 3", "expected a literal"),
        ("seed = (", "found a syntax error"),
    ],
)
def test_code_in_the_cell_is_refused_and_stays(project: Project, line: str, message: str) -> None:
    path = put(project.root, f"{line}\n")
    before = path.read_bytes()
    (problem,) = check_defaults(project)
    assert message in problem
    assert write_defaults(project).problems == [problem]
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("params/boats.yml", "seed: x\nsince: 2020-02-01\nmodel:\n  alpha: 1\n", "params/boats.yml:1: seed: found 'x'"),
        ("params/boats.quick.yml", "seed: 1\n", "params/boats.quick.yml: since: missing key"),
        ("coast/pipelines/boats.py", "1 / 0\n", "coast.pipelines.boats: found ZeroDivisionError on import"),
        ("coast/pipelines/boats.py", "x = 1\n", "coast.pipelines.boats: Params: found None, expected a subclass"),
        ("coast/pipelines/boats.py", "import os\nos._exit(9)\n", "found that its import ends the process (exit code 9"),
    ],
)
def test_values_that_cannot_be_known_are_a_problem(project: Project, name: str, text: str, message: str) -> None:
    (project.root / name).write_text(text)
    before = project.research_notebook("boats").read_bytes()
    try:
        problems = write_defaults(project).problems
    except InputError as error:
        problems = [str(error)]
    assert message in problems[0]
    assert project.research_notebook("boats").read_bytes() == before


def test_only_a_cell_that_was_not_written_is_named_so(project: Project) -> None:
    (project.params / "boats.quick.yml").write_text("seed: 1\n")
    put(project.root, CELL.replace("seed = 7", "seed = 8"))
    written = write_defaults(project)
    assert written.changes[0] == "updated nbs/research/boats.ipynb: cell 2 (id p) from params/boats.yml"
    assert (len(written.problems), written.skipped) == (2, [])
    (project.params / "boats.yml").write_text("seed: 1\n")
    assert write_defaults(project).skipped == ["nbs/research/boats.ipynb"]
    put(project.root, "import os")
    assert write_defaults(project).skipped == ["nbs/research/boats.ipynb"]
    project.research_notebook("boats").write_text("{}")
    assert write_defaults(project).skipped == ["nbs/research/boats.ipynb"]


def test_missing_files_are_a_note(project: Project) -> None:
    (project.params / "boats.yml").unlink()
    assert write_defaults(project).notes == [
        "note: params/boats.yml: no such file yet; the parameters cell is not written"
    ]
    assert check_defaults(project) == []


def test_what_a_module_prints_is_no_answer(project: Project) -> None:
    module = project.root / "coast/pipelines/boats.py"
    module.write_text(f"print('{{}}')\n{module.read_text()}")
    assert check_defaults(project) == []


def test_a_changed_module_is_read_as_it_is_on_disk(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    assert check_defaults(project) == []
    module = project.root / "coast/pipelines/boats.py"
    written = module.stat()
    module.write_text(module.read_text().replace("depth: int | None = 3", "depth: int | None = 4"))
    os.utime(module, ns=(written.st_atime_ns, written.st_mtime_ns))  # as within a second: same size, same time
    assert "'depth': 4" in check_defaults(project)[0]


def test_outputs_of_other_cells_stay(project: Project) -> None:
    outputs = [{"name": "stdout", "output_type": "stream", "text": ["8\n"]}]
    put(project.root, "seed = 1", outputs=outputs, execution_count=3)
    write_defaults(project)
    cell = read_notebook(project.research_notebook("boats"), "n")["cells"][2]
    assert (cell["outputs"], cell["execution_count"]) == (outputs, 3)
