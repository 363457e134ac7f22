"""`pipeline-lib new NAME --data FILE` and `--sql`: the files of a pipeline that is drafted from raw data."""

import filecmp
import os
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from pipeline_lib.errors import InputError
from pipeline_lib.project.drafting.draft import Draft, Options, make_draft
from pipeline_lib.project.drafting.findings import findings
from pipeline_lib.project.drafting.load_text import params_yml
from pipeline_lib.project.drafting.notebooks import decisions, draft_notebooks, exported_source, try_draft
from pipeline_lib.project.drafting.raw_data import RawData, query_rows, read_raw
from pipeline_lib.project.drafting.sample import sample_bytes
from pipeline_lib.project.new_pipeline import check_new_name, check_unused, fill, new_files, write_new
from pipeline_lib.project.notebooks import clean_notebook, notebook_bytes
from pipeline_lib.project.project import Project

DATA_FOLDER = "data"
_TRIES = 10  # samples that are drawn until every class is on both sides of the split


@dataclass(frozen=True)
class NewPipeline:
    """What was written, what was found in the raw data, and the guesses to decide upon, by their notebook."""

    files: list[str]
    findings: list[str]
    decisions: dict[str, list[str]]


def create_from_data(project: Project, name: str, file: Path, options: Options, *, copy: bool = False) -> NewPipeline:
    """Draft a pipeline from a raw file, try it, write its files, all or none, and export it.

    A file outside of the project is copied to `data/` with `copy`. Raises InputError, before anything is written, for
    a name that is used, a file that cannot be read, options that do not fit it, and a draft that does not run.
    """
    check_new_name(name)
    target = _place(project, file, copy=copy)
    raw = read_raw(file, os.fspath(file))
    copied: dict[Path, bytes | Path] = {} if target.exists() else {target: file}
    return _create(project, name, (target.relative_to(project.root).as_posix(), raw), options, file, copied)


def create_from_query(
    project: Project, name: str, source: str, query: str, rows: pd.DataFrame, options: Options
) -> NewPipeline:
    """Draft a pipeline from the rows of a query, as `create_from_data` does.

    `source` is a connection's name, or the path of a database's file from the project's root; `rows` is what
    `pipeline_lib.sql` returned.
    """
    check_new_name(name)
    return _create(project, name, (source, query_rows(rows, query, source)), options, rows, {})


def _create(
    project: Project,
    name: str,
    data: tuple[str, RawData],
    options: Options,
    tried_on: Path | pd.DataFrame,
    contents: dict[Path, bytes | Path],
) -> NewPipeline:
    """Write the pipeline that is drafted from raw data; `data` is what the parameter of this name is, and its rows."""
    paths = new_files(project, name)
    sample = project.root / "tests" / "data" / f"{name}{data[1].suffix}"
    sample_params = project.params / f"{name}.sample.yml"
    check_unused(project, [*paths.values(), sample_params, sample])
    draft = make_draft(name, *data, options)
    templates = [fill(template, project, name) for template in ("data_pipeline.txt", "data_research.txt")]
    notebooks = [clean_notebook(notebook) for notebook in draft_notebooks(draft, *templates)]
    content = _tried_sample(draft, exported_source(notebooks[0]), project.library, tried_on)
    test = fill("test.py", project, name).replace(f'"{name}.yml"', f'"{name}.sample.yml"')
    contents |= {
        paths["pipeline.ipynb"]: notebook_bytes(notebooks[0]),
        paths["research.ipynb"]: notebook_bytes(notebooks[1]),
        paths["params.yml"]: params_yml(draft, sample=False).encode(),
        sample_params: params_yml(draft, sample=True).encode(),
        sample: content,
        paths["test.py"]: test.encode(),
    }
    files = write_new(project, name, contents)
    guesses = [decisions(notebook) for notebook in notebooks]
    shown = [project.shown(paths[template]) for template in ("pipeline.ipynb", "research.ipynb")]
    return NewPipeline(files, findings(draft), dict(zip(shown, guesses, strict=True)))


def _place(project: Project, file: Path, *, copy: bool) -> Path:
    """Where the raw file is, or will be, in the project. Links inside the project count as files of it."""
    path = Path(os.path.normpath(Path.cwd() / file))
    path = path if path.is_relative_to(project.root) else path.parent.resolve() / path.name
    if not os.fspath(file).isprintable():
        raise InputError(f"--data: found a file name with characters that cannot be seen ({file!r}); rename the file")
    if path.is_relative_to(project.root):
        return path
    target = project.root / DATA_FOLDER / path.name
    if not copy:
        raise InputError(
            f"--data: found {file}, which is outside of the project {project.root}, expected a file of the project, so "
            f"that every checkout finds it; add --copy to copy it to {project.shown(target)}"
        )
    if target.exists() and path.is_file() and not filecmp.cmp(path, target, shallow=False):
        raise InputError(
            f"--copy: found another file {project.shown(target)} already, expected none or the same bytes; rename "
            "one of them, or use the one in the project"
        )
    return target


def _tried_sample(draft: Draft, source: str, library: str, raw: Path | pd.DataFrame) -> bytes:
    """A sample on which the drafted code runs, as it does on the raw file; raises InputError where there is none."""
    problem = ""
    for seed in range(_TRIES if draft.split.kind in ("group", "time") else 1):
        content = sample_bytes(draft, seed)
        problem = try_draft(draft, source, library, content, raw)
        if not problem:
            return content
        if not problem.startswith(draft.sample):
            break
    raise InputError(
        f"found that the drafted pipeline does not run on {problem}\nexpected that it does; nothing was written. Leave "
        "the column out of the file, choose another split, or write the pipeline by hand: "
        f"pipeline-lib new {draft.name}"
    )
