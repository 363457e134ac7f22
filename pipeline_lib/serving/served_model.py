"""A record that answers requests: verified before anything in it is loaded, and silent about the values it is sent."""

import itertools
import math
import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline_lib.compiled import artifact
from pipeline_lib.compiled.pipeline import PREDICTION, PROBABILITY, CompiledPipeline
from pipeline_lib.errors import InputError
from pipeline_lib.records.deployed import deployed
from pipeline_lib.records.record import Record
from pipeline_lib.rows.column import Column
from pipeline_lib.rows.edge_rows import accepted_values
from pipeline_lib.rows.schema import RowSchema
from pipeline_lib.scoring.installed import InstalledPackage
from pipeline_lib.scoring.json_values import is_text
from pipeline_lib.serving.drift_counts import DriftCounts
from pipeline_lib.serving.settings import Settings
from pipeline_lib.watching.statistics import read_statistics

_TYPES = {"float64": pa.float64(), "int64": pa.int64(), "bool": pa.bool_(), "str": pa.string()}
_TYPES |= {"datetime": pa.timestamp("us"), "duration": pa.duration("us")}
_PROCESS = secrets.token_hex(6)
_NUMBERS = itertools.count()
_MADE_UP: dict[str, tuple[Any, ...]] = {
    "integer": (1, 0),
    "number": (1.0, 0.0),
    "string": ("text", "a"),
    "boolean": (True,),
    "datetime": (datetime(2024, 1, 31, 12, 0),),
    "date": (date(2024, 1, 31),),
}


class Observer(Protocol):
    """Looks at answers after they are made; returns at once."""

    def add(self, answer: str, rows: Any, outputs: pa.Table) -> None:
        """Take raw rows and the answers to them, under the answer's ID."""

    def close(self) -> None:
        """End, after what waits is done."""


@dataclass(frozen=True, eq=False)
class ServedModel:
    """A model and the record it is from, of which nothing is read any more.

    `model` and `row` show no value in any message. `row` has the columns that are read, `sensitive` names those that
    `Row` calls so. `example` is a row as JSON values, where there is one, and `answer` its prediction.
    """

    name: str
    version: str
    digest: str
    model: CompiledPipeline
    row: RowSchema
    sensitive: tuple[str, ...]
    folder: Path
    facts: dict[str, Any]
    example: dict[str, Any] | None = None
    answer: Any = None
    drift: DriftCounts | None = None
    observers: list["Observer"] = field(default_factory=list)

    def count_row(self, row: Any, prediction: Any, probabilities: Sequence[Any]) -> None:
        """Count the answer to one row for the comparison with training."""
        if self.drift is not None:
            try:
                self.drift.row(row, prediction, probabilities)
            except Exception:  # an answer is never lost to what counts it
                self.drift.failed += 1

    def count_rows(self, rows: Any, outputs: pa.Table) -> None:
        """Count the answers to rows, as `predict_table` gives them."""
        if self.drift is not None:
            try:
                self.drift.block(rows, outputs)
            except Exception:
                self.drift.failed += 1

    def observed(self, rows: Any, outputs: pa.Table) -> str | None:
        """Tell every observer of an answer, and return the ID it has there; None where nobody looks."""
        if not self.observers:
            return None
        answer = f"{_PROCESS}-{next(_NUMBERS):x}"
        for observer in self.observers:
            with suppress(Exception):  # an answer is never lost to who looks at it
                observer.add(answer, rows, outputs)
        return answer

    @property
    def reference(self) -> str:
        """What answers name: the pipeline and the record's ID."""
        return f"{self.name}/{self.version}"

    @cached_property
    def texts(self) -> tuple[Column, ...]:
        """The columns of dates and times, which JSON writes as text."""
        return tuple(filter(is_text, self.row.columns))

    @cached_property
    def predictions(self) -> tuple[str, ...]:
        """The names of the predictions: one, or one for each of several targets."""
        return tuple(name for name in self.model.plan.outputs if name.partition("[")[0] == PREDICTION)

    @cached_property
    def output_schema(self) -> pa.Schema:
        """The predictions and probabilities, with their types in Arrow."""
        nodes, outputs = self.model.plan.nodes, self.model.plan.outputs
        return pa.schema([(name, _TYPES[nodes[outputs[name]].dtype]) for name in self.predictions + self.probabilities])

    @cached_property
    def probabilities(self) -> tuple[str, ...]:
        """The names of the probabilities, in the order of the classes; none for a regressor."""
        return tuple(name for name in self.model.plan.outputs if name.partition("[")[0] == PROBABILITY)


