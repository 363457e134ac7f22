"""The pytest plugin: a test for each record and variation, and one line in a project's own tests."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from example import HOUSES

from pipeline_lib.errors import InputError, RunError
from pipeline_lib.parity import check as parity_check
from pipeline_lib.parity.result import Outcome, Parity
from pipeline_lib.parity.variations import QUICK
from pipeline_lib.pytest_plugin import assert_parity
from pipeline_lib.records.record import Record, create_record
from pipeline_lib.records.seal import seal, verify
from pipeline_lib.system.files import sha256_tree

pytest_plugins = ["pytester"]

EXACT, LOSSY = "batches of 2", "DataFrame.to_json"
Answers = Callable[..., list[dict[str, Any]]]


def outcome(name: str, verdict: Any = "exact", detail: str = "", rows: int = 3) -> Outcome:
    return Outcome(name, "rows", verdict, rows=rows, detail=detail)


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Answers:
    """Makes `check_parity` return outcomes by variation, or raise; returns the list of its calls."""
    calls: list[dict[str, Any]] = []

    def answer(result: dict[str, Outcome] | Exception) -> list[dict[str, Any]]:
        def check(record: Record, *, library: str, variations: Any) -> Parity:
            calls.append({"record": record, "library": library, "variations": tuple(variations)})
            if isinstance(result, Exception):
                raise result
            outcomes = [result.get(name, outcome(name)) for name in ("fresh process", *variations)]
            return Parity.of(record.reference, 3, ["scale"], outcomes)

        monkeypatch.setattr(parity_check, "check_parity", check)
        return calls

    return answer


@pytest.fixture
def inner(pytester: pytest.Pytester) -> pytest.Pytester:
    """A pytest of its own, in which nothing is shuffled."""
    pytester.makeini("[pytest]\naddopts = -p no:randomly -p no:cacheprovider -p pipeline_lib.pytest_plugin\n")
    return pytester


def test_loading_the_plugin_imports_nothing_heavy() -> None:
    heavy = ["numpy", "pyarrow", "pandas", "sklearn", "pydantic", "click", "papermill"]
    code = f"import sys, pipeline_lib.pytest_plugin; print([n for n in {heavy} if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout == "[]\n"


def test_without_records_nothing_is_collected(inner: pytest.Pytester) -> None:
    inner.makepyfile("def test_own(request):\n    assert len(request.session.items) == 1\n")
    result = inner.runpytest()
    result.assert_outcomes(passed=1)
    assert "parity" not in inner.runpytest("--markers").stdout.str()


def test_ids_are_records_and_variations_in_order(inner: pytest.Pytester, copy: Record) -> None:
    later = Record(copy.folder.with_name("20991231T235959-000000"))
    shutil.copytree(copy.folder, later.folder)
    failed = create_record(copy.folder.parents[1], "houses")
    seal(failed, {"status": "failed", "reference": failed.reference})
    result = inner.runpytest(f"--records={copy.folder.parents[1]}", "--collect-only", "-q")
    found = [line.rpartition("houses/")[2] for line in result.stdout.lines if "::" in line]
    assert found == [f"{record.id}::{name}" for record in (copy, later) for name in QUICK]


@pytest.mark.slow
@pytest.mark.parametrize("change", [None, "metrics.json"])
def test_two_workers_give_the_same_verdicts_as_one(inner: pytest.Pytester, copy: Record, change: str | None) -> None:
    if change:
        (copy.folder / change).write_text("{}")
    before = sha256_tree(copy.folder.parent)
    alone, together = (
        inner.runpytest_subprocess(f"--records={copy.folder}", "-p", "xdist", *words).parseoutcomes()
        for words in ((), ("-n", "2"))
    )
    assert together == alone
    assert set(alone) == ({"failed"} if change else {"passed"}) | ({"xfailed"} & set(alone))
    assert sha256_tree(copy.folder.parent) == before


def test_a_finished_record_passes_and_no_file_is_added(inner: pytest.Pytester, copy: Record) -> None:
    result = inner.runpytest(f"--records={copy.folder}", "-k", "fresh or batches")
    result.assert_outcomes(passed=5, deselected=len(QUICK) - 5)
    result.stdout.fnmatch_lines([f"collected {len(QUICK)} items / * 5 selected"])
    assert sorted(copy.folder.parent.iterdir()) == [copy.folder]
    assert verify(copy) == []


def test_a_difference_fails_with_the_report_as_its_text(inner: pytest.Pytester, copy: Record) -> None:
    artifact = copy.artifact / "artifact.json"
    text = artifact.read_text(encoding="utf-8")
    node = [node for node in json.loads(text)["nodes"] if node["operation"] == "dot"][-1]
    weight = json.dumps(node["settings"]["weights"][0])
    artifact.write_text(text.replace(weight, json.dumps(node["settings"]["weights"][0] * 2)), encoding="utf-8")
    seal(copy, {key: value for key, value in copy.manifest().items() if key not in ("digest", "files")})
    result = inner.runpytest(f"--records={copy.folder}", "-k", "fresh")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["parity: DIFFERENT (293 rows*", "*outputs: column 'prediction', row 0: expected *"])
    result.stdout.no_fnmatch_line("*pytest_plugin.py*")


def test_deliveries_share_one_check_and_a_test_fails_for_its_own_alone(
    inner: pytest.Pytester, copy: Record, answers: Answers
) -> None:
    calls = answers({EXACT: outcome(EXACT, "different", "refused: size")})
    result = inner.runpytest(f"--records={copy.folder}", "-k", "batches")
    result.assert_outcomes(passed=3, failed=1)
    assert "DIFFERENT  batches of 2: refused: size" in result.stdout.str()
    assert [call["variations"] for call in calls] == [tuple(name for name in QUICK if "batches" in name)]
    assert calls[0]["record"].reference == copy.reference
    assert not calls[0]["record"].folder.exists()  # the link was for that check alone


def test_processes_are_checked_one_by_one(inner: pytest.Pytester, copy: Record, answers: Answers) -> None:
    calls = answers({"2 threads": outcome("2 threads", "absent", "found 1 CPU, needs 2")})
    result = inner.runpytest(f"--records={copy.folder}", "--parity", "full", "-k", "thread", "-rs")
    result.assert_outcomes(passed=1, skipped=1)
    assert "found 1 CPU, needs 2" in result.stdout.str()
    assert [call["variations"] for call in calls] == [("1 thread",), ("2 threads",)]


def test_a_known_loss_is_an_expected_failure(inner: pytest.Pytester, copy: Record, answers: Answers) -> None:
    answers({LOSSY: outcome(LOSSY, "lossy", "refused: size: found nan", rows=0)})
    inner.runpytest(f"--records={copy.folder}", "-k", "to_json").assert_outcomes(xfailed=1)
    answers({LOSSY: outcome(LOSSY, "lossy", "nothing is lost in these 3 rows")})
    inner.runpytest(f"--records={copy.folder}", "-k", "to_json").assert_outcomes(passed=1)


def test_our_errors_have_no_traceback_others_have_one(inner: pytest.Pytester, copy: Record, answers: Answers) -> None:
    calls = answers(RunError("the fresh process failed"))
    result = inner.runpytest(f"--records={copy.folder}", "-k", "batches")
    result.assert_outcomes(failed=4)
    result.stdout.fnmatch_lines(["the fresh process failed"])
    result.stdout.no_fnmatch_line("*pytest_plugin.py*")
    assert len(calls) == 1
    answers(ZeroDivisionError("unforeseen"))
    result = inner.runpytest(f"--records={copy.folder}", "-k", "fresh")
    result.stdout.fnmatch_lines(["*ZeroDivisionError: unforeseen*"])


def test_a_damaged_record_fails(inner: pytest.Pytester, copy: Record) -> None:
    (copy.folder / "manifest.json").write_text("{}")
    result = inner.runpytest(f"--records={copy.folder.parents[1]}", "-k", "fresh")
    result.assert_outcomes(failed=1)
    assert "manifest.json: found a damaged manifest" in result.stdout.str()


def test_the_mark_selects_records_alone(inner: pytest.Pytester, copy: Record, answers: Answers) -> None:
    answers({})
    inner.makepyfile("def test_own():\n    pass\n")
    result = inner.runpytest(f"--records={copy.folder}", "--strict-markers", "-m", "parity")
    result.assert_outcomes(passed=len(QUICK), deselected=1)


def test_a_folder_without_records_is_a_wrong_use(inner: pytest.Pytester) -> None:
    result = inner.runpytest("--records", "runs")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--records: found no finished record in *runs, expected a folder of runs*"])


def test_one_line_in_a_test_of_ones_own_fails_with_the_report(
    inner: pytest.Pytester, copy: Record, answers: Answers
) -> None:
    calls = answers({EXACT: outcome(EXACT, "different", "refused: size")})
    inner.makepyfile(
        "from pipeline_lib.pytest_plugin import assert_parity\n\n\n"
        f"def test_own():\n    assert_parity({str(copy.folder)!r}, library='town')\n"
    )
    result = inner.runpytest()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["parity: DIFFERENT (3 rows*"])
    assert calls[0]["library"] == "town"
    assert calls[0]["variations"] == QUICK


def test_reference_library_and_variations_are_found(
    copy: Record, answers: Answers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = answers({})
    settings = "[project]\nlib_name = town\nnbs_path = nbs\nparams_path = params\nruns_path = runs\n"
    (tmp_path / "settings.ini").write_text(settings)
    monkeypatch.chdir(tmp_path)
    assert assert_parity("houses", variations=[EXACT]).exact
    assert_parity(copy, variations=["nightly"])
    assert [call["library"] for call in calls] == ["town", "town"]
    assert calls[0]["record"].reference == copy.reference
    assert calls[1]["variations"] == ("nightly",)
    with pytest.raises(InputError, match="castles"):
        assert_parity("castles")


def test_outside_any_project_this_library_is_meant(
    copy: Record, answers: Answers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = answers({})
    monkeypatch.chdir(tmp_path)
    assert_parity(copy)
    assert calls[0]["library"] == "pipeline_lib"


def test_research_runs_once_for_each_parameters_file(
    inner: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, copy: Record
) -> None:
    runs: list[tuple[Path, Path]] = []

    def run(path: Path, runs_folder: Path) -> Record:
        runs.append((path, runs_folder))
        return copy

    monkeypatch.setattr("pipeline_lib.runner.run.run_pipeline", lambda path, *, runs: run(path, runs))
    inner.makepyfile(
        f"def test_one(run_research):\n    assert run_research({str(HOUSES)!r}).id == {copy.id!r}\n\n\n"
        f"def test_two(run_research):\n    run_research({str(HOUSES)!r})\n    run_research('other.yml')\n"
    )
    inner.runpytest().assert_outcomes(passed=2)
    assert [path.name for path, _ in runs] == ["houses.yml", "other.yml"]
    assert len({folder for _, folder in runs}) == 2
