"""Parity over several tables: every delivery repeats the evidence, and a changed child row is found."""

import operator
from collections.abc import Sequence
from dataclasses import replace
from functools import reduce
from pathlib import Path

import numpy as np
import pytest
from tables import compiled, fitted, frames, schema

from pipeline_lib.compiled.pipeline import CompiledPipeline
from pipeline_lib.compiler.compile import compile_pipeline
from pipeline_lib.evidence.bits import first_difference
from pipeline_lib.evidence.evidence import Evidence, write_evidence
from pipeline_lib.parity.replay import _outcome
from pipeline_lib.parity.variations import VARIATIONS
from pipeline_lib.rows.conform import conform
from pipeline_lib.rows.split_tables import sort_child_rows


@pytest.fixture(scope="module")
def model() -> CompiledPipeline:
    return compiled()


def verdict(name: str, evidence: Evidence, model: CompiledPipeline) -> str:
    return _outcome(VARIATIONS[name].task(), evidence, model).verdict


def test_every_delivery_repeats_the_evidence_and_a_moved_bit_is_found(model: CompiledPipeline, tmp_path: Path) -> None:
    data = frames(3)
    kept = write_evidence(tmp_path, model, data, np.zeros(12))
    careful = [each for each in VARIATIONS.values() if each.is_delivery and not each.lossy]
    verdicts = {each.name: _outcome(each.task(), kept, model).verdict for each in careful}
    assert set(verdicts.values()) == {"exact"}, verdicts
    assert "shuffled child rows" in verdicts
    assert kept.edge_answers is not None
    assert {"purchases", "purchases.kind", "age"} <= set(kept.edge_answers.column("column").to_pylist())
    moved = data["purchases"]["dollars"].to_numpy().copy()
    moved[0] = np.nextafter(moved[0], np.inf)
    other = write_evidence(tmp_path, model, data | {"purchases": data["purchases"].assign(dollars=moved)}, np.zeros(12))
    assert first_difference(kept.inputs, other.inputs) is not None


@pytest.mark.parametrize("name", ["fresh process", "shuffled child rows", "dict"])
def test_a_lost_purchase_and_one_ulp_in_a_coefficient_turn_parity_red(
    model: CompiledPipeline, tmp_path: Path, name: str
) -> None:
    kept = write_evidence(tmp_path, model, frames(3), np.zeros(12))
    fewer = frames(3)["purchases"].iloc[1:]
    lost = sort_child_rows(conform(frames(3) | {"purchases": fewer}, schema()), schema())
    assert verdict(name, replace(kept, inputs=lost), model) == "different"
    pipeline = fitted(frames())
    weights = pipeline.named_steps["linear"].coef_
    weights[4] = np.nextafter(weights[4], np.inf)  # of the last day, the largest number of a row
    assert verdict(name, kept, compile_pipeline(pipeline, like=frames(), row=schema())) == "different"


def test_a_sum_in_the_order_of_the_rows_is_found_by_shuffling_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def in_order(values: Sequence[float]) -> float:
        return reduce(operator.add, values, 0.0)

    monkeypatch.setenv("PIPELINE_LIB_CORE", "off")  # the core has sums of its own
    monkeypatch.setattr("pipeline_lib.compiled.operations.aggregations.exact_sum", in_order)
    model = compiled()
    kept = write_evidence(tmp_path, model, frames(3), np.zeros(12))
    assert verdict("fresh process", kept, model) == "exact"
    assert verdict("shuffled child rows", kept, model) == "different"