def load_served(given: Record | InstalledPackage, settings: Settings) -> ServedModel:
    """Verify a record or an installed package, and load its model.

    Raises DifferenceError or InputError, before the artifact is read.
    """
    found = deployed(given, allow_unproven=settings.allow_unproven, trust=settings.trust)
    plan, row, opaque = artifact.load(found.artifact)
    hidden = replace(_hidden(row), children=tuple(map(_hidden, row.children)))
    model = CompiledPipeline(
        plan, hidden, opaque, found.library, trust=found.trust, other_versions=settings.other_versions
    )
    with suppress(InputError):  # refused; the first request finds its functions made
        model.predict_row({})
    read = hidden.keep(model.reads)
    sensitive = tuple(name for name in read.names if row.by_name[name].sensitive)
    facts = {
        "name": found.name,
        "record": found.reference,
        "digest": found.digest,
        "hashes": found.hashes,
        "metrics": found.metrics,
        "parity": None if found.parity is None else _told(found.parity),
        "columns": list(read.names),
        "outputs": list(plan.outputs),
    }
    served = ServedModel(found.name, found.version, found.digest, model, read, sensitive, given.folder, facts)
    statistics = read_statistics(found.artifact)  # none in an artifact of an earlier version
    folder = None if settings.folder is None else Path(settings.folder)
    counts = None if statistics is None else DriftCounts(statistics, read, served.reference, folder)
    example = _example(served, found.evidence)
    with suppress(InputError):  # of a made-up value
        if example is not None:
            answer = model.predict_row(example)
            shown = {name: value.isoformat() if isinstance(value, date) else value for name, value in example.items()}
            return replace(served, example=shown, answer=answer, drift=counts)
    return replace(served, drift=counts)


def _told(parity: dict[str, Any]) -> dict[str, bool]:
    return {"exact": parity["exact"], "full": parity.get("full") is True}


def _hidden(row: RowSchema) -> RowSchema:
    """A table whose values no message shows."""
    return replace(row, columns=tuple(replace(column, sensitive=True) for column in row.columns))


def _example(served: ServedModel, evidence: Path | None) -> dict[str, Any] | None:
    """A row of the record's evidence, with made-up values where a column is sensitive.

    None where the record keeps no rows, or where JSON or a single row cannot say what the model needs.
    """
    if evidence is None or not evidence.is_file() or served.row.key is not None or served.model.context:
        return None
    with pq.ParquetFile(evidence) as file:
        first = next((batch.to_pylist()[0] for batch in file.iter_batches(1, columns=list(served.row.names))), None)
    if first is None or any(isinstance(value, float) and math.isinf(value) for value in first.values()):
        return None
    return {
        column.name: _made_up(column) if column.name in served.sensitive else first[column.name]
        for column in served.row.columns
    }


def _made_up(column: Column) -> Any:
    if column.nullable:
        return None
    bounds = [bound for bound in (column.ge, column.le) if bound is not None]
    values = accepted_values(column, [*(column.allowed or ()), *bounds, *_MADE_UP[column.kind]])
    return values[0] if values else None


def check_names(models: list[ServedModel]) -> None:
    """Raise InputError for two records of one pipeline: a request could not say which is meant."""
    names = [served.name for served in models]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"found more than one record of {', '.join(twice)}, expected one of each pipeline; name one")
