"""The calls of a research notebook: start a run, compile, keep evidence, keep metrics."""

import inspect
import os
import shutil
import types
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pipeline_lib.compiled.opaque import quiet_select_dtypes
from pipeline_lib.compiled.pipeline import CompiledPipeline
from pipeline_lib.compiler.compile import Compiled, compile_fitted
from pipeline_lib.compiler.fitted_steps import fitted_pipeline
from pipeline_lib.errors import InputError
from pipeline_lib.evidence.bits import digest
from pipeline_lib.evidence.evidence import read_evidence, write_evidence
from pipeline_lib.evidence.fitted_state import write_fitted_state
from pipeline_lib.evidence.targets import predictions_of
from pipeline_lib.evidence.training_rows import write_training_rows
from pipeline_lib.project.code_diff import flatten
from pipeline_lib.project.exported_cells import exported_cells
from pipeline_lib.project.loaded_code import with_exported_definitions
from pipeline_lib.project.params import params_to_json
from pipeline_lib.project.params_model import BaseParams
from pipeline_lib.project.project import Project, find_project
from pipeline_lib.records.data_profile import profile_of
from pipeline_lib.records.layout import (
    COMPILE_REPORT,
    ENVIRONMENT,
    FITTED_STATE,
    LIBRARY,
    METRICS,
    PARAMETERS,
    RAW_PROFILE,
    TRAINING,
    TRAINING_ROWS,
    VALUE,
)
from pipeline_lib.records.metric_direction import check_returned, declared_metric
from pipeline_lib.records.record import RECORD_VARIABLE, Record, all_records, create_record
from pipeline_lib.records.report_body import RUN_PARAMETERS
from pipeline_lib.records.report_parameters import value_text
from pipeline_lib.rows.conform import conform
from pipeline_lib.rows.context import Context
from pipeline_lib.rows.frames import to_frame
from pipeline_lib.rows.model import schema_of
from pipeline_lib.rows.schema import RowSchema
from pipeline_lib.runner.baselines import check_target_index, keep_baselines, score_baselines
from pipeline_lib.runner.cache.imported_files import follow_imports
from pipeline_lib.runner.diagnostics.diagnostics import Diagnostics, diagnostics_of
from pipeline_lib.runner.metrics import finite_metric, metrics_of_evidence
from pipeline_lib.runner.start_checks import check_checkout, check_fresh, check_module, mode_of, parameters_of
from pipeline_lib.runner.threshold import keep_threshold
from pipeline_lib.runner.value import value_of_evidence
from pipeline_lib.runner.warm.cold_only import check_packages
from pipeline_lib.system.environment import describe_environment
from pipeline_lib.system.files import canonical_json, write_atomic
from pipeline_lib.system.fingerprint import fingerprint
from pipeline_lib.system.html_page import element, table
from pipeline_lib.watching.statistics import Statistics, output_kinds, training_statistics, write_statistics

_KEPT_SCRATCH = 5
"""Scratch records that are kept for each pipeline; older ones are removed at the next start."""


def _row_hashes(table: Any, row: RowSchema) -> Any:
    """A hash of each row's values (uint64); of several tables of the main row's, which includes the key."""
    import pandas as pd

    main = table.select([column.name for column in row.columns])
    return pd.util.hash_pandas_object(to_frame(main), index=False).to_numpy()


