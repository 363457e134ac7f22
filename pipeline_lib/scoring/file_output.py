"""The parts of an output as one file, which has its name only when it is complete."""

import csv
import io
import json
import platform
from collections.abc import Iterator, Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.ipc as pa_ipc

from pipeline_lib.errors import InputError
from pipeline_lib.scoring.input_files import ARROW, CSV, JSON_LINES, format_of, open_address
from pipeline_lib.system.files import flush, sha256_bytes

_JSON_TYPES = (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean, pa.types.is_null)
_NAME_IT = "rename it; rows for a database need --table, --run-date and a connection's name"
_NESTED = (pa.types.is_nested, pa.types.is_binary, pa.types.is_large_binary)


@dataclass(frozen=True)
class FileOutput:
    """A file to write: where, as which format, compressed how; `metadata` where the format has a place for it."""

    path: str
    format: str
    compression: str | None
    delimiter: str
    metadata: Mapping[str, str]

    @property
    def identity(self) -> Mapping[str, Any]:
        """Where the file goes."""
        return {"path": self.path, "format": self.format, "delimiter": self.delimiter}

    @classmethod
    def at(cls, path: str, metadata: Mapping[str, str]) -> "FileOutput":
        """The output of this name. Raises InputError for an ending that says no format, and a folder that is none."""
        target = Path(path)
        if "://" not in path and target.is_dir():
            raise InputError(f"{path}: found a folder, expected the name of a file; write {path}/predictions.csv")
        output = cls(path, *format_of(path, remedy=_NAME_IT), metadata)
        if "://" in path:
            open_address(path)
            return output
        if not target.absolute().parent.is_dir():
            raise InputError(f"{target.parent}: found no such folder, expected one to write into; make it")
        return output

    def check(self, part: pa.Table) -> None:
        """Raise InputError for values that the format cannot hold."""
        for name, values in zip(part.column_names, part.columns, strict=True):
            kind = values.type
            if self.format not in (CSV, JSON_LINES):
                continue
            if any(holds(kind) for holds in _NESTED):
                raise InputError(f"{name}: found {kind}, expected what {self.format} can hold; write parquet or arrow")
            if self.format == JSON_LINES and pa.types.is_floating(kind):
                infinite = pc.any(pc.invert(pc.is_finite(values))).as_py()
                if infinite:
                    raise InputError(
                        f"{name}: found a number that is not finite, expected those that JSON has; write csv, parquet "
                        "or arrow"
                    )

    def write(self, schema: pa.Schema, parts: Iterator[pa.Table], folder: Path) -> None:
        """Write all parts to a file in `folder`, then give it its name."""
        whole = folder / "output"
        self._write_local(whole, schema, parts)
        if "://" in self.path:
            self._send(whole)
            return
        flush(whole)
        whole.replace(self.path)

    def _send(self, whole: Path) -> None:
        system, path = open_address(self.path)
        beside = f"{path}.{sha256_bytes(f'{platform.node()} {whole.parent}'.encode())[:8]}.part"  # the same next time
        try:
            system.put_file(str(whole), beside)
            _check_size(system.info(beside)["size"], whole.stat().st_size)
            system.mv(beside, path)
        except Exception as error:  # each file system has errors of its own
            raise InputError(
                f"{self.path}: found {type(error).__name__}: {error}, expected a place that takes a file; run it again "
                "when it does: finished blocks are kept"
            ) from error
        finally:
            with suppress(Exception):
                if system.exists(beside):
                    system.rm_file(beside)

    def _write_local(self, path: Path, schema: pa.Schema, parts: Iterator[pa.Table]) -> None:
        described = schema.with_metadata(dict(self.metadata))
        if self.format in (CSV, JSON_LINES):
            with pa.OSFile(str(path), "wb") as plain, _compressed(plain, self.compression) as stream:
                write = self._write_csv if self.format == CSV else _write_json
                write(stream, schema, parts)
        elif self.format == ARROW:
            with pa.OSFile(str(path), "wb") as plain, _compressed(plain, self.compression) as stream:
                new = pa_ipc.new_stream if self.path.endswith(".arrows") or self.compression else pa_ipc.new_file
                with new(stream, described) as writer:
                    for part in parts:
                        writer.write_table(part.replace_schema_metadata(described.metadata))
        else:
            import pyarrow.parquet as pq

            with pq.ParquetWriter(str(path), described, compression="zstd") as writer:
                for part in parts:
                    writer.write_table(part.replace_schema_metadata(described.metadata))

    def _write_csv(self, stream: Any, schema: pa.Schema, parts: Iterator[pa.Table]) -> None:
        options = pa_csv.WriteOptions(delimiter=self.delimiter, include_header=False, quoting_style="needed")
        header = io.StringIO()
        csv.writer(header, delimiter=self.delimiter, lineterminator="\n").writerow(schema.names)
        stream.write(header.getvalue().encode())
        for part in parts:
            pa_csv.write_csv(part, stream, options)


def _check_size(found: int, sent: int) -> None:
    if found != sent:
        raise OSError(f"{found:,} bytes of {sent:,} that were sent")


def _compressed(stream: Any, compression: str | None) -> Any:
    return pa.CompressedOutputStream(stream, compression) if compression else nullcontext(stream)


def _write_json(stream: BinaryIO, schema: pa.Schema, parts: Iterator[pa.Table]) -> None:
    names = [json.dumps(name, ensure_ascii=False) for name in schema.names]
    for part in parts:
        columns = [_json_texts(values) for values in part.columns]
        rows = (", ".join(map(": ".join, zip(names, row, strict=True))) for row in zip(*columns, strict=True))
        stream.write("".join(f"{{{row}}}\n" for row in rows).encode())


def _json_texts(values: pa.ChunkedArray) -> list[str]:
    kind = values.type
    if any(holds(kind) for holds in _JSON_TYPES):
        return [json.dumps(value) for value in values.to_pylist()]
    return [
        "null" if value is None else json.dumps(_as_text(value), ensure_ascii=False) for value in values.to_pylist()
    ]


def _as_text(value: Any) -> str:
    return value.isoformat() if isinstance(value, date | datetime) else str(value)
