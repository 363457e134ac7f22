"""One research run: check before a kernel starts, execute with papermill, judge the results, seal the record."""

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from pipeline_lib.errors import InputError, RunError
from pipeline_lib.project.params import params_to_json
from pipeline_lib.project.redaction import Redactor
from pipeline_lib.records.baseline_scores import run_scores
from pipeline_lib.records.champion import Champion, read_champion
from pipeline_lib.records.layout import PARAMETERS, PARAMS_FILE
from pipeline_lib.records.manifest import Failure, Invocation, RunManifest, Times
from pipeline_lib.records.metric_direction import declared_metric
from pipeline_lib.records.record import Record, begin_record, write_manifest
from pipeline_lib.records.report import write_report
from pipeline_lib.records.seal import seal
from pipeline_lib.records.snapshots import take_list
from pipeline_lib.runner.cache.lookup import cache_key, lookup, write_cache_entry
from pipeline_lib.runner.cache.watched_files import watched_files
from pipeline_lib.runner.execute import Execution, Progress, execute
from pipeline_lib.runner.failed_cell import failure_text
from pipeline_lib.runner.judge import judge, unexpected_failure
from pipeline_lib.runner.preflight import Request, check_request
from pipeline_lib.runner.provenance import describe_provenance, result_hashes
from pipeline_lib.runner.secrets import redact_failure, redact_manifest, redact_record, run_redactor
from pipeline_lib.system.files import canonical_json, write_atomic
from pipeline_lib.system.signals import SignalHandler

_FAILED = 3
"""Exit code of a failed run that no signal ended."""


def run_pipeline(
    params_file: str | Path,
    *,
    overrides: Sequence[str] = (),
    runs: Path | None = None,
    timeout: int | None = None,
    force: bool = False,
    progress: Progress = lambda line: None,
) -> Record:
    """Run a pipeline's research notebook with a parameters file and return its sealed record.

    `overrides` are `key=value` texts, `runs` another folder for the record, `timeout` the seconds that one cell may
    take. A finished run that this one would only repeat is returned in its place, unless `force`. Raises InputError or
    DifferenceError before anything is written, and RunError, which names the cell, after sealing a `failed` record.

        record = run_pipeline("params/houses.yml", overrides=["estimator.alpha=0.01"])
        record.read_json("metrics.json")["rmse"]
    """
    cached = None if force else lookup(params_file, overrides, runs=runs).record
    if cached:
        return cached
    began_ns = time.time_ns()
    request = check_request(Path(params_file), overrides)
    return run_request(request, began_ns, runs=runs, timeout=timeout, progress=progress)


def run_request(
    request: Request,
    began_ns: int,
    *,
    invocation: Invocation | None = None,
    runs: Path | None = None,
    timeout: int | None = None,
    progress: Progress = lambda line: None,
) -> Record:
    """Execute, judge and seal a request that `check_request` has passed since `began_ns` (nanoseconds of the epoch).

    The manifest describes the start by `invocation`, by default that of the request. Raises RunError after sealing a
    `failed` record.
    """
    redact = run_redactor(request)
    folder = (runs or request.project.runs).resolve()
    invocation = invocation or describe_invocation(request)
    with SignalHandler() as signals, begin_record(folder, request.pipeline, facts=invocation.to_json()) as record:
        execution = Execution(timeout, lambda line: progress(redact.redact_text(line)), redact)
        manifest = _execute_and_judge(request, began_ns, invocation, record, signals, execution)
        manifest = _redacted(record, manifest, redact)
        manifest = _with_report(request, record, manifest)
        _seal(request, record, manifest, redact)
        if manifest.failure:
            code = signals.exit_code if signals.signal else _FAILED
            raise RunError(_failure_text(request, record, manifest.failure), record.folder, code)
    return record


def describe_invocation(request: Request) -> Invocation:
    """How a run of this request was started: with its parameters file and overrides."""
    return Invocation(
        request.project.shown(request.params_file),
        request.overrides,
        request.sensitive,
        metric=declared_metric(request.project, request.pipeline),
    )


