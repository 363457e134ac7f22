"""What differs between two records: parameters, code, environment, learned state, artifact, evidence, metrics."""

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
from pipeline_lib.evidence.edge_answers import PROBES, read_probes
from pipeline_lib.evidence.evidence import Evidence, digests, read_evidence
from pipeline_lib.evidence.fitted_state_diff import compare_learned
from pipeline_lib.parity.causes import environment_differences
from pipeline_lib.parity.divergence import HIDDEN, OUTPUTS, RAW, Answer, Divergence, first_divergence
from pipeline_lib.project.code_diff import (
    changed_code,
    changed_values,
    describe_change,
    exported_code,
    flatten,
    notebook_code,
)
from pipeline_lib.project.notebooks import read_notebook
from pipeline_lib.records.layout import ENVIRONMENT, FITTED_STATE, LIBRARY, METRICS, PARAMETERS, TRAINING
from pipeline_lib.records.record import Record

_MOST_LINES = 8
_MOST_RAW = 4


@dataclass(frozen=True)
class Section:
    """One part of a comparison: its differences, one a line, most telling first; none when the parts are the same.

    `summary` counts them, or what was compared; `missing` says why nothing could be compared.
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
    """What differs between two records, part by part."""

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
    """Compare two records of any status; a part that one of them did not reach is not compared.

    Raises InputError for damaged files.
    """
    return Comparison(
        a.reference,
        b.reference,
        (
            _json_section("parameters", PARAMETERS, a, b),
            _notebook_section(a, b),
            _library_section(a, b),
            _environment_section(a, b),
            _learned_section(a, b),
            _artifact_section(a, b),
            _evidence_section(a, b),
            _json_section("metrics", METRICS, a, b),
        ),
    )


def _json_section(name: str, file: str, a: Record, b: Record) -> Section:
    found = _both(file, a, b)
    if isinstance(found, str):
        return Section(name, missing=found)
    changed, total = changed_values(*found), len({key for values in found for key, _ in flatten(values)})
    return Section(name, tuple(changed), f"{len(changed)} of {total} differ" if changed else f"{total} values")


def _notebook_section(a: Record, b: Record) -> Section:
    absent = [record.reference for record in (a, b) if not record.notebook.is_file()]
    if absent:
        return Section("notebook", missing=f"{' and '.join(absent)} keeps no notebook")
    same = a.read_json(PARAMETERS) == b.read_json(PARAMETERS)  # otherwise the injected ones differ as they do
    old, new = (notebook_code(read_notebook(record.notebook, str(record.notebook)), injected=same) for record in (a, b))
    changed = changed_code(old, new)
    return Section("notebook", tuple(changed), f"{len(changed)} cells differ" if changed else f"{len(old)} code cells")


def _library_section(a: Record, b: Record) -> Section:
    found = _both(LIBRARY, a, b)
    if isinstance(found, str):
        return Section("library", missing=found)
    changed = changed_code(*map(exported_code, found))
    summary = f"{len(changed)} exported cells differ" if changed else f"{len(found[0])} exported cells"
    return Section("library", tuple(changed), summary)


def _environment_section(a: Record, b: Record) -> Section:
    found = _both(ENVIRONMENT, a, b)
    if isinstance(found, str):
        return Section("environment", missing=found)
    return Section("environment", tuple(changed_environment(*found)))


def changed_environment(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """What differs between two environments, the most likely cause of another fit first."""
    return environment_differences(old, new, opaque=True) or changed_values(_settled(old), _settled(new))


def _settled(environment: Mapping[str, Any]) -> dict[str, Any]:
    """An environment whose thread libraries stand in one order: they are listed as they happened to load."""
    return {**environment, "blas": sorted(environment.get("blas", []), key=json.dumps)}


def _learned_section(a: Record, b: Record) -> Section:
    name = "learned state"
    absent = [record.reference for record in (a, b) if not (record.folder / FITTED_STATE).is_file()]
    if absent:
        return Section(name, missing=f"{' and '.join(absent)} keeps no {FITTED_STATE}")
    found = compare_learned(a.folder / FITTED_STATE, b.folder / FITTED_STATE)
    if not found.count:
        return Section(name, summary=f"{found.total:,} values")
    steps = ", ".join(f"{step} {count:,}" for step, count in found.steps.items())
    first = str(found.first)
    if _sensitive(a, b):  # it may be a label
        first = f"{first.partition(': ')[0]}: {HIDDEN}"
    return Section(name, (f"first: {first}", f"by step: {steps}"), f"{found.count:,} of {found.total:,} values differ")


def _sensitive(*records: Record) -> set[str]:
    """The raw columns that any of the records marks sensitive."""
    return {name for record in records for name in record.manifest().get("sensitive") or ()}


def _artifact_section(a: Record, b: Record) -> Section:
    """Which files of the artifact, and which answers at the edges, are not the same."""
    old, new = ({f"artifact/{n}": d for n, d in digests(record.artifact).items()} for record in (a, b))
    if not old or not new:
        return Section("artifact", missing="no artifact in one of the two")
    differences = [name for name in dict.fromkeys((*old, *new)) if old.get(name) != new.get(name)]
    kept = [read_probes(record.evidence) for record in (a, b)]
    if kept[0] != kept[1]:
        differences.append(f"evidence/{PROBES}: other answers at the edges of the raw columns")
    summary = f"{len(differences)} of {len(old) + 1} differ" if differences else f"{len(old) + 1} files"
    return Section("artifact", tuple(differences), summary)


def _evidence_section(a: Record, b: Record) -> Section:
    training = [record.read_json(TRAINING) or {} for record in (a, b)]
    trained = changed_values(*({f"training.{key}": value for key, value in part.items()} for part in training))
    try:
        old, new = read_evidence(a.evidence), read_evidence(b.evidence)
    except InputError as error:
        return Section("evidence", missing=str(error))
    if list(old.steps) != list(new.steps):
        return Section(
            "evidence", (*trained, f"steps: {describe_change({'': list(old.steps)}, {'': list(new.steps)}, '')}")
        )
    pairs = {"target": (old.target, new.target), "context": (_or_none(old.context), _or_none(new.context))}
    beside = {name: other for name, pair in pairs.items() if (other := first_difference(*pair))}
    found = _first_divergence(a, b, old, new)
    differs = (found.differs if found else {}) | beside
    total = len(old.steps) + 3 + (old.context is not None)
    summary = f"{len(differs)} of {total} tables differ" if differs else f"{total} tables"
    lines = [f"{name}: {difference}" for name, difference in beside.items()]
    return Section("evidence", (*trained, *lines, *(_divergence(found) if found else [])), summary)


def _or_none(context: pa.Table | None) -> pa.Table:
    """The earlier rows of evidence; a table without columns where its rows stand alone."""
    return pa.table({}) if context is None else context


def _first_divergence(record: Record, other: Record, old: Evidence, new: Evidence) -> Divergence | None:
    """Where other evidence first differs from a record's; an artifact of another format still leaves the tables."""
    rows, traced = np.arange(old.inputs.num_rows), old.traced.to_numpy()
    answer = Answer(rows=rows, outputs=new.outputs, traced=traced, steps=new.steps, inputs=new.inputs)
    sensitive = _sensitive(record, other)
    try:
        plan, row, _ = load(record.artifact)  # nothing is evaluated, so opaque steps need not be loaded
    except InputError:
        return _plain_divergence(old, new, hide=bool(sensitive))
    if sensitive != set(row.sensitive):
        return _plain_divergence(old, new, hide=True)
    return first_divergence(answer, old, CompiledPipeline(plan, row))


