"""The first difference is named by step, column and row, with both values, the raw row and likely causes."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from tiny import ROWS, small_record

from pipeline_lib.compiled.pipeline import CompiledPipeline, load_model
from pipeline_lib.evidence.bits import Difference
from pipeline_lib.evidence.evidence import Evidence, read_evidence
from pipeline_lib.parity.causes import environment_differences, with_causes
from pipeline_lib.parity.divergence import Divergence, ReplayResult, first_divergence
from pipeline_lib.parity.result import Outcome, Parity, as_html, write_parity_page
from pipeline_lib.parity.variations import VARIATIONS

Kept = tuple[Evidence, CompiledPipeline, ReplayResult]
HERE: dict[str, Any] = {
    "packages": {"numpy": "2.4.0", "scikit-learn": "1.9.0", "attrs": "1", "nb-pipeline-lib": "0.1.0"},
    "python": {"version": "3.11.7"},
    "cpu": {"model": "A", "features": ["AVX2", "AVX512F"]},
    "blas": [{"user_api": "blas", "architecture": "SkylakeX", "version": "0.3.30", "num_threads": 2}],
    "system": {"libc": "glibc 2.36"},
    "locale": {"numeric": "C", "time": "C", "encoding": "utf-8"},
    "time_zone": ["UTC", "UTC"],
    "variables": {},
}


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return opened(small_record(tmp_path))


def opened(record: Any) -> Kept:
    """A record's evidence and model, and a result that repeats the evidence."""
    evidence = read_evidence(record.evidence)
    rows = np.arange(ROWS)
    result = ReplayResult(rows, evidence.outputs, rows, dict(evidence.steps), evidence.inputs)
    return evidence, load_model(record.artifact), result


def nudged(table: pa.Table, column: str, row: int, ulps: int = 1) -> pa.Table:
    """A table with one value moved by units in the last place."""
    values = table.column(column).to_numpy().copy()
    values.view(np.int64)[row] += ulps
    index = table.column_names.index(column)
    return table.set_column(index, table.schema.field(index), pa.array(values))


def test_a_result_with_the_same_bits_has_no_divergence(kept: Kept) -> None:
    evidence, model, result = kept
    assert first_divergence(result, evidence, model) is None


def test_a_feature_that_differs_while_the_prediction_agrees_is_a_difference(kept: Kept) -> None:
    evidence, model, result = kept
    steps = {"scale": nudged(evidence.steps["scale"], "built", 7, ulps=3)}
    found = first_divergence(replace(result, steps=steps), evidence, model)
    assert found
    assert (found.step, found.difference.column, found.row, found.difference.ulps) == ("scale", "built", 7, 3)
    assert list(found.differs) == ["scale"]
    value = evidence.steps["scale"].column("built")[7].as_py()
    assert found.difference.expected == f"{value!r} ({value.hex()})"
    assert next(iter(found.raw.items())) == ("built", repr(evidence.inputs.column("built")[7].as_py()))
    assert set(found.raw) == {"size", "rooms", "built"}


def test_the_first_step_in_the_pipelines_order_comes_first(kept: Kept) -> None:
    evidence, model, result = kept
    changed = replace(
        result,
        inputs=nudged(evidence.inputs, "size", 2),
        steps={"scale": nudged(evidence.steps["scale"], "size", 2)},
        outputs=nudged(evidence.outputs, "prediction", 2),
    )
    found = first_divergence(changed, evidence, model)
    assert found
    assert found.step == "raw input"
    assert list(found.differs) == ["raw input", "scale", "outputs"]


def test_rows_are_counted_as_the_evidence_counts_them(kept: Kept) -> None:
    evidence, model, _ = kept
    rows = np.array([30, 31, 35])
    outputs = nudged(evidence.outputs.take(pa.array(rows)), "prediction", 2)
    steps = {"scale": evidence.steps["scale"].take(pa.array(rows))}
    found = first_divergence(ReplayResult(rows, outputs, rows, steps), evidence, model)
    assert found
    assert (found.step, found.row, found.difference.row) == ("outputs", 35, 2)


