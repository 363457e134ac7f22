"""A small model whose outputs show the raw values that it read, for the tests of scoring, and a proven record of it."""

import bz2
import csv
import gzip
import io
import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.ipc as pa_ipc
import pyarrow.parquet as pq
from click.testing import Result
from command_line import invoke

from pipeline_lib.compiled.pipeline import CompiledPipeline
from pipeline_lib.compiled.plan import Plan
from pipeline_lib.compiler.builder import Builder
from pipeline_lib.errors import InputError
from pipeline_lib.records.layout import PARITY
from pipeline_lib.records.record import Record, checks_folder, create_record
from pipeline_lib.records.seal import seal
from pipeline_lib.rows.arrow_arrays import ARROW_TYPES
from pipeline_lib.rows.column import Column
from pipeline_lib.rows.schema import RowSchema
from pipeline_lib.system.files import canonical_json

ROW = RowSchema(
    (
        Column("size", "number", nullable=True, le=1e16),
        Column("rooms", "integer", ge=0, le=20),
        Column("code", "string", nullable=True),
        Column("heated", "boolean"),
        Column("sold", "datetime", nullable=True),
        Column("day", "date", nullable=True),
        Column("unread", "string"),
    )
)
REFUSED = "nowhere"
"""The code that an operation refuses."""


def row(**values: Any) -> dict[str, Any]:
    """A raw row with these values."""
    plain = {
        "size": 85.5,
        "rooms": 3,
        "code": "a",
        "heated": True,
        "sold": datetime(2024, 3, 1, 12),
        "day": date(2024, 2, 29),
    }
    return {**plain, "unread": "x", **values}


def echo() -> CompiledPipeline:
    """A model of six targets: `prediction[NAME]` is the raw value of a column, of dates its text."""
    build = Builder()
    size, rooms = build.input("size", "float64"), build.input("rooms", "int64")
    heated, code = build.input("heated", "bool"), build.input("code", "str")
    is_known = build.logical_not(build.text_equal(code, build.value(REFUSED)))
    settings = {"name": "code", "where": "Places", "expected": "a place", "advice": "correct it"}
    outputs = {"size": size, "rooms": rooms, "code": build.check(code, is_known, **settings), "heated": heated}
    for name in ("sold", "day"):
        outputs[name] = build.date_text(build.input(name, "datetime"), format="%Y-%m-%d %H:%M:%S.%f")
    return CompiledPipeline(
        Plan(build.nodes, {f"prediction[{name}]": value.node for name, value in outputs.items()}), ROW
    )


def classifier(*classes: Any) -> CompiledPipeline:
    """A classifier of two classes over the column `size`: half as probable at 0."""
    build = Builder()
    score = build.input("size", "float64")
    positive = build.sigmoid(score)
    outputs = {
        "prediction": build.where(score > 0.0, *reversed([build.value(label) for label in classes])).node,
        f"probability[{classes[0]}]": (build.value(1.0) - positive).node,
        f"probability[{classes[1]}]": positive.node,
    }
    row = RowSchema((Column("size", "number"),))
    return CompiledPipeline(Plan(build.nodes, outputs, classes=classes), row)


def proven(runs: Path, model: CompiledPipeline, pipeline: str = "echo") -> Record:
    """A sealed record of a model, whose parity was exact."""
    record = create_record(runs, pipeline)
    model.save(record.artifact)
    seal(record, {"status": "finished", "reference": record.reference})
    checks = checks_folder(record)
    checks.mkdir(parents=True)
    (checks / PARITY).write_bytes(canonical_json({"exact": True, "text": "exact"}))
    return record


def predict(record: Record, given: object, output: object, *options: object) -> Result:
    """The command's result in this process."""
    return invoke("predict", record.folder, given, output, *options)


def done(record: Record, given: object, output: object, *options: object) -> str:
    """What the command prints; fails where it fails."""
    result = predict(record, given, output, *options)
    assert result.exit_code == 0, result.output + repr(result.exception)
    return result.output


