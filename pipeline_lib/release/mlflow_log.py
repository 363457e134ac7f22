"""Logging a record to an MLflow server: a run with the record's facts, and a model whose predictions have its bits.

The run is found again by the digest of the record's seal, so that a record is logged once however often it is asked
for. Files go first and the digest's tag last: a run that was interrupted has none, and is not taken for a whole one.
"""

import math
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pipeline_lib.compiled.opaque_versions import distributions
from pipeline_lib.compiled.pipeline import load_model
from pipeline_lib.errors import InputError
from pipeline_lib.project.code_diff import flatten
from pipeline_lib.project.project import Project
from pipeline_lib.records.index import read_parity
from pipeline_lib.records.layout import METRICS, PARAMETERS
from pipeline_lib.records.record import Record
from pipeline_lib.release.mlflow_files import DATA, PAGES, Contents, check_loggable, write_data, write_pages
from pipeline_lib.release.mlflow_signature import signature_of
from pipeline_lib.system.locks import locked_temporary_folder

URI = "MLFLOW_TRACKING_URI"
"""MLflow's own variable with the address of the server."""
_LOADER = "pipeline_lib.scoring.mlflow_model"
_DIGEST, _PARITY, _CONTENTS = "pipeline_lib.digest", "pipeline_lib.parity", "pipeline_lib.contents"
_LONGEST = 6000
"""Characters of a parameter's value that MLflow keeps."""
_BATCH = 100
"""Parameters of one request to MLflow."""
_DEFAULTS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}
"""MLflow reports its use to its makers, retries an address for minutes, and prints, unless these say otherwise."""


@dataclass(frozen=True)
class LoggedRun:
    """The run of MLflow that a record is; `created` is False where the server had it, `version` of a registered model.

    `model` is the address that `mlflow.pyfunc.load_model` takes.
    """

    run_id: str
    model: str
    experiment: str
    created: bool
    version: str = ""


@dataclass(frozen=True)
class Target:
    """Where a record is logged: address of the server, experiment, name of a registered model or nothing."""

    uri: str
    experiment: str
    register: str = ""


def log_record(record: Record, project: Project, target: Target, contents: Contents) -> LoggedRun:
    """Log a record, or find the run that it was logged as; files, parity and registration that are new are added.

    Raises InputError for a record that may not be logged, an address with a password, and what MLflow refuses.
    """
    _check_address(target.uri)
    check_loggable(record, contents)
    with locked_temporary_folder("mlflow") as folder, _mlflow(target.uri) as client:
        write_pages(record, folder / PAGES, contents)
        experiment = _experiment(client, target.experiment)
        run = _logged(client, experiment, record)
        created = run is None
        if run is None:
            run = _begin(client, experiment, record)
            with _failed_unless_done(client, run.info.run_id):
                _log_facts(client, run.info.run_id, record)
                _log_model(run.info.run_id, record, project, folder)
                _finish(client, run.info.run_id, record, folder, contents)
        elif run.data.tags.get(_CONTENTS) != str(contents):
            client.log_artifacts(run.info.run_id, str(folder / PAGES), PAGES)
            client.set_tag(run.info.run_id, _CONTENTS, str(contents))
        client.set_tag(run.info.run_id, _PARITY, _parity(record))
        model = client.get_run(run.info.run_id).outputs.model_outputs[0].model_id
        version = _register(client, target.register, model) if target.register else ""
        return LoggedRun(run.info.run_id, f"models:/{model}", target.experiment, created, version)


def _check_address(uri: str) -> None:
    """Refuse an address with a password, which a log or the history of a shell would keep."""
    if urlsplit(uri).password is not None:
        raise InputError(
            "found a password in the address of MLflow's server, expected none; leave it out and set "
            "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"
        )


@contextmanager
def _mlflow(uri: str) -> Iterator[Any]:
    """A client of the server; MLflow's errors are InputErrors, and its address of this process is put back."""
    for name, value in _DEFAULTS.items():
        os.environ.setdefault(name, value)
    try:
        import mlflow
        from mlflow.exceptions import MlflowException
    except ModuleNotFoundError as error:
        raise InputError(
            f"found no package {error.name!r}, expected the extra mlflow; pip install 'nb-pipeline-lib[mlflow]'"
        ) from error
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(uri)
    try:
        yield mlflow.MlflowClient(tracking_uri=uri)
    except MlflowException as error:
        reason = " ".join(str(error).split())[:500]
        raise InputError(
            f"{uri}: found {reason}, expected a server of MLflow that takes a run; `mlflow server` starts one"
        ) from error
    finally:
        mlflow.set_tracking_uri(before)


def _experiment(client: Any, name: str) -> str:
    """The ID of the experiment of a name, which is made where there is none."""
    found = client.get_experiment_by_name(name)
    if found is not None and found.lifecycle_stage != "active":
        raise InputError(
            f"{name}: found a deleted experiment, expected one in use; restore it in MLflow or name another with "
            "--experiment"
        )
    return str(found.experiment_id if found is not None else client.create_experiment(name))


