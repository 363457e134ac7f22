"""Lookup in the run cache: a finished run is reused where a new one would only repeat it.

A record's cache entry (`memory.json`) lists digests of everything that its run depended on; a lookup compares them with
the files as they are now. It imports neither the pipeline nor any package that the pipeline uses.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline_lib.errors import InputError
from pipeline_lib.project.project import Project, project_of
from pipeline_lib.records.index import similar_runs
from pipeline_lib.records.layout import CACHE_ENTRY, IMPORTS, PARAMETERS
from pipeline_lib.records.record import Record
from pipeline_lib.records.seal import verify
from pipeline_lib.runner.cache.imported_files import (
    ImportedFiles,
    asked_sources,
    changed_files,
    file_at,
    find_imported,
    find_shadows,
    named_data,
    read_imports,
    search_folders,
    undeclared_files,
    unknown_reading,
    written_files,
)
from pipeline_lib.runner.cache.opened_files import ONLY_FILES
from pipeline_lib.runner.cache.sources import SourceFingerprints, changed_since, digest_at, fingerprint_sources
from pipeline_lib.runner.cache.watched_files import WatchedFiles, digests_now
from pipeline_lib.system.files import canonical_json, sha256_bytes, sha256_file, write_atomic
from pipeline_lib.system.fingerprint import fingerprint, installed_names

LOCK = "requirements.lock"
_UNWATCHED = WatchedFiles()
_NO_LIST = "found no list of the kernel's imports"


@dataclass(frozen=True)
class CacheKey:
    """What a run depends on, as far as it is known before the run.

    `requested` is the digest of pipeline, parameters file and overrides; `facts` are digests and versions of notebook,
    lock, Python, packages and machine, by name; `sources` has the fingerprints of the raw data.
    """

    project: Project
    pipeline: str
    params_file: Path
    overrides: tuple[str, ...]
    requested: str
    facts: dict[str, str]
    sources: SourceFingerprints

    @property
    def digest(self) -> str:
        """Digest of `requested` and `facts`: runs of one digest can differ only in what they import and read."""
        return sha256_bytes(canonical_json([self.requested, self.facts]))


@dataclass(frozen=True)
class CachedRun:
    """The finished run to reuse, or None and the reason; the reason is empty where no similar run exists."""

    record: Record | None
    reason: str = ""


def cache_key(project: Project, pipeline: str, params_file: Path, overrides: Sequence[str] = ()) -> CacheKey:
    """The key of a run with this parameters file and these overrides, now. OSError for unreadable files."""
    requested = sha256_bytes(canonical_json([pipeline, sha256_file(params_file), sorted(overrides)]))
    facts = {"notebook": sha256_file(project.research_notebook(pipeline))}
    if (project.root / LOCK).is_file():
        facts[LOCK] = sha256_file(project.root / LOCK)
    sources = fingerprint_sources(project, pipeline)
    return CacheKey(project, pipeline, params_file, tuple(overrides), requested, facts | fingerprint(), sources)


def lookup(
    params_file: str | Path,
    overrides: Sequence[str] = (),
    *,
    runs: Path | None = None,
    parameters: Mapping[str, Any] | None = None,
) -> CachedRun:
    """The newest finished run that a run with these parameters would only repeat.

    `runs` is another folder of records than the project's. `parameters`, as `params.json` has them, are those of a
    member of a sweep: any run that had them is reused, however it was requested. Without them no member of a sweep is:
    `run` makes the run that the pipeline's name means, which never means a member. Raises nothing for input that a run
    refuses: no run is reused then, and the run itself reports the problem.
    """
    path = Path(params_file)
    try:
        project = project_of(path)
        key = cache_key(project, path.name.partition(".")[0], path, overrides)
    except (InputError, OSError, ValueError):  # ValueError: a NUL in a path
        return CachedRun(None)
    if key.sources.unknown:
        return CachedRun(None, f"no run can be reused: {key.sources.unknown}")
    folder = (runs or project.runs).resolve()
    return _newest(key, folder, parameters) if (folder / key.pipeline).is_dir() else CachedRun(None)


def write_cache_entry(record: Record, key: CacheKey, started_ns: int, watched: WatchedFiles = _UNWATCHED) -> str:
    """Write into a record, before its seal, what the run depended on, or why it can never be reused.

    `key` is from before the run, which began at `started_ns`: an imported file that is younger changed during it.
    `watched` has the files that any reader opened during the run. Returns a message where the run read, or may have
    read, what nothing names, else an empty text.
    """
    imports = read_imports(record.folder)
    files, kernel_facts = imports or (ImportedFiles({}, (), ()), {})
    files |= find_imported(key.project, packages=(__name__.partition(".")[0], key.project.library))
    named = named_data(record.folder)
    problem = _problem(key, files, named, kernel_facts, started_ns) if imports else _NO_LIST
    opened, uncertain = _opened(record, key, watched, started_ns)
    unseen = _unnamed_reading(record) or watched.problem
    problem = unseen or problem or uncertain
    content = {
        "asked": key.requested,
        "request": key.digest,
        "facts": key.facts,
        "sources": {**key.sources.fingerprints, **named},
        "data_paths": sorted(named),
        "opened": opened,
        "files": files.digests,
        "modules": files.packages,
        "shadows": _shadows(key, files),
        "unanswerable": key.sources.unknown or problem,
    }
    write_atomic(record.folder / CACHE_ENTRY, canonical_json(content))
    (record.folder / IMPORTS).unlink(missing_ok=True)
    if unseen or uncertain:
        return f"no later run can reuse this one: {unseen or uncertain}"
    if problem or key.sources.unknown or not opened:
        return ""
    names = _some([name for name in opened if not name.endswith("/")])
    return f"this run is reused only while {names} stays the same, which was opened during it"


def _unnamed_reading(record: Record) -> str:
    """What the kernel of a record is known to have read that has no fingerprint; empty where there is nothing."""
    asked = asked_sources(record.folder)
    if asked:
        return (
            f"found that the run {_some(asked)}, which may answer otherwise at any time; `reproduce` reads what it kept"
        )
    undeclared, unknown = undeclared_files(record.folder), unknown_reading(record.folder)
    if undeclared:
        return f"found that the run read {_some(undeclared)}, expected every raw file in SOURCES; add it there"
    return f"found that load {_some(unknown)}, {ONLY_FILES}" if unknown else ""


def _opened(record: Record, key: CacheKey, watched: WatchedFiles, started_ns: int) -> tuple[dict[str, str], str]:
    """Digests of the files that something opened during the run, and why they may not be those of what it read."""
    named = [str(key.project.root / name) for name in named_data(record.folder)]
    written = written_files(record.folder)
    files = watched.unnamed(key.project, key.pipeline, record.folder, written=written, named=named)
    changed = [key.project.shown(Path(file)) for file in watched.changed(files, started_ns)]
    problem = f"found {_some(changed)} opened and changed during the run, expected no change" if changed else ""
    return watched.digests(key.project, files), problem


def _some(names: Sequence[str]) -> str:
    """The first three of some names, as messages list them."""
    return f"{', '.join(names[:3])}{' and more' * (len(names) > 3)}"


def _problem(
    key: CacheKey, files: ImportedFiles, named: Mapping[str, str], kernel_facts: Mapping[str, str], started_ns: int
) -> str:
    """Why a run cannot be reused: inputs that changed during it, or modules without a digest; empty when it can."""
    if files.outside:
        names = ", ".join(files.outside[:3])
        return f"found {names} imported from outside the project and installed packages, expected none"
    # importing libraries in the kernel sets environment variables; those of the request are part of its key
    common = {
        name: fact for name, fact in key.facts.items() if name in kernel_facts and not name.startswith("variable")
    }
    other = next(_differing(common, {name: kernel_facts[name] for name in common}), "")
    if other:
        return f"found another {other} in the kernel than in its runner, expected one environment"
    unknown = next((name for name, digest in named.items() if not digest), "")
    if unknown:
        return f"data_path: found {unknown} gone or a folder with links, expected files; name those"
    changed = next(_changed_during_run(key, files, named, started_ns), "")
    return f"found {changed} changed during the run, expected no change" if changed else ""


def _changed_during_run(
    key: CacheKey, files: ImportedFiles, named: Mapping[str, str], started_ns: int
) -> Iterator[str]:
    try:
        now = cache_key(key.project, key.pipeline, key.params_file, key.overrides)
    except OSError as error:
        yield str(error.filename)
        return
    if now.requested != key.requested:
        yield "the parameters file"
    yield from _differing(key.facts, now.facts)
    yield from _differing(key.sources.fingerprints, now.sources.fingerprints)
    yield from _differing(named, {name: digest_at(key.project, name) for name in named})
    yield from changed_files(key.project, files.digests)
    paths = (file_at(key.project, name) for name in files.digests)
    ended_ns = time.time_ns()  # a later time was set by another machine's clock
    yield from (path.name for path in paths if started_ns < path.stat().st_mtime_ns <= ended_ns)
    yield from changed_since(key.project, named, started_ns, ended_ns)


def _newest(key: CacheKey, runs: Path, parameters: Mapping[str, Any] | None) -> CachedRun:
    """The newest whole run with this key or these parameters; else what has changed since the newest similar run."""
    names = similar_runs(runs, key.pipeline, key.requested, parameters)
    similar = [(Record(runs / name), digest) for name, digest in names]
    finished = [(record, digest) for record, digest in similar if record.status() == "finished"]
    usable = [pair for pair in finished if parameters is not None or not pair[0].is_sweep_member]
    for record, digest in usable:
        same = digest == key.digest if parameters is None else _had(record, parameters)
        if same and not _mismatch(key, record):
            return CachedRun(record)
    if not finished:
        return CachedRun(None)
    if not usable:
        member = finished[0][0].reference
        return CachedRun(None, f"{member} is a member of a sweep, which {key.pipeline} never means: a run of its own")
    newest = usable[0][0]
    return CachedRun(None, f"runs again: compared with {newest.reference}, {_mismatch(key, newest)}")


def _had(record: Record, parameters: Mapping[str, Any]) -> bool:
    """Whether a record has exactly these parameters: of 1, 1.0 and True none equals another."""
    try:
        return bool(canonical_json(record.read_json(PARAMETERS)) == canonical_json(parameters))
    except (InputError, OSError):
        return False


def _mismatch(key: CacheKey, record: Record) -> str:
    """Why a record cannot be reused for a key; empty when it can."""
    try:
        entry = record.read_json(CACHE_ENTRY)
        never = entry["unanswerable"]
        changed = f"that run cannot be reused: {never}" if never else next(_mismatches(key, entry), "")
    except (InputError, OSError, AttributeError, KeyError, TypeError, ValueError):
        changed = f"found a damaged {CACHE_ENTRY}, expected what the run depended on"
    problems = [] if changed else verify(record)
    return changed or (f"damaged: {problems[0]}" if problems else "")


def _mismatches(key: CacheKey, entry: Mapping[str, Any]) -> Iterator[str]:
    for name in _differing(entry["facts"], key.facts):
        yield f"{name} changed"
    named = {name: digest_at(key.project, name) for name in entry.get("data_paths", ())}
    for name in _differing(entry["sources"], {**key.sources.fingerprints, **named}):
        yield f"raw data {name} changed"
    opened = entry.get("opened", {})
    for name in _differing(opened, digests_now(key.project, opened)):
        yield f"{name}, which was opened during that run, changed"
    for name in changed_files(key.project, entry["files"]):
        yield f"{name} changed"
    before = entry["shadows"]
    now = _shadows(key, ImportedFiles(entry["files"], tuple(entry["modules"]), ()))
    for name in sorted({*before} ^ {*now}):
        change = "was added" if name in now else "was removed"
        yield f"{name.partition(':')[2]}, which Python could import in place of a module of the run, {change}"


def _shadows(key: CacheKey, files: ImportedFiles) -> list[str]:
    return find_shadows(key.project, files, search_folders(key.project, key.pipeline), installed_names())


def _differing(before: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    """Names with different values, or in one of the two only."""
    return (name for name in {**before, **now} if before.get(name) != now.get(name))
