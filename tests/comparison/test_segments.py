"""A planted segment is found and named alone; without one, false alarms are rare."""

from dataclasses import replace

import compared
import numpy as np
import pytest

from pipeline_lib.comparison import intervals
from pipeline_lib.comparison.segments import SMALLEST, segments_of
from pipeline_lib.errors import InputError


@pytest.fixture(autouse=True)
def closed_form(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Intervals in closed form, in place of 2,000 resamples of each of 40 segments; slow tests resample."""
    if "slow" not in request.keywords:
        monkeypatch.setattr(intervals, "SCIPY_UNITS", 0)


@pytest.mark.parametrize("make", [compared.regression, compared.binary], ids=["regression", "binary"])
def test_better_on_average_and_worse_in_a_segment_names_the_segment(make: object) -> None:
    scored = make(
        3000, skill=(0.9 if make is compared.regression else 6.0,), hurt=25.0 if make is compared.regression else 1.0
    )  # type: ignore[operator]
    found = segments_of(scored)
    assert [segment.name for segment in found.worse] == ["region: north"]
    assert found.better, "elsewhere the challenger is better"
    north = found.worse[0]
    assert north.rows == int(np.count_nonzero(np.asarray(scored.rows["region"].combine_chunks()) == "north"))
    assert north.p < 0.05
    assert found.segments[0] is north, "the worst one comes first"


def test_a_loss_that_comes_through_another_segment_is_said_to() -> None:
    found = segments_of(compared.regression(5000, hurt=60.0))
    assert [segment.name for segment in found.worse] == ["region: north"]
    assert found.through, "a planted loss this large shows in segments that overlap with it"
    assert {segment.without for segment in found.through} == {"region: north"}


def test_two_planted_segments_are_both_named() -> None:
    scored = compared.regression(6000, skill=(0.6,))
    region, floors = (np.asarray(scored.rows[name].combine_chunks()) for name in ("region", "floors"))
    one = scored.challengers[0]
    worth = one.value - 2.5 * (region == "north") - 2.5 * (floors == 1)
    found = segments_of(replace(scored, sides=(scored.champion, replace(one, value=worth))))
    assert {segment.name for segment in found.worse} == {"region: north", "floors: 1"}


def alarms(seeds: range) -> int:
    """In how many comparisons of equal models a segment is named."""
    return sum(bool(segments_of(compared.regression(400, skill=(0.0,), seed=seed)).worse) for seed in seeds)


def test_without_a_difference_nothing_is_named() -> None:
    assert alarms(range(6)) <= 2


@pytest.mark.slow
def test_without_a_difference_false_alarms_are_rare() -> None:
    """Holm for all segments: a false alarm in at most 5 % of comparisons; more than 12 of 120 has probability 0.01."""
    assert alarms(range(120)) <= 12


@pytest.mark.slow
def test_without_correction_there_would_be_alarms() -> None:
    """The control: of the same data many have a losing segment below 0.05 before the correction."""
    uncorrected = 0
    for seed in range(20):
        found = segments_of(compared.regression(400, skill=(0.0,), seed=seed))
        uncorrected += any(each.difference.p < 0.05 and each.difference.estimate < 0 for each in found.segments)
    assert uncorrected >= 6


def test_small_segments_are_counted_not_compared() -> None:
    found = segments_of(compared.regression(100))
    assert found.segments
    assert all(segment.rows >= SMALLEST for segment in found.segments)
    assert found.small > 0
    tiny = segments_of(compared.regression(10))
    assert tiny.segments == ()


def test_a_margin_keeps_small_losses_from_being_named() -> None:
    scored = compared.regression(3000, skill=(0.9,), hurt=25.0)
    loss = -segments_of(scored).worse[0].difference.estimate
    assert segments_of(scored, margin=0.9 * loss).worse
    assert not segments_of(scored, margin=1.1 * loss).worse


def test_sensitive_columns_are_no_segments_unless_declared_protected() -> None:
    found = segments_of(compared.regression(600))
    columns = {segment.column for segment in found.segments}
    assert "sex" in columns
    assert "owner" not in columns
    assert found.hidden == ("owner",)
    assert "shop" in found.uncut


def test_rows_of_one_entity_count_as_one() -> None:
    scored = compared.regression(600)
    grouped = segments_of(replace(scored, groups=np.asarray(scored.rows["shop"])))
    clusters = {segment.difference.clusters for segment in grouped.segments}
    assert None not in clusters
    assert all(segment.difference.clusters is None for segment in segments_of(scored).segments)


def test_identical_models_have_no_losing_segment() -> None:
    scored = compared.binary(600)
    found = segments_of(replace(scored, sides=(scored.champion, scored.champion)))
    assert found.worse == found.better == found.through == ()
    assert {segment.p for segment in found.segments} == {1.0}


def test_another_measure_can_be_named_and_an_unknown_one_is_refused() -> None:
    scored = compared.regression(200)
    assert segments_of(scored).measure == "value"
    assert segments_of(scored, measure="squared error").measure == "squared error"
    with pytest.raises(InputError, match="gini: found the losses absolute error, squared error, expected one"):
        segments_of(scored, measure="gini")


def test_true_labels_are_segments_of_labels() -> None:
    columns = {segment.column for segment in segments_of(compared.multiclass(400)).segments}
    assert "true label" in columns
    assert "true label" not in {segment.column for segment in segments_of(compared.regression(400)).segments}
