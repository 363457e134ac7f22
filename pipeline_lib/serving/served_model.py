"""A record that answers requests: verified before anything in it is loaded, and silent about the values it is sent."""

from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from pipeline_lib.compiled import artifact
from pipeline_lib.compiled.pipeline import PROBABILITY, CompiledPipeline
from pipeline_lib.errors import InputError
from pipeline_lib.records.layout import METRICS
from pipeline_lib.records.proven import check_proven
from pipeline_lib.records.record import Record
from pipeline_lib.rows.column import Column
from pipeline_lib.rows.schema import RowSchema
from pipeline_lib.scoring.json_values import is_text
from pipeline_lib.serving.settings import Settings


@dataclass(frozen=True, eq=False)
class ServedModel:
    """A model and the record it is from. `row` has the columns that are read; `model` shows no value in any message."""

    name: str
    version: str
    digest: str
    model: CompiledPipeline
    row: RowSchema
    record: Record

    @property
    def reference(self) -> str:
        """What answers name: the pipeline and the record's ID."""
        return f"{self.name}/{self.version}"

    @cached_property
    def texts(self) -> tuple[Column, ...]:
        """The columns of dates and times, which JSON writes as text."""
        return tuple(column for column in self.row.columns if is_text(column))

    @cached_property
    def probabilities(self) -> tuple[str, ...]:
        """The names of the probabilities, in the order of the classes; none for a regressor."""
        return tuple(name for name in self.model.plan.outputs if name.partition("[")[0] == PROBABILITY)

    @cached_property
    def metrics(self) -> dict[str, Any]:
        """The metrics of the research run."""
        return dict(self.record.read_json(METRICS) or {})


def load_served(record: Record, settings: Settings) -> ServedModel:
    """Verify a record and load its model. Raises DifferenceError or InputError, before the artifact is read."""
    check_proven(record, allow_unproven=settings.allow_unproven)
    manifest = record.manifest()
    plan, row, opaque = artifact.load(Path(record.artifact))
    hidden = replace(row, columns=_all_sensitive(row), children=tuple(map(_child_hidden, row.children)))
    model = CompiledPipeline(
        plan, hidden, opaque, settings.library, trust=settings.trust, other_versions=settings.other_versions
    )
    with suppress(InputError):  # refused; the first request finds its functions made
        model.predict_row({})
    return ServedModel(record.pipeline, record.id, str(manifest["digest"]), model, row.keep(model.reads), record)


def _all_sensitive(row: RowSchema) -> tuple[Column, ...]:
    return tuple(replace(column, sensitive=True) for column in row.columns)


def _child_hidden(child: RowSchema) -> RowSchema:
    return replace(child, columns=_all_sensitive(child))


def check_names(models: list[ServedModel]) -> None:
    """Raise InputError for two records of one pipeline: a request could not say which is meant."""
    names = [served.name for served in models]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"found more than one record of {', '.join(twice)}, expected one of each pipeline; name one")
