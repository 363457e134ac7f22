"""Secrets and a run: none may be in what the run is made of, and none stays in what it leaves."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from pipeline_lib.project.connections import check_no_credentials
from pipeline_lib.project.redaction import Redactor, check_no_secret, redact_files, redactor
from pipeline_lib.records.manifest import Failure
from pipeline_lib.records.record import Record
from pipeline_lib.runner.preflight import Request
from pipeline_lib.system.files import canonical_json


def run_redactor(request: Request) -> Redactor:
    """The redactor of a run's secrets.

    Raises InputError where settings, parameters or notebooks hold one, or an address with a password.
    """
    redact = redactor(request.project)
    texts = dict(_texts(request))
    check_no_credentials(texts)
    check_no_secret(redact, texts)
    return redact


def redact_failure(failure: Failure | None, redact: Redactor) -> Failure | None:
    """A failure whose message, source and traceback hold no secret."""
    if failure is None:
        return None
    traceback = None if failure.traceback is None else redact.redact_text(failure.traceback)
    message, source = redact.redact_text(failure.message), redact.redact_text(failure.source)
    return replace(failure, message=message, source=source, traceback=traceback)


def redact_manifest(content: dict[str, Any], redact: Redactor) -> dict[str, Any]:
    """A manifest's JSON values without secrets."""
    result: dict[str, Any] = json.loads(redact.redact_bytes(canonical_json(content)))
    return result


def redact_record(record: Record, redact: Redactor) -> Failure | None:
    """Replace secrets in a record's texts; the failure of a run that kept one where nothing can be replaced."""
    held = redact_files(record.folder, redact)
    if not held:
        return None
    return Failure(
        f"found a secret in {', '.join(held[:3])}, expected it in no data that the record keeps; drop that column, or "
        "change what the notebook writes, and remove the record"
    )


def _texts(request: Request) -> Iterator[tuple[str, str]]:
    """The texts that a run is made of, by the names that messages show."""
    project = request.project
    for path in (project.root / "settings.ini", request.params_file):
        yield project.shown(path), path.read_text(encoding="utf-8", errors="replace")
    yield "--set", "\n".join(request.overrides)
    notebooks = [*project.notebooks.glob("steps/[!._]*.ipynb"), *project.notebooks.glob("pipelines/[!._]*.ipynb")]
    for path in (*sorted(notebooks), project.research_notebook(request.pipeline)):
        cells = json.loads(path.read_bytes()).get("cells", ())
        for number, cell in enumerate(cells, start=1):
            shown = json.dumps(cell.get("outputs", []), ensure_ascii=False)
            yield f"{project.shown(path)}: cell {number}", f"{''.join(cell.get('source', ''))}\n{shown}"
