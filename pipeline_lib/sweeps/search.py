"""Which members a sweep tries: the whole grid, or what Optuna draws from it.

A search proposes batches of one fixed size and is told their results in order, so that the same members are tried
with any number of workers, and again when an interrupted sweep continues.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pipeline_lib.errors import InputError
from pipeline_lib.sweeps.grid import Axis, as_text, product
from pipeline_lib.sweeps.members import Member, Plan
from pipeline_lib.sweeps.result import Direction, Outcome

BATCH = 4
"""How many members a Bayesian search tries before it learns from them."""


class Grid:
    """All combinations, in one batch."""

    def __init__(self, plan: Plan, axes: Sequence[Axis]) -> None:
        self._members = plan.members(product(axes))
        self.asked = len(self._members)

    def batches(self) -> Iterator[list[Member]]:
        """The only one."""
        yield self._members

    def tell(self, outcomes: Sequence[Outcome]) -> None:
        """Nothing to learn."""


class Search:
    """Members drawn by Optuna: at random, or (`bayes`) where its tree-structured Parzen estimator expects the best."""

    def __init__(
        self,
        plan: Plan,
        axes: Sequence[Axis],
        asked: int,
        seed: int,
        bayes: bool,
        metric: str | None,
        direction: Direction | None,
    ) -> None:
        optuna = _optuna()
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        if asked < 1:
            raise InputError(f"found {asked} members to draw, expected one at least; give --random or --bayes a number")
        if bayes and metric is None:
            raise InputError(
                "found --bayes without a metric, expected what shall become best; add --metric NAME, or use --random"
            )
        sampler = optuna.samplers.TPESampler if bayes else optuna.samplers.RandomSampler
        self._study = optuna.create_study(sampler=sampler(seed=seed), direction=direction or "minimize")
        self._space = {axis.key: _distribution(axis) for axis in axes}
        self._plan, self._axes, self._bayes, self._metric, self.asked = plan, axes, bayes, metric, asked
        self._trials: dict[int, tuple[Any, Member]] = {}
        self._tried: set[str] = set()
        self._outcomes: dict[str, Outcome] = {}
        plan.members(list(_corners(axes)))

    def batches(self) -> Iterator[list[Member]]:
        """Batches until as many members as asked are drawn; one that was drawn before is not tried twice."""
        drawn = 0
        while drawn < self.asked:
            size = min(BATCH if self._bayes else self.asked, self.asked - drawn)
            yield self._draw(drawn, size)
            drawn += size

    def tell(self, outcomes: Sequence[Outcome]) -> None:
        """Learn from a batch, in the order of its members."""
        self._outcomes |= {outcome.member.parameters: outcome for outcome in outcomes}
        for number in sorted(self._trials):
            trial, member = self._trials.pop(number)
            outcome = self._outcomes.get(member.parameters)
            if outcome is None or outcome.error is not None or self._metric is None:
                self._study.tell(trial, state=_optuna().trial.TrialState.FAIL)
                continue
            self._study.tell(trial, outcome.metrics[self._metric])

    def _draw(self, drawn: int, size: int) -> list[Member]:
        fresh = []
        for number in range(drawn + 1, drawn + size + 1):
            trial = self._study.ask(self._space)
            values = {axis.key: as_text(trial.params[axis.key]) for axis in self._axes}
            (member,) = self._plan.members([values], number)
            if member.parameters not in self._tried:
                self._tried.add(member.parameters)
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
    told = [axis.values or (as_text(axis.low), as_text(axis.high)) for axis in axes]
    for place in range(max(map(len, told), default=0)):
        yield {axis.key: values[min(place, len(values) - 1)] for axis, values in zip(axes, told, strict=True)}
