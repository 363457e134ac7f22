"""A sample of the simulations, and proof that they find broken intervals. The whole matrix: `make simulations`."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import scipy.stats as st
from example import ROOT

from pipeline_lib.comparison.paired import PairedDifference, difference_of_means
from tools.simulations.designs import Design, absolute, designs, student
from tools.simulations.measure import measure

BY_NAME = {design.name: design for design in designs()}
EVERYDAY = ("absolute errors, 5,000 rows", "AUC, 50% positive, 200 rows")
SAMPLE = (
    "absolute errors, 500 rows",
    "exponential gains, 5,000 rows",
    "accuracy, 20 % disagree, 500 rows",
    "AUC, 5 levels, 500 rows",
    "AUC, 2% positive, 5,000 rows",
    "Brier, 50% positive, 5,000 rows",
    "1,000 entities of about 5 rows",
    "t of 3 degrees, 5,000 rows",
)


def unpaired(rng: np.random.Generator) -> PairedDifference:
    """The interval of two samples that have nothing to do with each other."""
    first, second = absolute(rng, 5_000)
    theirs = st.ttest_ind(second, first).confidence_interval()
    return replace(difference_of_means(first, second), low=theirs.low, high=theirs.high)


def entities_ignored(rng: np.random.Generator) -> PairedDifference:
    """Rows of 100 entities with 50 rows each, taken as independent."""
    first, second = absolute(rng, 5_000)
    return difference_of_means(first, second + np.repeat(rng.normal(0, 0.35, size=100), 50))


def too_narrow(rng: np.random.Generator) -> PairedDifference:
    result = difference_of_means(*student(rng, 5_000))
    return replace(result, low=result.estimate - 1.3 * result.standard_error)


def test_names_and_so_seeds_are_unique() -> None:
    assert all(count == 1 for count in Counter(design.seed for design in designs()).values())
    assert {design.repetitions for design in designs() if design.rows <= 5_000} == {2_000}
    assert {design.repetitions for design in designs() if design.rows > 5_000} == {500}
    assert {50, 500, 5_000, 50_000} <= {design.rows for design in designs()}


@pytest.mark.parametrize("name", EVERYDAY)
def test_a_quick_sample_shows_what_it_has_to(name: str) -> None:
    result = measure(BY_NAME[name], 400)
    assert abs(result.held - 0.95) < 0.04
    assert max(result.better, result.worse) < 0.06


@pytest.mark.slow
@pytest.mark.parametrize("name", SAMPLE)
def test_a_sample_of_the_matrix_shows_what_it_has_to(name: str) -> None:
    assert measure(BY_NAME[name]).failures == []


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (unpaired, "coverage is 99.8%, expected 95 %"),
        (entities_ignored, "of equals, expected at most 7 % each"),
        (too_narrow, "where reliable, expected 95 %"),
    ],
)
def test_a_broken_interval_is_found(broken: object, message: str) -> None:
    design = Design("broken", 5_000, broken is not too_narrow, broken)  # type: ignore[arg-type]
    failures = measure(design, 400 if broken is not too_narrow else 1_000).failures
    assert message in " ".join(failures)


def test_the_page_has_every_design() -> None:
    page = (ROOT / "docs" / "comparison-statistics.md").read_text(encoding="utf-8")
    rows = [line.split(" | ")[0].removeprefix("| ").removesuffix(" *") for line in page.splitlines() if " | " in line]
    assert [design.name for design in designs() if design.name not in rows] == []
