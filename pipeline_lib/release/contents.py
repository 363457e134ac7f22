"""Every file of a package, as bytes: made from the record alone, so that they are the same each time."""

import io
import json
from collections.abc import Mapping
from importlib.metadata import version as installed_version
from typing import Any

import pyarrow.parquet as pq

from pipeline_lib.compiled.pipeline import PREDICTION, PROBABILITY, CompiledPipeline, load_model
from pipeline_lib.errors import InputError
from pipeline_lib.evidence.evidence import read_evidence
from pipeline_lib.project.project import Project
from pipeline_lib.records.baseline_scores import run_scores
from pipeline_lib.records.index import read_parity
from pipeline_lib.records.layout import ENVIRONMENT, METRICS, RAW_PROFILE, TRAINING
from pipeline_lib.records.metric_direction import Metric
from pipeline_lib.records.record import ID, Record
from pipeline_lib.release.bill_of_materials import bill_of_materials
from pipeline_lib.release.generated_rows import generated_rows
from pipeline_lib.release.model_card import model_card
from pipeline_lib.scoring.installed import (
    ARTIFACT,
    EVIDENCE,
    FACTS,
    FORMAT,
    SELF_TEST,
    by_table,
    encoded,
    encoded_outputs,
)
from pipeline_lib.system.files import canonical_json, files_below, sha256_bytes

_ROWS = 100
"""Generated rows of the self-test."""
_FRAMEWORK = "nb-pipeline-lib"
_CORE = ("numpy", "pyarrow", "pydantic", "strictyaml", "click")
CARD = "model_card.md"


def package_name(record: Record) -> str:
    """The name by which the package is imported."""
    return f"{record.pipeline}_model"


def package_version(record: Record) -> str:
    """The version: the time of the run, so that a later one is newer, and the rest of its ID."""
    parts = ID.fullmatch(record.id)
    if parts is None:
        raise InputError(f"{record.reference}: found an ID of another form, expected the time of a run; run again")
    date, _, time = parts["time"].partition("T")
    numbers = [date[:4], date[4:6], date[6:], time]
    rest = record.id.rpartition("-")[2]
    local = str(int(rest)) if rest.isdigit() else rest  # a number is compared as one, and has no leading zero
    return ".".join(str(int(number)) for number in numbers) + f"+{local}"


def package_files(record: Record, project: Project, *, include_rows: bool) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """The files of the package, and those of its `.dist-info`. Raises InputError for what cannot be packaged."""
    model = load_model(record.artifact, library=project.library, trust=project.trust)
    parity = read_parity(record) or {}
    profile = record.read_json(RAW_PROFILE) or {}
    facts = _facts(record, project, model, parity)
    files = {
        f"{ARTIFACT}/{path.relative_to(record.artifact).as_posix()}": path.read_bytes()
        for path in files_below(record.artifact)
    }
    files[SELF_TEST] = canonical_json(_self_test(model, profile, record))
    files[CARD] = model_card(facts, model.row, profile).encode()
    files["__init__.py"] = _INIT.replace("NAME", package_name(record)).replace("RECORD", record.reference).encode()
    files["__main__.py"] = _MAIN.encode()
    files["py.typed"] = b""
    if include_rows:
        files[EVIDENCE] = _evidence(record, model)
    facts["files"] = {name: sha256_bytes(content) for name, content in sorted(files.items())}
    files[FACTS] = canonical_json(facts)
    return files, _metadata(record, facts, files[CARD])


def _facts(record: Record, project: Project, model: CompiledPipeline, parity: Mapping[str, Any]) -> dict[str, Any]:
    manifest = record.manifest()
    packages = (record.read_json(ENVIRONMENT) or {}).get("packages", {})
    pins = {name: packages[name] for name in _CORE if name in packages}
    scores = run_scores(record, Metric.from_json(manifest.get("metric")))
    return {
        "format": FORMAT,
        "package": package_name(record),
        "version": package_version(record),
        "pipeline": record.pipeline,
        "record": record.reference,
        "digest": manifest["digest"],
        "hashes": manifest["hashes"],
        "finished": manifest["times"]["finished"],
        "metrics": record.read_json(METRICS) or {},
        "metric": manifest.get("metric"),
        "worth": list(scores.lines),
        "value": scores.value.to_json() if scores.value else None,
        "baselines": [baseline.to_json() for baseline in scores.baselines],
        "training": record.read_json(TRAINING),
        "evidence_rows": read_evidence(record.evidence).inputs.num_rows,
        "sources": _sources(record),
        "sensitive": list(model.row.sensitive),
        "outputs": list(model.plan.outputs),
        "classes": list(model.classes),
        "parity": _told(parity),
        "library": project.library,
        "trust": list(project.trust),
        "exact": model.exact,
        "proven_with": pins,
    }


