"""`pipeline-lib new NAME --from NOTEBOOK`: read, run as it is, write the new notebooks, run them, compare."""

import ast
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline_lib.errors import InputError, PipelineLibError
from pipeline_lib.evidence.evidence import read_evidence
from pipeline_lib.evidence.targets import predictions_of
from pipeline_lib.project.from_notebook.captures import PREDICTIONS
from pipeline_lib.project.from_notebook.decision import Decision
from pipeline_lib.project.from_notebook.drafts import drafts, page_path
from pipeline_lib.project.from_notebook.habits import decisions
from pipeline_lib.project.from_notebook.house_style import switch_off_types, tidied, type_errors
from pipeline_lib.project.from_notebook.page import CellPlace, Comparison, cell_places, page
from pipeline_lib.project.from_notebook.parameters import parameters
from pipeline_lib.project.from_notebook.plan import Plan, plan_of
from pipeline_lib.project.from_notebook.seeds import seeded
from pipeline_lib.project.new_pipeline import check_new_name, check_unused, new_files, write_new
from pipeline_lib.project.notebooks import read_notebook
from pipeline_lib.project.project import Project
from pipeline_lib.project.redaction import redactor
from pipeline_lib.records.layout import FITTED_STATE
from pipeline_lib.records.record import Record
from pipeline_lib.runner.from_notebook_facts import facts_of
from pipeline_lib.runner.from_notebook_original import OriginalRun, run_original
from pipeline_lib.runner.from_notebook_proof import EQUAL, compare, difference, draws_anew, new_values, same_fit
from pipeline_lib.runner.run import run_pipeline
from pipeline_lib.system.files import sha256_file, write_atomic

Progress = Callable[[str], None]
_LONGEST_PATH = 300
_SECRET_FILE = re.compile(
    r"credential|secret|password|token|connections\.ya?ml|\.(pem|key|p12|pfx)$|^id_rsa", re.IGNORECASE
)
_RULES_NOTE = (
    "The notebooks are in the style of the project; lines of the original that break rules of ruff have `# noqa`: {}."
)
_TYPES_NOTE = (
    "The code that moved is not typed as `make check` wants it, so the pipeline notebook switches these errors of mypy "
    "off in its module: {}. Annotate its functions and delete that line."
)
_NOT_RUN = "The new research notebook has not run to its end yet."


@dataclass(frozen=True)
class FromNotebook:
    """What became of an original: files written, cells, decisions, comparisons, and the sentences of the proof.

    `ran` is whether the new research notebook ran to its end.
    """

    written: list[str]
    page: Path
    places: list[CellPlace]
    decisions: list[Decision]
    comparisons: list[Comparison]
    notes: list[str]
    proven: bool
    ran: bool = True


def pipeline_from_notebook(
    project: Project, name: str, notebook: Path, progress: Progress = lambda line: None
) -> FromNotebook:
    """Write the pipeline `name` from an exploration notebook and compare the two.

    Raises InputError, before anything is written, for a name that is taken, a notebook that fits no model, and an
    original that does not run as far as its split.
    """
    check_new_name(name)
    check_unused(project, [*new_files(project, name).values(), page_path(project, name)])
    path = notebook.resolve()
    plan = plan_of(read_notebook(path, str(notebook)), str(notebook))
    files = data_files(plan, path.parent)
    secret = [text for text, path in files.items() if may_hold_secrets(path)]
    targets = _project_files(project, {text: path for text, path in files.items() if text not in secret})
    redact = redactor(project).redact_text
    progress(f"running {notebook.name} as it is")
    original = run_original(plan, path.parent, files)
    facts = facts_of(plan, original, {text: project.shown(target) for text, target in targets.items()}, str(notebook))
    chosen = parameters(plan, facts)
    contents: dict[Path, bytes | Path] = {
        target: files[text] for text, target in targets.items() if not target.exists()
    }
    drafted, style = _in_style(project, drafts(plan, facts, project, name, path.name))
    contents |= drafted
    written = write_new(project, name, contents)
    progress("checking its style and types as make check does")
    if codes := type_errors(project, name):
        switch_off_types(project, new_files(project, name)["pipeline.ipynb"], codes)
        style.append(_TYPES_NOTE.format(", ".join(codes)))
    progress("running the new pipeline")
    before_split = sum(step.before_split for step in plan.model.chain.steps)
    values = new_values(project, name, before_split)
    comparisons = compare(plan, original, values, facts.casts)
    found = decisions(plan, chosen, facts)
    places = cell_places(plan, chosen, found)
    notes = [redact(_original_note(plan, original))]
    notes += style
    notes += [f"`{text}` was not copied into the project, since it may hold secrets." for text in secret]
    target = page_path(project, name)
    title = f"{name}: from {project.shown(path) if path.is_relative_to(project.root) else path.name}"
    write_atomic(target, redact(page(title, places, found, comparisons, [*notes, _NOT_RUN])).encode())
    record, note = _run(project, name, progress)
    notes.append(redact(note))
    if record is not None and PREDICTIONS in values:
        notes.append(_compiled_note(values, record))
    write_atomic(target, redact(page(title, places, found, comparisons, notes)).encode())
    proven = record is not None and not original.failures and all(one.result == EQUAL for one in comparisons)
    return FromNotebook(
        [*written, project.shown(target)], target, places, found, comparisons, notes, proven, record is not None
    )


