"""Twelve weekly retrainings on overlapping orders of customers who return, compared without options."""

import json
from pathlib import Path
from typing import Any

import pytest
from returning import Shop, write_shop

from pipeline_lib.evidence.evidence import read_evidence
from pipeline_lib.project.project import Project, find_project
from pipeline_lib.records.record import Record, all_records

WEEKS, LEAKING, LEAKED = 12, 8, 40
VERDICTS = ("better", "worse", "no difference", "cannot tell")


def command(shop: Shop, *arguments: str, code: int = 0) -> str:
    ended = shop.depot.command(*arguments)
    assert ended.returncode == code, ended.stdout + ended.stderr
    return ended.stdout if code == 0 else ended.stderr


def run_of(shop: Shop, project: Project, week: int, leak: int = 0) -> Record:
    command(shop, *shop.arguments(week, leak))
    record = all_records(project.runs)[-1]
    assert record.read_json("params.json")["as_of"] == shop.end(week).isoformat()
    return record


def customers_of(shop: Shop, project: Project, week: int, leak: int) -> tuple[set[int], list[int]]:
    """The customers that a week's model was fitted on, and those of its held-out rows, worked out from the orders."""
    module = project.import_pipeline("orders")
    params = module.Params(as_of=shop.end(week).isoformat(), weeks=8, leak=leak)
    days = shop.orders["day"]
    first = shop.end(week - 8).isoformat()
    window = shop.orders[(days >= first) & (days < params.as_of)]
    train, test = module.split(window, params)[:2]
    return set(train["customer_id"]), test["customer_id"].tolist()


@pytest.mark.slow
def test_twelve_weeks_are_compared_on_customers_that_neither_model_knows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = write_shop(tmp_path)
    monkeypatch.syspath_prepend(str(shop.depot.root))
    project = find_project(shop.depot.root)
    champion, champions_week = run_of(shop, project, 0), 0
    results: dict[int, dict[str, Any]] = {}
    for week in range(1, WEEKS + 1):
        leak = LEAKED if week == LEAKING else 0
        challenger = run_of(shop, project, week, leak)
        known, _ = customers_of(shop, project, champions_week, 0)
        own, tested = customers_of(shop, project, week, leak)
        held_out = read_evidence(challenger.evidence).inputs.column("customer_id").to_pylist()
        assert held_out == tested
        pair = (champion.reference, challenger.reference)
        result = results[week] = json.loads(command(shop, "compare", *pair, "--json"))
        returning = sum(customer in known for customer in tested)
        expected = {champion.reference: returning} | ({challenger.reference: LEAKED} if leak else {})
        assert result["seen"] == expected
        assert 0 < returning < len(tested)  # the customers return, and not all of them
        assert result["given_rows"] == len(tested)
        assert result["rows"] == sum(customer not in known | own for customer in tested)
        assert result["answers"][0]["verdict"] in VERDICTS
        assert f"on {result['rows']:,} rows that neither has seen" in result["answers"][0]["sentence"]
        notes = " ".join(result["notes"])
        assert f"{champion.reference} was fitted on {returning:,} of {len(tested):,} rows" in notes
        assert ("that is a leak" in notes) == (week == LEAKING)
        if leak:
            said = command(shop, "compare", *pair)
            leaked = f"was fitted on {LEAKED} of {len(tested):,} rows ({LEAKED} as they are): left out"
            assert f"note: {challenger.reference} {leaked}; its own run held these rows out: that is a leak" in said
            refused = command(shop, "compare", *pair, "--strict", code=2)
            assert "with --strict" in refused
            assert f"among those that {challenger.reference} was fitted on" in refused  # its leak before returning ones
        else:
            champion, champions_week = challenger, week
    assert len(results) == WEEKS
    assert len(all_records(project.runs)) == WEEKS + 1