def test_swapped_rows_and_missing_steps_are_differences(kept: Kept) -> None:
    evidence, model, result = kept
    swapped = evidence.outputs.take(pa.array([1, 0, *range(2, ROWS)]))
    found = first_divergence(replace(result, outputs=swapped), evidence, model)
    assert found
    assert (found.row, found.difference.rows) == (0, 2)
    found = first_divergence(replace(result, steps={}), evidence, model)
    assert found
    assert str(found.difference) == "rows: expected 40, found 0"


def test_sensitive_values_are_hidden_in_every_step_that_depends_on_them(tmp_path: Path) -> None:
    evidence, model, result = opened(small_record(tmp_path, sensitive="size"))
    steps = {"scale": nudged(evidence.steps["scale"], "size", 4)}
    inputs = nudged(evidence.inputs, "size", 4)
    found = first_divergence(replace(result, steps=steps, inputs=inputs), evidence, model)
    assert found
    secret = repr(evidence.inputs.column("size")[4].as_py())
    text = str(Divergence.to_json(found))
    assert secret not in text
    assert found.raw["size"] == "hidden (sensitive)"
    assert found.raw["rooms"] == repr(evidence.inputs.column("rooms")[4].as_py())
    assert (found.difference.expected, found.difference.ulps) == ("hidden (sensitive)", 1)
    assert found.differs["scale"].found == "hidden (sensitive)"


def test_a_divergence_survives_json(kept: Kept) -> None:
    evidence, model, result = kept
    found = first_divergence(replace(result, outputs=nudged(evidence.outputs, "prediction", 0)), evidence, model)
    assert found
    begun = Outcome("dict", "form", "different", divergence=found)
    found = with_causes(
        begun, VARIATIONS["dict"], fresh_exact=True, readers=[], environment=["a"], code=["b"]
    ).divergence
    assert found
    assert Divergence.from_json(found.to_json()) == found
    assert found.causes == (
        "the variation itself: Each row alone as a mapping; without it a fresh process repeats every bit",
        "b",
        "a",
    )


def changed_environment(**changes: Any) -> dict[str, Any]:
    return {**HERE, **changes}


def test_what_moves_bits_of_the_artifact_comes_first() -> None:
    there = changed_environment(
        packages={**HERE["packages"], "scikit-learn": "1.8.0", "numpy": "2.3.0", "attrs": "2", "bottleneck": "1.5"},
        blas=[{**HERE["blas"][0], "architecture": "Haswell"}],
        python={"version": "3.13.0"},
        cpu={"model": "B", "features": ["AVX2"]},
        time_zone=["+0545", "+0545"],
        variables={"OPENBLAS_CORETYPE": "Haswell"},
    )
    opaque = environment_differences(HERE, there, opaque=True)
    assert opaque == [
        "scikit-learn: 1.9.0 → 1.8.0",
        "numpy: 2.4.0 → 2.3.0",
        "bottleneck: absent → 1.5",
        "BLAS: SkylakeX 0.3.30 → Haswell 0.3.30",
        "CPU: A → B",
        "CPU features: AVX512F absent here",
        "Python: 3.11.7 → 3.13.0",
        "time zone: UTC, UTC → +0545, +0545",
        "OPENBLAS_CORETYPE: absent → Haswell",
        "1 other packages: attrs",
    ]
    exact = environment_differences(HERE, there, opaque=False)
    assert exact[:2] == ["numpy: 2.4.0 → 2.3.0", "scikit-learn: 1.9.0 → 1.8.0"]
    assert exact.index("Python: 3.11.7 → 3.13.0") < exact.index("BLAS: SkylakeX 0.3.30 → Haswell 0.3.30")


