"""Reproduction: a record's notebook runs again with its parameters, and the results are compared."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline_lib.errors import DifferenceError, InputError, PipelineLibError, RunError
from pipeline_lib.parity.compare_records import Comparison, compare_records
from pipeline_lib.project.code_diff import changed_code, exported_code, notebook_code
from pipeline_lib.project.exported_cells import exported_cells
from pipeline_lib.project.notebooks import read_notebook
from pipeline_lib.project.project import Project
from pipeline_lib.records.forgotten import check_rows
from pipeline_lib.records.layout import LIBRARY, PARAMS_FILE, REPRODUCED, REPRODUCTION
from pipeline_lib.records.record import Record, all_records, checks_folder
from pipeline_lib.records.seal import verify
from pipeline_lib.records.snapshots import checked_file, snapshots_of
from pipeline_lib.runner.fresh_environment import build_environment, recorded_variables
from pipeline_lib.runner.queries import replaying
from pipeline_lib.runner.run import run_pipeline
from pipeline_lib.system.files import canonical_json, sha256_file, write_atomic
from pipeline_lib.system.locks import locked_temporary_folder

Progress = Callable[[str], None]
_FITTED_STATE = "learned state"  # sections of a comparison, named as in reproduce.json
_RESULTS = (_FITTED_STATE, "evidence", "metrics")
_CAUSES = ("parameters", "data", "environment")
_ERRORS = {error.exit_code: error for error in (DifferenceError, InputError, RunError)}


@dataclass(frozen=True)
class Reproduction:
    """A record and the run that repeated it; `code_changes` lists cells that are not as recorded."""

    record: Record
    again: Record
    code_changes: tuple[str, ...]
    comparison: Comparison

    @property
    def identical(self) -> bool:
        """Whether evidence (inputs, intermediates, outputs), metrics and fitted state agree bit for bit.

        A record of a version that kept no fitted state is compared without it, and the text says so.
        """
        parts = self.comparison
        same_state = not parts.section(_FITTED_STATE).differences
        return same_state and parts.section("evidence").same and parts.section("metrics").same

    def __str__(self) -> str:
        results = [self.comparison.section(name) for name in _RESULTS]
        causes = [section for section in self.comparison.sections if section.name in _CAUSES and section.differences]
        lines = [f"{self.record.reference}: {'identical' if self.identical else 'different'}"]
        lines += [f"not as recorded: {line}" for line in self.code_changes]
        lines += map(str, results)
        lines += map(str, causes)
        commit = (self.record.manifest().get("git") or {}).get("commit")
        if not self.identical and self.code_changes and commit:
            lines.append(f"to repeat the run itself, `git stash` what you changed and `git checkout {commit[:12]}`")
        if not self.identical and not causes and not self.code_changes:
            lines.append("environment: same, as far as it is recorded; look for a step that draws without a seed")
        return "\n".join([*lines, f"run again: {self.again.folder}"])

    def to_json(self) -> dict[str, Any]:
        """The result as JSON values."""
        return {
            "reference": self.record.reference,
            "identical": self.identical,
            "sources": list(self.code_changes),
            "again": str(self.again.folder),
            "comparison": self.comparison.to_json(),
            "text": str(self),
        }


def reproduce(
    record: Record,
    project: Project,
    *,
    fresh_environment: bool = False,
    progress: Progress = lambda line: None,
) -> Reproduction:
    """Run a record's notebook again with the recorded parameters, and compare fitted state, evidence and metrics.

    The new run is kept among the record's checks, and replaces that of an earlier reproduction. With
    `fresh_environment` it runs in a virtual environment made from the lock. Raises InputError for a record that is not
    finished or was changed, and whatever `run_pipeline` raises.
    """
    _check_repeatable(record)
    changes = tuple(code_changes(record, project))
    for line in changes:
        progress(f"not as recorded: {line}")
    for snapshot in snapshots_of(record):
        progress(f"reads the snapshot of {snapshot.title}, as of {snapshot.as_of}")
    checks = checks_folder(record)
    runs = checks / REPRODUCED
    shutil.rmtree(runs, ignore_errors=True)
    project.runs.mkdir(parents=True, exist_ok=True)
    with replaying(record), locked_temporary_folder("reproduce", project.runs) as folder:
        again = _run_again(record, project, runs, folder, progress, fresh_environment=fresh_environment)
    reproduction = Reproduction(record, again, changes, compare_records(record, again))
    write_atomic(checks / REPRODUCTION, canonical_json(reproduction.to_json()))
    return reproduction


def code_changes(record: Record, project: Project) -> list[str]:
    """Cells of the project's notebook and library that are not as a record has them, one a line."""
    path = project.research_notebook(record.pipeline)
    shown = project.shown(path)
    lines = []
    hashes = record.manifest().get("hashes") or {}
    if not path.is_file() or sha256_file(path) != hashes.get("notebook"):
        old, new = (notebook_code(read_notebook(at, shown), shown) for at in (record.notebook, path))
        lines += changed_code(old, new) or [f"{shown}: prose, tags or outputs; every code cell is as recorded"]
    exported = record.read_json(LIBRARY)
    if exported is None:
        return [*lines, f"{LIBRARY}: the record has none, so library code cannot be compared"]
    modules = {cell["module"] for cell in exported}
    now = [cell for cell in exported_cells(project) if cell["module"] in modules]
    return lines + changed_code(exported_code(exported), exported_code(now))


