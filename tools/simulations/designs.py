"""The designs: how rows are drawn, of how many rows, and what the true difference is.

Every design has a name, and the seed of its repetitions is a checksum of the name. A change of a design is therefore a
change of its name. `light` says that the kurtosis of what a row contributes is below 10; it is a fact of the design,
not a result.
"""

import math
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from pipeline_lib.comparison.delong import auc_difference
from pipeline_lib.comparison.mcnemar import difference_of_correct
from pipeline_lib.comparison.paired import PairedDifference, difference_of_means, difference_of_metric

Generator = np.random.Generator
Array = np.ndarray
Compare = Callable[[Generator], PairedDifference]
SMALL, LARGE = (50, 200, 500, 5_000, 50_000), (500, 5_000, 50_000)


@dataclass(frozen=True)
class Design:
    """`truth` is the true difference. `beyond`: what no sample of this size can show; printed, not checked."""

    name: str
    rows: int
    light: bool
    compare: Compare
    truth: float = 0.0
    clusters: int | None = None
    beyond: bool = False

    @property
    def seed(self) -> int:
        return zlib.crc32(self.name.encode())

    @property
    def repetitions(self) -> int:
        return 2_000 if self.rows <= 5_000 else 500

    @property
    def promised(self) -> bool:
        """Whether the interval has to hold, reliable or not: many rows, light tails, enough clusters."""
        return self.rows >= 500 and self.light and (self.clusters is None or self.clusters >= 30)


def correlated(rng: Generator, rows: int) -> tuple[Array, Array]:
    """Two normal errors per row with a correlation of 0.8."""
    shared = rng.normal(size=rows) * math.sqrt(0.8)
    own = rng.normal(size=(2, rows)) * math.sqrt(0.2)
    return shared + own[0], shared + own[1]


def absolute(rng: Generator, rows: int) -> tuple[Array, Array]:
    first, second = correlated(rng, rows)
    return np.abs(first), np.abs(second)


def shifted(rng: Generator, rows: int) -> tuple[Array, Array]:
    """Absolute errors, of which the challenger's are lower by 0.05 in each row on average."""
    first, second = absolute(rng, rows)
    return first, second - 0.05


def squared(rng: Generator, rows: int) -> tuple[Array, Array]:
    first, second = correlated(rng, rows)
    return first**2, second**2


def whole_numbers(rng: Generator, rows: int) -> tuple[Array, Array]:
    """Rounded errors: most of the rows are tied."""
    first, second = absolute(rng, rows)
    return np.round(first), np.round(second)


def exponential(rng: Generator, rows: int) -> tuple[Array, Array]:
    """Skewed gains: the challenger loses 1 in each row and gains an exponential amount of mean 1."""
    champion = rng.normal(size=rows)
    return champion, champion - 1 + rng.exponential(size=rows)


def student(rng: Generator, rows: int) -> tuple[Array, Array]:
    """Differences of Student's t with 3 degrees of freedom: no fourth moment."""
    champion = rng.normal(size=rows)
    return champion, champion + rng.standard_t(3, size=rows)


def lognormal(rng: Generator, rows: int) -> tuple[Array, Array]:
    """Skewed and heavy: a lognormal gain less its mean. Skewness 6.2, kurtosis 114."""
    champion = rng.normal(size=rows)
    return champion, champion + rng.lognormal(size=rows) - math.exp(0.5)


def catastrophes(rng: Generator, rows: int) -> tuple[Array, Array]:
    """Small gains, and a loss of 20 in one row of 200."""
    champion = rng.normal(size=rows)
    loss = 20 * (rng.random(rows) < 0.005)
    return champion, champion + 0.1 - loss + rng.normal(0, 0.1, size=rows)


def probabilities(rng: Generator, rows: int, share: float) -> tuple[Array, Array, Array]:
    """Labels, and the probabilities of two models that miss the true logit by as much."""
    logit = rng.normal(math.log(share / (1 - share)), 1.5, size=rows)
    target = rng.random(rows) < 1 / (1 + np.exp(-logit))
    noise = rng.normal(0, 0.5, size=(2, rows))
    first, second = 1 / (1 + np.exp(-(logit + noise)))
    return target, first, second


def log_loss(rng: Generator, rows: int, share: float) -> tuple[Array, Array]:
    target, first, second = probabilities(rng, rows, share)
    return -np.log(np.where(target, first, 1 - first)), -np.log(np.where(target, second, 1 - second))


def brier(rng: Generator, rows: int, share: float) -> tuple[Array, Array]:
    target, first, second = probabilities(rng, rows, share)
    return (first - target) ** 2, (second - target) ** 2


def means(draw: Callable[[Generator, int], tuple[Array, Array]], rows: int) -> Compare:
    return lambda rng: difference_of_means(*draw(rng, rows))


