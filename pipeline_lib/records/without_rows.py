"""A record without its rows: what of a record shows rows, and a copy that has none of it.

Only files that are known to hold no rows are kept as they are; notebook, report, compile report, cache entry and
`git.diff` are written again; everything else is left out, files that a notebook put into the record too.
"""

import json
import re
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pipeline_lib.errors import InputError
from pipeline_lib.records.forgotten import FORGOTTEN, Forgotten, forgotten_in
from pipeline_lib.records.index import read_parity
from pipeline_lib.records.layout import (
    ARTIFACT,
    BASELINE,
    CACHE_ENTRY,
    COMPILE_REPORT,
    ENVIRONMENT,
    FITTED_STATE,
    GIT_DIFF,
    LIBRARY,
    MANIFEST,
    METRICS,
    NOTEBOOK,
    PARAMETERS,
    PARAMS_FILE,
    REPORT,
    THRESHOLD,
    TRAINING,
    VALUE,
)
from pipeline_lib.records.learned_values import sensitive_files
from pipeline_lib.records.record import REPAIR, Record
from pipeline_lib.records.report import write_report
from pipeline_lib.records.seal import seal, verify
from pipeline_lib.records.store import open_store
from pipeline_lib.records.transfer import Progress, check_sensitive, push
from pipeline_lib.system.files import canonical_json, read_json, write_atomic
from pipeline_lib.system.locks import locked_temporary_folder

_KEPT = {PARAMS_FILE, PARAMETERS, METRICS, VALUE, BASELINE, THRESHOLD, ENVIRONMENT, TRAINING, LIBRARY}
_KEPT_UNLESS_SENSITIVE = {FITTED_STATE}
"""It may hold values of any raw column."""
_REWRITTEN = {NOTEBOOK, REPORT, CACHE_ENTRY, COMPILE_REPORT, GIT_DIFF}
_CODE = re.compile(r"\.(py|toml|ini|cfg|ya?ml|lock|sh|md|rst)$|(^|/)(Makefile|Dockerfile|\.gitignore)$")
"""Files whose changes stay in `git.diff`; a changed notebook or data file may show rows."""
_ERROR_NAME = re.compile(r"[A-Za-z_][\w.]*(?=: )")
PUSHED = "pushed without rows"


@dataclass(frozen=True)
class Part:
    """A part of a record that goes, with its bytes."""

    name: str
    what: str
    size: int


def parts_with_rows(record: Record) -> list[Part]:
    """What of a sealed record shows rows, or may: folders as one part; its outputs as one part of the notebook."""
    sizes: dict[str, int] = {}
    for name in _removed(record.manifest()):
        top = name.partition("/")[0]
        sizes[f"{top}/" if "/" in name else name] = sizes.get(f"{top}/" if "/" in name else name, 0) + _size(
            record.folder / name
        )
    parts = [Part(name, "removed", size) for name, size in sizes.items()]
    if record.notebook.is_file():
        outputs = [cell.get("outputs") for cell in json.loads(record.notebook.read_bytes())["cells"]]
        shown = [each for each in outputs if each]
        parts.append(
            Part(
                NOTEBOOK, f"outputs of {len(shown):,} cell{'s' * (len(shown) != 1)} removed", len(canonical_json(shown))
            )
        )
    if record.report.is_file():
        parts.append(Part(REPORT, "written again without outputs", _size(record.report)))
    if record.manifest().get("error"):
        parts.append(Part(MANIFEST, "text and traceback of the error removed", 0))
    return parts


