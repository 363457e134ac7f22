"""Parity: a fresh process loads the artifact, predicts the evidence's raw rows, and every bit must agree."""

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline_lib.bits import Difference, differing_rows, first_difference
from pipeline_lib.compiled import load_model
from pipeline_lib.errors import InputError, RunError
from pipeline_lib.evidence import Evidence, read_evidence, read_table
from pipeline_lib.files import canonical_json, write_atomic
from pipeline_lib.record import RECORD_VARIABLE, Record, checks_folder, verify

BATCHES = (1, 2, 3, 7, 64)
MAX_BATCHED_ROWS = 2_000


@dataclass(frozen=True)
class Batch:
    """How many of `rows` predictions changed when rows came in batches of `size` (0: shuffled, all at once).

    `size` 1 is one row at a time, as `predict_row` answers it.
    """

    size: int
    rows: int
    differing: int


@dataclass(frozen=True)
class Parity:
    """What a parity check found. `exact` is True when every output and intermediate bit was repeated."""

    reference: str
    rows: int
    outputs: Difference | None
    steps: dict[str, Difference | None]
    batches: list[Batch] = field(default_factory=list)

    @property
    def exact(self) -> bool:
        """Whether outputs and all intermediate columns agree bit for bit, and the outputs in every batch."""
        return self.outputs is None and not any(self.steps.values()) and not any(b.differing for b in self.batches)

    def __str__(self) -> str:
        lines = [f"parity: {'exact' if self.exact else 'DIFFERENT'}"]
        lines[0] += f" ({self.rows:,} rows, {len(self.steps)} intermediate steps, fresh process)"
        lines += [f"  step {name}: {found}" for name, found in self.steps.items() if found]
        lines += [f"  outputs: {self.outputs}"] if self.outputs else []
        for batch in self.batches:
            how = f"in batches of {batch.size}" if batch.size > 1 else "one row at a time"
            how = how if batch.size else "in another order"
            lines.append(f"  {how}: {batch.differing:,} of {batch.rows:,} rows differ")
        return "\n".join(lines)


def check_parity(record: Record, *, library: str = "pipeline_lib", batches: tuple[int, ...] = BATCHES) -> Parity:
    """Repeat a record's evidence in a fresh process and compare every bit.

    `batches` are the batch sizes to measure besides; `library` is the package whose steps may be loaded.
    The result is kept beside the record. Raises InputError for a record without evidence or with changed
    bytes, RunError when the fresh process fails.
    """
    _check_intact(record)
    expected = read_evidence(record.evidence)
    with tempfile.TemporaryDirectory(prefix="pipeline-lib-parity-") as folder:
        _repeat_in_fresh_process(record, library, batches, Path(folder))
        found_steps = {
            name: read_table(Path(folder) / f"step_{number:02}.parquet") for number, name in enumerate(expected.steps)
        }
        parity = Parity(
            reference=record.reference,
            rows=expected.inputs.num_rows,
            outputs=first_difference(expected.outputs, read_table(Path(folder) / "outputs.parquet")),
            steps={name: first_difference(table, found_steps[name]) for name, table in expected.steps.items()},
            batches=[Batch(**batch) for batch in json.loads((Path(folder) / "batches.json").read_bytes())],
        )
    _keep(record, parity)
    return parity


def _check_intact(record: Record) -> None:
    status = record.status()
    if status == "scratch":
        return
    problems = verify(record)
    if problems or status != "finished":
        raise InputError(
            f"{record.reference}: found a record that is {status}{': ' if problems else ''}{'; '.join(problems[:3])}, "
            "expected a finished one with every byte as it was sealed; run again"
        )


def _repeat_in_fresh_process(record: Record, library: str, batches: tuple[int, ...], folder: Path) -> None:
    """Start a Python that knows neither this process nor the notebook, and let it predict the evidence."""
    request = {"record": str(record.folder), "library": library, "batches": batches, "folder": str(folder)}
    environment = {name: value for name, value in os.environ.items() if name != RECORD_VARIABLE}
    environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    result = subprocess.run(  # noqa: S603 (our own interpreter and module)
        [sys.executable, "-P", "-m", "pipeline_lib.parity", json.dumps(request)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode:
        last = result.stderr.strip().splitlines()[-1:] or ["no message"]
        raise RunError(
            f"{record.reference}: the fresh process failed: {last[0]}\n"
            "expected it to load the artifact and predict; `pipeline-lib verify` says whether the record is whole"
        )


def repeat_evidence(record: Record, library: str, batches: tuple[int, ...], folder: Path) -> None:
    """Predict a record's evidence from its artifact and write outputs, steps and batch counts to `folder`."""
    evidence = read_evidence(record.evidence)
    model = load_model(record.artifact, library=library)
    pq.write_table(model.evaluate(evidence.inputs).outputs, folder / "outputs.parquet")
    steps = model.evaluate(evidence.inputs.take(evidence.traced), steps=True).steps
    for number, name in enumerate(evidence.steps):
        pq.write_table(steps.get(name, pa.table({})), folder / f"step_{number:02}.parquet")
    counted = [asdict(_count(model, evidence, size)) for size in (*batches, 0)] if batches else []
    write_atomic(folder / "batches.json", canonical_json(counted))


def _count(model: Any, evidence: Evidence, size: int) -> Batch:
    """Predict rows in batches of `size` (0: shuffled, all at once) and count the predictions that change."""
    rows = min(evidence.inputs.num_rows, MAX_BATCHED_ROWS)
    inputs, expected = evidence.inputs.slice(0, rows), evidence.outputs.slice(0, rows)
    order = np.random.default_rng(0).permutation(rows) if size == 0 else np.arange(rows)
    back = pa.array(np.argsort(order))
    inputs = inputs.take(pa.array(order))
    step = size or rows
    blocks = [inputs.slice(start, step) for start in range(0, rows, step)]
    ours = pa.concat_tables([model.evaluate(block).outputs for block in blocks]).take(back)
    different = differing_rows(expected, ours)
    if size == 1 and "prediction" in expected.column_names:
        alone = [model.predict_row(row) for row in inputs.to_pylist()]
        kind = expected.schema.field("prediction").type
        single = pa.table({"prediction": pa.array(alone, kind, from_pandas=False)})
        different |= differing_rows(expected.select(["prediction"]), single)
    return Batch(size=size, rows=rows, differing=int(different.sum()))


def _keep(record: Record, parity: Parity) -> None:
    folder = checks_folder(record)
    folder.mkdir(parents=True, exist_ok=True)
    content = {
        "reference": parity.reference,
        "exact": parity.exact,
        "rows": parity.rows,
        "text": str(parity),
        "batches": [asdict(batch) for batch in parity.batches],
    }
    write_atomic(folder / "parity.json", canonical_json(content))


if __name__ == "__main__":
    asked = json.loads(sys.argv[1])
    repeat_evidence(Record(Path(asked["record"])), asked["library"], tuple(asked["batches"]), Path(asked["folder"]))
