"""A small model whose outputs show the raw values that it read, for the tests of scoring, and a proven record of it."""

from datetime import date, datetime
from pathlib import Path
from typing import Any

from pipeline_lib.compiled.pipeline import CompiledPipeline
from pipeline_lib.compiled.plan import Plan
from pipeline_lib.compiler.builder import Builder
from pipeline_lib.records.layout import PARITY
from pipeline_lib.records.record import Record, checks_folder, create_record
from pipeline_lib.records.seal import seal
from pipeline_lib.rows.column import Column
from pipeline_lib.rows.schema import RowSchema
from pipeline_lib.system.files import canonical_json

ROW = RowSchema(
    (
        Column("size", "number", nullable=True, le=1e9),
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
_START = datetime(1970, 1, 1)


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
    """A model of six targets: `prediction[NAME]` is the raw value of a column, of dates the days since 1970."""
    build = Builder()
    size, rooms = build.input("size", "float64"), build.input("rooms", "int64")
    heated, code = build.input("heated", "bool"), build.input("code", "str")
    is_known = build.logical_not(build.text_equal(code, build.value(REFUSED)))
    settings = {"name": "code", "where": "Places", "expected": "a place", "advice": "correct it"}
    outputs = {"size": size, "rooms": rooms, "code": build.check(code, is_known, **settings), "heated": heated}
    for name in ("sold", "day"):
        outputs[name] = build.elapsed(
            build.input(name, "datetime"), build.date(_START), unit=86_400e9, name=name, where="Days"
        )
    return CompiledPipeline(
        Plan(build.nodes, {f"prediction[{name}]": value.node for name, value in outputs.items()}), ROW
    )


def classifier(*classes: Any) -> CompiledPipeline:
    """A classifier of two classes over the column `size`: half as probable at 0."""
    build = Builder()
    score = build.input("size", "float64")
    positive = build.sigmoid(score)
    outputs = {
        "prediction": build.where(0.0 < score, *reversed([build.value(label) for label in classes])).node,
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
