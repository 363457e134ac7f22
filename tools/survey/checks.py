"""One case of the survey: compiled, compared with its library, row by row and in batches, and saved.

An outcome is one of OUTCOMES, best first. From "differs" on, none is acceptable.
"""

import json
import pickle
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline_lib import compile_pipeline
from pipeline_lib.compiled.compile_report import CompileReport
from pipeline_lib.compiled.pipeline import CompiledPipeline
from pipeline_lib.errors import InputError
from tools.survey.cases import PACKAGES, Case, Fitted

OUTCOMES = (
    "exact",
    "opaque",
    "refused",
    "no plan",  # refused, though the class could serve production
    "differs",  # past 1e-9, and the report does not say so; or one row is not the batch
    "remedy fails",  # a message offers allow_opaque=True, which is then refused
    "crash",
    "hangs",
    "not fitted",  # by the library itself: the table is wrong
)
_ROWS = 40  # predicted one by one; of an opaque model, whose rows take milliseconds, fewer
_OPAQUE_ROWS = 5
_FAR = 1e-9  # relative
_REPORTED = "the report says so: "
_KINDS = {"prediction": "predict", "probability": "predict_proba", "decision": "decision_function"}
_NAMES = {  # of outputs in a report
    "prediction": ("predictions", "labels"),
    "probability": ("probabilities",),
    "decision": ("decision values",),
}
_REFUSALS = re.compile(
    "cannot serve production|without predict|draws? (random )?numbers|drops rows|rows affect|no predict|new rows|"
    "depends on the rows it comes with|a column for each training row"
)


@dataclass(frozen=True)
class Result:
    """The outcome of one case, the first line of its message, and the seconds that it took."""

    case: str
    outcome: str
    why: str = ""
    seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """The result as JSON values."""
        return asdict(self)


def check_case(case: Case, folder: Path | None = None) -> Result:
    """The outcome of a case. A model that passes is saved in `folder`, for a fresh process, where one is named."""
    try:
        fitted = case.fitted()
    except Exception as error:  # the library's own
        return Result(case.id, "refused" if case.entry.refused else "not fitted", _line(error))
    try:
        return _compiled(case, fitted, folder)
    except Exception as error:  # what the survey looks for
        return Result(case.id, "crash", _line(error))


def _compiled(case: Case, fitted: Fitted, folder: Path | None) -> Result:
    try:
        model = _compile(case, fitted)
    except InputError as error:
        message = str(error)
        if case.entry.refused or _REFUSALS.search(message):
            return Result(case.id, "refused", _line(error))
        try:
            model = _compile(case, fitted, allow_opaque=True)
        except InputError as second:
            if "allow_opaque" in message:
                return Result(case.id, "remedy fails", f"{_line(error)} || then: {_line(second)}")
            return Result(case.id, "no plan", f"{_line(second)}")
    else:
        message = ""
    outcome = "exact" if model.exact else "opaque"
    found = list(_differences(case, model, fitted))
    differences = [text for text in found if not text.startswith(_REPORTED)]
    if differences:
        return Result(case.id, "differs", f"{outcome}: {'; '.join(differences)}")
    if folder is not None:
        _save(case, model, fitted, folder)
    return Result(case.id, outcome, "; ".join(found) or message.partition("\n")[0])


def _compile(case: Case, fitted: Fitted, *, allow_opaque: bool = False) -> CompiledPipeline:
    options: dict[str, Any] = {"context": case.entry.context} if case.entry.context else {}
    if allow_opaque:
        options |= {"allow_opaque": True, **trust(case.library)}
    return compile_pipeline(fitted.estimator, like=fitted.training, **options)


def trust(library: str) -> dict[str, Any]:
    """The argument that admits a library's classes; scikit-learn and feature-engine are admitted without."""
    package = PACKAGES[library]
    return {} if package in ("sklearn", "feature_engine") else {"trust": (package,)}


def _differences(case: Case, model: CompiledPipeline, fitted: Fitted) -> Iterator[str]:
    data = _joined(fitted)
    context = case.entry.context
    before, judged = (data[:context], data[context:]) if context else (None, data)
    arguments = {"context": before} if context else {}
    given = {name.partition("[")[0] for name in model.plan.outputs}
    for kind, method in _KINDS.items():
        theirs = _library_output(fitted.estimator, method, data)
        if theirs is None:
            continue
        if kind not in given:
            yield f"the library gives {method}, the model does not"
            continue
        ours = _joined_targets(getattr(model, method)(judged, **arguments))
        yield from _against_library(model, kind, ours, theirs[context:])
        yield from _row_by_row(model, kind, data, ours, context)


def _joined(fitted: Fitted) -> Any:
    """New rows, then training rows."""
    if isinstance(fitted.new, list):
        return [*fitted.new, *fitted.training]
    return pd.concat([fitted.new, fitted.training], ignore_index=True)


def _library_output(estimator: Any, method: str, data: Any) -> Any:
    if not hasattr(estimator, method):
        return None
    try:
        output = getattr(estimator, method)(data)
    except ValueError:  # a method that an option takes away, such as probabilities of one_vs_one
        return None
    return _joined_targets(output)


