"""A drafted pipeline runs as it is, with exact parity; without its file on the sample alone."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from drafts import loans, written
from example import ROOT

PLANTED = ["Planthausen", "Setzlingen", "Grosspflanz"]


def run(root: Path, *words: str, folder: str = ".") -> str:
    """What a command prints in a project; it must succeed."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(root), str(ROOT)])}
    done = subprocess.run(  # noqa: S603  fixed arguments
        [sys.executable, *words], cwd=root / folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with the library bank."""
    for folder in ("nbs/steps", "nbs/pipelines", "bank/steps", "bank/pipelines", "data"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "settings.ini").write_text(
        "[project]\nname = bank\nlib_name = bank\nversion = 1\nnbs_path = nbs\nparams_path = params\nruns_path = runs\n"
    )
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text(text.replace('"pipeline_lib"', '"bank"'), encoding="utf-8")
    for name in ("steps", "pipelines"):
        (tmp_path / "bank" / name / "__init__.py").touch()
    (tmp_path / "bank" / "__init__.py").touch()
    return tmp_path


@pytest.mark.slow
def test_a_draft_runs_with_exact_parity_on_its_file_and_on_its_sample(root: Path) -> None:
    rows = 700
    day = pd.date_range("2024-01-01", periods=rows, freq="5h")
    classes = np.where(loans(rows)["income"] + np.arange(rows) % 7 > 53, "yes", "no")
    data = loans(rows, rate=classes, town=PLANTED * 233 + PLANTED[:1], day=day)
    path = written(root / "data", data)
    options = ["--data", str(path), "--target", "rate", "--sensitive", "town"]
    printed = run(root, "-m", "pipeline_lib", "new", "loans", *options)
    assert printed.splitlines()[-1] == "next: pipeline-lib run params/loans.yml"
    assert "parity: exact" in run(root, "-m", "pipeline_lib", "run", "params/loans.yml")
    (record,) = (root / "runs" / "loans").glob("2*")
    pages = [record / "notebook.ipynb", record / "report.html", record / "manifest.json", *root.rglob("tests/data/*")]
    assert len(pages) == 4
    assert not [page for page in pages if any(word in page.read_text(encoding="utf-8") for word in PLANTED)]

    path.unlink()
    shutil.rmtree(root / "runs")
    cells = json.loads((root / "nbs" / "pipelines" / "loans.ipynb").read_bytes())["cells"]
    code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    assert "rows to fit" in run(root, "-W", "ignore", "-c", code, folder="nbs/pipelines")
    assert "parity: exact" in run(root, "-m", "pipeline_lib", "run", "params/loans.sample.yml")
