"""The diagnostics of a run: which plots suit it, in their order, as a notebook and the report show them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from pipeline_lib.compiled.pipeline import CompiledPipeline
from pipeline_lib.errors import InputError
from pipeline_lib.evidence.evidence import Evidence
from pipeline_lib.evidence.losses import Kind, losses_of
from pipeline_lib.evidence.targets import predictions_of, target_of
from pipeline_lib.runner.diagnostics import influence, labels, numbers
from pipeline_lib.runner.diagnostics.drawing import Picture
from pipeline_lib.runner.diagnostics.segments import errors_by_segment
from pipeline_lib.runner.metrics import probabilities_of
from pipeline_lib.runner.value import unit_of, values_of_evidence
from pipeline_lib.system.html_page import Markup, element, joined

if TYPE_CHECKING:
    from types import ModuleType

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Diagnostics:
    """Plots with a sentence each, and in words what was not drawn. A notebook shows all of them."""

    pictures: tuple[Picture, ...]
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Diagnostics({', '.join(picture.title for picture in self.pictures)})"

    def _repr_html_(self) -> Markup:
        parts = [picture.html() for picture in self.pictures]
        return joined(*parts, *(element("p", note) for note in self.notes))


@dataclass(frozen=True)
class _Judged:
    """The evidence as arrays: of one target, with labels where it is one, and what a row's loss is called."""

    rows: pa.Table
    target: Array
    predictions: Array
    chances: Array | None
    classes: tuple[Any, ...]

    @property
    def kind(self) -> Kind:
        """What is predicted."""
        if not self.classes:
            return "regression"
        return "binary" if len(self.classes) == 2 else "multiclass"

    @property
    def loss(self) -> str:
        """The loss that the plots show."""
        if not self.classes:
            return "absolute error"
        return "error" if self.chances is None else "log loss"

    def losses(self, predictions: Array, chances: Array | None, numbers: Array) -> Array:
        """The loss of each of these rows."""
        return losses_of(self.target[numbers], predictions, chances, self.kind, self.classes)[self.loss]


def diagnostics_of(model: CompiledPipeline, evidence: Evidence, module: "ModuleType", params: Any) -> Diagnostics:
    """The plots of a model on its evidence, rows that the fit did not see. Raises InputError for several targets."""
    target, predictions = np.asarray(target_of(evidence.target)), predictions_of(evidence.outputs)
    if target.ndim > 1 or predictions.ndim > 1:
        raise InputError(
            "diagnostics: found several targets, expected one; draw each target on its own in the notebook"
        )
    judged = _Judged(evidence.inputs, target, predictions, probabilities_of(evidence.outputs), model.classes)
    pictures = [*_answers(judged, evidence, module, params)]
    notes: list[str] = []
    if model.context:
        notes.append("Importance is not drawn: the prediction of a row also depends on the rows before it.")
    else:
        pictures += _influence(model, judged)
    every = np.arange(len(target))
    losses = judged.losses(predictions, judged.chances, every)
    pictures.append(errors_by_segment(evidence.inputs, model.row, losses, judged.loss))
    return Diagnostics(tuple(picture for picture in pictures if picture), tuple(notes))


def _answers(judged: _Judged, evidence: Evidence, module: "ModuleType", params: Any) -> Iterator[Picture | None]:
    """Plots of the predictions themselves."""
    if not judged.classes:
        yield numbers.predicted_against_actual(judged.target, judged.predictions)
        yield numbers.residuals(judged.target, judged.predictions)
        return
    if len(judged.classes) == 2 and judged.chances is not None:
        label = judged.classes[1]
        positive, chance = judged.target == label, judged.chances[:, 1]
        yield labels.calibration(positive, chance, label)
        if positive.any() and not positive.all():
            yield labels.roc_and_precision_recall(positive, chance, label)
    worth = values_of_evidence(module, evidence, params)
    unit = unit_of(module) if worth is not None else ""
    yield labels.confusion(judged.target, judged.predictions, judged.classes, worth, unit)


def _influence(model: CompiledPipeline, judged: _Judged) -> Iterator[Picture | None]:
    """Importance, and the dependence on the most important columns that are not sensitive."""

    def losses(rows: pa.Table, numbers: Array) -> Array:
        chances = None if judged.chances is None else model.predict_proba(rows)
        return judged.losses(model.predict(rows), chances, numbers)

    def answer(rows: pa.Table) -> Array:
        return model.predict(rows) if judged.chances is None else np.asarray(model.predict_proba(rows)[:, -1])

    found = influence.importances(model, judged.rows, losses)
    yield influence.importance_picture(found, judged.loss)
    if judged.classes and judged.chances is None:
        return
    shown = [each.column for each in found if each.mean > 0 and each.column not in model.row.sensitive]
    what = f"probability of {judged.classes[-1]}" if judged.classes else "prediction"
    yield influence.dependence_picture(judged.rows, shown, answer, what)