def _execute_and_judge(
    request: Request,
    began_ns: int,
    invocation: Invocation,
    record: Record,
    signals: SignalHandler,
    execution: Execution,
) -> RunManifest:
    """Everything between the record's begin and its seal. Raises nothing: the record can always be sealed."""
    started, clock = datetime.now(UTC), time.monotonic()
    manifest = RunManifest(record.reference, invocation, Times(started))
    try:
        key = cache_key(request.project, request.pipeline, request.params_file, request.overrides)
        provenance = describe_provenance(request, record)
        manifest = replace(manifest, provenance=provenance)
        _write_inputs(request, record, manifest)
        texts = (request.params_file.read_text(encoding="utf-8"), *request.overrides)
        with watched_files(request.project, request.pipeline, texts) as watched:
            failure = execute(request, record, execution)
        failure = judge(request, record, provenance.hashes, failure)
        if failure is None:
            note = write_cache_entry(record, key, began_ns, watched)
            if note:
                execution.progress(note)
        scores = {} if failure else run_scores(record, invocation.metric).to_json()
        manifest = replace(manifest, results=result_hashes(record), scores=scores)
        signals.defer()
    except KeyboardInterrupt:
        failure = Failure("interrupted")
    except Exception as error:
        failure = unexpected_failure(error)
    if signals.signal:
        message = f"interrupted ({signals.signal.name})"
        failure = replace(failure or Failure(""), message=message, traceback=None)
    times = Times(started, time.monotonic() - clock)
    return replace(manifest, times=times, failure=failure, peak_memory=execution.memory.bytes)


def _redacted(record: Record, manifest: RunManifest, redact: Redactor) -> RunManifest:
    """Take secrets out of what the run left; one in data that cannot be changed is the run's failure."""
    try:
        manifest = replace(manifest, snapshots=tuple(take_list(record.folder)))
        failure = redact_record(record, redact)
    except Exception as error:
        failure = unexpected_failure(error)
    return replace(manifest, failure=redact_failure(manifest.failure or failure, redact))


def _write_inputs(request: Request, record: Record, manifest: RunManifest) -> None:
    """Write what is known before the execution: manifest, parameters file, parameters."""
    write_manifest(record, manifest.to_json())
    write_atomic(record.folder / PARAMS_FILE, request.params_file.read_bytes())
    write_atomic(record.folder / PARAMETERS, canonical_json(params_to_json(request.params)))


def _with_report(request: Request, record: Record, manifest: RunManifest) -> RunManifest:
    """Write the report, if there is a notebook; a report that cannot be written is the run's failure."""
    try:
        if record.notebook.is_file():
            write_report(record, manifest.to_json(), _present_champion(request))
    except Exception as error:
        failure = unexpected_failure(error)
        return replace(manifest, failure=manifest.failure or replace(failure, message=f"report: {failure.message}"))
    return manifest


def _present_champion(request: Request) -> Champion | None:
    """The champion of the pipeline by its pointer; None where there is none that can be read."""
    try:
        return read_champion(request.project, request.pipeline)
    except InputError:
        return None


def _seal(request: Request, record: Record, manifest: RunManifest, redact: Redactor) -> None:
    try:
        seal(record, redact_manifest(manifest.to_json(), redact))
    except OSError as error:
        before = f"{_failure_text(request, record, manifest.failure)}\n" if manifest.failure else ""
        raise RunError(
            f"{before}{record.reference}: found {error} while the record was sealed, expected a folder that can be "
            f"written; it stays unsealed: make room, then `pipeline-lib resume {record.reference}`",
            record.folder,
        ) from error


def _failure_text(request: Request, record: Record, failure: Failure) -> str:
    project, reference = request.project, record.reference
    cause = failure_text(failure, project.shown(project.research_notebook(request.pipeline)), project.root)
    return (
        f"{cause}\n{reference}: the run failed; its record keeps the notebook so far and the error\n"
        f"`pipeline-lib show {reference}` shows the error, `pipeline-lib lab {reference}` opens the notebook, "
        f"`pipeline-lib resume {reference}` runs again"
    )
