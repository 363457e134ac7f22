"""A small project in git with notebooks that export, and runs that never happened: for the tests of reviews."""

import json
from pathlib import Path
from typing import Any

from harbours import SETTINGS, commit, git, person
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from pipeline_lib.evidence.fitted_state import write_fitted_state
from pipeline_lib.project.export import export
from pipeline_lib.project.exported_cells import exported_cells
from pipeline_lib.project.project import Project, find_project
from pipeline_lib.records.layout import PARITY
from pipeline_lib.records.record import Record, checks_folder, create_record
from pipeline_lib.records.seal import seal
from pipeline_lib.system.files import canonical_json, sha256_file

_NBDEV = '[tool.nbdev]\nlib_path = "harbour"\nnbs_path = "nbs"\nallowed_cell_metadata_keys = ["tags"]\n'
STEP = "#| export\nFACTOR = 2.0\n"
PIPELINE = '#| export\nfrom harbour.steps.sails import FACTOR\n\nMETRIC = ("rmse", "minimize")\n'
RESEARCH = ("length = 7", "print(length)")


def write_notebook(project: Project, name: str, *sources: str, outputs: str = "", ids: bool = True) -> None:
    """Write a notebook: sources that begin with `# ` and a capital are prose; `outputs` is printed by the last cell."""
    cells = []
    for number, source in enumerate(sources):
        make = new_markdown_cell if source.startswith("# The") else new_code_cell
        cells.append(make(source, id=f"cell{number}"))
    if outputs:
        cells[-1].outputs = [{"output_type": "stream", "name": "stdout", "text": outputs}]
    content = new_notebook(cells=cells)
    if not ids:
        content.nbformat_minor = 4
        for cell in content.cells:
            del cell["id"]
    path = project.notebooks / f"{name}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def regatta(folder: Path) -> Project:
    """A committed checkout with the pipeline `boats`, which uses the step `sails`, and `masts`, which does not."""
    files = {
        "settings.ini": SETTINGS.format("../store"),
        "pyproject.toml": _NBDEV,
        ".gitignore": "runs/\n",
        "params/boats.yml": "length: 7\nhull:\n  wood: oak\n",
        "params/masts.yml": "height: 3\n",
        **{f"harbour/{name}__init__.py": "" for name in ("", "steps/", "pipelines/")},
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    project = find_project(folder)
    write_notebook(project, "steps/sails", "#| default_exp steps.sails", STEP)
    write_notebook(project, "pipelines/boats", "# The boats", "#| default_exp pipelines.boats", PIPELINE)
    write_notebook(project, "pipelines/masts", "#| default_exp pipelines.masts", "#| export\nHEIGHT = 3\n")
    write_notebook(project, "research/boats", *RESEARCH)
    write_notebook(project, "research/masts", "height = 3")
    export(project)
    git(folder, "init", "--quiet", "--initial-branch=main")
    person(folder, "Anna")
    commit(folder)
    return project


def head(project: Project) -> str:
    """The commit that is checked out."""
    return git(project.root, "rev-parse", "HEAD").strip()


def run_now(
    project: Project, pipeline: str = "boats", *, parity: Any = None, state: Any = None, **metrics: float
) -> Record:
    """The record of a run of the working tree, made of the commit alone."""
    record = create_record(project.runs, pipeline)
    record.notebook.write_bytes(project.research_notebook(pipeline).read_bytes())
    (record.folder / "params.yml").write_bytes((project.params / f"{pipeline}.yml").read_bytes())
    (record.folder / "metrics.json").write_bytes(canonical_json(metrics))
    (record.folder / "library.json").write_bytes(canonical_json(exported_cells(project)))
    if state is not None:
        write_fitted_state(record.folder / "learned.parquet", state)
    facts = {
        "status": "finished",
        "reference": record.reference,
        "parameters_file": f"params/{pipeline}.yml",
        "git": {"commit": head(project), "changed": False, "untracked": []},
        "hashes": {"notebook": sha256_file(record.notebook), "raw_input": "a" * 64},
    }
    seal(record, facts)
    if parity is not None:
        checks_folder(record).mkdir(parents=True)
        (checks_folder(record) / PARITY).write_text(json.dumps(parity))
    return record
