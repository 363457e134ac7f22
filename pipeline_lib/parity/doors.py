"""Doors: the evidence's rows through what production uses, each in a process of its own.

Files, queries and tables go through `pipeline-lib predict`; a real server, started once, is asked on each of its
routes. What comes back is compared with the evidence's outputs, bit for bit.
"""

import json
import math
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from pipeline_lib.compiled.artifact import load
from pipeline_lib.errors import RunError
from pipeline_lib.evidence.evidence import Evidence, read_evidence
from pipeline_lib.parity.door_answers import MOST_SINGLE, Answers, json_row, json_rows, of_answers, of_rows, of_table
from pipeline_lib.parity.door_server import TooLargeError, last_message, post, post_json, server
from pipeline_lib.parity.process_settings import AbsentError
from pipeline_lib.records.record import Record
from pipeline_lib.rows.schema import RowSchema
from pipeline_lib.rows.split_tables import as_rows, split_tables

_ARROW = "application/vnd.apache.arrow.stream"
_DATATYPES = {"number": "FP64", "integer": "INT64", "boolean": "BOOL"}
_KINDS = ("prediction", "probability")


@dataclass
class Doors:
    """The doors of one record; `close` ends the server.

    `ref` is what the commands get: the record's folder, or the name of a package of it. They run by `python`, with its
    own modules alone where that is another.
    """

    record: Record
    folder: Path
    trust: Sequence[str] = ()
    ref: str = ""
    python: str = sys.executable
    _open: ExitStack = field(default_factory=ExitStack)

    @cached_property
    def evidence(self) -> Evidence:
        """The rows, and the outputs that must come back."""
        return read_evidence(self.record.evidence)

    @cached_property
    def row(self) -> RowSchema:
        """The schema of the raw rows."""
        return load(self.record.artifact)[1]

    @cached_property
    def expected(self) -> Answers:
        """The outputs of the evidence that doors give: predictions and probabilities."""
        outputs = self.evidence.outputs
        names = [name for name in outputs.column_names if name.partition("[")[0] in _KINDS]
        return {name: outputs[name].to_pylist() for name in names}

    @property
    def environment(self) -> dict[str, str]:
        """The variables of the processes: this one's, with its path of modules."""
        if self.python != sys.executable:
            return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}

    @cached_property
    def port(self) -> int:
        """The port of the server, which begins now. AbsentError where its packages are not installed."""
        for name in ("uvicorn", "prometheus_client"):
            if find_spec(name) is None:
                raise AbsentError(f"needs {name}, which is not installed: pip install 'nb-pipeline-lib[serve]'")
        command = self._command("serve")
        return self._open.enter_context(server(command, self.folder, self.environment, self.options))

    @property
    def options(self) -> list[str]:
        """Options of both commands."""
        return [part for package in self.trust for part in ("--trust", package)] + ["--other-versions"]

    def _command(self, name: str) -> list[str]:
        return [self.python, "-P", "-m", "pipeline_lib", name, self.ref or str(self.record.folder)]

    def one_table(self) -> None:
        """AbsentError for a pipeline over several tables."""
        if self.row.key is not None:
            raise AbsentError("a pipeline over several tables has no such door")

    def without_context(self) -> None:
        """AbsentError for a pipeline whose rows need earlier ones."""
        if self.evidence.context is not None:
            raise AbsentError("a pipeline whose rows need earlier ones has no such door")

    def close(self) -> None:
        """End the server."""
        self._open.close()

    def predict(self, rows: Path, output: Path, *options: str, variables: dict[str, str] | None = None) -> None:
        """Run `pipeline-lib predict`. RunError where it fails."""
        command = [*self._command("predict"), str(rows), str(output)]
        command += ["--allow-unproven", "--quiet", *self.options, *options]
        if self.evidence.context is not None:
            earlier = self.folder / "earlier.parquet"
            pq.write_table(self.evidence.context, earlier)
            command += ["--context", str(earlier)]
        command += ["--probabilities"] if any(name.startswith("probability[") for name in self.expected) else []
        ended = subprocess.run(  # noqa: S603 (own command)
            command,
            capture_output=True,
            text=True,
            check=False,
            cwd=self.folder,
            env={**self.environment, **(variables or {})},
        )
        if ended.returncode:
            raise RunError(last_message(ended.stderr))