def _logged(client: Any, experiment: str, record: Record) -> Any:
    """The run that a record was logged as, or None."""
    digest = record.manifest()["digest"]
    runs = client.search_runs([experiment], f"tags.`{_DIGEST}` = '{digest}'", max_results=1)
    return runs[0] if runs else None


def _begin(client: Any, experiment: str, record: Record) -> Any:
    manifest = record.manifest()
    git = manifest.get("git") or {}
    tags = {
        "pipeline_lib.record": record.reference,
        "pipeline_lib.version": installed_version("nb-pipeline-lib"),
        "mlflow.source.name": f"params/{record.pipeline}",
        "mlflow.source.git.commit": str(git.get("commit") or ""),
        "pipeline_lib.changed_files": str(bool(git.get("changed") or git.get("untracked"))).lower(),
    }
    started = _milliseconds(manifest, "started")
    return client.create_run(experiment, started, {k: v for k, v in tags.items() if v}, record.reference)


@contextmanager
def _failed_unless_done(client: Any, run_id: str) -> Iterator[None]:
    """Mark the run as failed where the block ends early."""
    try:
        yield
    except BaseException:
        client.set_terminated(run_id, "FAILED")
        raise


def _log_facts(client: Any, run_id: str, record: Record) -> None:
    """Parameters, by their dotted names, and metrics."""
    from mlflow.entities import Metric, Param

    finished = _milliseconds(record.manifest(), "finished") or 0
    metrics = [Metric(name, float(value), finished, 0) for name, value in (record.read_json(METRICS) or {}).items()]
    parameters = record.read_json(PARAMETERS) or {}
    params = [Param(name, _shortened(value)) for name, value in flatten(parameters)] if parameters else []
    client.log_batch(run_id, metrics=metrics)
    for first in range(0, len(params), _BATCH):
        client.log_batch(run_id, params=params[first : first + _BATCH])


def _shortened(value: Any) -> str:
    """A parameter as text; a text that MLflow would cut ends with where the whole one is."""
    text = str(value)
    note = f"… (whole in {PAGES}/{PARAMETERS})"
    return text if len(text) <= _LONGEST else text[: _LONGEST - len(note)] + note


def _log_model(run_id: str, record: Record, project: Project, folder: Path) -> None:
    import mlflow.pyfunc

    write_data(record, folder / DATA, project)
    model = load_model(record.artifact, library=project.library, trust=project.trust)
    with mlflow.start_run(run_id=run_id), warnings.catch_warnings(action="ignore"):  # it asks for a row as an example
        mlflow.pyfunc.log_model(
            name="model",
            loader_module=_LOADER,
            data_path=str(folder / DATA),
            signature=signature_of(model),
            pip_requirements=_requirements(record, exact=model.exact),
            metadata={"record": record.reference, "digest": record.manifest()["digest"], "context": model.context},
        )


def _requirements(record: Record, *, exact: bool) -> list[str]:
    """What the model needs where it is loaded: this library, pandas for MLflow's frames, packages of opaque steps."""
    extra = "" if exact else "[opaque]"
    opaque = [f"{package}=={installed_version(package)}" for package in distributions(record.artifact)]
    own = f"nb-pipeline-lib{extra}>={installed_version('nb-pipeline-lib')}"
    return [f"mlflow-skinny>={installed_version('mlflow-skinny')}", own, "pandas>=3", *opaque]


def _finish(client: Any, run_id: str, record: Record, folder: Path, contents: Contents) -> None:
    """Files, then the tag by which the run counts as whole; the times are those of the record."""
    client.log_artifacts(run_id, str(folder / PAGES), PAGES)
    client.set_tag(run_id, _CONTENTS, str(contents))
    manifest = record.manifest()
    client.set_terminated(run_id, "FINISHED", _milliseconds(manifest, "finished"))
    client.set_tag(run_id, _DIGEST, manifest["digest"])


def _register(client: Any, name: str, model: str) -> str:
    """The version of a registered model that is this one, made where there is none."""
    import mlflow
    from mlflow.exceptions import MlflowException

    try:
        versions = client.search_model_versions(f"name = '{name}'")
    except MlflowException:
        versions = []
    for each in versions:
        if f"models:/{model}" in (each.source, f"models:/{each.model_id}"):
            return str(each.version)
    return str(mlflow.register_model(f"models:/{model}", name).version)


def _parity(record: Record) -> str:
    """The last check of parity in a word."""
    parity: Mapping[str, Any] = read_parity(record) or {}
    if not parity:
        return "not checked"
    return ("exact" if parity.get("exact") else "different") + (" (full)" if parity.get("full") else "")


def _milliseconds(manifest: Mapping[str, Any], name: str) -> int | None:
    """A time of the manifest in milliseconds since 1970; None where there is none."""
    time = (manifest.get("times") or {}).get(name)
    return math.floor(datetime.fromisoformat(time).timestamp() * 1000) if isinstance(time, str) else None