def _check_repeatable(record: Record) -> None:
    status = record.status()
    if status == "finished":
        check_rows(record, "to compare with")
        for snapshot in snapshots_of(record):
            checked_file(record, snapshot)
        problems = verify(record)
        if not problems:
            return
        raise InputError(
            f"{record.reference}: found {problems[0]}\nexpected every byte as it was sealed; reproduce another run"
        )
    raise InputError(
        f"{record.reference}: found a record that is {status}, expected a finished one; "
        f"`pipeline-lib run params/{record.pipeline}.yml` makes one"
    )


def _run_again(
    record: Record, project: Project, runs: Path, folder: Path, progress: Progress, *, fresh_environment: bool
) -> Record:
    """Run with the recorded parameters, in this process or in a fresh environment; the new record."""
    parameters = folder / f"{record.pipeline}.yml"
    shutil.copy(record.folder / PARAMS_FILE, parameters)
    overrides = record.manifest().get("overrides", [])
    if not fresh_environment:
        try:
            return run_pipeline(parameters, overrides=overrides, runs=runs, progress=progress)
        except InputError as error:
            raise InputError(_refused_text(record, project, parameters, error)) from error
    python = build_environment(record, project, folder, progress)
    request = json.dumps([str(parameters), overrides, str(runs)])
    result = subprocess.run(  # noqa: S603 (our own interpreter and module)
        [str(python), "-P", "-m", "pipeline_lib.runner.reproduce", request],
        cwd=project.root,
        env=recorded_variables(record),
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if result.returncode:
        raise _ERRORS.get(result.returncode, RunError)(f"in the fresh environment: {result.stderr.strip()}")
    return all_records(runs)[-1]


def _refused_text(record: Record, project: Project, parameters: Path, error: PipelineLibError) -> str:
    """The message where the present checkout refuses a record's parameters."""
    git = record.manifest().get("git") or {}
    commit = f"`git checkout {git['commit'][:12]}`" if "commit" in git else "go back to the code of that day"
    changed = ", then `git apply` the record's git.diff," if git.get("changed") else ""
    reason = str(error).replace(project.shown(parameters), PARAMS_FILE)
    return (
        f"{record.reference}: found a checkout that refuses what the record ran with, expected one that takes it: "
        f"{reason}\n{commit}{changed} and try again"
    )


def _run_in_this_environment(request: str) -> None:
    parameters, overrides, runs = json.loads(request)
    try:
        run_pipeline(parameters, overrides=overrides, runs=Path(runs), progress=lambda line: print(line, flush=True))
    except PipelineLibError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.exit_code)


if __name__ == "__main__":
    _run_in_this_environment(sys.argv[1])
