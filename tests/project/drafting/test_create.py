"""`new --data`: all files or none, of a pipeline that is exported and formatted."""

import gzip
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from drafts import draft, loans, notebooks, written
from example import ROOT

from pipeline_lib.errors import InputError
from pipeline_lib.project.drafting.create import create_from_data
from pipeline_lib.project.drafting.draft import Options
from pipeline_lib.project.drafting.notebooks import exported_source
from pipeline_lib.project.export import check_export
from pipeline_lib.project.notebooks import clean_notebook, notebook_bytes, read_notebook
from pipeline_lib.project.project import Project

RATE = Options("rate")


def files(project: Project) -> list[str]:
    return sorted(project.shown(path) for path in project.root.rglob("*") if path.is_file())


def test_all_files_are_written_clean_and_exported(project: Project) -> None:
    made = create_from_data(project, "loans", written(project.root / "data", loans()), RATE)
    assert made.files == [
        "nbs/pipelines/loans.ipynb",
        "nbs/research/loans.ipynb",
        "params/loans.yml",
        "params/loans.sample.yml",
        "tests/data/loans.csv",
        "tests/parity/test_loans.py",
        "bank/pipelines/loans.py",
    ]
    assert check_export(project) == []
    for path in made.files[:2]:
        notebook = read_notebook(project.root / path, path)
        assert notebook_bytes(clean_notebook(notebook)) == (project.root / path).read_bytes()
    assert 'data: "data/loans.csv"' in (project.params / "loans.yml").read_text()
    assert 'data: "tests/data/loans.csv"' in (project.params / "loans.sample.yml").read_text()
    assert '"loans.sample.yml"' in (project.root / "tests" / "parity" / "test_loans.py").read_text()


def test_every_guess_is_listed_and_marked(project: Project) -> None:
    made = create_from_data(project, "loans", written(project.root / "data", loans(key=range(60))), RATE)
    for path, guesses in made.decisions.items():
        text = (project.root / path).read_text(encoding="utf-8")
        assert len(guesses) == text.count("decide: ") > 1
        assert text.count("# decide: ") == len(guesses)  # what the command says to look for
    assert "are they rightly left out: key?" in made.decisions["nbs/pipelines/loans.ipynb"]


