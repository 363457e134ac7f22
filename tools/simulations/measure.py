"""What repetitions of a design show: coverage, reliability, verdicts; and what they have to show."""

import math
from collections import Counter
from dataclasses import dataclass

import numpy as np

from pipeline_lib.comparison.verdict import verdict_of
from tools.simulations.designs import Design

NOMINAL, TOLERANCE = 0.95, 0.015
WRONG_AT_MOST = 0.07
RARELY = 0.05
"""A design whose intervals are reliable in at most this share of samples answers "cannot tell"."""


@dataclass(frozen=True)
class Measurement:
    """Shares of a design's repetitions. `held_where_reliable` is NaN if no interval was reliable."""

    design: Design
    repetitions: int
    held: float
    reliable: float
    held_where_reliable: float
    better: float
    worse: float

    @staticmethod
    def _error(repetitions: float) -> float:
        """The standard error of a coverage of 95 %. An exact interval misses 95 +- 1.5 % in one of 8 runs of 500."""
        return math.sqrt(NOMINAL * (1 - NOMINAL) / repetitions)

    @property
    def failures(self) -> list[str]:
        """What the design was to show and does not."""
        if self.design.beyond:
            return []
        failures = []
        if self.design.promised and abs(self.held - NOMINAL) > TOLERANCE + 2 * self._error(self.repetitions):
            failures.append(f"coverage is {self.held:.1%}, expected 95 % within 1.5 %")
        if self.reliable > RARELY and abs(self.held_where_reliable - NOMINAL) > TOLERANCE + 2 * self._error(
            self.repetitions * self.reliable
        ):
            failures.append(f"coverage is {self.held_where_reliable:.1%} where reliable, expected 95 % within 1.5 %")
        if self.design.truth == 0 and max(self.better, self.worse) > WRONG_AT_MOST:
            failures.append(f"better {self.better:.1%}, worse {self.worse:.1%} of equals, expected at most 7 % each")
        return failures


def measure(design: Design, repetitions: int | None = None) -> Measurement:
    """Repeat a design, as often as it says by default; the seed is the design's."""
    rng = np.random.default_rng(design.seed)
    count = repetitions or design.repetitions
    results = [design.compare(rng) for _ in range(count)]
    held = [result.low <= design.truth <= result.high for result in results]
    trusted = [inside for inside, result in zip(held, results, strict=True) if result.reliable]
    verdicts = Counter(verdict_of(result, direction="maximize") for result in results)
    return Measurement(
        design,
        count,
        sum(held) / count,
        len(trusted) / count,
        sum(trusted) / len(trusted) if trusted else math.nan,
        verdicts["better"] / count,
        verdicts["worse"] / count,
    )
