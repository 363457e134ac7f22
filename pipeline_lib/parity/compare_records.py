"""The differences of two records: parameters, code, environment, fitted state, artifact, evidence, metrics."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline_lib.compiled.artifact import load
from pipeline_lib.compiled.pipeline import CompiledPipeline
from pipeline_lib.errors import InputError
from pipeline_lib.evidence.bits import first_difference
from pipeline_lib.evidence.edge_answers import EDGE_ANSWERS, read_edge_answers
from pipeline_lib.evidence.evidence import Evidence, digests, read_evidence
from pipeline_lib.evidence.fitted_state_diff import compare_fitted_state
from pipeline_lib.parity.causes import environment_differences
from pipeline_lib.parity.divergence import HIDDEN, OUTPUTS, RAW, Divergence, ReplayResult, first_divergence
from pipeline_lib.project.code_diff import (
    changed_code,
    changed_values,
    describe_change,
    exported_code,
    flatten,
    notebook_code,
)
from pipeline_lib.project.notebooks import read_notebook
from pipeline_lib.records.forgotten import forgotten_in
from pipeline_lib.records.layout import ENVIRONMENT, FITTED_STATE, LIBRARY, METRICS, PARAMETERS, TRAINING
from pipeline_lib.records.record import Record
from pipeline_lib.records.snapshots import snapshots_of
from pipeline_lib.records.sources import snapshot_changes
from pipeline_lib.watching.statistics import STATISTICS

_MOST_LINES = 8
_MOST_RAW = 4
"""Differences of a section, and raw values of a row, that the text shows; JSON has all differences."""


@dataclass(frozen=True)
class Section:
    """One part of a comparison: its differences, one a line, the most likely cause first; none for equal parts.

    `summary` counts the differences, or the compared values; `missing` says why nothing could be compared.
    """

    name: str
    differences: tuple[str, ...] = ()
    summary: str = ""
    missing: str = ""

    @property
    def same(self) -> bool:
        """Whether the parts were compared and nothing differs."""
        return not self.differences and not self.missing

    def __str__(self) -> str:
        if not self.differences:
            alike = f"same ({self.summary})" if self.summary else "same"
            return f"{self.name}: {f'not compared: {self.missing}' if self.missing else alike}"
        shown, hidden = self.differences[:_MOST_LINES], len(self.differences) - _MOST_LINES
        more = [f"  … {hidden:,} more"] if hidden > 0 else []
        heading = f"{self.name}: {self.summary or f'{len(self.differences):,} differ'}"
        return "\n".join([heading, *(f"  {line}" for line in shown), *more])


@dataclass(frozen=True)
class Comparison:
    """The differences of two records, part by part."""

    a: str
    b: str
    sections: tuple[Section, ...]

    @property
    def same(self) -> bool:
        """Whether every part was compared and nothing differs."""
        return all(section.same for section in self.sections)

    def section(self, name: str) -> Section:
        """A part by its name."""
        return next(section for section in self.sections if section.name == name)

    def __str__(self) -> str:
        differs = any(section.differences for section in self.sections)
        verdict = "same" if self.same else "different" if differs else "no difference in what both keep"
        heading = f"{self.a} → {self.b}: {verdict}"
        return "\n".join([heading, *map(str, self.sections)])

    def to_json(self) -> dict[str, Any]:
        """The comparison as JSON values."""
        parts = {
            section.name: {
                "same": section.same,
                "summary": section.summary,
                "differences": list(section.differences),
                "missing": section.missing or None,
            }
            for section in self.sections
        }
        return {"a": self.a, "b": self.b, "same": self.same, "sections": parts}


def compare_records(a: Record, b: Record) -> Comparison:
    """Compare two records of any status; a part that one of them lacks is not compared.

    Raises InputError for damaged files.
    """
    return Comparison(
        a.reference,
        b.reference,
        (
            _json_section("parameters", PARAMETERS, a, b),
            *_data_sections(a, b),
            _notebook_section(a, b),
            _library_section(a, b),
            _environment_section(a, b),
            _fitted_state_section(a, b),
            _artifact_section(a, b),
            _evidence_section(a, b),
            _json_section("metrics", METRICS, a, b),
        ),
    )


def _json_section(name: str, file: str, a: Record, b: Record) -> Section:
    values = _both(file, a, b)
    if isinstance(values, str):
        return Section(name, missing=values)
    changed, total = changed_values(*values), len({key for part in values for key, _ in flatten(part)})
    return Section(name, tuple(changed), f"{len(changed)} of {total} differ" if changed else f"{total} values")


def _data_sections(a: Record, b: Record) -> list[Section]:
    """The raw data that the runs read from queries and addresses; no section where neither read any."""
    counts = [len(snapshots_of(record)) for record in (a, b)]
    if not any(counts):
        return []
    changed = snapshot_changes(a, b)
    return [Section("data", tuple(changed), "" if changed else f"{max(counts)} snapshots")]


def _notebook_section(a: Record, b: Record) -> Section:
    absent = [record.reference for record in (a, b) if not record.notebook.is_file()]
    if absent:
        return Section("notebook", missing=f"{' and '.join(absent)} keeps no notebook")
    same = a.read_json(PARAMETERS) == b.read_json(PARAMETERS)  # otherwise the injected parameters differ too
    old, new = (notebook_code(read_notebook(record.notebook, str(record.notebook)), injected=same) for record in (a, b))
    changed = changed_code(old, new)
    return Section("notebook", tuple(changed), f"{len(changed)} cells differ" if changed else f"{len(old)} code cells")


def _library_section(a: Record, b: Record) -> Section:
    cells = _both(LIBRARY, a, b)
    if isinstance(cells, str):
        return Section("library", missing=cells)
    changed = changed_code(*map(exported_code, cells))
    summary = f"{len(changed)} exported cells differ" if changed else f"{len(cells[0])} exported cells"
    return Section("library", tuple(changed), summary)


def _environment_section(a: Record, b: Record) -> Section:
    environments = _both(ENVIRONMENT, a, b)
    if isinstance(environments, str):
        return Section("environment", missing=environments)
    return Section("environment", tuple(changed_environment(*environments)))


def changed_environment(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """The differences of two environments, the most likely cause of another fit first."""
    return environment_differences(old, new, opaque=True) or changed_values(_sorted_blas(old), _sorted_blas(new))


def _sorted_blas(environment: Mapping[str, Any]) -> dict[str, Any]:
    """An environment with its BLAS and OpenMP libraries sorted; recorded is the order in which they were loaded."""
    return {**environment, "blas": sorted(environment.get("blas", []), key=json.dumps)}


def _fitted_state_section(a: Record, b: Record) -> Section:
    name = "learned state"
    absent = [record.reference for record in (a, b) if not (record.folder / FITTED_STATE).is_file()]
    if absent:
        without = _without_rows(a, b)
        return Section(name, missing=without or f"{' and '.join(absent)} keeps no {FITTED_STATE}")
    difference = compare_fitted_state(a.folder / FITTED_STATE, b.folder / FITTED_STATE)
    if not difference.count:
        return Section(name, summary=f"{difference.total:,} values")
    steps = ", ".join(f"{step} {count:,}" for step, count in difference.steps.items())
    first = difference.first
    if _sensitive(a, b):  # the value may be a label
        first = f"{first.partition(': ')[0]}: {HIDDEN}"
    summary = f"{difference.count:,} of {difference.total:,} values differ"
    return Section(name, (f"first: {first}", f"by step: {steps}"), summary)


def _sensitive(*records: Record) -> set[str]:
    """The raw columns that any of the records marks sensitive."""
    return {name for record in records for name in record.manifest().get("sensitive") or ()}


def _artifact_section(a: Record, b: Record) -> Section:
    """The files of the artifact, and the answers to edge rows, that are not the same."""
    old, new = ({f"artifact/{n}": d for n, d in digests(record.artifact).items()} for record in (a, b))
    if not old or not new:
        return Section("artifact", missing="no artifact in one of the two")
    if f"artifact/{STATISTICS}" not in old.keys() & new.keys():  # earlier versions kept none
        old, new = ({n: d for n, d in each.items() if n != f"artifact/{STATISTICS}"} for each in (old, new))
    differences = [name for name in dict.fromkeys((*old, *new)) if old.get(name) != new.get(name)]
    kept = [read_edge_answers(record.evidence) for record in (a, b)]
    if kept[0] != kept[1] and not _without_rows(a, b):
        differences.append(f"evidence/{EDGE_ANSWERS}: other answers at the edges of the raw columns")
    summary = f"{len(differences)} of {len(old) + 1} differ" if differences else f"{len(old) + 1} files"
    return Section("artifact", tuple(differences), summary)


def _evidence_section(a: Record, b: Record) -> Section:
    training = [record.read_json(TRAINING) or {} for record in (a, b)]
    trained = changed_values(*({f"training.{key}": value for key, value in part.items()} for part in training))
    if without := _without_rows(a, b):
        return Section("evidence", tuple(trained), missing=without)
    try:
        old, new = read_evidence(a.evidence), read_evidence(b.evidence)
    except InputError as error:
        return Section("evidence", missing=str(error))
    if list(old.steps) != list(new.steps):
        return Section(
            "evidence", (*trained, f"steps: {describe_change({'': list(old.steps)}, {'': list(new.steps)}, '')}")
        )
    pairs = {"target": (old.target, new.target), "context": (_context_table(old.context), _context_table(new.context))}
    other_tables = {name: other for name, pair in pairs.items() if (other := first_difference(*pair))}
    divergence = _first_divergence(a, b, old, new)
    differs = (divergence.differs if divergence else {}) | other_tables
    total = len(old.steps) + 3 + (old.context is not None)
    summary = f"{len(differs)} of {total} tables differ" if differs else f"{total} tables"
    lines = [f"{name}: {difference}" for name, difference in other_tables.items()]
    return Section("evidence", (*trained, *lines, *(_divergence_lines(divergence) if divergence else [])), summary)


def _without_rows(*records: Record) -> str:
    """What is said of the records that have no rows; empty where each has its rows."""
    pairs = ((record, forgotten_in(record.manifest())) for record in records)
    return "; ".join(f"{record.reference}: {forgotten}" for record, forgotten in pairs if forgotten)


def _context_table(context: pa.Table | None) -> pa.Table:
    """The context of evidence; a table without columns where its rows need none."""
    return pa.table({}) if context is None else context


def _first_divergence(record: Record, other: Record, old: Evidence, new: Evidence) -> Divergence | None:
    """The first difference of other evidence from a record's, with the raw row where the artifact can be loaded."""
    rows, traced = np.arange(old.inputs.num_rows), old.traced.to_numpy()
    result = ReplayResult(rows=rows, outputs=new.outputs, traced=traced, steps=new.steps, inputs=new.inputs)
    sensitive = _sensitive(record, other)
    try:
        plan, row, _ = load(record.artifact)  # nothing is evaluated, so opaque steps are not loaded
    except InputError:
        return _table_divergence(old, new, hide=bool(sensitive))
    if sensitive != set(row.sensitive):
        return _table_divergence(old, new, hide=True)
    return first_divergence(result, old, CompiledPipeline(plan, row))


