"""Which members a sweep tries: the whole grid, or what Optuna draws from it.

A search proposes batches of one fixed size and is told their results in order, so that the same members are tried
with any number of workers, and again when an interrupted sweep continues.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline_lib.errors import InputError
from pipeline_lib.sweeping.grid import Axis, product
from pipeline_lib.sweeping.members import Member, Plan
from pipeline_lib.sweeping.result import Direction, Outcome, check_metric

BATCH = 4
"""How many members a Bayesian search tries before it learns from them."""


@dataclass
class Grid:
    """All combinations, in one batch."""

    plan: Plan
    axes: Sequence[Axis]
    asked: int = 0

    def __post_init__(self) -> None:
        self._members = self.plan.members(product(self.axes))
        self.asked = len(self._members)

    def batches(self) -> Iterator[list[Member]]:
        """The only one."""
        yield self._members

    def tell(self, outcomes: Sequence[Outcome]) -> None:
        """Nothing to learn."""


@dataclass
class Search:
    """Members drawn by Optuna: at random, or (`bayes`) where its tree-structured Parzen estimator expects the best."""

    plan: Plan
    axes: Sequence[Axis]
    asked: int
    seed: int
    bayes: bool
    metric: str | None
    direction: Direction | None
    _trials: dict[int, Any] = field(default_factory=dict)
    _tried: dict[str, Member] = field(default_factory=dict)

    def __post_init__(self) -> None:
        optuna = _optuna()
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        if self.asked < 1:
            raise InputError(f"found {self.asked} members to draw, expected one at least")
        if self.bayes and self.metric is None:
            raise InputError("found --bayes without a metric, expected --metric NAME: what shall become best?")
        sampler = optuna.samplers.TPESampler(seed=self.seed) if self.bayes else None
        self._study = optuna.create_study(
            sampler=sampler or optuna.samplers.RandomSampler(seed=self.seed), direction=self.direction or "minimize"
        )
        self._space = {axis.key: _distribution(axis) for axis in self.axes}
        self.plan.members(list(_corners(self.axes)))

    def batches(self) -> Iterator[list[Member]]:
        """Batches until as many members as asked are drawn; one that was drawn before is not tried twice."""
        drawn = 0
        while drawn < self.asked:
            size = min(BATCH if self.bayes else self.asked, self.asked - drawn)
            yield self._draw(drawn, size)
            drawn += size

    def tell(self, outcomes: Sequence[Outcome]) -> None:
        """Learn from a batch, in the order of its members."""
        by_parameters = {outcome.member.parameters: outcome for outcome in outcomes}
        self._outcomes = getattr(self, "_outcomes", {}) | by_parameters
        for number in sorted(self._trials):
            trial, member = self._trials.pop(number)
            outcome = self._outcomes.get(member.parameters)
            if outcome is None or outcome.error is not None or self.metric is None:
                self._study.tell(trial, state=_optuna().trial.TrialState.FAIL)
                continue
            check_metric(outcome, self.metric)
            self._study.tell(trial, outcome.metrics[self.metric])

    def _draw(self, drawn: int, size: int) -> list[Member]:
        fresh = []
        for number in range(drawn + 1, drawn + size + 1):
            trial = self._study.ask(self._space)
            values = {axis.key: _as_text(trial.params[axis.key]) for axis in self.axes}
            (member,) = self.plan.members([values], number)
            if member.parameters not in self._tried:
                self._tried[member.parameters] = member
                fresh.append(member)
            self._trials[number] = (trial, member)
        return fresh


def _optuna() -> Any:
    try:
        import optuna
    except ModuleNotFoundError as error:
        raise InputError(
            "--random and --bayes: found no package 'optuna', expected the extra search; "
            "pip install 'nb-pipeline-lib[search]'"
        ) from error
    return optuna


def _distribution(axis: Axis) -> Any:
    from optuna.distributions import CategoricalDistribution, FloatDistribution

    if axis.low is not None and axis.high is not None:
        return FloatDistribution(axis.low, axis.high, log=axis.log)
    return CategoricalDistribution(axis.values)


def _corners(axes: Sequence[Axis]) -> Iterator[Mapping[str, str]]:
    """Combinations that hold every value, and both ends of every range, once: none may be refused later."""
    told = [axis.values or (_as_text(axis.low), _as_text(axis.high)) for axis in axes]
    for place in range(max(map(len, told), default=0)):
        yield {axis.key: values[min(place, len(values) - 1)] for axis, values in zip(axes, told, strict=True)}


def _as_text(value: Any) -> str:
    return repr(value) if isinstance(value, float) else str(value)
