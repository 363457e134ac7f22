"""Rows of training and rows that have drifted, for the tests of watching, and a proven record with statistics."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from scored import classifier

from pipeline_lib.compiled.pipeline import CompiledPipeline
from pipeline_lib.records.layout import PARITY
from pipeline_lib.records.record import Record, checks_folder, create_record
from pipeline_lib.records.seal import seal
from pipeline_lib.rows.column import Column
from pipeline_lib.rows.schema import RowSchema
from pipeline_lib.system.files import canonical_json
from pipeline_lib.watching.statistics import Statistics, output_kinds, training_statistics, write_statistics

ROW = RowSchema(
    (
        Column("size", "number", nullable=True),
        Column("rooms", "integer", ge=0, le=20),
        Column("zone", "string", nullable=True),
        Column("notes", "string"),
        Column("heated", "boolean"),
        Column("sold", "datetime"),
        Column("owner", "string", sensitive=True),
        Column("unread", "number"),
    )
)
READS = tuple(name for name in ROW.names if name != "unread")


def rows(count: int, seed: int = 0, *, size: float = 0.0, zones: tuple[str, ...] = ("a", "b", "c")) -> pa.Table:
    """Raw rows of `ROW`, one in 50 without a size."""
    random = np.random.default_rng(seed)
    sizes = random.normal(size, 1.0, count)
    moments = random.integers(0, 10**15, count).astype("datetime64[us]")
    return pa.table(
        {
            "size": pa.array(sizes, mask=random.random(count) < 0.02),
            "rooms": pa.array(random.integers(1, 7, count)),
            "zone": pa.array([zones[number] for number in random.integers(0, len(zones), count)]),
            "notes": pa.array(
                ["x" * number + str(index) for index, number in enumerate(random.integers(0, 40, count))]
            ),
            "heated": pa.array((random.random(count) < 0.3).tolist()),
            "sold": pa.array(moments),
            "owner": pa.array([f"owner {number}" for number in range(count)]),
            "unread": pa.array(random.random(count)),
        }
    )


def statistics(count: int = 2000, seed: int = 0) -> Statistics:
    """The statistics of so many rows, with as many predictions."""
    return training_statistics(rows(count, seed), ROW, READS).with_outputs(answers(count, seed))


def answers(count: int, seed: int = 0, above: float = 0.0) -> pa.Table:
    """Outputs of a classifier of two classes."""
    probability = np.random.default_rng(seed).beta(2 + above, 2, count)
    labels = pa.array(np.where(probability > 0.5, "yes", "no").tolist())
    return pa.table({"prediction": labels, "probability[no]": 1 - probability, "probability[yes]": probability})


def sizes(count: int = 2000, seed: int = 0, mean: float = 0.0) -> pa.Table:
    """Rows of the classifier over one column of `scored`."""
    return pa.table({"size": np.random.default_rng(seed).normal(mean, 1.0, count)})


def watched(runs: Path, of: CompiledPipeline | None = None, training: pa.Table | None = None, **facts: Any) -> Record:
    """A sealed and proven record of a model, with the statistics of these training rows."""
    of = of or classifier("no", "yes")
    training = sizes() if training is None else training
    record = create_record(runs, "watched")
    of.save(record.artifact)
    known = training_statistics(training, of.row, of.reads)
    outputs = of.predict_table(training, outputs=output_kinds(of.plan.outputs))
    write_statistics(record.artifact, known.with_outputs(outputs))
    seal(record, {"status": "finished", "reference": record.reference, **facts})
    checks_folder(record).mkdir(parents=True)
    (checks_folder(record) / PARITY).write_bytes(canonical_json({"exact": True, "text": "exact"}))
    return record
