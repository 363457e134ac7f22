"""When an interval is believed, and how many rows it takes."""

import numpy as np
import pytest

from pipeline_lib.comparison.paired import difference_of_means
from pipeline_lib.comparison.reliability import LARGE_SAMPLE, MINIMUM_ROWS, Shape, judge, shape_of
from pipeline_lib.comparison.verdict import verdict_of


def test_the_shape_of_known_samples() -> None:
    shape = shape_of(np.array([-1.0, 1.0] * 50))
    assert (shape.units, shape.differing, shape.acceleration) == (100, 100, 0)
    assert shape.degrees == np.inf  # of two values, the spread is known
    gains = np.random.default_rng(0).exponential(size=200_000)
    shape = shape_of(gains - gains.mean())
    assert shape.acceleration == pytest.approx(2 / (6 * 200_000**0.5), rel=0.05)  # skewness 2
    assert shape.degrees == pytest.approx(2 * 200_000 / 8, rel=0.15)  # kurtosis 9


@pytest.mark.parametrize(
    ("rows", "acceleration", "degrees", "reliable"),
    [
        (LARGE_SAMPLE, 0.033, 20.0, True),
        (LARGE_SAMPLE, 0.034, 500.0, False),
        (LARGE_SAMPLE, 0.0, 19.9, False),
        (LARGE_SAMPLE // 5, 0.008, 100.1, True),
        (LARGE_SAMPLE // 5, 0.0085, 500.0, False),  # a skewness of 0.5 is 0.5 / (6 sqrt(100)) = 0.0083
        (LARGE_SAMPLE // 5, 0.0, 99.9, False),
        (MINIMUM_ROWS - 1, 0.0, 1000.0, False),
    ],
)
def test_small_samples_are_judged_more_strictly(rows: int, acceleration: float, degrees: float, reliable: bool) -> None:
    result = judge(Shape(rows, rows, acceleration, degrees), rows)
    assert result.reliable == reliable == (not result.why_not)
    assert (result.rows_for_it > rows) == (not reliable)


@pytest.mark.parametrize("rows", [150, 600, 4000])
@pytest.mark.parametrize(("acceleration", "degrees"), [(0.08, 1000.0), (0.001, 5.0)])
def test_at_the_rows_asked_for_the_rule_holds(rows: int, acceleration: float, degrees: float) -> None:
    """With more rows of the same kind, the acceleration falls with their root and the degrees grow with them."""
    needed = judge(Shape(rows, rows, acceleration, degrees), rows).rows_for_it
    more, fewer = (
        judge(Shape(count, count, acceleration * (rows / count) ** 0.5, degrees * count / rows), count)
        for count in (needed, int(needed * 0.98))
    )
    assert more.reliable
    assert not fewer.reliable


def test_entities_and_blocks_have_minimum_numbers() -> None:
    shape = Shape(99, 99, 0.0, 1000.0)
    assert "come from 99 entities, fewer than 100" in judge(shape, 600, 99).why_not
    assert "come from 39 blocks of time, fewer than 40" in judge(shape, 600, 39, moments=300).why_not
    assert judge(shape, 600, 100).reliable
    assert judge(shape, 600, 40, moments=300).reliable
    assert judge(shape, 600, 99).rows_for_it == 607
    assert "a few of the 100 entities have most of the rows" in judge(shape, 600, 100, effective=12.0).why_not


@pytest.mark.parametrize(("clusters", "moments", "what"), [(120, None, "entities"), (60, 120, "moments")])
def test_rows_that_belong_together_do_not_make_a_sample_large(clusters: int, moments: int | None, what: str) -> None:
    """What 120 rows are too few for, 120 entities or moments of 50 rows each are, too; twenty times as many do."""
    for shape in (Shape(clusters, clusters, 0.02, 1000.0), Shape(clusters, clusters, 0.001, 50.0)):
        result = judge(shape, 6_000, clusters, moments=moments)
        assert f"for 120 {what}" in result.why_not
        assert 6_000 < result.rows_for_it <= 50 * LARGE_SAMPLE
        assert judge(shape, 6_000).reliable


def test_a_loss_that_no_entity_of_the_sample_had_is_not_ruled_out() -> None:
    """One entity in 50 loses 20, the others gain 0.4: equal models. 45 % of samples of 40 have no such entity."""
    rng = np.random.default_rng(1)
    verdicts = []
    for _ in range(20):
        gains = 0.4 - 20 * (rng.random(40) < 0.02)
        entities = np.repeat(np.arange(40), 50)
        difference = difference_of_means(
            np.zeros(2_000), gains[entities] + rng.normal(0, 0.5, size=2_000), groups=entities
        )
        verdicts.append(verdict_of(difference, direction="maximize"))
        looks_better = difference.low > 0 and difference.p < 0.05
        assert looks_better == bool((gains > 0).all())
    assert verdicts == ["cannot tell"] * 20


def test_an_entity_with_most_of_the_rows_decides_too_much() -> None:
    rng = np.random.default_rng(0)
    entities = np.where(rng.random(2000) < 0.5, 0, rng.integers(1, 200, size=2000))
    result = difference_of_means(np.zeros(2000), rng.normal(1, 1, size=2000), groups=entities)
    assert "they count as 4 of one size" in result.unreliable


def test_few_rows_that_differ_tell_nothing() -> None:
    champion, challenger = np.zeros(1000), np.zeros(1000)
    challenger[:8] = 1.0
    result = difference_of_means(champion, challenger)
    assert "differ on 8 of 1,000 rows" in result.unreliable
    assert verdict_of(result, direction="maximize") == "cannot tell"
    challenger[:200] = 1.0
    assert verdict_of(difference_of_means(champion, challenger), direction="maximize") == "better"
