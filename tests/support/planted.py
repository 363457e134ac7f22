"""A small record in whose files values of its rows are planted, wherever a run can leave them."""

import json
import shutil
from pathlib import Path
from typing import Any

import nbformat
import pyarrow as pa
import pyarrow.parquet as pq
from tiny import small_record

from pipeline_lib.compiled.compile_report import CompileReport, StepReport
from pipeline_lib.compiled.pipeline import load_model
from pipeline_lib.evidence.evidence import read_evidence
from pipeline_lib.evidence.fitted_state import write_fitted_state
from pipeline_lib.evidence.training_rows import write_training_rows
from pipeline_lib.records.data_profile import profile_of
from pipeline_lib.records.layout import PARITY, PARITY_PAGE, REPRODUCED, TRAINING_ROWS
from pipeline_lib.records.record import Record, checks_folder
from pipeline_lib.records.report import write_report
from pipeline_lib.records.seal import seal
from pipeline_lib.system.files import canonical_json, sha256_bytes

WORD = "Ada-Lovelace-1815"
"""A text of a row."""
KEY = "abcdefghijklmnop"
"""The key of the hashes of training rows."""
_DIFF = f"""diff --git a/lib/steps/ages.py b/lib/steps/ages.py
--- a/lib/steps/ages.py
+++ b/lib/steps/ages.py
-year = 1
+year = 2
diff --git a/data/people.csv b/data/people.csv
--- a/data/people.csv
+++ b/data/people.csv
+{WORD},42
"""


def planted_record(runs: Path, *, sensitive: str = "", status: str = "finished") -> Record:
    """A sealed record of `tiny` with notebook, report, snapshot, profile, diff, checks and a file of its notebook."""
    record = small_record(runs, sensitive=sensitive)
    inputs = read_evidence(record.evidence).inputs
    values = f"{WORD} {inputs.column('size')[0].as_py()!r}"
    cells = [
        nbformat.v4.new_markdown_cell("# Small houses\n\nWhat is one worth?"),
        nbformat.v4.new_code_cell(
            "frame.head()",
            execution_count=1,
            outputs=[nbformat.v4.new_output("execute_result", {"text/plain": values}, execution_count=1)],
        ),
        nbformat.v4.new_code_cell(
            "1 / 0", execution_count=2, outputs=[nbformat.v4.new_output("error", ename="E", evalue=values)]
        ),
    ]
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"widgets": {"state": values}})
    nbformat.write(notebook, record.notebook)
    snapshot = pa.table({"name": [WORD], "size": [inputs.column("size")[0].as_py()]})
    (record.folder / "snapshots").mkdir()
    pq.write_table(snapshot, record.folder / "snapshots" / "s.parquet", compression="none", use_dictionary=False)
    digest = sha256_bytes((record.folder / "snapshots" / "s.parquet").read_bytes())
    files: dict[str, Any] = {
        "columns.json": profile_of(inputs),
        "memory.json": {"asked": "a", "request": "b", "unanswerable": ""},
        "metrics.json": {"rmse": 0.5},
        "params.json": {"seed": 0},
        "extra.json": [values],
        "compile.json": CompileReport(40, 3, (StepReport("s", "k", 3, 3, exact=False, why=values),), ()).to_json(),
    }
    for name, content in files.items():
        (record.folder / name).write_bytes(canonical_json(content))
    (record.folder / "git.diff").write_text(_DIFF)
    write_fitted_state(record.folder / "learned.parquet", object())
    write_training_rows(record.folder / TRAINING_ROWS, inputs, load_model(record.artifact).row, KEY)
    manifest = {
        "status": status,
        "reference": record.reference,
        "parameters_file": "params/tiny.yml",
        "sensitive": [sensitive] if sensitive else [],
        "times": {"started": "2026-11-23T10:00:00+00:00", "seconds": 2.5},
        "hashes": {},
        "error": None,
        "snapshots": [
            {"kind": "query", "source": "depot", "digest": digest, "file": "snapshots/s.parquet", "as_of": "2026-11-23"}
        ],
    }
    if status == "failed":
        manifest["error"] = {"message": f"KeyError: {values}", "traceback": values, "cell": 2, "source": "1 / 0"}
    write_report(record, manifest)
    seal(record, manifest)
    checks = checks_folder(record)
    (checks / REPRODUCED).mkdir(parents=True)
    (checks / REPRODUCED / "rows.txt").write_text(values)
    (checks / PARITY).write_text(json.dumps({"exact": True, "text": f"parity: exact (40 rows)\n{values}"}))
    (checks / PARITY_PAGE).write_text(values)
    return record


def holding(folder: Path, *texts: bytes) -> list[str]:
    """Names of the files below a folder that hold one of these bytes."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return [path.relative_to(folder).as_posix() for path in files if any(text in path.read_bytes() for text in texts)]


def copied(made: Path, runs: Path) -> Record:
    """The planted record of one runs folder, copied into another."""
    shutil.copytree(made, runs)
    (folder,) = (runs / "tiny").glob("2*")
    return Record(folder)
