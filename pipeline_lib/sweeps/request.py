"""The request of a sweep: the parameters that vary, the search, the metric, and where its members run."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pipeline_lib.errors import InputError
from pipeline_lib.records.metric_direction import Direction
from pipeline_lib.sweeps.grid import Axis

ParityChoice = Literal["best", "all", "none"]


@dataclass(frozen=True)
class SearchRequest:
    """How many members Optuna draws, from which seed: at random, or with `bayes` learning from the metric."""

    draws: int
    seed: int
    bayes: bool


@dataclass(frozen=True)
class SweepRequest:
    """A sweep as requested; `axes` are the parameters that vary, `overrides` hold for all members.

    Without `search` every combination of the axes runs. `parity` says whose parity is checked; `timeout` is in seconds
    per cell; with `force` a member runs even where a finished run could be returned.
    """

    params_file: Path
    axes: tuple[Axis, ...]
    overrides: tuple[str, ...]
    search: SearchRequest | None
    metric: str | None
    direction: Direction | None
    parity: ParityChoice
    timeout: int | None
    force: bool

    def name_parts(self) -> dict[str, Any]:
        """What the name of the sweep's folder is a digest of, as JSON values: equal for equal members."""
        search = self.search
        parts: dict[str, Any] = {
            "grid": sorted(map(str, self.axes)),
            "bayes": search is not None and search.bayes,
            "random": search is not None and not search.bayes,
        }
        if search is not None:
            parts |= {"seed": search.seed, "metric": self.metric, "direction": self.direction}
        return parts


@dataclass(frozen=True)
class PoolRequest:
    """Where members run: in `workers` local processes, forked warm unless `cold`, or on the Dask scheduler `dask`.

    `store` is an fsspec URL through which records come back from Dask workers that do not share this folder.
    """

    workers: int | None
    cold: bool
    dask: str | None
    store: str | None


def parse_search(random: int | None, bayes: int | None, seed: int) -> SearchRequest | None:
    """The search of `--random N` or `--bayes N`; None for a grid. InputError for both."""
    if random is not None and bayes is not None:
        raise InputError("found both --random and --bayes, expected one of them; leave one out")
    draws = random if bayes is None else bayes
    return None if draws is None else SearchRequest(draws, seed, bayes is not None)
