"""The card of a packaged model: metrics and value beside the baselines."""

from typing import Any

from pipeline_lib.release.model_card import model_card
from pipeline_lib.rows.column import Column
from pipeline_lib.rows.schema import RowSchema

FACTS: dict[str, Any] = {
    "pipeline": "loans",
    "record": "loans/20261130T120000000-aaaaaa",
    "package": "loans_model",
    "training": {"rows": 4000, "digest": "ab" * 32},
    "evidence_rows": 1000,
    "sources": [],
    "sensitive": [],
    "metrics": {"roc_auc": 0.8125},
    "parity": {"variations": []},
    "worth": ["value +2.5 euros a row, better than the best baseline (minority): +1 (+1.5)"],
    "value": {"unit": "euros", "mean": 2.5, "total": 2500.0, "rows": 1000},
    "baselines": [
        {"name": "majority", "metrics": {"roc_auc": 0.5}, "value": 0.0, "note": ""},
        {"name": "minority", "metrics": {}, "value": None, "note": "metrics: ValueError: no"},
    ],
}
ROW = RowSchema((Column("income", "number"),))


def test_the_value_is_beside_the_metrics_of_model_and_baselines() -> None:
    card = model_card(FACTS, ROW, {})
    assert "| metric | model | majority | minority |" in card
    assert "| roc_auc | 0.8125 | 0.5 |  |" in card
    assert "| value (euros a row) | 2.5 | 0 |  |" in card
    assert "## Business value\n\n- value +2.5 euros a row, better than" in card


def test_a_package_of_an_earlier_version_has_no_baselines() -> None:
    earlier = {name: value for name, value in FACTS.items() if name not in ("worth", "value", "baselines")}
    card = model_card(earlier, ROW, {})
    assert "| metric | model |\n|---|---|\n| roc_auc | 0.8125 |" in card
    assert "euros" not in card
    assert "Business value" not in card
