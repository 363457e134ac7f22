"""Which rows a model has seen: keyed hashes of its training rows, in its record.

    training_rows.parquet    row             a hash of the whole main row
                             entity          of whose row it is, where `Row` says so and the column is sensitive
                             column/NAME     of each raw column that is not sensitive

Later rows are compared over the columns that both sides have. A person with the project's key can test whether a
guessed value was there. Without the key the hashes show only which values are equal.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline_lib.errors import InputError
from pipeline_lib.evidence.row_hashes import CLASSES, Hashes, hashes_of_column, hashes_of_rows
from pipeline_lib.records.forgotten import forgotten_in
from pipeline_lib.records.layout import TRAINING_ROWS
from pipeline_lib.records.record import Record
from pipeline_lib.rows.schema import RowSchema

MOST_CELLS = 50_000_000
"""With more cells (rows times columns) only hashes of rows and entities are kept."""
_FORMAT = 1
_ROW, _ENTITY, _COLUMN = "row", "entity", "column/"
_METADATA = b"training_rows"
_BLOCK = 1 << 18  # rows that are hashed at once
Mask = np.ndarray[Any, np.dtype[np.bool_]]


@dataclass(frozen=True)
class SeenRows:
    """Which rows a model was fitted on, one bool for each row.

    `rows`: exactly such a row was a training row, over the compared `columns`. `entities`: whose row it is has training
    rows. `columns` is empty where rows could be compared by their entity alone.
    """

    rows: Mask
    entities: Mask
    columns: tuple[str, ...]

    @property
    def any(self) -> Mask:
        """Rows that the model has seen, or others of the same entity."""
        return self.rows | self.entities


@dataclass(frozen=True)
class _Description:
    """What the file's metadata says: the key's id, the entity, and every main column with its class."""

    key: str
    entity: str | None
    columns: dict[str, str]


def write_training_rows(path: Path, rows: pa.Table, row: RowSchema, key: str) -> None:
    """Write the hashes of training rows: a table as `conform` returns it, its schema, the project's `row_key`.

    Of several tables the main rows count. The file never holds the key, only its id.
    """
    names = [column.name for column in row.columns]
    kept = [c.name for c in row.columns if not c.sensitive] if rows.num_rows * len(names) <= MOST_CELLS else []
    has_own = row.entity is not None and row.entity not in kept
    description = {"format": _FORMAT, "key": key_id(key), "entity": row.entity, "columns": _classes(row)}
    fields = [_ROW, *([_ENTITY] if has_own else []), *(f"{_COLUMN}{name}" for name in kept)]
    schema = pa.schema([(name, pa.uint64()) for name in fields], {_METADATA: json.dumps(description).encode()})
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for hashes in _hashed_blocks(rows, row, names, key):
            arrays = [hashes_of_rows(hashes), *([hashes[str(row.entity)]] if has_own else [])]
            arrays += [hashes[name] for name in kept]
            writer.write_table(pa.table([pa.array(array) for array in arrays], schema=schema))


def seen_rows(record: Record, rows: pa.Table, row: RowSchema, key: str) -> SeenRows:
    """Which of these rows, a table as `conform` returns it and its schema, the record's model was fitted on.

    Values are compared under the project's `row_key`, over the columns that both sides have with values of one class
    (numbers, times, text). Raises InputError where the record cannot tell: it has no hashes, or hashes under another
    key, or none of the entity, or shares no column with the rows.
    """
    path = record.folder / TRAINING_ROWS
    kept, known = _read_schema(record, path)
    if known.key != key_id(key):
        raise _cannot_tell(
            record, "hashes of its training rows under another key",
            "those under `row_key` of settings.ini; bring back the key of that run, or compare",
        )  # fmt: skip
    classes = _classes(row)
    entity = _shared_entity(record, row, known, kept)
    whole = classes == known.columns
    shared = [name for name, kind in classes.items() if known.columns.get(name) == kind]
    shared = shared if whole else [name for name in shared if f"{_COLUMN}{name}" in kept]
    if not shared and entity is None:
        raise _cannot_tell(
            record, "no column that its training rows and these rows share",
            "one at least with values of one class; compare",
        )  # fmt: skip
    wanted = sorted({*shared, *([entity] if entity else [])})
    own = _joined(_hashed_blocks(rows, row, wanted, key), wanted)
    return SeenRows(
        rows=_seen(path, own, shared, whole=whole),
        entities=_seen_entities(path, own, rows, entity, kept),
        columns=tuple(name for name in classes if name in shared),
    )


def key_id(key: str) -> str:
    """What a file says of the key under which it was written: enough to tell two keys apart."""
    return sha256(f"row_key {key}".encode()).hexdigest()[:16]


def _classes(row: RowSchema) -> dict[str, str]:
    return {column.name: CLASSES[column.kind] for column in row.columns}


def _hashed_blocks(rows: pa.Table, row: RowSchema, names: list[str], key: str) -> Iterator[dict[str, Hashes]]:
    """The hashes of these columns, a block of rows at a time: at least one block, which may be empty."""
    for start in range(0, max(rows.num_rows, 1), _BLOCK):
        block = rows.slice(start, _BLOCK)
        yield {name: hashes_of_column(block.column(name), row.by_name[name].kind, key) for name in names}


def _joined(blocks: Iterator[dict[str, Hashes]], names: list[str]) -> dict[str, Hashes]:
    parts = list(blocks)
    return {name: np.concatenate([part[name] for part in parts]) for name in names}


def _seen(path: Path, own: dict[str, Hashes], shared: list[str], *, whole: bool) -> Mask:
    """Whether each row, by its shared columns, is among the training rows."""
    if not shared:
        return np.zeros(len(next(iter(own.values()))), dtype=np.bool_)
    ours = hashes_of_rows({name: own[name] for name in shared})
    if whole:
        return _is_in(ours, _read(path, [_ROW])[_ROW])
    trained = _read(path, [f"{_COLUMN}{name}" for name in shared])
    return _is_in(ours, hashes_of_rows({name: trained[f"{_COLUMN}{name}"] for name in shared}))


def _seen_entities(
    path: Path, own: dict[str, Hashes], rows: pa.Table, entity: str | None, kept: tuple[str, ...]
) -> Mask:
    """Whether the entity of each row has training rows; a missing one has none."""
    if entity is None:
        return np.zeros(rows.num_rows, dtype=np.bool_)
    column = _ENTITY if _ENTITY in kept else f"{_COLUMN}{entity}"
    missing: Mask = rows.column(entity).is_null(nan_is_null=True).to_numpy()
    return _is_in(own[entity], _read(path, [column])[column]) & ~missing


def _is_in(ours: Hashes, trained: Hashes) -> Mask:
    """Whether each hash is among those of the training rows: a hash table, faster than `np.isin`."""
    import pandas as pd

    mask: Mask = pd.Series(ours).isin(trained).to_numpy()
    return mask


def _shared_entity(record: Record, row: RowSchema, known: _Description, kept: tuple[str, ...]) -> str | None:
    """The entity that rows are compared by: that of their `Row`, else that of the record, where the rows have it."""
    classes = _classes(row)
    entity = row.entity or (known.entity if known.entity in classes else None)
    if entity is None:
        return None
    has_hashes = f"{_COLUMN}{entity}" in kept or (_ENTITY in kept and known.entity == entity)
    if has_hashes and known.columns[entity] == classes[entity]:
        return entity
    raise _cannot_tell(
        record, f"no hashes of {entity}, whose rows these are, among those of its training rows",
        "them, as a run keeps them since `Row` marks the entity; compare",
    )  # fmt: skip


def _read_schema(record: Record, path: Path) -> tuple[tuple[str, ...], _Description]:
    """The names of the file's columns, and its description."""
    if not path.is_file():
        forgotten = forgotten_in(record.manifest())
        why = f"no hashes of its training rows ({forgotten})" if forgotten else "no hashes of its training rows"
        raise _cannot_tell(record, why, f"{TRAINING_ROWS}; run it again with --force, or compare")
    try:
        schema = pq.read_schema(path)
        described = _description(schema)
    except (pa.ArrowException, KeyError, TypeError, ValueError, OSError) as error:
        raise _cannot_tell(
            record, f"a {TRAINING_ROWS} that cannot be read ({type(error).__name__}: {error})",
            f"format {_FORMAT}; see `pipeline-lib verify {record.reference}`, or compare",
        ) from error  # fmt: skip
    return tuple(schema.names), described


def _description(schema: pa.Schema) -> _Description:
    content = json.loads(schema.metadata[_METADATA])
    if content["format"] != _FORMAT:
        raise ValueError(f"format {content['format']!r}")
    return _Description(str(content["key"]), content["entity"], dict(content["columns"]))


def _read(path: Path, columns: list[str]) -> dict[str, Hashes]:
    table = pq.read_table(path, columns=columns)
    return {name: table.column(name).to_numpy() for name in columns}


def _cannot_tell(record: Record, found: str, expected: str) -> InputError:
    return InputError(
        f"cannot tell whether {record.reference} has seen these rows: found {found}, expected {expected} on fresh "
        "labelled rows: --on FILE"
    )
