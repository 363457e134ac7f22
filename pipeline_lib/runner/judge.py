"""Judging a run by what it left: a notebook that papermill calls complete is no proof of success."""

import traceback
from collections.abc import Mapping, Sequence
from dataclasses import replace

from pipeline_lib.errors import InputError
from pipeline_lib.project.notebooks import RAISES, SKIPPED, Cell, read_notebook
from pipeline_lib.records.layout import METRICS
from pipeline_lib.records.manifest import Failure
from pipeline_lib.records.record import Record
from pipeline_lib.records.recorded_value import recorded_value
from pipeline_lib.runner.cache.imported_files import refused_import
from pipeline_lib.runner.failed_cell import failure_at
from pipeline_lib.runner.metrics import metrics_of_evidence
from pipeline_lib.runner.preflight import Request
from pipeline_lib.runner.provenance import code_hashes
from pipeline_lib.runner.value import value_of_evidence
from pipeline_lib.runner.warm.cold_only import ColdOnlyError
from pipeline_lib.system.safe_names import remove_unsafe_files


def judge(
    request: Request, record: Record, hashes_before: Mapping[str, str], failure: Failure | None
) -> Failure | None:
    """Why an executed run failed; None for one that is complete and right.

    `failure` is what the execution reported, `hashes_before` are the digests of notebook, library and parameters from
    before it. Links and special files are removed from the record.
    """
    removed = remove_unsafe_files(record.folder)
    refused = refused_import(record.folder)
    if refused:  # a cold kernel would not have refused it, so neither a success nor another error counts
        failure = replace(failure or Failure(""), message=f"{ColdOnlyError.__name__}: {refused}")
    failure = failure or find_incomplete(request.cells, record)
    if failure is None:
        failure = _changed_meanwhile(request, hashes_before)
    if failure is None and removed:
        failure = Failure(f"found {', '.join(removed)} in the record (removed), expected plain files; write those")
    return failure or _check_metrics(request, record)


def _changed_meanwhile(request: Request, before: Mapping[str, str]) -> Failure | None:
    """A failure where notebook, library or parameters are not those that the run began with."""
    now = code_hashes(request)
    project = request.project
    shown = {
        "notebook": project.shown(project.research_notebook(request.pipeline)),
        "library": f"the modules of {project.library}",
        "parameters": "the parameters",
    }
    changed = [shown.get(name, name) for name in now if now[name] != before.get(name)]
    if not changed:
        return None
    return Failure(
        f"found {', '.join(changed)} changed during the run, expected no change; run again, while nothing writes there"
    )


def find_incomplete(own: Sequence[Cell], record: Record) -> Failure | None:
    """The first cell that failed or was not executed, or the results that are missing; None for a complete run.

    `own` are the research notebook's cells. One tagged `skip-execution` need not be executed, and one tagged
    `raises-exception` may fail.
    """
    try:
        executed = read_notebook(record.notebook, record.notebook.name)["cells"]
    except InputError as error:
        return Failure(str(error))
    for index, cell in enumerate(executed):
        tags = cell["metadata"].get("tags", ())
        if cell["cell_type"] != "code" or not "".join(cell["source"]).strip() or SKIPPED in tags:
            continue
        errors = [output for output in cell["outputs"] if output["output_type"] == "error" and RAISES not in tags]
        if errors:
            return failure_at(own, executed, index, f"{errors[0]['ename']}: {errors[0]['evalue']}")
        if cell.get("execution_count") is None:
            message = (
                "found a cell that was not executed, expected all but those tagged `skip-execution`; the kernel had "
                "gone, run again"
            )
            return failure_at(own, executed, index, message)
    results = {"run.compile": record.artifact, "run.evidence": record.evidence, "run.metrics": record.folder / METRICS}
    missing = [call for call, path in results.items() if not path.exists()]
    if missing:
        calls = " and ".join(f"{call}(...)" for call in missing)
        return Failure(f"found no result of {', '.join(missing)}, expected one; let the notebook call {calls}")
    return None


def _check_metrics(request: Request, record: Record) -> Failure | None:
    """Compute metrics and value again in this process, where no cell has changed the code, and compare them."""
    kept = record.read_json(METRICS)
    try:
        computed = metrics_of_evidence(request.module, record, request.params)
        wrong = [name for name, value in computed.items() if kept.get(name) != value]
        worth = value_of_evidence(request.module, record, request.params)
    except Exception as error:  # the module's own code
        return Failure(f"metrics: {type(error).__name__}: {error}, when computed again from the evidence")
    if wrong:
        name = wrong[0]
        return Failure(
            f"metrics: {name}: found {kept.get(name)!r} in the record, expected {computed[name]!r} as computed from "
            "its evidence; call run.metrics(...) once, last, on what run.evidence(...) returns"
        )
    kept_value = recorded_value(record)
    if kept_value != worth:
        return Failure(
            f"value: found {kept_value or 'none'} in the record, expected {worth or 'none'} as computed from its "
            "evidence; "
            "let no cell change `value`, and call run.metrics(...) last"
        )
    return None


def unexpected_failure(error: Exception) -> Failure:
    """The failure of a run that ended with an error of the runner: a full disk, evidence that cannot be read."""
    if isinstance(error, OSError):
        return Failure(f"found {error}, expected files that can be read and written; correct that and run again")
    return Failure(f"{type(error).__name__}: {error}", traceback="".join(traceback.format_exception(error)))
