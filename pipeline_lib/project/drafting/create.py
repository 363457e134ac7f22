"""`pipeline-lib new NAME --data FILE`: the files of a pipeline that is drafted from raw data."""

import filecmp
import os
from dataclasses import dataclass
from pathlib import Path

from pipeline_lib.errors import InputError
from pipeline_lib.project.drafting.draft import Draft, Options, make_draft
from pipeline_lib.project.drafting.load_text import params_yml
from pipeline_lib.project.drafting.notebooks import decisions, draft_notebooks, exported_source, try_draft
from pipeline_lib.project.drafting.raw_data import read_raw
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
    paths = new_files(project, name)
    raw = read_raw(file, os.fspath(file))
    sample = project.root / "tests" / "data" / f"{name}{raw.suffix}"
    sample_params = project.params / f"{name}.sample.yml"
    check_unused(project, [*paths.values(), sample_params, sample])
    draft = make_draft(name, target.relative_to(project.root).as_posix(), raw, options)
    templates = [fill(template, project, name) for template in ("data_pipeline.txt", "data_research.txt")]
    notebooks = [clean_notebook(notebook) for notebook in draft_notebooks(draft, *templates)]
    content = _tried_sample(draft, exported_source(notebooks[0]), project.library, file)
    test = fill("test.py", project, name).replace(f'"{name}.yml"', f'"{name}.sample.yml"')
    contents: dict[Path, bytes | Path] = {} if target.exists() else {target: file}
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
    return NewPipeline(files, _findings(draft), dict(zip(shown, guesses, strict=True)))


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


def _tried_sample(draft: Draft, source: str, library: str, file: Path) -> bytes:
    """A sample on which the drafted code runs, as it does on the raw file; raises InputError where there is none."""
    problem = ""
    for seed in range(_TRIES if draft.split.kind in ("group", "time") else 1):
        content = sample_bytes(draft, seed)
        problem = try_draft(draft, source, library, content, file)
        if not problem:
            return content
        if not problem.startswith(draft.sample):
            break
    raise InputError(
        f"found that the drafted pipeline does not run on {problem}\nexpected that it does; nothing was written. Leave "
        "the column out of the file, choose another split, or write the pipeline by hand: "
        f"pipeline-lib new {draft.name}"
    )


def _findings(draft: Draft) -> list[str]:
    """What was found in the raw data, a sentence each."""
    raw, target, roles = draft.raw, draft.target, draft.roles
    rows = len(raw.frame)
    read = f"{rows:,} rows" if raw.whole else f"the first {rows:,} rows alone: later ones may differ"
    found = [f"data: {draft.data}, {read}, {len(draft.profile.columns) + len(raw.unreadable)} columns"]
    if target.task == "regression":
        found.append(f"target: {target.name}, numbers (regression)")
    else:
        classes = ", ".join(map(str, target.classes[:6])) + (", …" if len(target.classes) > 6 else "")
        found.append(f"target: {target.name}, {len(target.classes)} classes ({classes})")
    if target.gaps:
        found.append(f"{target.gaps} rows without a target are left out by `load`, which counts them")
    if target.rare:
        found.append(f"rows of {len(target.rare)} rare classes are left out by `load`, which counts them")
    column = f" by {draft.split.column}" if draft.split.column else ""
    found.append(f"split: {draft.split.kind}{column}")
    used = {"numbers": roles.numbers, "flags": roles.flags, "categories": roles.categories, "texts": roles.words}
    used["dates"] = roles.dates
    found.append("columns: " + ", ".join(f"{use} {len(names)}" for use, names in used.items() if names))
    for title, names in (("left out", roles.left_out), ("sensitive", roles.sensitive)):
        if names:
            listed = [f"{name} ({why})" for name, why in list(names.items())[:8]]
            more = f" and {len(names) - 8} more" if len(names) > 8 else ""
            found.append(f"{title}: {', '.join(listed)}{more}")
    return found
