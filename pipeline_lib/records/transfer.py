"""Push and pull of records, to a store and from it. Every byte is verified on arrival.

The manifest is written last: a folder without it is no record, so a push that was interrupted is never pulled.
"""

import json
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from pipeline_lib.errors import DifferenceError, InputError
from pipeline_lib.project.project import check_name
from pipeline_lib.records.comparison_kept import (
    COMPARISON,
    kept_files,
    parse_comparison,
    without_rows,
    write_comparison,
)
from pipeline_lib.records.forgotten import forgotten_in
from pipeline_lib.records.layout import MANIFEST, PARITY
from pipeline_lib.records.record import REPAIR, Record, checks_folder
from pipeline_lib.records.seal import is_valid_manifest, verify
from pipeline_lib.records.store import Store, open_store
from pipeline_lib.system.files import flush_tree, read_json, sha256_bytes, sha256_file
from pipeline_lib.system.locks import locked
from pipeline_lib.system.safe_names import name_problems

Progress = Callable[[str], None]


class SensitiveError(InputError):
    """A record with sensitive fields would leave its place without permission."""


def push(record: Record, url: str, *, include_sensitive: bool = False, progress: Progress = lambda name: None) -> str:
    """Copy a sealed record to a folder or URL, with the results of its checks, and return its address there.

    Files that an interrupted push has already copied are not sent again; `progress` is called with the name of each
    file that is. Raises InputError for a record that is not as it was sealed, that has sensitive fields (unless
    `include_sensitive`), or whose name another record has there; DifferenceError when other bytes arrive.
    """
    problems = verify(record)
    if problems:
        raise InputError(f"{record.reference}: {problems[0]}; {REPAIR.format(record.reference)}")
    try:
        check_sensitive(record.reference, record.manifest(), include_sensitive=include_sensitive)
    except SensitiveError as error:
        remedy = "" if forgotten_in(record.manifest()) else "; `push --without-rows` sends a copy without them"
        raise SensitiveError(f"{error}{remedy}") from None
    with open_store(url) as store:
        return _send(record, store, progress)


def _send(record: Record, store: Store, progress: Progress) -> str:
    sealed = (record.folder / MANIFEST).read_bytes()
    if store.read(f"{store.folder}/{MANIFEST}") is not None:
        raise InputError(f"{store.folder}: found a record, expected a folder of records; name the folder above")
    in_store = store.read(store.path(record, MANIFEST))
    if in_store not in (None, sealed):
        found = _other_record(in_store, record.manifest())
        raise InputError(f"{store.path(record, '')}: found {found}, expected none; remove that one")
    for name, digest in record.manifest()["files"].items():
        if store.digest(store.path(record, name)) != digest:
            store.send(record.folder / name, store.path(record, name), digest)
            progress(name)
    if in_store is None:
        part = store.path(record, f".{MANIFEST}.{secrets.token_hex(3)}.part")
        store.send(record.folder / MANIFEST, part, sha256_bytes(sealed))
        store.system.mv(part, store.path(record, MANIFEST))
        progress(MANIFEST)
    _send_checks(record, store, sha256_bytes(sealed))
    return str(store.system.unstrip_protocol(store.path(record, "").rstrip("/")))


def _send_checks(record: Record, store: Store, manifest_digest: str) -> None:
    """Copy the result of the last parity check, which a listing of the store shows, and the kept comparisons."""
    parity = checks_folder(record) / PARITY
    if parity.is_file():
        path, digest = store.parity_path(record, manifest_digest), sha256_file(parity)
        if store.digest(path) != digest:
            store.send(parity, path, digest)
    for file in kept_files(record):
        content = without_rows(read_json(file))
        path, digest = f"{store.checks_path(record, manifest_digest)}/{file.name}", sha256_bytes(content)
        if store.digest(path) != digest:
            with tempfile.NamedTemporaryFile() as stream:
                stream.write(content)
                stream.flush()
                store.send(Path(stream.name), path, digest)


def _fetch_comparisons(store: Store, target: Record, content: Mapping[str, Any]) -> None:
    """Copy the kept comparisons of a record that was just fetched; one that is none of its own is left there."""
    folder = store.checks_path(target, sha256_file(target.folder / MANIFEST))
    for name in store.names(folder):
        if not COMPARISON.fullmatch(name):
            continue
        try:
            found = json.loads(store.read(f"{folder}/{name}") or b"")
        except (ValueError, RecursionError):
            continue
        champion = found.get("champion_digest") if isinstance(found, dict) else None
        if isinstance(champion, str) and parse_comparison(found, str(content["digest"]), champion):
            write_comparison(target, champion, found)


def pull(
    reference: str,
    url: str,
    runs: Path,
    *,
    digest: str | None = None,
    include_sensitive: bool = False,
    progress: Progress = lambda name: None,
) -> Record:
    """Copy a record from a folder or URL into the runs folder and return it.

    `reference` is NAME (the newest finished run there, no member of a sweep) or NAME/ID (the first letters of the ID
    suffice). With `digest` only the record that was sealed with it is copied. A record that is already in the runs
    folder stays as it is; `progress` is called with the reference of one that is copied. Raises InputError where there
    is no such record, where another one has its name here, or for sensitive fields; DifferenceError when the bytes that
    arrive are not those that were sealed.
    """
    with open_store(url) as store:
        pipeline, id_, manifest = _find(store, reference)
        target = Record(runs / pipeline / id_)
        content = _parse(manifest, target.reference)
        sealed_as = content.get("reference", target.reference)
        if sealed_as != target.reference:
            raise DifferenceError(
                f"{target.reference}: found the record of {sealed_as} there, expected its own; push it again"
            )
        if digest is not None and content.get("digest") != digest:
            raise DifferenceError(
                f"{target.reference}: found another record of this name in {url}, expected the one whose seal has the "
                f"digest {digest[:12]}…; ask its author to push that one"
            )
        check_sensitive(target.reference, content, include_sensitive=include_sensitive)
        if not target.folder.exists():
            _fetch(store, target, manifest, content)
            _fetch_comparisons(store, target, content)
            progress(target.reference)
    problems = verify(target)
    if problems or (target.folder / MANIFEST).read_bytes() != manifest:
        other = _other_record((target.folder / MANIFEST).read_bytes(), content)
        what = f"a damaged one ({problems[0]})" if problems else other
        raise InputError(f"{target.folder}: found {what}, expected none or the same; move it away and pull again")
    return target


