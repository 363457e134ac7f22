"""A review: what changed from a git revision to the working tree, as Markdown for a pull request.

Values of secrets and absolute paths are taken out of every text before anything is cut, so that no part of one stays.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath

from pipeline_lib.errors import InputError
from pipeline_lib.project.export import check_export
from pipeline_lib.project.project import Project
from pipeline_lib.project.redaction import redactor
from pipeline_lib.records.champion import parse_champion
from pipeline_lib.runner.review.cells import cell_changes, cells_of
from pipeline_lib.runner.review.markdown import LIMIT, bullets, code, escape, within_limit
from pipeline_lib.runner.review.parameters import parameter_changes
from pipeline_lib.runner.review.results import results_of
from pipeline_lib.runner.review.revision import Change, Revision, find_revision
from pipeline_lib.runner.review.touched import touched_pipelines

MOST_PROBLEMS = 20
Clean = Callable[[str], str]


def review(project: Project, base: str, *, limit: int = LIMIT) -> str:
    """What changed since the revision `base`, as Markdown of at most `limit` characters.

    For each pipeline that the changes touch its newest finished run against that of the base, of parameters files the
    values, whether the generated modules are fresh, of each changed notebook the cells, of a new one their number.
    Nothing is fetched. Raises InputError outside git and for a revision that git does not know.
    """
    revision = find_revision(project, base)
    clean = _cleaner(project)
    changes = revision.changes()
    notebooks = [change for change in changes if change.path.endswith(".ipynb")]
    others = [change for change in changes if not change.path.endswith(".ipynb")]
    added = [change for change in notebooks if change.before is None and not _origin(change, notebooks)]
    blocks = [
        *_heading(revision, notebooks, others),
        *_pipelines(revision, touched_pipelines(project, changes), clean),
        *_parameters([change for change in others if not _is_pointer(change)], clean),
        *_champions(project, [change for change in others if _is_pointer(change)], clean),
        *_modules(project, clean),
        *(block for change in notebooks if change not in added for block in _notebook(change, notebooks, clean)),
        *_added(added, clean),
    ]
    return within_limit([clean(block) for block in blocks], limit)


def _cleaner(project: Project) -> Clean:
    """Takes secrets, and the folders of this machine, out of a text."""
    redact = redactor(project)
    folders = {str(project.root): ".", str(project.root.resolve()): ".", str(Path.home()): "~"}

    def clean(text: str) -> str:
        text = redact.redact_text(text)
        for folder, short in folders.items():
            text = text.replace(folder, short) if len(folder) > 1 else text
        return text

    return clean


def _heading(revision: Revision, notebooks: Sequence[Change], others: Sequence[Change]) -> Iterator[str]:
    since = code(revision.name)
    if revision.is_common:
        since = f"{code(revision.commit[:12])}, the last commit in common with {since}"
    elif not revision.commit.startswith(revision.name):
        since = f"{since} ({code(revision.commit[:12])})"
    yield f"## Changes since {since}"
    parameters = [change for change in others if not _is_pointer(change)]
    counts = [(len(notebooks), "notebook"), (len(parameters), "parameters file")]
    counts.append((len(others) - len(parameters), "champion"))
    parts = [f"{count:,} {name}{'s' * (count != 1)}" for count, name in counts if count]
    yield f"Changed: {', '.join(parts)}." if parts else "No notebook, parameters file or champion has changed."
    if not revision.project.runs.is_dir():
        yield (
            "There are no runs in this clone, and nothing is fetched: what is known of champions is in their pointers. "
            "`pipeline-lib pull NAME` brings a run."
        )


def _pipelines(revision: Revision, names: Sequence[str], clean: Clean) -> Iterator[str]:
    for name in names:
        yield f"### Pipeline {code(name)}"
        yield from results_of(revision, name, clean)


def _parameters(changes: Sequence[Change], clean: Clean) -> Iterator[str]:
    for change in changes:
        yield f"### Parameters {code(change.path)}{_only_one_side(change)}"
        yield bullets(parameter_changes(change, clean))


def _champions(project: Project, changes: Sequence[Change], clean: Clean) -> Iterator[str]:
    if changes:
        yield "### Champions"
        yield bullets(_champion_line(project, change, clean) for change in changes)


def _champion_line(project: Project, change: Change, clean: Clean) -> str:
    """The champion before and after, with what their comparison found, else the reason that a person gave."""
    name = PurePosixPath(change.path).stem
    texts, why = [], ""
    for content in (change.before, change.after):
        try:
            champion = None if content is None else parse_champion(content, name, change.path, project.root)
            texts.append(code(champion.record.reference) if champion else "none")
            why = champion.compared.sentence if champion and champion.compared else champion.reason if champion else ""
        except InputError:
            texts.append("a pointer that cannot be read")
            why = ""
    return f"{code(name)}: {texts[0]} → {texts[1]}{f'; {escape(clean(why))}' if why else ''}"


def _modules(project: Project, clean: Clean) -> Iterator[str]:
    yield "### Generated modules"
    try:
        problems = [str(problem) for problem in check_export(project)]
    except InputError as error:
        problems = [str(error)]
    shown = [escape(clean(problem)) for problem in problems[:MOST_PROBLEMS]]
    more = [f"{len(problems) - MOST_PROBLEMS:,} more"] if len(problems) > MOST_PROBLEMS else []
    yield bullets([*shown, *more]) if problems else "Fresh: each is what its notebook exports."


def _added(changes: Sequence[Change], clean: Clean) -> Iterator[str]:
    """New notebooks, a line each: every cell of them is new, and would push what changed out of sight."""
    if changes:
        counts = [(change.path, cells_of(change.after, clean)) for change in changes]
        yield "### New notebooks"
        yield bullets(
            f"{code(path)}: {'no notebook' if cells is None else f'{len(cells):,} cells'}" for path, cells in counts
        )


def _notebook(change: Change, notebooks: Sequence[Change], clean: Clean) -> Iterator[str]:
    old, new = cells_of(change.before, clean), cells_of(change.after, clean)
    heading = f"### Notebook {code(change.path)}{_only_one_side(change)}"
    if old is None or new is None:
        yield f"{heading}\n\nThe file before or after is no notebook; its cells cannot be compared."
        return
    origin = _origin(change, notebooks)
    if origin:
        yield f"{heading}\n\nRenamed from {code(origin)}, otherwise the same."
        return
    found = cell_changes(old, new)
    if not found:
        yield f"{heading}\n\nOutputs or metadata alone; every cell is the same."
        return
    words = ("added", "changed", "moved", "removed")
    counts = [f"{sum(each.what == word for each in found):,} {word}" for word in words]
    yield f"{heading}\n\nCells: {', '.join(text for text in counts if not text.startswith('0 '))}."
    yield from (each.markdown for each in found)


def _origin(change: Change, notebooks: Sequence[Change]) -> str:
    """The notebook that a new one was before it was renamed; empty for any other."""
    if change.before is not None:
        return ""
    same = (other.path for other in notebooks if other.after is None and other.before == change.after)
    return next(same, "")


def _only_one_side(change: Change) -> str:
    return " (new)" if change.before is None else " (removed)" if change.after is None else ""


def _is_pointer(change: Change) -> bool:
    return PurePosixPath(change.path).parent.as_posix() == "champions"