def _joined_targets(output: Any) -> Any:
    """An output as one array: probabilities of several targets side by side."""
    return np.hstack(output) if isinstance(output, list) else np.asarray(output)


def _against_library(model: CompiledPipeline, kind: str, ours: Any, theirs: Any) -> Iterator[str]:
    if ours.size != theirs.size:
        yield f"{kind}: shape {ours.shape} for {theirs.shape}"
        return
    theirs = theirs.reshape(ours.shape)
    if ours.dtype.kind == "f" and theirs.dtype.kind in "fiub":
        far = far_apart(ours, theirs.astype(np.float64))
        what = f"{np.max(np.abs(ours - theirs)):.2g} apart" if far.any() else ""
    else:
        far, what = ours.astype(object) != theirs.astype(object), "other labels"
        if (ours.dtype.kind == "i") != (theirs.dtype.kind in "iu"):
            yield f"{kind}: {ours.dtype} for {theirs.dtype}"
    if far.any():
        text = f"{np.count_nonzero(far)} of {far.size} {kind} {what}"
        yield f"{_REPORTED}{text}" if reported(_report(model), kind) else f"{text}, not reported"


def _report(model: CompiledPipeline) -> CompileReport:
    if model.report is None:
        raise ValueError("a model that was just compiled has no report")
    return model.report


def far_apart(ours: Any, theirs: Any) -> Any:
    """Where two outputs differ by more than 1e-9, relative to the value or to the typical size of the output."""
    with np.errstate(all="ignore"):
        finite = np.abs(theirs[np.isfinite(theirs)])
        size = np.maximum(np.abs(theirs), finite.mean() if finite.size else 1.0)
        near = np.isfinite(theirs) & (np.abs(ours - theirs) <= _FAR * size)
    return ~((ours == theirs) | near | ((ours != ours) & (theirs != theirs)))


def reported(report: CompileReport, kind: str) -> bool:
    """Whether the text of a compile report says that a kind of output differs from the library's by more than rounding.

    Rows for which the library has no answer of its own, counted for a step, speak for every output.
    """
    text = str(report)
    differs = [
        output
        for output in report.outputs
        if output.changed and output.kind in _NAMES[kind] and (output.relative > _FAR or not output.difference)
    ]
    return any(str(output) in text for output in differs) or any(
        step.unsure and step.doubt in text for step in report.steps
    )


def _row_by_row(model: CompiledPipeline, kind: str, data: Any, ours: Any, context: int) -> Iterator[str]:
    """One row alone, and a few rows in reverse, against the batch."""
    method = {"prediction": model.predict_row, "probability": model.predict_proba_row}.get(kind)
    rows = _records(data)
    count = _ROWS if model.exact else _OPAQUE_ROWS
    differ = 0
    for index in np.linspace(0, len(ours) - 1, min(count, len(ours))).astype(int) if method else ():
        arguments = {"context": rows[index : index + context]} if context else {}
        answer = np.array(_flat(method(rows[index + context], **arguments)))  # type: ignore[misc]
        differ += not same_bits(answer, np.ravel(ours[index]))
    if differ:
        yield f"{kind}: {differ} of {count} rows have other bits alone"
    if not context:
        part = data[::-29] if isinstance(data, list) else data.iloc[::-29]
        if not same_bits(_joined_targets(getattr(model, _KINDS[kind])(part)), ours[::-29]):
            yield f"{kind}: a few rows in reverse have other bits"


def _flat(answer: Any) -> list[Any]:
    """What one row gives: a scalar, a tuple, or of several targets a tuple of tuples, as one list."""
    return [each for part in answer for each in _flat(part)] if isinstance(answer, tuple | list) else [answer]


def _records(data: Any) -> list[dict[str, Any]]:
    if isinstance(data, list):
        return data
    frame = data.to_frame() if isinstance(data, pd.Series) else data
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def same_bits(left: Any, right: Any) -> bool:
    """Whether two outputs are equal bit for bit, NaN being equal to NaN."""
    left, right = np.asarray(left), np.asarray(right)
    if left.dtype.kind == right.dtype.kind == "f":
        left, right = (np.where(part != part, np.nan, part) for part in (left, right))
        return bool(left.shape == right.shape and left.tobytes() == right.tobytes())
    return bool(left.tolist() == right.tolist())


def _save(case: Case, model: CompiledPipeline, fitted: Fitted, folder: Path) -> None:
    """Save a model with rows and its predictions for them, for `fresh.py`."""
    folder.mkdir(parents=True, exist_ok=True)
    model.save(folder / "artifact")
    data = _joined(fitted)
    arguments = {"context": data[: case.entry.context]} if case.entry.context else {}
    predictions = model.predict(data[case.entry.context :], **arguments)
    (folder / "case.json").write_text(json.dumps(case.id), encoding="utf-8")
    expected = (case.id, case.library, data, case.entry.context, predictions)
    (folder / "expected.pickle").write_bytes(pickle.dumps(expected))


def _line(error: Exception) -> str:
    """The first line of an error, with its class where it is not raised on purpose."""
    text = str(error).partition("\n")[0]
    return text if isinstance(error, InputError) else f"{type(error).__name__}: {text}"
