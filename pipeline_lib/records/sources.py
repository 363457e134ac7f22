"""The sources of a pipeline's raw data over its runs: the version of each that a run read, what changed between two."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline_lib.errors import InputError
from pipeline_lib.records.data_profile import profile_changes, profile_of
from pipeline_lib.records.layout import CACHE_ENTRY, RAW_PROFILE
from pipeline_lib.records.record import Record
from pipeline_lib.records.snapshots import ADDRESS, Snapshot, checked_file, read_parquet, snapshots_of

FILE, PACKAGE = "file", "package"


@dataclass(frozen=True)
class Version:
    """One version of a source: its digest, and of a query when it was asked and how many rows it returned.

    `number` tells apart several answers to one request in a run.
    """

    kind: str
    source: str
    digest: str
    snapshot: Snapshot | None = None
    number: int = 0

    @property
    def key(self) -> tuple[Any, ...]:
        """What makes two versions those of one source."""
        return self.snapshot.request if self.snapshot else (self.kind, self.source), self.number

    @property
    def details(self) -> str:
        """Rows and time of a query's answer; empty for a file."""
        if self.snapshot is None:
            return ""
        rows = "" if self.snapshot.rows is None else f"{self.snapshot.rows:,} rows, "
        return f"{rows}as of {self.snapshot.as_of}"


def versions_of(record: Record) -> list[Version]:
    """The versions of the sources that a run read: files and packages by name, queries and addresses."""
    entry = record.read_json(CACHE_ENTRY) or {}
    files = {**entry.get("opened", {}), **entry.get("sources", {})}
    versions = [
        Version(PACKAGE if ":" in name and not name.startswith("/") else FILE, name, digest)
        for name, digest in files.items()
        if not name.endswith("/")
    ]
    counts: dict[Any, int] = {}
    for snapshot in snapshots_of(record):
        number = counts[snapshot.request] = counts.get(snapshot.request, -1) + 1
        versions.append(Version(snapshot.kind, snapshot.title, snapshot.digest, snapshot, number))
    return versions


@dataclass(frozen=True)
class History:
    """A source's versions, oldest first, each with the references of the runs that read it."""

    kind: str
    source: str
    versions: tuple[tuple[Version, tuple[str, ...]], ...]


def histories(records: Sequence[Record]) -> list[History]:
    """The history of each source that finished runs read; `records` are oldest first."""
    found: dict[tuple[Any, ...], list[tuple[Version, list[str]]]] = {}
    for record in records:
        for version in versions_of(record):
            known = found.setdefault(version.key, [])
            if not known or known[-1][0].digest != version.digest:
                known.append((version, []))
            known[-1][1].append(record.reference)
    return [
        History(known[0][0].kind, known[0][0].source, tuple((version, tuple(runs)) for version, runs in known))
        for known in found.values()
    ]


def source_changes(a: Record, b: Record) -> list[str]:
    """What changed in the raw data from one run to another, one a line; empty where every version is the same.

    The content of queries is compared by their snapshots; of files only the digest is known, and of the raw training
    rows, whatever they came from, the profile that each run kept.
    """
    lines = list(_changes(a, b, versions_of(a), versions_of(b)))
    profiles = [record.read_json(RAW_PROFILE) for record in (a, b)]
    if all(profiles):
        lines += [f"training rows: {line}" for line in profile_changes(*profiles)]
    return lines


def snapshot_changes(a: Record, b: Record) -> list[str]:
    """What changed in what queries and addresses returned, one a line."""
    old, new = ([version for version in versions_of(record) if version.snapshot] for record in (a, b))
    return list(_changes(a, b, old, new))


def _changes(a: Record, b: Record, before: Sequence[Version], after: Sequence[Version]) -> Iterator[str]:
    old, new = ({version.key: version for version in versions} for versions in (before, after))
    yield from (f"{new[key].source}: new" for key in new if key not in old)
    yield from (f"{old[key].source}: gone" for key in old if key not in new)
    for key in (key for key in old if key in new and old[key].digest != new[key].digest):
        yield from _version_changes(a, b, old[key], new[key])


def _version_changes(a: Record, b: Record, old: Version, new: Version) -> Iterator[str]:
    digests = f"{old.digest[:12] or 'none'} → {new.digest[:12] or 'none'}"
    if not old.snapshot or not new.snapshot or old.kind == ADDRESS:
        yield f"{old.source}: {digests}"
        return
    try:
        profiles = [
            _snapshot_profile(record, version.snapshot) for record, version in ((a, old), (b, new)) if version.snapshot
        ]
    except InputError as error:
        yield f"{old.source}: {digests}; {error}"
        return
    changes = profile_changes(*profiles) or ["other values or another order of rows, within the same ranges"]
    yield from (f"{old.source}: {line}" for line in changes)


def _snapshot_profile(record: Record, snapshot: Snapshot) -> Any:
    """The profile of a snapshot, without values of sensitive columns.

    Where `Row` has sensitive fields, values are shown of its other fields alone: `load` may rename a sensitive column.
    """
    table = read_parquet(checked_file(record, snapshot).read_bytes())
    hidden = set(record.manifest().get("sensitive") or ())
    if hidden:
        shown = set((record.read_json(RAW_PROFILE) or {}).get("columns", ())) - hidden
        hidden |= set(table.column_names) - shown
    return profile_of(table, hidden)


def versions_json(record: Record) -> list[Mapping[str, Any]]:
    """A run's sources as JSON values."""
    return [
        {
            "kind": version.kind,
            "source": version.source,
            "digest": version.digest,
            "rows": version.snapshot.rows if version.snapshot else None,
            "as_of": version.snapshot.as_of if version.snapshot else None,
        }
        for version in versions_of(record)
    ]
