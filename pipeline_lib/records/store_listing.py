"""Everybody's records in a store, summarised as `pipeline-lib runs` lists those of the project."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pipeline_lib.records.index import as_parity, summarise
from pipeline_lib.records.layout import MANIFEST, METRICS, PARAMETERS
from pipeline_lib.records.record import DAMAGED, SEALED, Record
from pipeline_lib.records.seal import manifest_problem
from pipeline_lib.records.store import Store, open_store
from pipeline_lib.system.files import sha256_bytes


def store_summaries(url: str, pipeline: str | None = None) -> list[dict[str, Any]]:
    """The summary of each record in a store, oldest first; `folder` is its address there, `bytes` is None.

    A push that has not come to its end is no record. A record whose manifest, parameters or metrics are not as they
    were sealed is damaged; other bytes are not read. Raises InputError for a store that cannot be read.
    """
    with open_store(url) as store:
        names = [pipeline] if pipeline else store.pipelines()
        records = [Record(Path(name, id_)) for name in names for id_ in store.ids(name)]
        records.sort(key=lambda record: (record.id, record.pipeline))
        return list(_summaries(store, records))


def _summaries(store: Store, records: list[Record]) -> Iterator[dict[str, Any]]:
    manifests = store.read_all([store.path(record, MANIFEST) for record in records])
    pushed = [(record, content) for record in records if (content := manifests.get(store.path(record, MANIFEST)))]
    others = [store.path(record, name) for record, _ in pushed for name in (PARAMETERS, METRICS)]
    others += [store.parity_path(record, sha256_bytes(manifest)) for record, manifest in pushed]
    contents = store.read_all(others)
    for record, manifest in pushed:
        parity = as_parity(_json(contents.get(store.parity_path(record, sha256_bytes(manifest)))))
        own = {name: contents.get(store.path(record, name)) for name in (PARAMETERS, METRICS)}
        parsed = _json(manifest)
        intact = isinstance(parsed, dict) and not manifest_problem(parsed, manifest) and _as_sealed(parsed, own)
        status = parsed["status"] if intact else DAMAGED
        values = {name: _json(content) for name, content in own.items()}
        summary = summarise(
            record,
            status,
            parsed if intact else {},
            parity,
            parameters=values[PARAMETERS] if intact else None,
            metrics=values[METRICS] if intact else None,
        )
        folder = store.path(record, "").rstrip("/")
        yield {**summary, "folder": str(store.system.unstrip_protocol(folder))}


def _as_sealed(manifest: Mapping[str, Any], own: Mapping[str, bytes | None]) -> bool:
    """Whether the files of a summary have the digests that a manifest lists."""
    if manifest.get("status") not in SEALED or not isinstance(manifest.get("files"), dict):
        return False
    digests = {name: sha256_bytes(content) if content is not None else None for name, content in own.items()}
    return all(manifest["files"].get(name) == digest for name, digest in digests.items())


def _json(content: bytes | None) -> Any:
    try:
        return None if content is None else json.loads(content)
    except (ValueError, RecursionError):
        return None
