"""Choosing among runs: conditions, order, limit; as a frame and as a command."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from small_records import index_rows, sealed_run

import pipeline_lib
from pipeline_lib.cli import main as cli
from pipeline_lib.errors import InputError
from pipeline_lib.records.index import summaries
from pipeline_lib.records.layout import INDEX
from pipeline_lib.records.query import select
from pipeline_lib.records.record import all_records


def chosen(runs: Path, **arguments: Any) -> list[float | None]:
    return [summary["metrics"].get("rmse") for summary in select(summaries(runs), **arguments)]


def test_runs_are_chosen_by_pipeline_status_and_words(runs: Path) -> None:
    assert chosen(runs, pipeline="masts") == [None]
    assert chosen(runs, status="failed") == [None]
    assert chosen(runs, where=["estimator.alpha<0.05"]) == [1.0, 2.0]
    assert chosen(runs, where=["estimator.alpha <= 0.1", "rmse>=2"]) == [3.0, 2.0]
    assert chosen(runs, where=["kind=sloop"]) == [3.0, 1.0, 2.0]
    assert chosen(runs, where=["kind!=sloop"]) == []
    assert chosen(runs, where=["kind=null"]) == [None]
    assert chosen(runs, where=["started>2026-11-23T10:03"]) == [2.0, None, None]
    assert chosen(runs, where=["pipeline=masts"]) == [None]
    assert chosen(runs, where=["seed=true"]) == []


def test_runs_are_sorted_by_a_metric_and_those_without_it_come_last(runs: Path) -> None:
    assert chosen(runs, sort="rmse") == [1.0, 2.0, 3.0, None, None]
    assert chosen(runs, sort="-rmse") == [3.0, 2.0, 1.0, None, None]
    assert chosen(runs, sort="rmse", limit=2) == [1.0, 2.0]
    assert chosen(runs, limit=3) == [2.0, None, None]
    assert chosen(runs, limit=99) == [3.0, 1.0, 2.0, None, None]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"pipeline": "houses"}, "found pipeline 'houses', expected one of: boats, masts"),
        ({"status": "done"}, "found status 'done', expected one of: damaged, failed"),
        ({"where": ["estimator.alpa<1"]}, "did you mean estimator.alpha"),
        ({"where": ["alpha"]}, "expected NAME SIGN VALUE"),
        ({"where": ["rmse<low"]}, "found the text 'low', expected a number, as rmse of boats/.* is .3.0."),
        ({"where": ["alpha<1"]}, "did you mean estimator.alpha"),
        ({"where": ["started>yesterday"]}, "found 'yesterday', expected a date or time such as"),
        ({"limit": 0}, "found the limit 0, expected a number of runs"),
        ({"limit": -1}, "found the limit -1"),
        ({"sort": "rmsee"}, "did you mean rmse"),
        ({"sort": "qqq"}, "no run has, expected one of: reference, pipeline"),
    ],
)
def test_what_no_run_has_is_refused(runs: Path, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        chosen(runs, **arguments)


def test_values_of_several_kinds_are_not_sorted(runs: Path) -> None:
    sealed_run(runs, params={"seed": "text"})
    with pytest.raises(InputError, match=r"several types \(number, text\)"):
        chosen(runs, sort="seed")


def test_runs_are_a_frame_in_a_notebook(runs: Path) -> None:
    frame = pipeline_lib.runs(runs, pipeline="boats", where="rmse<3", sort="rmse")
    assert list(frame["rmse"]) == [1.0, 2.0]
    assert list(frame["estimator.alpha"]) == [0.01, 0.001]
    assert list(frame.columns[:4]) == ["reference", "pipeline", "status", "parity"]
    assert frame["started"][0].isoformat() == "2026-11-23T10:02:00+00:00"
    assert pipeline_lib.runs(runs / "none").empty
    sealed_run(runs, params={"rmse": 1, "seconds": 2}, metrics={"rmse": 4.0})
    twice = pipeline_lib.runs(runs)
    assert {"parameters.rmse", "metrics.rmse", "parameters.seconds", "seconds"} <= {*twice.columns}
    assert list(twice["metrics.rmse"][:3]) == [3.0, 1.0, 2.0]


def test_runs_prints_the_chosen_ones_and_how_many_there_are(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (runs.parent / "settings.ini").write_text(
        "[project]\nlib_name = harbour\nnbs_path = nbs\nparams_path = params\nruns_path = runs\n"
    )
    monkeypatch.chdir(runs.parent)
    invoke = CliRunner().invoke
    listed = invoke(cli.commands, ["runs", "--sort", "-rmse", "--limit", "1", "--where", "seed=0"])
    assert "0.0 MB disk  rmse 3, seed 0\n" in listed.stdout
    failed = invoke(cli.commands, ["runs", "--status", "failed", "--sort", "estimator.alpha"])
    assert failed.stdout.endswith("estimator.alpha 0.5, too windy\n")
    (all_records(runs)[0].folder / "added.txt").touch()
    checked = invoke(cli.commands, ["runs", "--reindex", "--status", "damaged"])
    assert checked.stdout.split()[:2] == [all_records(runs)[0].reference, "damaged"]
    assert listed.stderr == "1 of 5 runs\n"
    listed = json.loads(invoke(cli.commands, ["runs", "--json", "--pipeline", "masts"]).stdout)
    assert [run["metrics"] for run in listed] == [{"r2": 0.5}]
    (runs / INDEX).write_bytes(b"spoiled")
    assert len(json.loads(invoke(cli.commands, ["runs", "--reindex", "--json"]).stdout)) == 5
    assert index_rows(runs) == 5
    assert isinstance(invoke(cli.commands, ["runs", "--sort", "speed"]).exception, InputError)


def best_first(runs: Path, sort: str, direction: str | None = None) -> list[float]:
    """The values of the runs of pipeline `ships`, sorted."""
    found = select(summaries(runs), pipeline="ships", sort=sort, direction=direction)
    return [summary["metrics"][sort.removeprefix("metrics.").removeprefix("-")] for summary in found]


@pytest.fixture
def ships(tmp_path: Path) -> Path:
    for value in (0.7, 0.9, 0.8):
        metrics = {"roc_auc": value, "log_loss": value, "lift": value, "seconds": value}
        sealed_run(tmp_path, "ships", params={"depth": int(value * 10)}, metrics=metrics)
    return tmp_path


def test_a_metric_is_sorted_best_first(ships: Path) -> None:
    assert best_first(ships, "roc_auc") == [0.9, 0.8, 0.7]
    assert best_first(ships, "log_loss") == [0.7, 0.8, 0.9]
    assert best_first(ships, "-roc_auc") == best_first(ships, "-log_loss") == [0.9, 0.8, 0.7]
    assert best_first(ships, "roc_auc", "minimize") == [0.7, 0.8, 0.9]
    assert best_first(ships, "lift", "maximize") == best_first(ships, "-lift") == [0.9, 0.8, 0.7]
    (best,) = select(summaries(ships), sort="roc_auc", limit=1)
    assert best["metrics"]["roc_auc"] == 0.9


def test_other_values_are_sorted_smallest_first(ships: Path) -> None:
    rows = [summary["parameters"]["depth"] for summary in select(summaries(ships), sort="depth")]
    assert rows == [7, 8, 9]
    assert [one["seconds"] for one in select(summaries(ships), sort="seconds")] == [2.5] * 3
    frame = pipeline_lib.runs(ships, sort="metrics.seconds", direction="maximize")
    assert frame["metrics.seconds"].tolist() == [0.9, 0.8, 0.7]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sort": "lift"}, "--sort lift: found a metric whose name does not say what is better, .* or write -lift"),
        ({"sort": "metrics.seconds"}, "--sort metrics.seconds: found a metric whose name does not say"),
        ({"sort": "lift", "direction": "up"}, "found direction 'up', expected one of: maximize, minimize"),
        ({"sort": "-lift", "direction": "minimize"}, "found the direction minimize without the name to sort by"),
        ({"direction": "minimize"}, "found the direction minimize without the name to sort by"),
    ],
)
def test_a_direction_that_is_not_known_is_asked_for(ships: Path, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        select(summaries(ships), **arguments)


def test_the_command_lists_the_best_first(ships: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (ships / "settings.ini").write_text(
        "[project]\nlib_name = harbour\nnbs_path = nbs\nparams_path = params\nruns_path = runs\n"
    )
    (ships / "runs").mkdir()
    (ships / "ships").rename(ships / "runs" / "ships")
    monkeypatch.chdir(ships)
    listed = CliRunner().invoke(cli.commands, ["runs", "--sort", "roc_auc"]).stdout.splitlines()
    assert [line.partition("roc_auc ")[2][:3] for line in listed] == ["0.9", "0.8", "0.7"]
    turned = CliRunner().invoke(cli.commands, ["runs", "--sort", "roc_auc", "--direction", "minimize"])
    assert turned.stdout.splitlines() == listed[::-1]