class Run:
    """One research run, from its parameters to its metrics. Made by `start_run`.

    run = start_run(houses, globals())
    X_train, X_test, y_train, y_test = houses.split(houses.load(), run.params)
    model = run.compile(houses.build(run.params).fit(X_train, y_train), like=X_train, target=y_train)
    predictions = run.evidence(X_test, y_test)
    run.metrics(houses.metrics(y_test, predictions, run.params))
    """

    def __init__(self, module: types.ModuleType, params: BaseParams, record: Record, project: Project) -> None:
        self.module = module
        self.params: Any = params
        self.record = record
        self._project = project
        self._model: CompiledPipeline | None = None
        self._statistics: Statistics | None = None
        self._compiled: Compiled | None = None
        self._training_hashes: Any = ()

    def compile(
        self,
        fitted: Any,
        *,
        like: Any,
        target: Any = None,
        allow_opaque: bool = False,
        trust: Sequence[str] | None = None,
        context: Context | int | None = None,
    ) -> CompiledPipeline:
        """Turn a fitted pipeline into the artifact that production loads, and keep it in the record.

        `like` are the rows that the pipeline was fitted on: a DataFrame (rows x raw columns), or what else
        `compile_pipeline` takes, in the order of the module's `Row`; a mapping of table names to DataFrames where `Row`
        is `Tables`. `target` is what the fit got besides them, such as y_train: the record keeps its baselines, which
        the model is compared with. A step without an exact plan is refused, or with `allow_opaque` runs through its
        library; its state may hold classes of the packages in `trust`, by default those that `trust =` in settings.ini
        names. `context` is the number of earlier rows that each row needs: by default the module's CONTEXT, or 0.
        Predict with the returned pipeline: production has the same bits. Raises InputError for a target of other rows.
        """
        row, library = schema_of(self.module.Row), self._project.library
        fitted = with_exported_definitions(fitted_pipeline(fitted), self._project)
        context = getattr(self.module, "CONTEXT", 0) if context is None else context
        trust = self._project.trust if trust is None else trust
        self._compiled = compile_fitted(
            fitted, like=like, row=row, library=library, allow_opaque=allow_opaque, trust=trust, context=context
        )
        self._model = model = self._compiled.model
        model.save(self.record.artifact)
        self._remove(self.record.evidence, *self._scores)
        if model.report:
            write_atomic(self.record.folder / COMPILE_REPORT, canonical_json(model.report.to_json()))
        training_rows = conform(like, model.row)
        self._training_hashes = _row_hashes(training_rows, row)
        description = {"rows": training_rows.num_rows, "digest": digest(training_rows)}
        write_atomic(self.record.folder / TRAINING, canonical_json(description))
        write_training_rows(self.record.folder / TRAINING_ROWS, training_rows, row, self._project.row_key)
        profile = profile_of(training_rows.select([column.name for column in row.columns]), row.sensitive)
        write_atomic(self.record.folder / RAW_PROFILE, canonical_json(profile))
        self._statistics = training_statistics(training_rows, row, model.reads)
        write_statistics(self.record.artifact, self._statistics)
        write_fitted_state(self.record.folder / FITTED_STATE, fitted)
        keep_threshold(self.record, fitted)
        keep_baselines(self.record, fitted, self.module, like=like, target=target)
        return model

    def evidence(self, rows: Any, target: Any, *, context: Any = None) -> np.ndarray[Any, Any]:
        """Keep raw rows with the model's outputs, and return the kept predictions (one for each row and target).

        `rows` is a DataFrame of raw rows that the fit did not see (or a mapping, as in `compile`), `target` as many
        true values. Every step's plan is checked against its library on these rows, too. `context` has the earlier
        rows of a pipeline that needs some; the needed ones are kept as well. Raises InputError for a target with
        another index or length, and before `compile`.
        """
        if self._model is None or self._compiled is None or self._statistics is None:
            raise InputError("found no compiled pipeline, expected run.compile(...) before run.evidence(...)")
        self._check_evidence(rows, target)
        earlier = self._model.earlier(rows, context)
        self._compiled.check_rows(rows, context=earlier)
        self._remove(self.record.evidence, *self._scores)
        answers = self._model.predict_table(rows, outputs=output_kinds(self._model.plan.outputs), context=earlier)
        write_statistics(self.record.artifact, self._statistics.with_outputs(answers))
        kept = write_evidence(
            self.record.evidence, self._model, rows, target, artifact=self.record.artifact, context=earlier
        )
        return predictions_of(kept.outputs)

    def _check_evidence(self, rows: Any, target: Any) -> None:
        """Refuse a target of other rows; warn of rows that the fit has seen."""
        check_target_index(rows[self._model.row.name] if self._model and self._model.row.key else rows, target)
        seen = 0
        if self._model:
            hashes = _row_hashes(conform(rows, self._model.row), self._model.row)
            seen = int(np.isin(hashes, self._training_hashes).sum())
        if seen:
            warnings.warn(
                f"found {seen:,} evidence rows that are training rows too, expected rows that the fit did not see: "
                "metrics on them flatter the model",
                stacklevel=3,
            )

    def metrics(self, values: Mapping[str, float]) -> dict[str, float]:
        """Keep metrics (name to finite number), after comparing them with the module's own on the evidence.

        Names that the module's `metrics` does not compute are kept as they are. Raises InputError for a value that
        differs in a bit, or is missing.
        """
        if not isinstance(values, Mapping) or not all(isinstance(name, str) for name in values):
            raise InputError(
                f"metrics: found {values!r}, expected a mapping of names to numbers, as `metrics` returns it"
            )
        if not self.record.evidence.is_dir():
            raise InputError("found no evidence, expected run.evidence(X_test, y_test) before run.metrics(...)")
        kept = {name: finite_metric(name, value) for name, value in values.items()}
        computed = metrics_of_evidence(self.module, self.record, self.params)
        check_returned(declared_metric(self._project, self.record.pipeline), computed)
        for name, value in computed.items():
            if name not in kept or kept[name].hex() != value.hex():
                raise InputError(
                    f"metrics: {name}: found {kept.get(name)!r}, expected {value!r} as computed from the evidence "
                    "that the record keeps; compute metrics on what run.evidence(...) returns"
                )
        worth = value_of_evidence(self.module, self.record, self.params)
        if worth:
            write_atomic(self.record.folder / VALUE, canonical_json(worth.to_json()))
        score_baselines(self.module, self.record, self.params)
        write_atomic(self.record.folder / METRICS, canonical_json(kept))
        return kept

    @property
    def _scores(self) -> tuple[Path, ...]:
        """The files of metrics and value, which another model or other rows would change."""
        return tuple(self.record.folder / name for name in (METRICS, VALUE))

    def diagnostics(self) -> Diagnostics:
        """Plots of the kept predictions that suit what is predicted, for a notebook and its report.

        Numbers: predicted against actual, residuals. Labels: calibration, ROC and precision-recall, confusion with the
        business value of each cell. Both: permutation importance and partial dependence through the compiled model,
        errors by segment. All on the evidence, rows that the fit did not see. What does not suit is left out, and one
        line says why. Raises InputError before `evidence`.
        """
        if self._model is None or not self.record.evidence.is_dir():
            raise InputError("found no evidence, expected run.evidence(X_test, y_test) before run.diagnostics()")
        return diagnostics_of(self._model, read_evidence(self.record.evidence), self.module, self.params)

    def _remove(self, *results: Path) -> None:
        """Remove results of an earlier model or of earlier rows."""
        for path in results:
            if path.is_dir():
                shutil.rmtree(path)
            path.unlink(missing_ok=True)

    def __repr__(self) -> str:
        return f"Run({self.record.reference}, {self.record.manifest()['mode']})"

    def _repr_html_(self) -> str:
        rows = [(name, value_text(value)) for name, value in flatten(params_to_json(self.params))]
        mode = self.record.manifest()["mode"]
        title = element("p", f"Run {self.record.reference} ({mode})")
        return element("div", title, table(("parameter", "value"), rows), class_=RUN_PARAMETERS)


