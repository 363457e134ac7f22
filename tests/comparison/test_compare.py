"""Comparing records: which rows count, what is refused, what the sentence says."""

import json
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from bank_loans import bank, loans, run_of
from feature_engine.selection import DropFeatures
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import Pipeline

from pipeline_lib import InputError, compare
from pipeline_lib.comparison.compare import _repeated
from pipeline_lib.errors import DifferenceError
from pipeline_lib.project.project import Project
from pipeline_lib.records.comparison_kept import read_comparison
from pipeline_lib.records.layout import TRAINING_ROWS
from pipeline_lib.records.record import Record
from pipeline_lib.records.seal import seal
from pipeline_lib.system.number_text import number_text


@dataclass(frozen=True)
class Loans:
    """A champion that knows nothing of debt, a challenger that does, both tested on rows of their own."""

    project: Project
    champion: Record
    challenger: Record
    test: pd.DataFrame


def without_debt(train: pd.DataFrame) -> Pipeline:
    steps = [("drop", DropFeatures(["customer_id", "region", "debt"])), ("model", LogisticRegression())]
    return Pipeline(steps).fit(train.drop(columns="paid"), train["paid"])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loans]:
    with bank(tmp_path_factory.mktemp("bank")) as project:
        train, test = loans(900), loans(800, seed=1, first=10_000)
        weak = run_of(project, train, loans(300, seed=2, first=20_000), fitted=without_debt(train))
        yield Loans(project, weak, run_of(project, train, test), test)


def test_a_better_challenger_is_better_with_money_and_a_line_for_each_metric(made: Loans) -> None:
    result = compare(made.champion, made.challenger, project=made.project, volume=1000)
    (answer,) = result.answers
    assert answer.verdict == "better"
    assert answer.criterion == "value"
    assert answer.not_worse
    assert f"{made.challenger.reference} is better than the champion {made.champion.reference}" in answer.sentence
    value = answer.metrics[0]
    assert value.difference is not None
    assert value.difference.low > 0
    assert "euros a row" in answer.sentence
    assert "euros a year at 1,000 rows a year" in answer.sentence
    assert "800 rows that neither has seen" in answer.sentence
    names = [each.name for each in answer.metrics]
    assert names[:2] == ["value", "log_loss"]  # what decides, then METRIC
    assert "log loss" not in names  # the pipeline has it under its own name
    assert "AUC" not in names
    assert "error" not in names  # accuracy is its complement
    tests = {each.name: each.difference.test for each in answer.metrics if each.difference}
    assert tests["accuracy"].startswith("McNemar")
    assert tests["roc_auc"].startswith("DeLong")
    accuracy = next(each for each in answer.metrics if each.name == "accuracy")
    assert accuracy.difference is not None
    assert accuracy.difference.low <= accuracy.challenger - accuracy.champion <= accuracy.difference.high


def test_a_metric_that_is_no_mean_is_resampled(made: Loans, monkeypatch: pytest.MonkeyPatch) -> None:
    module = made.project.import_pipeline("loans")

    def median(target: pd.Series, predictions: np.ndarray, params: object) -> dict[str, float]:
        return {"rate": float(np.mean(predictions[np.asarray(target) == 1]))}

    monkeypatch.setattr(module, "metrics", median)
    fresh = loans(120, seed=5, first=40_000)
    result = compare(made.champion, made.challenger, project=made.project, on=fresh)
    metrics = result.answers[0].metrics
    (line,) = [line for line in str(result).splitlines() if line.startswith("rate")]
    assert re.search(r"  interval not reliable$", line)  # the direction of a rate is not known
    (rate,) = [each for each in metrics if each.name == "rate"]
    assert rate.difference is not None
    assert "bootstrap" in rate.difference.method
    assert rate.difference.low < rate.difference.estimate < rate.difference.high