def test_a_parameter_that_is_added_to_both_files_reaches_the_cells(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_from_data(project, "loans", written(project.root / "data", loans()), RATE)
    for name in ("loans.yml", "loans.sample.yml"):
        with (project.params / name).open("a") as file:
            file.write("depth: 3\n")
    read = read_notebook(project.root / "nbs" / "pipelines" / "loans.ipynb", "n")["cells"]
    code = {cell["id"]: "".join(cell["source"]) for cell in read if cell["cell_type"] == "code"}
    code["params"] += "\n    depth: int"
    monkeypatch.chdir(project.root / "nbs" / "pipelines")
    names: dict[str, Any] = {"__name__": "cells"}
    for source in code.values():
        exec(source, names)  # noqa: S102  the cells as a person runs them
    assert (names["params"].depth, names["params"].data) == (3, "tests/data/loans.csv")


def test_a_file_from_outside_is_copied_only_when_asked(project: Project, tmp_path: Path) -> None:
    path = written(tmp_path, loans())
    before = files(project)
    with pytest.raises(InputError, match=r"outside of the project .* add --copy to copy it to data/loans\.csv"):
        create_from_data(project, "loans", path, RATE)
    assert files(project) == before
    made = create_from_data(project, "loans", path, RATE, copy=True)
    assert made.files[0] == "data/loans.csv"
    assert (project.root / "data" / "loans.csv").read_bytes() == path.read_bytes()


def test_another_file_of_that_name_is_not_overwritten(project: Project, tmp_path: Path) -> None:
    path = written(tmp_path, loans())
    (project.root / "data" / "loans.csv").write_text("mine\n")
    with pytest.raises(InputError, match=r"found another file data/loans\.csv already"):
        create_from_data(project, "loans", path, RATE, copy=True)
    shutil.copy(path, project.root / "data" / "loans.csv")
    assert "data/loans.csv" not in create_from_data(project, "loans", path, RATE, copy=True).files


@pytest.mark.parametrize("existing", ["params/loans.yml", "params/loans.sample.yml", "tests/data/loans.csv"])
def test_an_existing_file_is_refused(project: Project, existing: str) -> None:
    path = written(project.root / "data", loans())
    (project.root / existing).parent.mkdir(parents=True, exist_ok=True)
    (project.root / existing).write_text("mine: 1\n")
    before = files(project)
    with pytest.raises(InputError, match=f"found {existing} already"):
        create_from_data(project, "loans", path, RATE)
    assert files(project) == before


def test_a_failure_while_files_are_written_leaves_none(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(project.root / "data", loans())
    before = files(project)

    def full(project: Project) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("pipeline_lib.project.new_pipeline.export", full)
    with pytest.raises(OSError, match="no space"):
        create_from_data(project, "loans", path, RATE)
    assert files(project) == before
    assert not (project.root / "tests").exists()


def test_a_draft_that_does_not_run_is_not_written(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(project.root / "data", loans())
    before = files(project)
    monkeypatch.setattr("pipeline_lib.project.drafting.create.try_draft", lambda *given: "data/loans.csv: broken")
    with pytest.raises(InputError, match=r"does not run on data/loans\.csv: broken"):
        create_from_data(project, "loans", path, RATE)
    assert files(project) == before


def test_a_packed_csv_and_a_name_with_spaces(project: Project) -> None:
    path = project.root / "data" / "über loans 1.csv.gz"
    path.write_bytes(gzip.compress(loans().to_csv(index=False).encode()))
    made = create_from_data(project, "loans", path, RATE)
    assert "tests/data/loans.csv" in made.files
    assert 'data: "data/über loans 1.csv.gz"' in (project.params / "loans.yml").read_text(encoding="utf-8")


def test_of_a_long_file_the_first_rows_are_profiled_and_this_is_said(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline_lib.project.drafting.raw_data.PROFILE_CELLS", 1)
    path = written(project.root / "data", loans(3000, late=[1.5] * 2000 + [None] * 1000))
    made = create_from_data(project, "loans", path, RATE)
    assert "the first 1,000 rows alone" in made.findings[0]
    assert any("only the first 1,000 rows were looked at" in guess for guess in next(iter(made.decisions.values())))


@pytest.mark.parametrize(
    ("suffix", "content", "words"),
    [
        (".json", b"{}", r"found the ending '\.json'"),
        (".parquet", b"no", "found no Parquet file"),
        (".arrow", b"no", "found no Arrow file"),
        (".xlsx", b"no", "found no Excel workbook"),
        (".csv", b"a,a,rate\n1,2,3\n", "found the column 'a' twice"),
        (".csv", b"a,rate\n1,2,3\n", "found 2 names in the header and 3 fields"),
        (".csv", b"a,rate\n1,2\n" * 90 + b"1,2,3\n" * 90, "found "),
        (".csv", b"1.5,2.5\n1,2\n", "found only numbers in the first line"),
        (".csv", b"a,rate\n", "found no rows"),
        (".csv", b"", "found an empty file"),
    ],
)
def test_what_cannot_be_read_is_refused(project: Project, suffix: str, content: bytes, words: str) -> None:
    path = written(project.root / "data", content, suffix)
    with pytest.raises(InputError, match=words):
        create_from_data(project, "loans", path, RATE)


def test_a_workbook_needs_openpyxl(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(project.root / "data", loans(), ".xlsx")
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(InputError, match=r"found no package openpyxl, .* pip install 'nb-pipeline-lib\[excel\]'"):
        create_from_data(project, "loans", path, RATE)


def test_a_missing_file_and_a_folder_are_refused(project: Project) -> None:
    with pytest.raises(InputError, match="found no such file"):
        create_from_data(project, "loans", project.root / "data" / "none.csv", RATE)
    with pytest.raises(InputError, match="found a folder"):
        create_from_data(project, "loans", project.root / "data", RATE)


FORMATTED = {
    "regression": loans(day=pd.date_range("2024-01-01", periods=60), key=range(60), größe=np.arange(60) % 7),
    "two": loans(rate=np.arange(60) % 2, review=[f"the house number {n} is fine" for n in range(60)], name="Anna Berg"),
    "three": loans(rate=np.arange(60) % 3, ok=np.arange(60) % 2 == 0),
    "wide": loans(**{f"a rather long name of a column, number {n * n}": np.arange(60.0) % (n + 2) for n in range(60)}),
}


@pytest.mark.parametrize("case", FORMATTED)
def test_what_is_written_passes_ruff(tmp_path: Path, case: str) -> None:
    suffix = ".parquet" if case == "three" else ".csv"
    made = draft(written(tmp_path, FORMATTED[case], suffix), sensitive=("home",))
    paths = [tmp_path / f"{name}.ipynb" for name in ("pipeline", "research")]
    for path, notebook in zip(paths, notebooks(made), strict=True):
        path.write_bytes(notebook_bytes(clean_notebook(notebook)))
    ruff = [sys.executable, "-m", "ruff"]
    options = ["--config", str(ROOT / "pyproject.toml"), "--config", 'lint.isort.known-first-party=["pipeline_lib"]']
    ignored = ["--ignore", "S101,E402"]  # as pyproject.toml has it for nbs/
    for command in (["check", *ignored], ["format", "--diff"]):
        done = subprocess.run(  # noqa: S603  fixed arguments
            [*ruff, *command, *options, *map(str, paths)], capture_output=True, text=True, cwd=tmp_path, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


TYPED = {
    "csv": (FORMATTED["two"], ".csv", {}),
    "parquet": (FORMATTED["three"], ".parquet", {}),
    "arrow": (FORMATTED["regression"], ".arrow", {"time": "day"}),
    "excel": (FORMATTED["two"], ".xlsx", {"group": "months"}),
}


@pytest.mark.slow
def test_what_is_exported_passes_mypy(tmp_path: Path) -> None:
    modules = []
    for name, (data, suffix, options) in TYPED.items():
        made = draft(written(tmp_path, data, suffix), **options)
        modules.append(tmp_path / f"{name}_module.py")
        modules[-1].write_text(exported_source(notebooks(made)[0]), encoding="utf-8")
    environment = {**os.environ, "MYPYPATH": str(ROOT)}
    command = [sys.executable, "-m", "mypy", "--config-file", str(ROOT / "pyproject.toml"), *map(str, modules)]
    done = subprocess.run(  # noqa: S603  fixed arguments
        command, capture_output=True, text=True, cwd=tmp_path, env=environment, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_notebooks_are_json_with_ids(tmp_path: Path) -> None:
    for notebook in notebooks(draft(written(tmp_path, loans()))):
        ids = [cell["id"] for cell in json.loads(notebook_bytes(notebook))["cells"]]
        assert len(set(ids)) == len(ids) > 10