def _in_style(project: Project, contents: dict[Path, bytes]) -> tuple[dict[Path, bytes], list[str]]:
    """The new files in the style of the project, and a sentence about what only the author can mend."""
    result, rules = dict(contents), dict[str, None]()
    for path, content in contents.items():
        if path.suffix == ".ipynb":
            result[path], broken = tidied(content, path, project)
            rules |= dict.fromkeys(broken)
    return result, [_RULES_NOTE.format(", ".join(rules))] if rules else []


def data_files(plan: Plan, folder: Path) -> dict[str, Path]:
    """Files that the original names by a literal path, by that path."""
    result: dict[str, Path] = {}
    for statement in plan.statements:
        for part in ast.walk(statement.node):
            text = part.value if isinstance(part, ast.Constant) else None
            if not isinstance(text, str) or not text or len(text) > _LONGEST_PATH or "\n" in text:
                continue
            with suppress(OSError, ValueError):
                if (folder / text).is_file():
                    result[text] = (folder / text).resolve()
    return result


def may_hold_secrets(path: Path) -> bool:
    """Whether a file's name is that of credentials, such as `.env` or `key.pem`: nothing to be put into git."""
    return path.name.startswith(".") or bool(_SECRET_FILE.search(path.name))


def _project_files(project: Project, files: dict[str, Path]) -> dict[str, Path]:
    """Where each data file lies in the project: where it is, or in `data/`."""
    result: dict[str, Path] = {}
    for text, path in files.items():
        inside = path.is_relative_to(project.root)
        target = path if inside else project.root / "data" / path.name
        if not inside and target.exists() and (not target.is_file() or sha256_file(target) != sha256_file(path)):
            raise InputError(
                f"{text}: found another file at {project.shown(target)}, expected none or the same bytes; "
                f"rename one of the two"
            )
        if target in result.values() and files[next(t for t, p in result.items() if p == target)] != path:
            raise InputError(f"{text}: found two data files called {path.name}, expected one; rename one of the two")
        result[text] = target
    return result


def _original_note(plan: Plan, original: OriginalRun) -> str:
    order = ", in the order of its execution counts" if plan.order else ""
    seed = ""
    if added := seeded(plan):
        cells = dict.fromkeys(str(plan.cell_of(draw.statement)) for draw in added)
        value = f"`random_state={plan.seed or 0}`"
        seed = f" Draws without a seed in cell{'s' * (len(cells) > 1)} {', '.join(cells)} had {value} in this run."
    if not original.failures:
        return f"The original runs from the first cell to the last{order}.{seed}"
    others = [str(cell) for cell in list(original.failures)[1:]]
    more = f"; cell{'s' * (len(others) > 1)} {', '.join(others)} failed, too" if others else ""
    first = original.failure().rstrip(".")
    return f"The original does not run as it is{order}: {first}{more}. The cells after an error ran all the same.{seed}"


def _run(project: Project, name: str, progress: Progress) -> tuple[Record | None, str]:
    """The record of a run of the new research notebook, and a sentence about it."""
    params = project.params / f"{name}.yml"
    try:
        record = run_pipeline(params, progress=progress)
    except PipelineLibError as error:
        first = str(error).splitlines()[0]
        return None, f"The new research notebook does not run yet: {first}"
    return (
        record,
        f"The new notebooks run: record {record.reference}; `pipeline-lib parity {record.reference}` proves it.",
    )


def _compiled_note(new: dict[str, Any], record: Record) -> str:
    """How near the compiled pipeline is to the fitted one; predictions of fits that differ are not compared."""
    outputs = predictions_of(read_evidence(record.evidence).outputs)
    detail = difference(new[PREDICTIONS], outputs)
    if not detail:
        return f"The compiled pipeline, which production loads, repeats the {len(outputs):,} predictions."
    if draws_anew(new):
        return (
            "Each fit of the new pipeline predicts otherwise, since its model draws at random without a seed; give it "
            "one. The compile report of the record says how near the compiled pipeline is to its own fit."
        )
    if not same_fit(new, record.folder / FITTED_STATE):
        return (
            "The fit of the run has learned other numbers than the fit in the comparison, so their predictions are not "
            "compared. The compile report of the record says how near the compiled pipeline is to its own fit."
        )
    return (
        "The compiled pipeline, which production loads, and the fitted one predict differently after the same fit: "
        f"{detail}. The compile report of the record says how far apart they may be."
    )
