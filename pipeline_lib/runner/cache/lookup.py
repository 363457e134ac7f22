"""A finished run answers for an unchanged one: what it rests upon is kept as digests and compared byte by byte.

Nothing of the pipeline is imported to decide it, nor any package that the pipeline uses.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline_lib.errors import InputError
from pipeline_lib.project.project import Project, project_of
from pipeline_lib.records.index import alike
from pipeline_lib.records.layout import CACHE_ENTRY, IMPORTS
from pipeline_lib.records.record import Record
from pipeline_lib.records.seal import verify
from pipeline_lib.runner.cache.imported_files import (
    Imported,
    changed_files,
    file_at,
    imported,
    read_imports,
    search_folders,
    shadows,
)
from pipeline_lib.runner.cache.sources import Sources, fingerprints
from pipeline_lib.system.files import canonical_json, sha256_bytes, sha256_file, write_atomic
from pipeline_lib.system.fingerprint import fingerprint, installed_names

LOCK = "requirements.lock"


@dataclass(frozen=True)
class Ground:
    """What a run rests upon, as far as it is known before the run.

    `asked` is the digest of pipeline, parameters file and overrides; `facts` are about notebook, lock, Python,
    packages and machine, by name; `sources` has the raw data's fingerprints.
    """

    project: Project
    pipeline: str
    params_file: Path
    overrides: tuple[str, ...]
    asked: str
    facts: dict[str, str]
    sources: Sources

    @property
    def request(self) -> str:
        """Digest of what was asked and of all facts: runs of one request differ only in what they import and read."""
        return sha256_bytes(canonical_json([self.asked, self.facts]))


@dataclass(frozen=True)
class Answer:
    """A finished run that answers for the asked one, or why none does (empty: nothing like it has run)."""

    record: Record | None
    reason: str = ""


def ground_of(project: Project, pipeline: str, params_file: Path, overrides: Sequence[str] = ()) -> Ground:
    """What a run with this parameters file and these overrides would rest upon now. OSError for unreadable files."""
    asked = sha256_bytes(canonical_json([pipeline, sha256_file(params_file), sorted(overrides)]))
    facts = {"notebook": sha256_file(project.research_notebook(pipeline))}
    if (project.root / LOCK).is_file():
        facts[LOCK] = sha256_file(project.root / LOCK)
    sources = fingerprints(project, pipeline)
    return Ground(project, pipeline, params_file, tuple(overrides), asked, facts | fingerprint(), sources)


def recall(params_file: str | Path, overrides: Sequence[str] = (), *, runs: Path | None = None) -> Answer:
    """The newest finished run that a run with these parameters would only repeat.

    `runs` is another folder of records than the project's. Never raises for what a run itself refuses: there is
    no answer then, and the run says what is wrong.
    """
    path = Path(params_file)
    try:
        project = project_of(path)
        ground = ground_of(project, path.name.partition(".")[0], path, overrides)
    except (InputError, OSError, ValueError):  # the last for a NUL in a path
        return Answer(None)
    if ground.sources.unknown:
        return Answer(None, f"no run answers for another: {ground.sources.unknown}")
    folder = (runs or project.runs).resolve()
    return _newest(ground, folder) if (folder / ground.pipeline).is_dir() else Answer(None)


def keep_memory(record: Record, ground: Ground, started_ns: int) -> None:
    """Write into a record that is about to be sealed what it rests upon, or why it can answer for no other run.

    `ground` was taken before the run began, at `started_ns`: an imported file that is younger changed during it.
    """
    told = read_imports(record.folder)
    found, kernel = told or (Imported({}, (), ()), {})
    found |= imported(ground.project, packages=(__name__.partition(".")[0], ground.project.library))
    reason = _moved(ground, found, kernel, started_ns) if told else "found no list of what the kernel had imported"
    content = {
        "asked": ground.asked,
        "request": ground.request,
        "facts": ground.facts,
        "sources": ground.sources.fingerprints,
        "files": found.files,
        "modules": found.tops,
        "shadows": _shadows(ground, found),
        "unanswerable": ground.sources.unknown or reason,
    }
    write_atomic(record.folder / CACHE_ENTRY, canonical_json(content))
    (record.folder / IMPORTS).unlink(missing_ok=True)


def _moved(ground: Ground, found: Imported, kernel: Mapping[str, str], started_ns: int) -> str:
    """What a run stood on that changed meanwhile, or that nothing vouches for; empty when all stood still."""
    if found.outside:
        names = ", ".join(found.outside[:3])
        return f"found {names} imported from outside the project and installed packages, expected none"
    steady = {name: fact for name, fact in ground.facts.items() if name in kernel and not name.startswith("variable")}
    other = next(_differing(steady, {name: kernel[name] for name in steady}), "")
    if other:
        return f"found another {other} in the kernel than in its runner, expected one environment"
    changed = next(_changed_meanwhile(ground, found, started_ns), "")
    return f"found {changed} changed during the run, expected it to stand still" if changed else ""


def _changed_meanwhile(ground: Ground, found: Imported, started_ns: int) -> Iterator[str]:
    try:
        now = ground_of(ground.project, ground.pipeline, ground.params_file, ground.overrides)
    except OSError as error:
        yield str(error.filename)
        return
    if now.asked != ground.asked:
        yield "the parameters file"
    yield from _differing(ground.facts, now.facts)
    yield from _differing(ground.sources.fingerprints, now.sources.fingerprints)
    yield from changed_files(ground.project, found.files)
    paths = (file_at(ground.project, name) for name in found.files)
    ended_ns = time.time_ns()  # a later time is another clock's
    yield from (path.name for path in paths if started_ns < path.stat().st_mtime_ns <= ended_ns)


def _newest(ground: Ground, runs: Path) -> Answer:
    """The newest run of the same request that is whole, else what has changed since the newest run like it."""
    found = [(Record(runs / name), request) for name, request in alike(runs, ground.pipeline, ground.asked)]
    finished = [(record, request) for record, request in found if record.status() == "finished"]
    for record, request in finished:
        if request == ground.request and not _difference(ground, record):
            return Answer(record)
    if not finished:
        return Answer(None)
    newest = finished[0][0]
    return Answer(None, f"runs again: {_difference(ground, newest)} (compared with {newest.reference})")


def _difference(ground: Ground, record: Record) -> str:
    """Why a record cannot answer for a run that would stand on this ground; empty when it can."""
    try:
        memory = record.read_json(CACHE_ENTRY)
        changed = memory["unanswerable"] or next(_differences(ground, memory), "")
    except (InputError, OSError, AttributeError, KeyError, TypeError, ValueError):
        changed = f"found a damaged {CACHE_ENTRY}, expected what the run rests upon"
    problems = [] if changed else verify(record)
    return changed or (f"damaged: {problems[0]}" if problems else "")


def _differences(ground: Ground, memory: Mapping[str, Any]) -> Iterator[str]:
    for name in _differing(memory["facts"], ground.facts):
        yield f"{name} changed"
    for name in _differing(memory["sources"], ground.sources.fingerprints):
        yield f"raw data {name} changed"
    for name in changed_files(ground.project, memory["files"]):
        yield f"{name} changed"
    before = memory["shadows"]
    now = _shadows(ground, Imported(memory["files"], tuple(memory["modules"]), ()))
    for name in sorted({*before} ^ {*now}):
        came = "came" if name in now else "went"
        yield f"{name.partition(':')[2]}, which stands in the way of an imported module, {came}"


def _shadows(ground: Ground, found: Imported) -> list[str]:
    folders = search_folders(ground.project, ground.pipeline)
    return shadows(ground.project, found, folders, installed_names())


def _differing(before: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    """Names whose values differ, or that stand on one side only."""
    return (name for name in {**before, **now} if before.get(name) != now.get(name))
