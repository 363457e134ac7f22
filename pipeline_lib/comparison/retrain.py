"""Retraining: a run on the rows of a date, checked in full and compared with the champion; a branch proposes it.

Each step finds what an earlier call of the same date has done, so that a retraining that was killed goes on where it
stopped: the run by the date in its manifest, parity by its result beside the record, the store by its bytes, the branch
by its name. The working tree, the index and the present branch stay as they are.
"""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from pipeline_lib.comparison.compare import check_amounts, compare
from pipeline_lib.comparison.late_labels import LateLabels, labelled_files
from pipeline_lib.comparison.retraining import NOT_WORSE, Retraining
from pipeline_lib.errors import DifferenceError, InputError
from pipeline_lib.parity.check import check_parity, read_or_check_parity
from pipeline_lib.parity.result import one_line
from pipeline_lib.parity.variations import FULL
from pipeline_lib.project.git import ask_git
from pipeline_lib.project.git_branch import branch_tips, make_branch, uncommitted_files, write_branch
from pipeline_lib.project.project import Project, check_name
from pipeline_lib.records.champion import (
    CHAMPIONS,
    Champion,
    champion_path,
    parse_champion,
    pointer_content,
)
from pipeline_lib.records.champion_record import champion_of, fetch_champion
from pipeline_lib.records.index import read_parity
from pipeline_lib.records.promotable import source_problem
from pipeline_lib.records.promotion import check_promotable, next_champion
from pipeline_lib.records.record import Record, all_records
from pipeline_lib.records.seal import verify
from pipeline_lib.records.store import store_of
from pipeline_lib.records.transfer import check_sensitive, push
from pipeline_lib.runner.cache.lookup import lookup
from pipeline_lib.runner.preflight import Request, check_request
from pipeline_lib.runner.run import describe_invocation, run_request
from pipeline_lib.system.locks import is_locked, locked

AS_OF = "as_of"
"""The parameter that takes the date of a retraining, where `Params` has it."""
_LOCKS = ".retrain"
"""Folder of the runs folder with one folder for each pipeline, which a retraining locks."""
_POINTER = re.compile(rf"(.*/)?{CHAMPIONS}/[^/]+\.yml")
_SHOWN = 5
"""At most so many changed files are named."""


@dataclass(frozen=True)
class RetrainOptions:
    """How a pipeline is retrained: as of which date, and how the two records are compared.

    `today` is True where no date was asked for: then a pipeline without the parameter `as_of` is retrained, too.
    `comparison` are further arguments of `compare`. With `force` what an earlier call of the date did does not count.
    """

    as_of: date
    today: bool = False
    comparison: Mapping[str, Any] = field(default_factory=dict)
    timeout: int | None = None
    include_sensitive: bool = False
    force: bool = False
    progress: Callable[[str], None] = lambda line: None


def retrain(project: Project, pipeline: str, options: RetrainOptions) -> Retraining:
    """Run a pipeline on the rows of a date, check parity in full, compare with the champion; propose it by a branch.

    Raises InputError, before anything runs, outside git, for files that are in no commit, without a champion or a
    store, and for rows or amounts of the comparison that cannot be; RunError for a run that fails; DifferenceError for
    parity that differs.
    """
    check_name(pipeline)
    _check_committed(project, pipeline)
    champion = champion_of(project, pipeline)
    store_of(project)
    _check_comparison(options.comparison)
    with _alone(project, pipeline, options):
        known = None if options.force else _proposed(project, pipeline, champion, options)
        result = known or _retrain(project, pipeline, champion, options)
        branch = branch_name(pipeline, options.as_of)
        if result.branch is None and branch_tips(project.root, branch):
            options.progress(
                f"branch {branch} of an earlier call is still there and proposes another run: do not merge it; "
                f"`git branch -D {branch}` removes it here"
            )
        return result


def branch_name(pipeline: str, as_of: date) -> str:
    """The branch of a retraining."""
    return f"retrain/{pipeline}-{as_of.isoformat()}"


def _retrain(project: Project, pipeline: str, champion: Champion, options: RetrainOptions) -> Retraining:
    old = fetch_champion(project, pipeline, include_sensitive=options.include_sensitive)
    record = _record(project, old, options)
    _check_parity(record, project, options)
    check_promotable(record, project, include_sensitive=options.include_sensitive)
    read_or_check_parity(old, project.library)  # a pulled record comes without
    (answer,) = compare(old, record, **options.comparison, project=project).answers
    result = Retraining(
        pipeline,
        options.as_of.isoformat(),
        record.reference,
        champion.record.reference,
        answer.verdict,
        answer.not_worse,
        answer.sentence,
        None,
    )
    if result.exit_code > NOT_WORSE or record.manifest()["digest"] == champion.record.digest:
        return result
    return replace(result, branch=_propose(record, project, options, result))


def _propose(record: Record, project: Project, options: RetrainOptions, result: Retraining) -> str:
    """Push the record, and write the branch with the pointer that names it."""
    push(record, store_of(project), include_sensitive=options.include_sensitive)
    pointer = pointer_content(project, next_champion(record, project))
    branch = branch_name(record.pipeline, options.as_of)
    message = f"Retrain {record.pipeline} as of {result.as_of}: {record.reference}\n\n{result.sentence}\n"
    write_branch(project.root, branch, project.shown(champion_path(project, record.pipeline)), pointer, message)
    return branch


