"""The members that a sweep tries: the whole grid, or a sample that Optuna draws from it.

A search proposes batches of one fixed size and learns from their results in order, so that the same members are tried
with any number of workers, and again when an interrupted sweep continues.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pipeline_lib.errors import InputError
from pipeline_lib.records.metric_direction import Direction
from pipeline_lib.sweeps.grid import Axis, as_text, product
from pipeline_lib.sweeps.member_result import MemberResult
from pipeline_lib.sweeps.members import Member, SweepPlan
from pipeline_lib.sweeps.request import SearchRequest

BATCH = 4
"""How many members a Bayesian search tries before it learns from them."""


class Grid:
    """All combinations, in one batch."""

    def __init__(self, plan: SweepPlan, axes: Sequence[Axis]) -> None:
        self._members = plan.members(product(axes))
        self.count = len(self._members)

    def batches(self) -> Iterator[list[Member]]:
        """The only batch."""
        yield self._members

    def learn(self, results: Sequence[MemberResult]) -> None:
        """Nothing: a grid has all its members from the start."""


class Search:
    """Members drawn by Optuna: at random, or (`bayes`) where its tree-structured Parzen estimator expects the best."""

    def __init__(
        self,
        plan: SweepPlan,
        axes: Sequence[Axis],
        request: SearchRequest,
        metric: str | None,
        direction: Direction | None,
    ) -> None:
        optuna = _optuna()
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        if request.draws < 1:
            raise InputError(
                f"found {request.draws} members to draw, expected one at least; give --random or --bayes a number"
            )
        if request.bayes and metric is None:
            raise InputError(
                "found --bayes without a metric, expected the value to optimize; add --metric NAME, or use --random"
            )
        sampler = optuna.samplers.TPESampler if request.bayes else optuna.samplers.RandomSampler
        self._study = optuna.create_study(sampler=sampler(seed=request.seed), direction=direction or "minimize")
        self._space = {axis.key: _distribution(axis) for axis in axes}
        self._plan, self._axes, self._metric = plan, axes, metric
        self.count = request.draws
        self._batch = BATCH if request.bayes else request.draws
        self._trials: dict[int, tuple[Any, Member]] = {}
        self._drawn: set[str] = set()
        self._results: dict[str, MemberResult] = {}
        plan.members(list(_corners(axes)))

    def batches(self) -> Iterator[list[Member]]:
        """Batches until all members are drawn; a member that was drawn before is not tried twice."""
        for first in range(1, self.count + 1, self._batch):
            yield self._draw(range(first, min(first + self._batch, self.count + 1)))

    def learn(self, results: Sequence[MemberResult]) -> None:
        """Give Optuna the results of a batch, in the order of its members."""
        self._results |= {result.member.parameters: result for result in results}
        for number in sorted(self._trials):
            trial, member = self._trials.pop(number)
            result = self._results.get(member.parameters)
            if result is None or result.error is not None or self._metric is None:
                self._study.tell(trial, state=_optuna().trial.TrialState.FAIL)
                continue
            self._study.tell(trial, result.metrics[self._metric])

    def _draw(self, numbers: range) -> list[Member]:
        fresh = []
        for number in numbers:
            trial = self._study.ask(self._space)
            values = {axis.key: as_text(trial.params[axis.key]) for axis in self._axes}
            (member,) = self._plan.members([values], number)
            if member.parameters not in self._drawn:
                self._drawn.add(member.parameters)
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
    """Combinations that hold every value and both ends of every range once: what Params refuses is found before."""
    choices = [axis.values or (as_text(axis.low), as_text(axis.high)) for axis in axes]
    for index in range(max(map(len, choices), default=0)):
        yield {axis.key: values[min(index, len(values) - 1)] for axis, values in zip(axes, choices, strict=True)}