def start_run(module: types.ModuleType, values: Mapping[str, Any]) -> Run:
    """Begin a research run of a pipeline module with the notebook's parameter variables (`globals()`).

    Under `pipeline-lib run` the run writes into the runner's record; in Jupyter, and under papermill alone, into a
    scratch record. Where the library is not what the notebooks export, papermill refuses and Jupyter warns. Raises
    InputError for bad parameters.
    """
    check_module(module)
    project = find_project(Path(str(module.__file__)).parent)
    check_checkout(project)
    folder = os.environ.get(RECORD_VARIABLE)
    mode = "run" if folder else mode_of(values)
    check_fresh(project, mode)
    quiet_select_dtypes()
    params = parameters_of(module, values)
    if not folder:  # the runner has checked it
        declared_metric(project, module.__name__.rpartition(".")[2])
    record = Record(Path(folder)) if folder else _scratch_record(project, module, mode)
    if folder and params_to_json(params) != record.read_json(PARAMETERS):
        raise InputError(
            f"found parameters {params_to_json(params)}, expected those of the record; "
            "let no cell between `parameters` and start_run change them"
        )
    if folder:
        check_packages()
        load = getattr(inspect.unwrap(module.load), "__code__", None)
        follow_imports(record.folder, project, record.pipeline, fingerprint(), load)
    else:
        write_atomic(record.folder / PARAMETERS, canonical_json(params_to_json(params)))
    write_atomic(record.folder / ENVIRONMENT, canonical_json(describe_environment()))
    write_atomic(record.folder / LIBRARY, canonical_json(exported_cells(project)))
    return Run(module, params, record, project)


def _scratch_record(project: Project, module: types.ModuleType, mode: str) -> Record:
    pipeline = module.__name__.rpartition(".")[2]
    record = create_record(project.runs, pipeline, scratch=True, facts={"mode": mode})
    others = [r for r in all_records(project.runs, scratch=True) if r.pipeline == pipeline and r != record]
    for stale in others[: 1 - _KEPT_SCRATCH]:
        shutil.rmtree(stale.folder)
    return record
