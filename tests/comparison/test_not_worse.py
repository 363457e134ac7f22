"""One line of a test fails where a run is worse than the champion, and says by how much."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from bank_loans import bank, loans, run_of
from feature_engine.selection import DropFeatures
from harbours import point_to
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from pipeline_lib import InputError, assert_not_worse
from pipeline_lib.project.project import Project
from pipeline_lib.records.record import Record


@dataclass(frozen=True)
class Loans:
    """The champion, which knows of debt, a run as good as it, and one that knows nothing of debt."""

    project: Project
    champion: Record
    same: Record
    weak: Record


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loans]:
    steps = [("drop", DropFeatures(["customer_id", "region", "debt"])), ("model", LogisticRegression())]
    with bank(tmp_path_factory.mktemp("bank")) as project:
        train, test = loans(900), loans(800, seed=1, first=10_000)
        weak = Pipeline(steps).fit(train.drop(columns="paid"), train["paid"])
        champion = run_of(project, train, test)
        point_to(project, champion)
        yield Loans(project, champion, run_of(project, train, test), run_of(project, train, test, fitted=weak))


def test_a_run_that_answers_the_same_passes(made: Loans) -> None:
    comparison = assert_not_worse(made.same, margin=0.0, project=made.project)
    assert comparison.answers[0].verdict == "no difference"
    assert comparison.champion == made.champion.reference


def test_a_worse_run_fails_with_the_sentence_and_the_numbers(made: Loans) -> None:
    with pytest.raises(AssertionError) as failed:
        assert_not_worse(made.weak, margin=0.01, project=made.project)
    text = str(failed.value)
    assert f"{made.weak.reference} is worse than the champion {made.champion.reference}" in text
    assert "expected it to be at most 0.01 worse by value" in text
    assert "value: champion" in text
    assert "(95 % interval -" in text


def test_a_margin_above_the_difference_lets_it_pass(made: Loans) -> None:
    assert assert_not_worse(made.weak, margin=1e9, project=made.project).answers[0].not_worse


def test_the_other_way_round_it_is_better(made: Loans) -> None:
    assert assert_not_worse(made.champion, margin=0.0, champion=made.weak, project=made.project)


@pytest.mark.parametrize("margin", [-1.0, float("nan")])
def test_a_margin_below_zero_is_refused(made: Loans, margin: float) -> None:
    with pytest.raises(InputError, match=r"margin: found .*, expected a number from 0 on"):
        assert_not_worse(made.same, margin=margin, project=made.project)


def test_without_a_champion_or_a_run_it_says_what_to_do(made: Loans, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(made.project.root)
    pointer = made.project.root / "champions" / f"{made.champion.pipeline}.yml"
    content = pointer.read_bytes()
    pointer.unlink()
    try:
        with pytest.raises(InputError, match="expected the pointer to a champion; `pipeline-lib promote REF --reason"):
            assert_not_worse(made.same, margin=0.0, project=made.project)
        with pytest.raises(InputError, match="found no run 'nothing'"):
            assert_not_worse("nothing", margin=0.0, project=made.project)
    finally:
        pointer.write_bytes(content)