def _table_divergence(old: Evidence, new: Evidence, *, hide: bool) -> Divergence | None:
    """The first difference of the tables without the raw row; only the artifact says which values are sensitive."""
    tables = {RAW: (old.inputs, new.inputs), **{name: (old.steps[name], new.steps[name]) for name in old.steps}}
    tables[OUTPUTS] = (old.outputs, new.outputs)
    differs = {name: difference for name, pair in tables.items() if (difference := first_difference(*pair))}
    if hide:
        differs = {name: replace(each, expected=HIDDEN, found=HIDDEN) for name, each in differs.items()}
    first = next(iter(differs), None)
    return Divergence(first, differs[first], differs[first].row, differs, {}) if first else None


def _divergence_lines(divergence: Divergence) -> list[str]:
    """The first table that differs with its raw values, the outputs, and the names of the other tables."""
    step, differs = divergence.step, divergence.differs
    lines = [f"{step if step in (RAW, OUTPUTS) else f'step {step}'}: {divergence.difference}"]
    raw = [f"{name} {value}" for name, value in list(divergence.raw.items())[: min(divergence.reads, _MOST_RAW)]]
    lines += [f"raw row {divergence.row}: {', '.join(raw)}"] if raw and step != RAW else []
    lines += [f"{OUTPUTS}: {differs[OUTPUTS]}"] if OUTPUTS in differs and step != OUTPUTS else []
    others = [name for name in differs if name not in (step, OUTPUTS)]
    return lines + ([f"also steps {', '.join(others)}"] if others else [])


def _both(file: str, a: Record, b: Record) -> tuple[Any, Any] | str:
    """A JSON file of both records, or a text that says which of them has none."""
    old, new = a.read_json(file), b.read_json(file)
    absent = [record.reference for record, values in ((a, old), (b, new)) if values is None]
    return f"{' and '.join(absent)} keeps no {file}" if absent else (old, new)