Door = Callable[[Doors], Answers]


def csv_file(doors: Doors) -> Answers:
    """`predict` from CSV to CSV."""
    doors.one_table()
    rows, output = doors.folder / "rows.csv", doors.folder / "csv answers.csv"
    pa_csv.write_csv(doors.evidence.inputs, rows)
    doors.predict(rows, output)
    types = {name: doors.evidence.outputs.schema.field(name).type for name in doors.expected}
    options = pa_csv.ConvertOptions(column_types=types, strings_can_be_null=True, quoted_strings_can_be_null=False)
    return of_table(pa_csv.read_csv(output, convert_options=options), doors)


def parquet_file(doors: Doors) -> Answers:
    """`predict` from Parquet to Parquet."""
    doors.one_table()
    rows, output = doors.folder / "rows.parquet", doors.folder / "parquet answers.parquet"
    pq.write_table(doors.evidence.inputs, rows)
    doors.predict(rows, output)
    return of_table(pq.read_table(output), doors)


def json_lines_file(doors: Doors) -> Answers:
    """`predict` from JSON lines to JSON lines."""
    doors.one_table()
    if not all(map(_is_finite, (value for values in doors.expected.values() for value in values))):
        raise AbsentError("JSON lines have no NaN and no infinite numbers, and the answers hold some")
    rows, output = doors.folder / "rows.jsonl", doors.folder / "json answers.jsonl"
    rows.write_text(
        "".join(f"{line}\n" for line in map(_to_json, json_rows(doors, doors.evidence.inputs))), encoding="utf-8"
    )
    doors.predict(rows, output)
    return of_rows([json.loads(line) for line in output.read_text(encoding="utf-8").splitlines()], doors)


def sqlite_table(doors: Doors) -> Answers:
    """`predict` from a query of SQLite to a table of it."""
    doors.one_table()
    if find_spec("sqlalchemy") is None:
        raise AbsentError("needs sqlalchemy, which is not installed: pip install 'nb-pipeline-lib[sql]'")
    kinds = {column.kind for column in doors.row.columns} - {"integer", "number", "string"}
    if kinds:
        raise AbsentError(f"SQLite has no {' or '.join(sorted(kinds))}")
    if any(_is_negative_zero(value) for values in doors.expected.values() for value in values):
        raise AbsentError("SQLite has no -0.0")
    file = doors.folder / "rows.sqlite"
    inputs = doors.evidence.inputs
    names = ", ".join('"' + name.replace('"', '""') + '"' for name in inputs.column_names)
    with closing(sqlite3.connect(file)) as database, database:
        database.execute(f"create table rows ({names})")
        insert = f"insert into rows values ({', '.join('?' for _ in inputs.column_names)})"  # noqa: S608 (question marks)
        database.executemany(insert, list(zip(*inputs.to_pydict().values(), strict=True)))
    variables = {"PIPELINE_LIB_URL_DOORS": f"sqlite:///{file}"}
    options = ("--query", "select * from rows order by rowid", "--table", "answers", "--run-date", "2026-01-31")
    doors.predict(Path("doors"), Path("doors"), *options, variables=variables)
    with closing(sqlite3.connect(file)) as database:
        quoted = ", ".join('"' + name.replace('"', '""') + '"' for name in doors.expected)
        rows = database.execute(f"select {quoted} from answers order by rowid").fetchall()  # noqa: S608
    columns = zip(*rows, strict=True)
    return {
        name: [bool(value) if isinstance(doors.expected[name][0], bool) else value for value in values]
        for name, values in zip(doors.expected, columns, strict=True)
    }