def write_without_rows(record: Record, target: Record, forgotten: Forgotten) -> None:
    """Write a sealed record's copy without rows into another record's empty folder, and seal it.

    `forgotten` says who, when and why; the seal before, parity, and the names of what is gone are added.
    """
    manifest = {key: value for key, value in record.manifest().items() if key not in ("files", "digest", "format")}
    for name in record.manifest()["files"]:
        if _is_kept(name, manifest):
            (target.folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(record.folder / name, target.folder / name)
    forgotten = replace(
        forgotten,
        seal=record.manifest()["digest"],
        parity=_parity(record),
        removed=tuple(_removed(record.manifest())),
        may_hold=tuple(sensitive_files(record)),
    )
    manifest[FORGOTTEN] = forgotten.to_json()
    manifest |= {"snapshots": _snapshots_without_values(manifest["snapshots"])} if manifest.get("snapshots") else {}
    if manifest.get("error"):
        manifest["error"] = _error_without_text(manifest["error"])
    _rewrite(record, target, forgotten)
    if record.report.is_file() and target.notebook.is_file():
        write_report(target, manifest)
    seal(target, manifest)


def push_without_rows(
    record: Record, url: str, *, include_sensitive: bool = False, progress: Progress = lambda name: None
) -> str:
    """Push a copy of a sealed record that has no rows, and return its address; the record itself stays whole.

    The copy keeps the digest of the record's seal. Sensitive fields need `include_sensitive` only where the artifact
    may hold what it learned from them. Raises InputError and DifferenceError as `push` does.
    """
    if forgotten_in(record.manifest()):
        return push(record, url, include_sensitive=include_sensitive, progress=progress)
    problems = verify(record)
    if problems:
        raise InputError(f"{record.reference}: {problems[0]}; {REPAIR.format(record.reference)}")
    with locked_temporary_folder("push") as folder:
        copy = Record(folder / record.pipeline / record.id)
        there = _copy_there(record, url)
        copy.folder.mkdir(parents=True)
        write_without_rows(record, copy, Forgotten("", PUSHED))
        check_sensitive(record.reference, copy.manifest(), include_sensitive=include_sensitive)
        if there:
            return there
        return push(copy, url, include_sensitive=include_sensitive, progress=progress)


def _copy_there(record: Record, url: str) -> str:
    """The address of a whole copy without rows that a push left; empty where there is none."""
    with open_store(url) as store:
        content = store.read(store.path(record, MANIFEST))
        try:
            manifest = json.loads(content or b"{}")
        except ValueError:
            return ""
        forgotten = forgotten_in(manifest) if isinstance(manifest, dict) else None
        if forgotten is None or forgotten.seal != record.manifest()["digest"]:
            return ""
        files = manifest.get("files") or {}
        whole = all(store.digest(store.path(record, name)) == digest for name, digest in files.items())
        return str(store.system.unstrip_protocol(store.path(record, "").rstrip("/"))) if whole else ""


def _is_kept(name: str, manifest: dict[str, Any]) -> bool:
    """Whether a file stays as it is."""
    if name.startswith(f"{ARTIFACT}/") or name in _KEPT:
        return True
    return name in _KEPT_UNLESS_SENSITIVE and not manifest.get("sensitive")


def _removed(manifest: dict[str, Any]) -> list[str]:
    return [name for name in manifest["files"] if not _is_kept(name, manifest) and name not in _REWRITTEN]


def _size(path: Path) -> int:
    return path.stat().st_size


def _parity(record: Record) -> str:
    """The first line of the last parity result, which shows no value."""
    parity = read_parity(record)
    return str(parity["text"]).partition("\n")[0].removeprefix("parity: ") if parity else ""


def _rewrite(record: Record, target: Record, forgotten: Forgotten) -> None:
    """Write again, without rows, the files that show some and stay."""
    if record.notebook.is_file():
        write_atomic(target.notebook, _without_outputs(record.notebook.read_bytes()), durable=False)
    entry = read_json(record.folder / CACHE_ENTRY)
    if isinstance(entry, dict):  # no later run is answered with a record without rows
        entry["unanswerable"] = str(forgotten)
        write_atomic(target.folder / CACHE_ENTRY, canonical_json(entry), durable=False)
    report = read_json(record.folder / COMPILE_REPORT)
    if isinstance(report, dict):
        write_atomic(target.folder / COMPILE_REPORT, canonical_json(_without_examples(report)), durable=False)
    difference = record.folder / GIT_DIFF
    if difference.is_file():
        write_atomic(target.folder / GIT_DIFF, _code_changes(difference.read_bytes()), durable=False)


def _without_outputs(content: bytes) -> bytes:
    """An executed notebook without outputs and the state of widgets."""
    notebook = json.loads(content)
    notebook.get("metadata", {}).pop("widgets", None)
    for cell in notebook["cells"]:
        if "outputs" in cell:
            cell["outputs"] = []
    return (json.dumps(notebook, sort_keys=True, indent=1, ensure_ascii=False) + "\n").encode()


def _without_examples(report: dict[str, Any]) -> dict[str, Any]:
    """A compile report without the texts that may quote values: reasons, answers to edge rows, notes."""
    steps = [
        {**step, "why": "the reason went with the rows" if step.get("why") else "", "edge_example": ""}
        for step in report.get("steps", ())
    ]
    return {**report, "steps": steps, "notes": []}


def _code_changes(difference: bytes) -> bytes:
    """What git says of changed code; of other files only that they differ."""
    parts = re.split(rb"^(?=diff --git )", difference, flags=re.MULTILINE)
    return b"".join(part if _is_code(part) else part.partition(b"\n")[0] + b"\n" for part in parts if part)


def _is_code(part: bytes) -> bool:
    name = part.partition(b"\n")[0].decode(errors="replace").rpartition(" b/")[2].strip('"')
    return bool(_CODE.search(name))


def _snapshots_without_values(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What was asked, with the names of a query's parameters and without their values: one may name a person."""
    return [{**entry, "parameters": dict.fromkeys(entry.get("parameters") or {}, "removed")} for entry in entries]


def _error_without_text(error: dict[str, Any]) -> dict[str, Any]:
    """A failure whose message names the error alone: its text and its traceback may quote values."""
    name = _ERROR_NAME.match(str(error.get("message", "")))
    message = f"{name[0]}: its text went with the rows" if name else "the text of the error went with the rows"
    return {**{key: value for key, value in error.items() if key != "traceback"}, "message": message}
