"""The diagnostics of a run: which plots suit it, in their order, as a notebook and the report show them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from pipeline_lib.compiled.pipeline import CompiledPipeline
from pipeline_lib.evidence.evidence import Evidence
from pipeline_lib.evidence.targets import predictions_of, target_of
from pipeline_lib.runner.diagnostics import influence, labels, numbers
from pipeline_lib.runner.diagnostics.drawing import Picture
from pipeline_lib.runner.diagnostics.judged import Judged
from pipeline_lib.runner.diagnostics.segments import errors_by_segment
from pipeline_lib.runner.metrics import probabilities_of
from pipeline_lib.runner.value import unit_of, values_of_evidence
from pipeline_lib.system.html_page import Markup, element, joined

if TYPE_CHECKING:
    from types import ModuleType

Array = np.ndarray[Any, Any]
Part = Picture | str
"""A plot, or in one line why it is left out."""
_MOST_TARGETS = 4


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


def diagnostics_of(model: CompiledPipeline, evidence: Evidence, module: "ModuleType", params: Any) -> Diagnostics:
    """The plots of a model on its evidence, rows that the fit did not see; a note for each that does not suit."""
    target, predictions = np.asarray(target_of(evidence.target)), predictions_of(evidence.outputs)
    chances = None if predictions.ndim > 1 else probabilities_of(evidence.outputs)
    names = tuple(map(str, target_of(evidence.target))) if target.ndim > 1 else ()
    judged = Judged(evidence.inputs, target, predictions, chances, model.classes, _positive(module, model), names)
    label = _label(module, judged)
    known = judged.known()
    parts: list[Part] = []
    if len(known) < len(target):
        parts.append(f"{len(target) - len(known):,} rows without a true value are left out of the plots.")
    if not len(known):
        return Diagnostics((), ("Nothing is drawn: no row has a true value.",))
    judged = judged.take(known)
    parts += _answers(judged, evidence, module, params, label)
    parts += _influence(model, judged, label)
    losses = judged.losses(judged.predictions, judged.chances, np.arange(len(known)))
    parts.append(errors_by_segment(judged.rows, model.row, losses, judged.loss))
    pictures = tuple(part for part in parts if isinstance(part, Picture))
    return Diagnostics(pictures, tuple(part for part in parts if isinstance(part, str)))


def _positive(module: "ModuleType", model: CompiledPipeline) -> int:
    """The index of the label that is looked for: the module's POSITIVE, else the last one."""
    named = getattr(module, "POSITIVE", None)
    return model.classes.index(named) if named in model.classes else len(model.classes) - 1


def _label(module: "ModuleType", judged: Judged) -> str:
    """The label that is looked for, as a reader knows it: a number with the name of the target, where it has one."""
    if not judged.classes:
        return ""
    label, target = judged.classes[judged.positive], getattr(module, "TARGET", None)
    return f"{target} = {label}" if isinstance(target, str) and not isinstance(label, str) else str(label)


def _answers(judged: Judged, evidence: Evidence, module: "ModuleType", params: Any, label: str) -> Iterator[Part]:
    """Plots of the predictions themselves."""
    if judged.kind == "several targets":
        yield from _several(judged)
    elif judged.kind == "regression":
        yield numbers.predicted_against_actual(judged.target, judged.predictions)
        yield numbers.residuals(judged.target, judged.predictions)
    else:
        yield from _chances(judged, label)
        whole = len(judged.target) == evidence.inputs.num_rows
        worth = values_of_evidence(module, evidence, params) if whole else None
        unit = unit_of(module) if worth is not None else ""
        yield labels.confusion(judged.target, judged.predictions, judged.classes, worth, unit)


def _several(judged: Judged) -> Iterator[Part]:
    """The first numbers among several targets, each on its own."""
    if judged.loss == "error":
        yield f"Calibration, ranking and confusion are not drawn: there are {len(judged.names)} targets of labels."
        return
    for place, name in enumerate(judged.names[:_MOST_TARGETS]):
        yield numbers.predicted_against_actual(judged.target[:, place], judged.predictions[:, place], name)
    left = len(judged.names) - _MOST_TARGETS
    if left > 0:
        yield f"Predicted against actual is drawn for the first {_MOST_TARGETS} targets, not for {left} more."
    yield "Residuals are not drawn: they are for one target."


def _chances(judged: Judged, label: str) -> Iterator[Part]:
    """Calibration and ranking of two labels."""
    if judged.kind != "binary" or judged.chances is None:
        reason = "the model gives no probabilities" if judged.chances is None else "they are for two labels"
        yield f"Calibration and ranking are not drawn: {reason}."
        return
    positive, chance = judged.target == judged.classes[judged.positive], judged.chances[:, judged.positive]
    yield labels.calibration(positive, chance, label)
    if positive.any() and not positive.all():
        yield labels.roc_and_precision_recall(positive, chance, label)
    else:
        yield f"Ranking is not drawn: all {len(positive):,} rows have the same label."


def _influence(model: CompiledPipeline, judged: Judged, label: str) -> Iterator[Part]:
    """Importance, and the dependence on the most important columns that are not sensitive."""
    if model.context:
        yield "Importance is not drawn: the prediction of a row also depends on the rows before it."
        return

    def losses(rows: pa.Table, numbers: Array) -> Array:
        if judged.chances is not None:  # whose loss needs no labels
            return judged.losses(judged.predictions[numbers], np.asarray(model.predict_proba(rows)), numbers)
        return judged.losses(model.predict(rows), None, numbers)

    def answer(rows: pa.Table) -> Array:
        if judged.chances is None:
            return model.predict(rows)
        return np.asarray(model.predict_proba(rows))[:, judged.positive]

    found, refused = influence.importances(model, judged.rows, losses)
    if refused:
        yield f"The importance of {', '.join(refused)} is not known: rows with shuffled values of it are refused."
    yield influence.importance_picture(found, judged.loss)
    if judged.kind == "several targets" or (judged.classes and judged.chances is None):
        yield "Partial dependence is not drawn: it needs one number or one probability a row."
        return
    shown = [each.column for each in found if each.mean > 0 and each.column not in model.row.sensitive]
    what = f"probability of {label}" if judged.classes else "prediction"
    yield influence.dependence_picture(judged.rows, shown, answer, what)