def _plain_divergence(old: Evidence, new: Evidence, *, hide: bool) -> Divergence | None:
    """The first difference without the raw row behind it; which values are sensitive only the artifact could say."""
    tables = {RAW: (old.inputs, new.inputs), **{name: (old.steps[name], new.steps[name]) for name in old.steps}}
    tables[OUTPUTS] = (old.outputs, new.outputs)
    found = {name: difference for name, pair in tables.items() if (difference := first_difference(*pair))}
    if hide:
        found = {name: replace(each, expected=HIDDEN, found=HIDDEN) for name, each in found.items()}
    first = next(iter(found), None)
    return Divergence(first, found[first], found[first].row, found, {}) if first else None


def _divergence(found: Divergence) -> list[str]:
    """The first table that differs with the raw values behind it, the outputs, and the names of the rest."""
    label = found.step if found.step in (RAW, OUTPUTS) else f"step {found.step}"
    lines = [f"{label}: {found.difference}"]
    raw = [f"{name} {value}" for name, value in list(found.raw.items())[: min(found.reads, _MOST_RAW)]]
    lines += [f"raw row {found.row}: {', '.join(raw)}"] if raw and found.step != RAW else []
    lines += [f"{OUTPUTS}: {found.differs[OUTPUTS]}"] if OUTPUTS in found.differs and found.step != OUTPUTS else []
    others = [name for name in found.differs if name not in (found.step, OUTPUTS)]
    return lines + ([f"also steps {', '.join(others)}"] if others else [])


def _both(file: str, a: Record, b: Record) -> tuple[Any, Any] | str:
    """A JSON file of both records, or which of them has none."""
    old, new = a.read_json(file), b.read_json(file)
    absent = [record.reference for record, found in ((a, old), (b, new)) if found is None]
    return f"{' and '.join(absent)} keeps no {file}" if absent else (old, new)