def refusal(record: Record, given: object, output: object, *options: object) -> str:
    """The message of a command that refuses its input and leaves no output."""
    result = predict(record, given, output, *options)
    assert isinstance(result.exception, InputError), result.output + repr(result.exception)
    assert "://" in str(output) or not Path(str(output)).exists()
    return str(result.exception)


def table(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Raw rows as an Arrow table with the types of Row."""
    columns = {c.name: pa.array([row[c.name] for row in rows], ARROW_TYPES[c.kind]) for c in ROW.columns}
    return pa.table(columns)


def write_rows(path: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    """Raw rows as a file of the format that its name says."""
    suffix = next(each for each in reversed(path.suffixes) if each not in _OPEN)
    path.parent.mkdir(parents=True, exist_ok=True)
    if suffix in (".csv", ".tsv", ".jsonl"):
        content = _json_lines(rows) if suffix == ".jsonl" else _text_of(rows, _DELIMITER[suffix])
        path.write_bytes(_OPEN.get(path.suffix, lambda data: data)(content))
    else:
        write_table(path, table(rows))
    return path


def write_table(path: Path, content: pa.Table) -> None:
    """A table as a file of Parquet or Arrow."""
    if path.suffix == ".parquet":
        pq.write_table(content, path, row_group_size=3)
        return
    new = pa_ipc.new_stream if path.suffix == ".arrows" else pa_ipc.new_file
    with new(str(path), content.schema) as writer:
        writer.write_table(content, max_chunksize=3)


def read_back(path: Path) -> list[dict[str, Any]]:
    """The rows of an output, in the types that its format has: of a CSV texts, None for a field that holds nothing."""
    data = _CLOSE.get(path.suffix, lambda data: data)(path.read_bytes())
    suffix = next(each for each in reversed(path.suffixes) if each not in _OPEN)
    if suffix in (".csv", ".tsv"):
        names = next(csv.reader(io.StringIO(data.decode()), delimiter=_DELIMITER[suffix]))
        options = pa_csv.ConvertOptions(
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            null_values=[""],
            column_types=dict.fromkeys(names, pa.string()),
        )
        parse = pa_csv.ParseOptions(delimiter=_DELIMITER[suffix], newlines_in_values=True)
        return pa_csv.read_csv(pa.BufferReader(data), convert_options=options, parse_options=parse).to_pylist()
    if suffix == ".jsonl":
        return [json.loads(line) for line in data.splitlines()]
    if suffix == ".parquet":
        return pq.read_table(pa.BufferReader(data)).to_pylist()
    streamed = path.suffix in _OPEN or suffix == ".arrows"
    return (pa_ipc.open_stream if streamed else pa_ipc.open_file)(pa.BufferReader(data)).read_all().to_pylist()


def _text_of(rows: Sequence[Mapping[str, Any]], delimiter: str) -> bytes:
    lines = [list(rows[0]), *(list(row.values()) for row in rows)]
    return "".join(delimiter.join(map(_field, line)) + "\n" for line in lines).encode()


def _field(value: Any) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else value.isoformat() if isinstance(value, date) else repr(value)
    return '"' + text.replace('"', '""') + '"' if isinstance(value, str) else text


def _json_lines(rows: Sequence[Mapping[str, Any]]) -> bytes:
    texts = ({n: v.isoformat() if isinstance(v, date) else v for n, v in row.items()} for row in rows)
    return "".join(json.dumps(row) + "\n" for row in texts).encode()


def _zstd(data: bytes) -> bytes:
    return pa.compress(data, "zstd", asbytes=True)


_DELIMITER = {".csv": ",", ".tsv": "\t"}
_OPEN = {".gz": gzip.compress, ".bz2": bz2.compress, ".zst": _zstd}
_CLOSE = {
    ".gz": gzip.decompress,
    ".bz2": bz2.decompress,
    ".zst": lambda data: pa.CompressedInputStream(pa.BufferReader(data), "zstd").read(),
}