def in_parts(ask: Callable[[Doors, pa.Table], Answers]) -> Door:
    """A door that is asked in halves where the server refuses a body as too large."""

    def door(doors: Doors) -> Answers:
        return asked(doors, doors.evidence.inputs)

    def asked(doors: Doors, rows: pa.Table) -> Answers:
        try:
            return ask(doors, rows)
        except TooLargeError:
            if rows.num_rows < 2 or doors.evidence.context is not None:
                raise
        half = rows.num_rows // 2
        first, second = asked(doors, rows.slice(0, half)), asked(doors, rows.slice(half))
        return {name: [*values, *second[name]] for name, values in first.items()}

    door.__doc__ = ask.__doc__
    return door


@in_parts
def http_rows(doors: Doors, inputs: pa.Table) -> Answers:
    """HTTP `/predict`, all rows at once."""
    rows: Any = list(json_rows(doors, inputs))
    if doors.row.key is not None:
        tables = split_tables(inputs, doors.row)
        rows = {name: list(map(json_row, table.to_pylist())) for name, table in tables.items()}
    if doors.evidence.context is not None:
        rows = {"rows": rows, "context": list(map(json_row, doors.evidence.context.to_pylist()))}
    answer = post_json(doors.port, _predict_path(doors), rows)
    return of_answers(answer["predictions"], answer.get("probabilities"), doors)


def http_row(doors: Doors) -> Answers:
    """HTTP `/predict`, one row at a time."""
    doors.without_context()
    rows = as_rows(doors.evidence.inputs.slice(0, MOST_SINGLE), doors.row)
    answers = [post_json(doors.port, _predict_path(doors), json_row(row)) for row in rows]
    probabilities = [answer["probabilities"] for answer in answers] if _has_probabilities(doors) else None
    return of_answers([answer["prediction"] for answer in answers], probabilities, doors)


@in_parts
def http_arrow(doors: Doors, inputs: pa.Table) -> Answers:
    """HTTP `/predict`, an Arrow stream."""
    doors.one_table()
    doors.without_context()
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, inputs.schema) as stream:
        stream.write_table(inputs)
    with pa.ipc.open_stream(post(doors.port, _predict_path(doors), bytes(sink.getvalue()), _ARROW)) as reader:
        return of_table(reader.read_all(), doors)


@in_parts
def open_inference(doors: Doors, inputs: pa.Table) -> Answers:
    """HTTP, the Open Inference Protocol."""
    doors.one_table()
    doors.without_context()
    rows = list(json_rows(doors, inputs))
    tensors = [
        {
            "name": column.name,
            "datatype": _DATATYPES.get(column.kind, "BYTES"),
            "shape": [len(rows)],
            "data": [row[column.name] for row in rows],
        }
        for column in doors.row.columns
    ]
    answer = post_json(doors.port, f"/v2/models/{doors.record.pipeline}/infer", {"inputs": tensors})
    return {output["name"]: output["data"] for output in answer["outputs"]}


@in_parts
def invocations(doors: Doors, inputs: pa.Table) -> Answers:
    """HTTP, MLflow's `/invocations`."""
    doors.one_table()
    doors.without_context()
    answer = post_json(doors.port, "/invocations", {"dataframe_records": list(json_rows(doors, inputs))})
    return of_answers(answer["predictions"], None, doors)


def _is_negative_zero(value: Any) -> bool:
    return isinstance(value, float) and value == 0 and math.copysign(1, value) < 0


def _is_finite(value: Any) -> bool:
    return not isinstance(value, float) or math.isfinite(value)


def _has_probabilities(doors: Doors) -> bool:
    return any(name.startswith("probability[") for name in doors.expected)


def _predict_path(doors: Doors) -> str:
    return f"/predict?probabilities={'true' if _has_probabilities(doors) else 'false'}"


def _to_json(value: Any) -> str:
    return json.dumps(value, allow_nan=False, ensure_ascii=False)


DOORS: dict[str, Door] = {
    "predict CSV": csv_file,
    "predict Parquet": parquet_file,
    "predict JSON lines": json_lines_file,
    "predict SQLite": sqlite_table,
    "HTTP rows": http_rows,
    "HTTP one row": http_row,
    "HTTP Arrow stream": http_arrow,
    "HTTP open inference": open_inference,
    "HTTP invocations": invocations,
}