def test_a_metric_that_is_the_value_or_its_cost_has_the_interval_of_the_value(
    made: Loans, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = made.project.import_pipeline("loans")

    def metrics(target: pd.Series, predictions: np.ndarray, params: Any) -> dict[str, float]:
        gain = float(module.value(target, predictions, None, params).mean())
        return {"profit": gain, "cost": -gain, "loss_per_dollar": -2 * gain}

    monkeypatch.setattr(module, "metrics", metrics)
    answer = compare(made.champion, made.challenger, project=made.project).answers[0]
    found = {each.name: each.difference for each in answer.metrics if each.difference}
    value, profit, cost, twice = (found[name] for name in ("value", "profit", "cost", "loss_per_dollar"))
    assert (profit.low, profit.high, profit.p, profit.test) == (value.low, value.high, value.p, value.test)
    assert (cost.low, cost.high, cost.estimate, cost.p) == (-value.high, -value.low, -value.estimate, value.p)
    assert cost.champion == -value.champion
    assert twice.test != value.test  # another number is resampled


def test_the_other_way_round_it_is_worse(made: Loans) -> None:
    result = compare(made.challenger, made.champion, project=made.project)
    assert result.answers[0].verdict == "worse"
    assert not result.answers[0].not_worse


def test_values_are_those_of_both_models_on_the_rows(made: Loans) -> None:
    result = compare(made.champion, made.challenger, project=made.project)
    module = made.project.import_pipeline("loans")
    worth = result.answers[0].metrics[0]
    for one, shown in ((made.champion, worth.champion), (made.challenger, worth.challenger)):
        from pipeline_lib import load_model

        predictions = load_model(one.artifact, library="bank").predict(made.test.drop(columns="paid"))
        value = module.value(made.test["paid"], predictions, None, module.Params(strength=1.0, gain=10.0, loss=30.0))
        assert shown == pytest.approx(value.mean(), rel=1e-12)


def test_a_record_against_itself_is_no_difference_with_p_1(made: Loans) -> None:
    for record in (made.champion, made.challenger):
        (answer,) = compare(record, record, project=made.project).answers
        assert answer.verdict == "no difference"
        assert answer.not_worse
        assert [each.p for each in answer.metrics] == [1.0] * len(answer.metrics)
        assert answer.sentence.startswith("No difference: ")


def test_a_record_against_itself_has_each_metric_once(made: Loans) -> None:
    names = [each.name for each in compare(made.champion, made.champion, project=made.project).answers[0].metrics]
    other = [each.name for each in compare(made.champion, made.challenger, project=made.project).answers[0].metrics]
    assert names == other
    assert "log_loss" in names
    assert "log loss" not in names


def test_two_identical_artifacts_are_no_difference(made: Loans) -> None:
    train = loans(900)
    twin = run_of(made.project, train, made.test)
    assert twin.id != made.challenger.id
    (answer,) = compare(made.challenger, twin, project=made.project).answers
    assert answer.verdict == "no difference"
    assert {each.p for each in answer.metrics} == {1.0}


def test_a_margin_makes_a_small_difference_no_difference(made: Loans) -> None:
    (answer,) = compare(made.champion, made.challenger, project=made.project, margin=100.0).answers
    assert answer.verdict == "no difference"
    assert "the margin is 100 euros a row" in answer.sentence


def test_few_rows_cannot_tell_and_say_how_many_would(made: Loans) -> None:
    similar = run_of(made.project, loans(900, seed=3), made.test, strength=0.05)
    fresh = loans(60, seed=5, first=40_000)
    (answer,) = compare(similar, made.challenger, project=made.project, on=fresh).answers
    assert answer.verdict == "cannot tell"
    assert answer.rows_needed
    assert not answer.not_worse
    assert "more labelled rows" in answer.sentence


def test_rows_and_customers_of_the_training_are_left_out_and_counted(made: Loans) -> None:
    returning = made.test.assign(customer_id=np.where(np.arange(800) < 100, np.arange(800), made.test["customer_id"]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        again = run_of(made.project, loans(900, seed=9, first=50_000), pd.concat([returning, loans(900).head(50)]))
    result = compare(made.champion, again, project=made.project)
    assert result.seen.rows == 850
    assert result.seen.left_out == 150
    assert result.seen.by_model == {made.champion.reference: 150}
    assert len(result.scored.target) == 700
    (note,) = result.scored.notes
    assert "150 of 850 rows" in note
    assert "50 as they are" in note
    assert "100 by another row of the same customer_id" in note
    with pytest.raises(InputError, match=r"found 150 of the 850 held-out rows.*at most 1% with --strict"):
        compare(made.champion, again, project=made.project, strict=True)


def test_a_leak_of_the_challenger_itself_is_told(made: Loans) -> None:
    train = loans(900, seed=7, first=60_000)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        leaky = run_of(made.project, train, pd.concat([made.test, train.head(40)]))
    result = compare(made.champion, leaky, project=made.project)
    assert result.seen.by_model == {leaky.reference: 40}
    assert "that is a leak" in result.scored.notes[0]
    assert result.scored.notes[0] in repr(result)


def test_without_any_unseen_row_there_is_no_answer(made: Loans) -> None:
    train = loans(900)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        seen = run_of(made.project, train, train)
    with pytest.raises(InputError, match=r"found no row left of the 900 held-out rows .*--on FILE"):
        compare(made.champion, seen, project=made.project)


def test_records_without_hashes_need_fresh_rows(made: Loans, tmp_path: Path) -> None:
    old = run_of(made.project, loans(500), made.test)
    (old.folder / TRAINING_ROWS).unlink()
    checks = {path.name: path.read_bytes() for path in old.folder.parent.glob(f".checks/{old.id}*/*")}
    seal(old, {"status": "finished", "reference": old.reference})
    from pipeline_lib.records.record import checks_folder

    checks_folder(old).mkdir(parents=True, exist_ok=True)
    (checks_folder(old) / "parity.json").write_bytes(checks["parity.json"])
    with pytest.raises(InputError, match=r"cannot tell whether .* has seen these rows.*--on FILE"):
        compare(old, made.challenger, project=made.project)
    fresh = loans(600, seed=11, first=80_000)
    result = compare(old, made.challenger, project=made.project, on=fresh)
    assert "taken as fresh" in result.scored.notes[0]
    assert len(result.scored.target) == 600
    assert "on 600 rows taken as unseen" in result.sentence


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_fresh_rows_of_a_file_give_what_a_frame_gives(made: Loans, tmp_path: Path, suffix: str) -> None:
    fresh = loans(300, seed=12, first=90_000)
    path = tmp_path / f"fresh.{suffix}"
    if suffix == "csv":
        fresh.to_csv(path, index=False)
    else:
        fresh.to_parquet(path)
    by_file = compare(made.champion, made.challenger, project=made.project, on=path)
    by_frame = compare(made.champion, made.challenger, project=made.project, on=fresh)
    pair = (fresh.drop(columns="paid"), fresh["paid"])
    by_pair = compare(made.champion, made.challenger, project=made.project, on=pair)
    assert by_file.answers[0].metrics == by_frame.answers[0].metrics == by_pair.answers[0].metrics
    assert by_file.scored.target.dtype == by_frame.scored.target.dtype


def test_rows_without_a_true_value_are_left_out_and_counted(made: Loans, tmp_path: Path) -> None:
    fresh = loans(300, seed=12, first=90_000)
    path = tmp_path / "fresh.csv"
    fresh.assign(paid=fresh["paid"].astype(object).where(np.arange(300) >= 20, "")).to_csv(path, index=False)
    result = compare(made.champion, made.challenger, project=made.project, on=path)
    assert len(result.scored.target) == 280
    assert "20 rows without a true value are left out" in result.scored.notes


@pytest.mark.parametrize("form", ["1.0", " 1 ", "True", 1.0, True])
def test_a_label_may_be_written_in_other_ways(made: Loans, form: object) -> None:
    fresh = loans(300, seed=12, first=90_000)
    other = {"1.0": "0.0", " 1 ": " 0 ", "True": "False"}.get(str(form) if isinstance(form, str) else "", type(form)(0))
    forms = pd.Series([form if paid else other for paid in fresh["paid"]], dtype=object)
    written = compare(made.champion, made.challenger, project=made.project, on=fresh.assign(paid=forms))
    plain = compare(made.champion, made.challenger, project=made.project, on=fresh)
    assert written.answers[0].metrics == plain.answers[0].metrics
    assert written.scored.notes == ()


def test_labels_that_no_model_knows_decide_nothing(made: Loans, monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = loans(300, seed=12, first=90_000)
    words = fresh.assign(paid=np.where(fresh["paid"] == 1, "yes", "no"))
    with pytest.raises(InputError, match=r"found the true values '.*', none of which a model knows, expected 0, 1"):
        compare(made.champion, made.challenger, project=made.project, on=words)
    some = fresh.assign(paid=fresh["paid"].where(np.arange(300) >= 3, 7))
    with pytest.raises(InputError, match="found ValueError on 300 rows"):  # the pipeline's log_loss knows two labels
        compare(made.champion, made.challenger, project=made.project, on=some)
    monkeypatch.setattr(made.project.import_pipeline("loans"), "metrics", lambda target, predictions, params: {})
    monkeypatch.delattr(made.project.import_pipeline("loans"), "METRIC")
    result = compare(made.champion, made.challenger, project=made.project, on=some)
    assert "3 rows have a true value that no model knows (7): every model is wrong there" in result.scored.notes


@pytest.mark.parametrize("missing", [pd.NA, pd.NaT, None, np.nan, "  "])
def test_every_kind_of_missing_true_value_is_left_out(made: Loans, missing: object) -> None:
    fresh = loans(300, seed=12, first=90_000)
    gaps = pd.Series([missing if row < 20 else paid for row, paid in enumerate(fresh["paid"])], dtype=object)
    result = compare(made.champion, made.challenger, project=made.project, on=fresh.assign(paid=gaps))
    assert len(result.scored.target) == 280
    assert result.scored.notes == ("20 rows without a true value are left out",)


def test_rows_that_cannot_be_judged_are_refused(made: Loans, tmp_path: Path) -> None:
    fresh = loans(300, seed=12, first=90_000)
    rows, paid = fresh.drop(columns="paid"), fresh["paid"]
    path = tmp_path / "empty.csv"
    fresh.head(0).to_csv(path, index=False)
    for on, message in (
        (fresh.head(0), "no row with a true value"),
        (path, "no row with a true value"),
        (fresh.head(1), r"found ValueError on 1 rows .*; no row has the true value \d: compare on rows with each"),
        ((rows, pd.DataFrame({"paid": paid, "late": paid})), "1 column that it predicts and 2 columns"),
    ):
        with pytest.raises(InputError, match=message):
            compare(made.champion, made.challenger, project=made.project, on=on)
    framed = compare(made.champion, made.challenger, project=made.project, on=(rows, paid.to_frame()))
    plain = compare(made.champion, made.challenger, project=made.project, on=fresh)
    assert framed.answers[0].metrics == plain.answers[0].metrics


def test_rows_that_are_there_twice_are_told(made: Loans) -> None:
    fresh = loans(300, seed=12, first=90_000)
    customers = np.arange(90_000, 90_600)
    twice = pd.concat([fresh, fresh])
    row = compare(made.champion, made.challenger, project=made.project, on=twice).scored
    assert row.groups is not None  # of one customer: they count as one
    assert _repeated(row) == []
    apart = replace(row, groups=None)
    assert _repeated(apart)[0].startswith("300 rows repeat another one in every column")
    other = compare(made.champion, made.challenger, project=made.project, on=twice.assign(customer_id=customers))
    assert other.scored.notes == ()


def test_a_target_that_is_a_raw_column_too_stays_among_the_rows(made: Loans) -> None:
    fresh = loans(300, seed=12, first=90_000)
    with pytest.raises(InputError, match="none of which a model knows"):
        compare(made.champion, made.challenger, project=made.project, on=fresh, target="income")


def test_an_unknown_label_is_wrong_for_all_and_a_missing_column_is_refused(made: Loans, tmp_path: Path) -> None:
    fresh = loans(300, seed=12, first=90_000)
    with pytest.raises(InputError, match="paid_back"):
        compare(made.champion, made.challenger, project=made.project, on=fresh, target="paid_back")
    path = tmp_path / "fresh.csv"
    fresh.to_csv(path, index=False)
    with pytest.raises(InputError, match=r"found no column paid_back of true values, .* another one: --target COLUMN"):
        compare(made.champion, made.challenger, project=made.project, on=path, target="paid_back")
    fresh.drop(columns="income").to_csv(path, index=False)
    with pytest.raises(InputError, match="income"):
        compare(made.champion, made.challenger, project=made.project, on=path)


def test_several_challengers_are_corrected_by_holm(made: Loans) -> None:
    train = loans(900)
    third = run_of(made.project, train, made.test, strength=0.01)
    alone = [compare(made.champion, each, project=made.project).answers[0] for each in (made.challenger, third)]
    both = compare(made.champion, made.challenger, third, project=made.project)
    assert [answer.challenger for answer in both.answers] == [made.challenger.reference, third.reference]
    single = [answer.metrics[1].p for answer in alone]
    corrected = [answer.metrics[1].p for answer in both.answers]
    smaller = int(np.argmin(single))
    assert corrected[smaller] == pytest.approx(min(2 * single[smaller], 1))


def test_what_is_not_proven_or_not_whole_is_refused(made: Loans) -> None:
    unproven = run_of(made.project, loans(500), made.test, exact=False)
    with pytest.raises(InputError, match="found parity that differs"):
        compare(unproven, made.challenger, project=made.project)
    damaged = run_of(made.project, loans(500), made.test)
    metrics = damaged.folder / "metrics.json"
    metrics.write_bytes(metrics.read_bytes().replace(b"0", b"1", 1))
    with pytest.raises(DifferenceError, match="pipeline-lib verify"):
        compare(made.champion, damaged, project=made.project)


def test_numbers_are_not_compared_with_labels(made: Loans) -> None:
    train = loans(900)
    steps = [("drop", DropFeatures(["customer_id", "region"])), ("model", LinearRegression())]
    fitted = Pipeline(steps).fit(train.drop(columns="paid"), train["paid"])
    module = made.project.import_pipeline("loans")
    metrics, module.metrics = module.metrics, lambda *_: {"log_loss": 0.0}
    try:
        record = _regression(made, train, fitted)
    finally:
        module.metrics = metrics
    with pytest.raises(InputError, match=r"found labels from .* and numbers from"):
        compare(made.champion, record, project=made.project)


def _regression(made: Loans, train: pd.DataFrame, fitted: Pipeline) -> Record:
    from pipeline_lib.compiled.pipeline import CompiledPipeline

    whole = CompiledPipeline.predict_proba
    CompiledPipeline.predict_proba = lambda *_, **__: None  # type: ignore[method-assign,assignment]
    try:
        return run_of(made.project, train, made.test, fitted=fitted)
    finally:
        CompiledPipeline.predict_proba = whole  # type: ignore[method-assign]


def test_a_year_has_rows(made: Loans) -> None:
    with pytest.raises(InputError, match="--volume: found 0 rows a year"):
        compare(made.champion, made.challenger, project=made.project, volume=0)


def test_money_for_a_year_needs_a_value(made: Loans, monkeypatch: pytest.MonkeyPatch) -> None:
    notes = [compare(made.champion, made.challenger, project=made.project, volume=10).scored.notes]
    monkeypatch.delattr(made.project.import_pipeline("loans"), "value")
    notes.append(compare(made.champion, made.challenger, project=made.project, volume=10).scored.notes)
    assert [any("--volume changes nothing" in note for note in each) for each in notes] == [False, True]


@pytest.mark.parametrize("amount", [-1.0, float("nan"), float("inf")])
def test_a_margin_is_a_number_from_0_on(made: Loans, amount: float) -> None:
    with pytest.raises(InputError, match="--margin: found"):
        compare(made.champion, made.challenger, project=made.project, margin=amount)


def test_the_result_is_kept_beside_the_challenger(made: Loans) -> None:
    result = compare(made.champion, made.challenger, project=made.project)
    kept = read_comparison(made.challenger, str(made.champion.manifest()["digest"]))
    assert kept is not None
    assert kept.verdict == "better"
    assert kept.sentence == result.sentence
    assert result.page is not None
    assert result.page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    json.dumps(result.to_json())  # JSON has no NaN or array left
    assert json.loads(json.dumps(result.to_json(), allow_nan=False))["answers"][0]["verdict"] == "better"


def test_the_interval_does_not_depend_on_the_order_of_calls(made: Loans) -> None:
    one = compare(made.champion, made.challenger, project=made.project)
    two = compare(made.champion, made.challenger, project=made.project)
    assert one.answers[0].metrics == two.answers[0].metrics


def test_baselines_are_scored_on_the_same_rows(made: Loans) -> None:
    result = compare(made.champion, made.challenger, project=made.project)
    names = [side.reference for side in result.scored.baselines]
    assert {"majority", "label shares"} <= set(names)
    for side in result.scored.baselines:
        assert len(side.predictions) == len(result.scored.target)
        assert side.value is not None
    best = max(float(side.value.mean()) for side in result.scored.baselines if side.value is not None)
    gain = result.answers[0].metrics[0].challenger - best
    assert gain > 0
    assert "best baseline (" in repr(result)
    assert f"the challenger is {number_text(gain)} better" in repr(result)
    kept = {each["name"]: each for each in result.to_json()["baselines"]}
    assert max(each["value"] for each in kept.values()) == best


def test_a_champion_without_rows_is_compared_on_fresh_rows(made: Loans) -> None:
    from pipeline_lib.records.record import checks_folder

    old = run_of(made.project, loans(500, seed=3), made.test)
    forgotten = {"seal": "a", "reason": "asked", "by": "Ben", "when": "2026-11-30T10:00:00+00:00"}
    forgotten |= {"parity": "exact (800 rows)", "removed": [], "may_hold": []}
    for removed in (TRAINING_ROWS, "evidence/inputs.parquet"):
        (old.folder / removed).unlink()
    facts = {"status": "finished", "reference": old.reference}
    seal(old, facts | {"forgotten": forgotten})
    with pytest.raises(InputError, match=r"cannot tell whether .*--on FILE"):
        compare(old, made.challenger, project=made.project)
    result = compare(old, made.challenger, project=made.project, on=loans(300, seed=12, first=90_000))
    assert len(result.scored.target) == 300
    seal(old, facts | {"forgotten": forgotten | {"parity": "DIFFERENT"}})
    assert not checks_folder(old).exists()
    with pytest.raises(InputError, match="found no exact parity check from before"):
        compare(old, made.challenger, project=made.project)


def test_what_is_open_after_the_correction_is_not_shown_to_be_not_worse(
    made: Loans, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pipeline_lib.comparison.compare as module

    both = compare(made.champion, made.challenger, made.challenger, project=made.project)
    assert [answer.not_worse for answer in both.answers] == [True, True]
    monkeypatch.setattr(module, "holm", lambda values: [0.08] * len(values))
    corrected = compare(made.champion, made.challenger, made.challenger, project=made.project)
    assert [answer.verdict for answer in corrected.answers] == ["cannot tell", "cannot tell"]
    assert [answer.not_worse for answer in corrected.answers] == [False, False]