def _told(parity: Mapping[str, Any]) -> dict[str, Any]:
    """The result of parity without its causes and times."""
    outcomes = [
        {name: each[name] for name in ("group", "variation", "verdict")} for each in parity.get("variations", ())
    ]
    return {
        "exact": parity.get("exact"),
        "full": parity.get("full"),
        "rows": parity.get("rows"),
        "variations": outcomes,
    }


def _sources(record: Record) -> list[str]:
    """Names of what the run read, without addresses."""
    from pipeline_lib.records.snapshots import snapshots_of

    return [snapshot.title for snapshot in snapshots_of(record)]


def _self_test(model: CompiledPipeline, profile: Mapping[str, Any], record: Record) -> dict[str, Any]:
    """Generated rows with the outputs that the model gives them here."""
    rows, context = generated_rows(model, profile, str(record.manifest()["digest"]), _ROWS)
    present = {name.partition("[")[0] for name in model.plan.outputs}
    kinds = [kind for kind in (PREDICTION, PROBABILITY) if kind in present]
    table = model.predict_table(by_table(rows, model), outputs=kinds, context=context or None)
    return {"rows": encoded(rows), "context": encoded(context), "outputs": kinds, "expected": encoded_outputs(table)}


def _evidence(record: Record, model: CompiledPipeline) -> bytes:
    """The rows of the evidence with their outputs. Raises InputError where a column is sensitive."""
    if model.row.sensitive:
        raise InputError(
            f"{record.reference}: found the sensitive columns {', '.join(model.row.sensitive)}, expected none in rows "
            "that leave the project; leave out --include-rows"
        )
    evidence = read_evidence(record.evidence)
    if model.context or model.row.key is not None:
        raise InputError(
            f"{record.reference}: found rows that need others, expected rows that stand alone; leave out --include-rows"
        )
    table = evidence.inputs.select(list(model.row.names))
    outputs = evidence.outputs
    for name in outputs.column_names:
        table = table.append_column(name, outputs[name])
    sink = io.BytesIO()
    pq.write_table(table.replace_schema_metadata(None), sink, compression="none")
    return sink.getvalue()


def _metadata(record: Record, facts: Mapping[str, Any], card: bytes) -> dict[str, bytes]:
    """The files of `.dist-info` but its RECORD."""
    from pipeline_lib.compiled.opaque_versions import distributions

    own = installed_version(_FRAMEWORK)
    extra = "" if facts["exact"] else "[opaque]"
    opaque = {package: installed_version(package) for package in distributions(record.artifact)}  # as compiled: loaded
    requires = [f"{_FRAMEWORK}{extra}>={own}", *(f"{package}=={version}" for package, version in opaque.items())]
    name = str(facts["package"]).replace("_", "-")
    lines = [
        "Metadata-Version: 2.4",
        f"Name: {name}",
        f"Version: {facts['version']}",
        f"Summary: The compiled pipeline of the record {facts['record']}",
        *(f"Requires-Dist: {requirement}" for requirement in requires),
        "Requires-Python: >=3.11",
        "Description-Content-Type: text/markdown",
    ]
    materials = bill_of_materials(facts, {_FRAMEWORK: own, **facts["proven_with"], **opaque})
    return {
        "METADATA": ("\n".join(lines) + "\n\n").encode() + card,
        "WHEEL": b"Wheel-Version: 1.0\nGenerator: nb-pipeline-lib\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "sboms/model.cdx.json": json.dumps(materials, indent=2, sort_keys=True).encode(),
    }


_INIT = '''"""The compiled pipeline of the record RECORD.

    from NAME import predict, predict_row

    predict(rows)      # a DataFrame, an Arrow table, a list of dicts
    predict_row(row)   # one dict

`python -m NAME self-test` proves that it answers here as when it was packaged.
"""

from functools import cache
from pathlib import Path
from typing import Any

from pipeline_lib.compiled.pipeline import CompiledPipeline
from pipeline_lib.scoring.installed import InstalledPackage

__all__ = ["load", "package", "predict", "predict_proba", "predict_row"]

package = InstalledPackage(Path(__file__).parent)


@cache
def load() -> CompiledPipeline:
    """The model, loaded once, after every file of the package was verified."""
    return package.load()


def predict(rows: Any, **options: Any) -> Any:
    """Predictions for raw rows; see `CompiledPipeline.predict`."""
    return load().predict(rows, **options)


def predict_proba(rows: Any, **options: Any) -> Any:
    """Class probabilities for raw rows; see `CompiledPipeline.predict_proba`."""
    return load().predict_proba(rows, **options)


def predict_row(row: Any, **options: Any) -> Any:
    """The prediction for one raw row; see `CompiledPipeline.predict_row`."""
    return load().predict_row(row, **options)
'''
_MAIN = '''"""`python -m` of the package: self-test, record, schema, predict."""

import sys
from pathlib import Path

from pipeline_lib.scoring.installed import run

sys.exit(run(Path(__file__).parent, sys.argv[1:]))
'''