def _find(store: Store, reference: str) -> tuple[str, str, bytes]:
    """Pipeline, ID and manifest of the record in the store that a reference names."""
    pipeline, _, start = reference.partition("/")
    check_name(pipeline)
    ids = store.ids(pipeline)
    matches = [id_ for id_ in ids if id_.startswith(start)]
    if start and len(matches) > 1:
        raise InputError(f"found {len(matches)} runs that begin with {reference}, expected one: {', '.join(matches)}")
    members = 0
    for id_ in reversed(matches):
        manifest = store.read(store.path(Record(Path(pipeline, id_)), MANIFEST))
        content = None if start or manifest is None else _parse(manifest, reference)
        if manifest is not None and (content is None or _is_meant_by_name(content)):
            return pipeline, id_, manifest
        members += bool(content and content.get("sweep"))
    known = ", ".join(f"{pipeline}/{id_}" for id_ in ids[-5:]) or f"no runs of {pipeline}"
    wanted = "one whose ID begins so" if start else f"a finished one{' that is no member of a sweep' * bool(members)}"
    raise InputError(f"{store.folder}: found no run {reference!r}, expected {wanted}; there: {known}")


def _is_meant_by_name(content: Mapping[str, Any]) -> bool:
    """Whether a pipeline's name alone may mean the run of this manifest: finished, and no member of a sweep."""
    return content.get("status") == "finished" and content.get("sweep") is None


def _parse(manifest: bytes, reference: str) -> dict[str, Any]:
    try:
        content = json.loads(manifest)
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict) or not is_valid_manifest(content):
        raise DifferenceError(f"{reference}: found a damaged {MANIFEST} there, expected a sealed one; push it again")
    return content


def _fetch(store: Store, target: Record, manifest: bytes, content: Mapping[str, Any]) -> None:
    """Copy a record's files to a temporary folder, verify them, and rename the folder."""
    for name, problem in name_problems(content["files"]):
        raise DifferenceError(f"{target.reference}: {name!r}: {problem}; ask its author to push it again")
    with ExitStack() as lock:
        target.folder.parent.mkdir(parents=True, exist_ok=True)
        part = Record(target.folder.parent / f".{target.id}.{secrets.token_hex(3)}.part" / target.id)
        lock.callback(shutil.rmtree, part.folder.parent, ignore_errors=True)
        with locked(target.folder.parent, wait=True):  # `clean --leftovers` removes an unlocked temporary folder
            part.folder.mkdir(parents=True)
            lock.enter_context(locked(part.folder.parent))
        _receive(store, target, part, manifest, content["files"])


def _receive(store: Store, target: Record, part: Record, manifest: bytes, files: Iterable[str]) -> None:
    try:
        for name in files:
            (part.folder / name).parent.mkdir(parents=True, exist_ok=True)
            store.system.get_file(store.path(target, name), str(part.folder / name))
    except FileNotFoundError as error:
        raise DifferenceError(f"{target.reference}: found no {error}, expected every file; push it again") from error
    (part.folder / MANIFEST).write_bytes(manifest)
    problems = verify(part)
    if problems:
        raise DifferenceError(f"{target.reference}: damaged at its address: {problems[0]}; push it again, then pull")
    flush_tree(part.folder)
    _rename(part, target)


def _rename(part: Record, target: Record) -> None:
    try:
        part.folder.rename(target.folder)
    except OSError:
        if not target.folder.is_dir():  # otherwise another pull was first
            raise


def _other_record(found: bytes, wanted: Mapping[str, Any]) -> str:
    """What a record is in whose place another one is wanted: the same with or without its rows, or another."""
    try:
        content = json.loads(found)
    except ValueError:
        return "a damaged record of this name"
    for one, other, words in ((content, wanted, "without"), (wanted, content, "with")):
        forgotten = forgotten_in(one) if isinstance(one, dict) and isinstance(other, dict) else None
        if forgotten and forgotten.seal == other.get("digest"):
            return f"this record {words} its rows"
    return "another record of this name"


def check_sensitive(reference: str, manifest: Mapping[str, Any], *, include_sensitive: bool) -> None:
    """SensitiveError for a record with sensitive fields, unless they may leave their place."""
    fields = manifest.get("sensitive") or []
    forgotten = forgotten_in(manifest)
    if fields and forgotten and forgotten.may_hold and not include_sensitive:
        raise SensitiveError(
            f"{reference}: found {'; '.join(forgotten.may_hold)}, which may be values of the sensitive fields "
            f"{', '.join(fields)}, expected none to leave its place; say --include-sensitive if those who can read the "
            "address may read them"
        )
    if fields and not forgotten and not include_sensitive:
        raise SensitiveError(
            f"{reference}: found evidence with the sensitive fields {', '.join(fields)}, expected none to leave its "
            "place; say --include-sensitive if those who can read the address may read them"
        )