def _proposed(project: Project, pipeline: str, now: Champion, options: RetrainOptions) -> Retraining | None:
    """The retraining whose branch is there, here or fetched; None where there is none.

    A branch that proposes something against an earlier champion does not count, nor one that was merged. One that was
    only fetched becomes a local one, as the first call left it.
    """
    branch = branch_name(pipeline, options.as_of)
    shown = project.shown(champion_path(project, pipeline))
    for commit in branch_tips(project.root, branch):
        content = ask_git(project.root, "show", f"{commit}:./{shown}")
        try:
            found = parse_champion(content, pipeline, shown, project.root) if content is not None else None
        except InputError:
            continue
        if found is None or found.compared is None or found.previous is None:
            continue
        if now.record.digest == found.previous.digest:
            make_branch(project.root, branch, commit)
            compared = found.compared
            return Retraining(
                pipeline,
                options.as_of.isoformat(),
                found.record.reference,
                found.previous.reference,
                compared.verdict,
                compared.favourable,
                compared.sentence,
                branch,
                known=True,
            )
    return None


def _record(project: Project, champion: Record, options: RetrainOptions) -> Record:
    """The run of the date with the champion's parameters: one that is there, or a new one."""
    pipeline = champion.pipeline
    found = None if options.force else _earlier(project, pipeline, options.as_of)
    if found:
        options.progress(f"found the run of {options.as_of.isoformat()}: {found.reference}")
        return found
    began_ns = time.time_ns()
    params_file = project.root / str(champion.manifest().get("parameters_file"))
    request = check_request(params_file, _overrides(project, champion, options))
    check_sensitive(pipeline, {"sensitive": list(request.sensitive)}, include_sensitive=options.include_sensitive)
    cached = None if options.force else lookup(params_file, request.overrides).record
    if cached and source_problem(cached) is None:
        options.progress(f"nothing changed since {cached.reference}")
        return cached
    return _run(request, began_ns, options)


def _run(request: Request, began_ns: int, options: RetrainOptions) -> Record:
    invocation = replace(describe_invocation(request), retrained=options.as_of.isoformat())
    return run_request(request, began_ns, invocation=invocation, timeout=options.timeout, progress=options.progress)


def _earlier(project: Project, pipeline: str, as_of: date) -> Record | None:
    """The newest run of a date's retraining that is finished, whole, and made of committed files."""
    for record in reversed([one for one in all_records(project.runs) if one.pipeline == pipeline]):
        of_date = record.status() == "finished" and record.manifest().get("retrained") == as_of.isoformat()
        if of_date and not verify(record) and source_problem(record) is None:
            return record
    return None


def _overrides(project: Project, champion: Record, options: RetrainOptions) -> tuple[str, ...]:
    """The overrides of the champion's run, with the date where the pipeline takes it."""
    pipeline = champion.pipeline
    overrides = tuple(text for text in champion.manifest().get("overrides") or () if not text.startswith(f"{AS_OF}="))
    if AS_OF in project.import_pipeline(pipeline).Params.model_fields:
        return (*overrides, f"{AS_OF}={options.as_of.isoformat()}")
    if not options.today:
        raise InputError(
            f"found --as-of {options.as_of.isoformat()} and no parameter {AS_OF} in Params of {pipeline}, expected "
            f"one, so that load(params) can ask for the rows of that date; add `{AS_OF}: str` to Params and to its "
            "parameters file, use it in load, or leave --as-of out"
        )
    options.progress(f"{pipeline} has no parameter {AS_OF}: its rows are those that load finds now")
    return overrides


def _check_parity(record: Record, project: Project, options: RetrainOptions) -> None:
    """Check parity in full where that was not done; DifferenceError where it differs."""
    parity = read_parity(record)
    if parity is None or parity.get("full") is not True:
        progress: Any = {"progress": lambda outcome: options.progress(one_line(outcome))}
        parity = check_parity(record, library=project.library, variations=FULL, **progress).to_json()
    if not parity["exact"]:
        raise DifferenceError(
            f"{record.reference}: found parity that differs, expected it exact; `pipeline-lib show {record.reference}` "
            "names the cause"
        )


def _check_comparison(arguments: Mapping[str, Any]) -> None:
    """Raise InputError for amounts that cannot be, and for files that are not there: the comparison comes last."""
    check_amounts(arguments.get("margin"), arguments.get("volume"))
    late: LateLabels | None = arguments.get("labels")
    for path in (arguments.get("on"), late.file if late else None):
        if isinstance(path, str | Path):
            labelled_files(str(path))


def _check_committed(project: Project, pipeline: str) -> None:
    """Raise InputError where the run would be of files that are in no commit; other pointers do not count."""
    names = uncommitted_files(project.root)
    if names is None:
        raise InputError(
            f"found no commit in {project.root}, expected a git repository: a branch proposes the new record; "
            "`git init`, and commit the project"
        )
    changed = [name for name in names if not _POINTER.fullmatch(name)]
    pointer = champion_path(project, pipeline)
    committed = ask_git(project.root, "show", f"HEAD:./{project.shown(pointer)}")
    if pointer.is_file() and committed != pointer.read_bytes():
        changed.append(project.shown(pointer))
    if changed:
        more = f" and {len(changed) - _SHOWN} more" if len(changed) > _SHOWN else ""
        raise InputError(
            f"found files that are in no commit ({', '.join(changed[:_SHOWN])}{more}), expected a clean checkout: what "
            "they make can never be promoted; commit or ignore them"
        )


@contextmanager
def _alone(project: Project, pipeline: str, options: RetrainOptions) -> Iterator[None]:
    """No other retraining of a pipeline in this checkout inside the block: it waits for the end of one."""
    folder = Path(project.runs, _LOCKS, pipeline)
    folder.mkdir(parents=True, exist_ok=True)
    if is_locked(folder):
        options.progress(f"waits for another retraining of {pipeline}")
    with locked(folder, wait=True):
        yield