def correct(rows: int, only_champion: float, only_challenger: float) -> Compare:
    """Right answers of two classifiers, which disagree with these probabilities."""

    def compare(rng: Generator) -> PairedDifference:
        draws = rng.random(rows)
        both = draws > 0.3 + only_champion + only_challenger
        champion = both | (draws < only_champion)
        challenger = both | ((draws >= only_champion) & (draws < only_champion + only_challenger))
        return difference_of_correct(champion, challenger)

    return compare


def areas(rows: int, share: float, *, levels: int | None = None, gain: float = 0.0, cluster: int = 0) -> Compare:
    """Scores of two models, normal within each class, whose means are 1 (and 1 + gain) apart.

    `share` of positives. `levels`: scores are cut into so many, with ties. `cluster`: rows per entity, whose scores
    share a random effect.
    """

    def compare(rng: Generator) -> PairedDifference:
        target = rng.random(rows) < share
        target[:2] = True, False  # both classes are present
        first, second = correlated(rng, rows)
        first, second = first + target, second + (1 + gain) * target
        codes = None
        if cluster:
            codes = np.arange(rows) // cluster
            first, second = (scores + rng.normal(size=rows // cluster + 1)[codes] for scores in (first, second))
        if levels:
            first, second = (np.clip(np.floor(scores * 2), 0, levels - 1) for scores in (first, second))
        return auc_difference(target, first, second, groups=codes)

    return compare


def entities(clusters: int, size: float, *, uneven: bool = False) -> Compare:
    """Absolute errors of entities with about `size` rows; rows of one entity share a third of the variance."""

    def compare(rng: Generator) -> PairedDifference:
        sizes = np.full(clusters, round(size))
        if uneven:
            sizes = 1 + rng.geometric(1 / size, size=clusters)
        codes = np.repeat(np.arange(clusters), sizes)
        first, second = absolute(rng, len(codes))
        return difference_of_means(first, second + rng.normal(0, 0.35, size=clusters)[codes], groups=codes)

    return compare


def lognormal_entities(rng: Generator, clusters: int) -> Array:
    """What each entity gains: lognormal, less its mean."""
    return rng.lognormal(size=clusters) - math.exp(0.5)


def losing_entities(rng: Generator, clusters: int) -> Array:
    """What each entity gains: a little, and one of 50 loses 20."""
    return 0.4 - 20 * (rng.random(clusters) < 0.02)


def entity_gains(draw: Callable[[Generator, int], Array], clusters: int, size: int) -> Compare:
    """Entities of `size` rows, which all gain what their entity gains, with noise."""

    def compare(rng: Generator) -> PairedDifference:
        codes = np.repeat(np.arange(clusters), size)
        champion = rng.normal(size=len(codes))
        gains = draw(rng, clusters)[codes] + rng.normal(0, 0.5, size=len(codes))
        return difference_of_means(champion, champion + gains, groups=codes)

    return compare


def series(rows: int, memory: float) -> Compare:
    """Rows in order of time, whose differences follow an autoregression of order 1."""

    def compare(rng: Generator) -> PairedDifference:
        from scipy.signal import lfilter  # type: ignore[import-untyped]

        noise = rng.normal(size=rows + 200)
        differences = lfilter([1.0], [1.0, -memory], noise)[200:]
        champion = rng.normal(size=rows)
        return difference_of_means(champion, champion + differences, order=np.arange(rows))

    return compare


def root_mean_square(rows: int) -> Compare:
    def compare(rng: Generator) -> PairedDifference:
        first, second = correlated(rng, rows)

        def measure(chosen: Array) -> tuple[float, float]:
            return math.sqrt(np.mean(first[chosen] ** 2)), math.sqrt(np.mean(second[chosen] ** 2))

        return difference_of_metric(measure, rows)

    return compare


def f1_score(rows: int, share: float) -> Compare:
    """F1 of two classifiers with the same rates of errors."""

    def compare(rng: Generator) -> PairedDifference:
        target = rng.random(rows) < share
        first, second = (scores + 2 * target > 1.3 for scores in correlated(rng, rows))

        def f1(labels: Array, chosen: Array) -> float:
            right = np.count_nonzero(labels[chosen] & target[chosen])
            total = np.count_nonzero(labels[chosen]) + np.count_nonzero(target[chosen])
            return 2 * right / total if total else math.nan

        return difference_of_metric(lambda chosen: (f1(first, chosen), f1(second, chosen)), rows)

    return compare


def auc_gain(gain: float) -> float:
    """The difference of two areas of normal scores whose means are 1 + gain and 1 apart."""

    def area(distance: float) -> float:
        return 0.5 * (1 + math.erf(distance / 2))

    return area(1 + gain) - area(1)


def designs() -> Iterator[Design]:
    """All designs, the smallest first within each family."""
    yield from _of_means()
    yield from _of_classes()
    yield from _of_clusters_and_time()
    yield from _of_metrics()


def _of_means() -> Iterator[Design]:
    light = {"absolute errors": absolute, "whole errors, ties": whole_numbers, "exponential gains": exponential}
    for name, draw in light.items():
        for rows in SMALL:
            yield Design(f"{name}, {rows:,} rows", rows, True, means(draw, rows))
    for rows in (50, 500, 5_000):
        yield Design(f"absolute errors, lower by 0.05, {rows:,} rows", rows, True, means(shifted, rows), truth=-0.05)
    heavy = {"squared errors": squared, "t of 3 degrees": student, "lognormal gains": lognormal}
    for name, draw in heavy.items():
        for rows in SMALL:
            yield Design(f"{name}, {rows:,} rows", rows, False, means(draw, rows))
    for rows in SMALL:
        name = f"a loss in 1 row of 200, {rows:,} rows"
        yield Design(name, rows, False, means(catastrophes, rows), beyond=rows <= 500)


def _of_classes() -> Iterator[Design]:
    for rows in SMALL:
        yield Design(f"accuracy, 20 % disagree, {rows:,} rows", rows, True, correct(rows, 0.1, 0.1))
    for rows in LARGE:
        yield Design(f"accuracy, 1 % disagree, {rows:,} rows", rows, False, correct(rows, 0.005, 0.005))
    for rows in (50, 500, 5_000):
        better = correct(rows, 0.08, 0.12)
        yield Design(f"accuracy, higher by 0.04, {rows:,} rows", rows, True, better, truth=0.04)
    for measure, function in {"log loss": log_loss, "Brier": brier}.items():
        for share, rows_of_share in ((0.5, SMALL), (0.02, LARGE)):
            for rows in rows_of_share:

                def draw(
                    rng: Generator,
                    rows: int,
                    function: Callable[..., tuple[Array, Array]] = function,
                    share: float = share,
                ) -> tuple[Array, Array]:
                    return function(rng, rows, share)

                yield Design(f"{measure}, {share:.0%} positive, {rows:,} rows", rows, share == 0.5, means(draw, rows))
    for rows in SMALL:
        yield Design(f"AUC, 50% positive, {rows:,} rows", rows, True, areas(rows, 0.5))
    for rows in LARGE:
        yield Design(f"AUC, 2% positive, {rows:,} rows", rows, False, areas(rows, 0.02))
    for rows in (50, 500, 5_000):
        yield Design(f"AUC, 5 levels, {rows:,} rows", rows, True, areas(rows, 0.5, levels=5))
        higher = areas(rows, 0.5, gain=0.2)
        yield Design(f"AUC, higher, {rows:,} rows", rows, True, higher, truth=auc_gain(0.2))


def _of_clusters_and_time() -> Iterator[Design]:
    for clusters, size in ((10, 20), (30, 20), (100, 5), (100, 50), (1_000, 5), (5_000, 10)):
        for uneven in (False, True):
            name = f"{clusters:,} entities of {'about ' if uneven else ''}{size} rows"
            compare = entities(clusters, size, uneven=uneven)
            yield Design(name, clusters * size, True, compare, clusters=clusters)
    for clusters in (40, 100, 300):
        for name, draw in {"lognormal gains": lognormal_entities, "a loss of 1 in 50": losing_entities}.items():
            compare = entity_gains(draw, clusters, 20)
            beyond = draw is losing_entities and clusters == 100
            name = f"{clusters} entities of 20 rows, {name}"
            yield Design(name, clusters * 20, False, compare, clusters=clusters, beyond=beyond)
    for clusters, size in ((10, 50), (30, 20), (100, 10), (1_000, 5)):
        compare = areas(clusters * size, 0.5, cluster=size)
        yield Design(f"AUC, {clusters:,} entities of {size} rows", clusters * size, True, compare, clusters=clusters)
    for memory in (0.0, 0.5):
        for rows in SMALL:
            name = f"in order of time, autocorrelation {memory}, {rows:,} rows"
            yield Design(name, rows, True, series(rows, memory), clusters=round(rows ** (2 / 3)))


def _of_metrics() -> Iterator[Design]:
    for rows in (50, 500, 10_000):
        yield Design(f"root mean square, {rows:,} rows", rows, True, root_mean_square(rows))
    for rows in (200, 500):
        yield Design(f"F1, 30% positive, {rows:,} rows", rows, True, f1_score(rows, 0.3))
    yield Design("F1, 2% positive, 500 rows", 500, False, f1_score(500, 0.02))