def test_without_a_difference_the_cause_says_where_to_look_next(kept: Kept) -> None:
    assert environment_differences(HERE, HERE, opaque=True) == []
    assert environment_differences(None, HERE, opaque=True) == ["the record does not describe its environment"]
    evidence, model, result = kept
    found = first_divergence(replace(result, steps={}), evidence, model)
    assert found
    fresh = VARIATIONS["fresh process"]
    nothing: dict[str, Any] = {"fresh_exact": False, "readers": [], "environment": [], "code": []}
    explained = with_causes(
        Outcome("fresh process", "rows", "different", divergence=found), fresh, **nothing
    ).divergence
    assert explained
    assert explained.causes[0].startswith("nothing that was recorded of the environment differs")
    refused = with_causes(Outcome("fresh process", "rows", "different", detail="refused: row 1"), fresh, **nothing)
    assert refused.causes == explained.causes
    text = str(Parity.of("tiny/1", ROWS, [], [refused]))
    assert "DIFFERENT  fresh process: refused: row 1\n    likely cause: nothing that was recorded" in text
    assert "<h3>Likely causes</h3>" in as_html(Parity.of("tiny/1", ROWS, [], [refused]))


def test_fewer_libraries_of_linear_algebra_are_no_cause() -> None:
    two = changed_environment(blas=[HERE["blas"][0], {**HERE["blas"][0], "version": "0.3.31"}])
    assert environment_differences(two, HERE, opaque=False) == []
    assert environment_differences(HERE, two, opaque=False) == [
        "BLAS: SkylakeX 0.3.30 → SkylakeX 0.3.30, SkylakeX 0.3.31"
    ]


def parity_of(kept: Kept, *names: str) -> Parity:
    evidence, model, result = kept
    found = first_divergence(replace(result, outputs=nudged(evidence.outputs, "prediction", 3)), evidence, model)
    outcomes = [Outcome(name, "rows", "different", ROWS, 1, divergence=found) for name in names]
    return Parity.of("tiny/1", ROWS, ["scale"], outcomes)


def test_the_same_difference_is_printed_once(kept: Kept) -> None:
    text = str(parity_of(kept, "fresh process", "one row", "dict"))
    assert text.count("outputs: column 'prediction', row 3") == 1
    assert "the same under one row, dict" in text
    assert "1 of 40 rows have other outputs" in text
    assert "the row: size=" in text


def test_the_page_is_offline_escaped_and_without_scripts(kept: Kept, tmp_path: Path) -> None:
    bad = "<script>alert(1)</script><img src=http://x>"
    parity = parity_of(kept, "fresh process")
    divergence = parity.outcomes[0].divergence
    assert divergence
    divergence = replace(divergence, raw={bad: bad}, causes=(bad,), step=bad, differs={bad: divergence.difference})
    outcomes = (
        replace(parity.outcomes[0], variation=bad, divergence=divergence),
        Outcome("quantum", "machine", "absent", detail=bad),
        Outcome("float32", "lossy file", "lossy", 3, 1, detail="3 raw values"),
        Outcome("CSV", "file", "exact", 3),
    )
    parity = replace(parity, reference=bad, outcomes=outcomes)
    write_parity_page(tmp_path / "parity.html", parity)
    page = (tmp_path / "parity.html").read_text()
    assert "<script" not in page
    assert "<img" not in page
    assert page.count("&lt;script&gt;") >= 7
    assert not re.search(r"(src|href)\s*=\s*['\"]", page)
    for kind in ("good", "bad", "warn", "quiet"):
        assert f'<tr class="{kind}">' in page
    assert parity._repr_html_() == as_html(parity)
    assert as_html(parity) in page


def test_a_parity_without_variations_prints_its_first_differences() -> None:
    difference = Difference("value", "1.0", "2.0", column="size", row=0, rows=1, columns=1)
    parity = Parity("houses/1", 3, None, {"scale": difference})
    assert not parity.exact
    assert "step scale: column 'size'" in str(parity)
    assert Parity("houses/1", 3, None, {"scale": None}).exact
    assert not Parity("houses/1", 3, difference, {}).exact
