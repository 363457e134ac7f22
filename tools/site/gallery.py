"""The gallery: the shipped research notebooks with their outputs, from records of their runs.

A record that answers for a run of today is taken from the project's runs, else from those of earlier builds; only where
there is none is the notebook executed.
"""

import base64
import json
import multiprocessing
import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline_lib.project.project import Project, find_project
from pipeline_lib.records.record import Record
from pipeline_lib.runner.cache.lookup import lookup
from pipeline_lib.runner.run import run_pipeline

PICTURES: Mapping[str, int] = {"digits": 0, "flights": 1, "reviews": 0}
"""Which figure of a notebook stands for it, counted from 0, where it is not the second, or the only one."""
_HEAD = """# Gallery

The shipped pipelines, each as the notebook that a run executed, with its outputs. The data sets come with their
packages or with the checkout; `pipeline-lib run params/NAME.yml` makes the same.
"""
_EXECUTED_BY = ("injected-parameters",)
"""Tags of cells that papermill adds."""


@dataclass(frozen=True)
class Exhibit:
    """A notebook of the gallery: the pipeline's name, its question, the first sentences, the picture."""

    name: str
    title: str
    summary: str
    picture: bytes
    alt: str


def write_gallery(folder: Path, runs: Path) -> list[Exhibit]:
    """Write a page for each research notebook and the page that lists them into the folder; runs are kept in `runs`."""
    project = find_project(Path(__file__).parent)
    folder.mkdir(parents=True, exist_ok=True)
    names = project.pipelines()
    with ProcessPoolExecutor(os.cpu_count(), multiprocessing.get_context("spawn")) as pool:
        records = list(pool.map(record_of, [project] * len(names), names, [runs] * len(names)))
    exhibits = [_write(project, name, record, folder) for name, record in zip(names, records, strict=True)]
    entries = "\n".join(names)
    toctree = f"\n```{{toctree}}\n:hidden:\n\n{entries}\n```\n"
    (folder / "index.md").write_text(_HEAD + "\n" + pictures(exhibits) + toctree, encoding="utf-8")
    return exhibits


def pictures(exhibits: list[Exhibit], prefix: str = "") -> str:
    """A picture for each notebook, which leads to its page; `prefix` is the way from the page to the gallery."""
    parts = [":::::{container} gallery\n"]
    for exhibit in exhibits:
        where = f"{prefix}{exhibit.name}"
        parts.append(f"::::{{figure}} {where}.png\n:alt: {exhibit.alt}\n:target: {where}.html\n")
        parts.append(f"[{exhibit.title}]({where}.ipynb)\n::::\n")
    return "\n".join([*parts, ":::::\n"])


def record_of(project: Project, name: str, runs: Path) -> Record:
    """A finished record of the pipeline with its own parameters file, of today's code and data."""
    file = project.params / f"{name}.yml"
    return lookup(file).record or lookup(file, runs=runs).record or run_pipeline(file, runs=runs)


def _write(project: Project, name: str, record: Record, folder: Path) -> Exhibit:
    notebook = cleaned(json.loads(record.notebook.read_text(encoding="utf-8")), str(project.root))
    (folder / f"{name}.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    figures = list(_figures(notebook))
    exhibit = _exhibit(name, notebook, figures[min(PICTURES.get(name, 1), len(figures) - 1)])
    (folder / f"{name}.png").write_bytes(exhibit.picture)
    return exhibit


def cleaned(notebook: dict[str, Any], root: str) -> dict[str, Any]:
    """The notebook as a page: without papermill's cell and metadata, local paths and warnings; figures have a text."""
    text = json.dumps(notebook).replace(f"{root}/", "")
    notebook = json.loads(text)
    notebook["metadata"].pop("papermill", None)
    heading, cells = "", []
    for cell in notebook["cells"]:
        if set(_EXECUTED_BY) & set(cell["metadata"].get("tags", ())):
            continue
        if cell["cell_type"] == "markdown":
            heading = next(_headings(cell), heading)
        else:
            cell["outputs"] = [output for output in cell["outputs"] if output.get("name") != "stderr"]
            cell["metadata"] = {"mystnb": {"image": {"alt": f"Figure of the section: {heading}"}}}
        cells.append(cell)
    return notebook | {"cells": cells}


def _exhibit(name: str, notebook: dict[str, Any], picture: str) -> Exhibit:
    first = "".join(notebook["cells"][0]["source"]).strip()
    title, _, rest = first.partition("\n")
    title = title.lstrip("# ")
    return Exhibit(name, title, rest.strip(), base64.b64decode(picture), f"A figure of the notebook: {title}")


def _headings(cell: dict[str, Any]) -> Iterator[str]:
    lines = "".join(cell["source"]).splitlines()
    return (line.lstrip("# ") for line in lines if line.startswith("#"))


def _figures(notebook: dict[str, Any]) -> Iterator[str]:
    """The figures of a notebook, as base64."""
    for cell in notebook["cells"]:
        for output in cell.get("outputs", ()):
            if picture := output.get("data", {}).get("image/png"):
                yield picture
