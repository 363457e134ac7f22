"""Two sweeps over the same seeds: what is paired, what is refused, what the sentence says."""

import math
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from bank_loans import bank
from scipy import stats  # type: ignore[import-untyped]

from pipeline_lib.comparison.recipes import compare_recipes
from pipeline_lib.errors import InputError
from pipeline_lib.project.project import Project
from pipeline_lib.records.record import create_record
from pipeline_lib.records.seal import seal
from pipeline_lib.system.files import canonical_json

SEEDS = range(12)
NOISE = np.random.default_rng(0).normal(0, 0.02, len(SEEDS))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    with bank(tmp_path) as made:
        return made


def sweep(
    project: Project, name: str, losses: Sequence[float], *, value: float | None = None, rows: str = "", first: int = 0
) -> str:
    """A sweep over seeds as it is kept, with a record for each member."""
    members = []
    for seed, loss in enumerate(losses, first):
        record = create_record(project.runs, "loans")
        record.evidence.mkdir()
        (record.evidence / "evidence.json").write_bytes(canonical_json({"rows": 200}))
        (record.folder / "training.json").write_bytes(canonical_json({"rows": 800}))
        (record.folder / "metrics.json").write_bytes(canonical_json({"log_loss": loss, "lift": 1 / (1 + loss)}))
        if value is not None:
            kept = {"unit": "euros", "mean": value + loss, "total": 200 * (value + loss), "rows": 200}
            (record.folder / "value.json").write_bytes(canonical_json(kept))
        hashes = {"raw_input": f"rows of seed {seed}{rows}"}
        seal(record, {"status": "finished", "reference": record.reference, "hashes": hashes})
        members.append({"values": {"seed": str(seed)}, "reference": record.reference, "error": None})
    folder = project.runs / ".sweeps" / name
    folder.mkdir(parents=True)
    (folder / "sweep.json").write_bytes(canonical_json({"sweep": name, "pipeline": "loans", "members": members}))
    return name


def test_a_recipe_that_is_better_in_all_splits_is_better(project: Project) -> None:
    one = sweep(project, "one", [0.5 + 0.01 * seed for seed in SEEDS])
    two = sweep(project, "two", [0.4 + 0.01 * seed + noise for seed, noise in zip(SEEDS, NOISE, strict=True)])
    result = compare_recipes(one, two, project=project)
    assert (result.metric, result.direction, result.verdict) == ("log_loss", "minimize", "better")
    assert result.sentence.startswith("The recipe two is better than one: log_loss -0.100 on average over 12 splits")
    assert compare_recipes(two, one, project=project).verdict == "worse"
    assert len(result.scores) == len(SEEDS)


def test_the_correction_is_that_of_nadeau_and_bengio(project: Project) -> None:
    first = [0.5] * len(SEEDS)
    second = [0.5 + noise + 0.012 for noise in NOISE]
    result = compare_recipes(sweep(project, "one", first), sweep(project, "two", second), project=project).difference
    differences = np.subtract(second, first)
    plain = stats.ttest_1samp(differences, 0)
    corrected = differences.mean() / (differences.std(ddof=1) * math.sqrt(1 / len(SEEDS) + 200 / 800))
    assert result.uncorrected_statistic == pytest.approx(plain.statistic)
    assert result.statistic == pytest.approx(corrected)
    assert plain.pvalue < 0.05 < result.p  # the ordinary test finds a difference


def test_value_decides_where_every_member_keeps_one(project: Project) -> None:
    one = sweep(project, "one", [0.5 + noise for noise in NOISE], value=3.0)
    two = sweep(project, "two", [0.5 + noise for noise in NOISE], value=4.0)
    result = compare_recipes(one, two, project=project)
    assert (result.metric, result.unit, result.direction, result.verdict) == ("value", "euros", "maximize", "better")
    assert compare_recipes(one, two, metric="log_loss", project=project).verdict == "no difference"
    assert compare_recipes(one, two, margin=2.0, project=project).verdict == "no difference"
    assert re.search(r": value \+[\d.]+ euros a row on average", result.sentence)  # a difference has its sign


def test_a_sweep_against_itself_is_no_difference_with_p_1(project: Project) -> None:
    one = sweep(project, "one", [0.5 + noise for noise in NOISE])
    result = compare_recipes(one, one, project=project)
    assert result.verdict == "no difference"
    assert result.difference.p == 1


def test_other_seeds_other_rows_and_few_seeds_are_refused(project: Project) -> None:
    one = sweep(project, "one", [0.5 + noise for noise in NOISE])
    later = sweep(project, "later", [0.5 + noise for noise in NOISE], first=1)
    with pytest.raises(InputError, match="in one of them only, expected the same seeds"):
        compare_recipes(one, later, project=project)
    others = sweep(project, "others", [0.5 + noise for noise in NOISE], rows=" of another day")
    with pytest.raises(InputError, match="found other training or test rows at"):
        compare_recipes(one, others, project=project)
    few = sweep(project, "few", [0.5, 0.6])
    with pytest.raises(InputError, match="found 2 pairs"):
        compare_recipes(few, few, project=project)


def test_an_unknown_sweep_and_a_metric_without_a_direction_are_refused(project: Project) -> None:
    one = sweep(project, "one", [0.5 + noise for noise in NOISE])
    with pytest.raises(InputError, match="found no sweep 'two', expected one of: one"):
        compare_recipes(one, "two", project=project)
    with pytest.raises(InputError, match="found lift, expected a metric of every member with a known direction"):
        compare_recipes(one, one, metric="lift", project=project)
    with pytest.raises(InputError, match="--margin: found -1"):
        compare_recipes(one, one, margin=-1, project=project)


def test_a_notebook_shows_the_sentence_and_the_scores(project: Project) -> None:
    one = sweep(project, "one", [0.5 + noise for noise in NOISE])
    result = compare_recipes(one, one, project=project)
    assert result._repr_html_().count("<tr") == len(SEEDS) + 1
    assert repr(result).startswith(result.sentence)
    assert result.to_json()["verdict"] == "no difference"
