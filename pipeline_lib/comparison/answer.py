"""What a comparison finds of each challenger, and all of it together, as data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pipeline_lib.comparison.differences import Differences
from pipeline_lib.comparison.paired import PairedDifference
from pipeline_lib.comparison.scored import Scored
from pipeline_lib.comparison.verdict import Verdict
from pipeline_lib.records.metric_direction import Direction


@dataclass(frozen=True)
class Measured:
    """One metric of both sides, with the paired difference where there is one.

    `direction` says what is better, None where that is not known. `p` is that of the difference after Holm's
    correction over the challengers. `unit` is empty for a statistic.
    """

    name: str
    direction: Direction | None
    champion: float
    challenger: float
    difference: PairedDifference | None = None
    p: float | None = None
    unit: str = ""


@dataclass(frozen=True)
class Answer:
    """A challenger against the champion: the verdict by the `criterion`, in one sentence, and every metric.

    `not_worse` says whether the challenger is at most `margin` worse. `rows_needed` is how many more labelled rows
    would probably settle what is open, None where nothing is, or where no number would. `differences` are segments,
    rows and groups in which the two differ.
    """

    challenger: str
    criterion: str
    verdict: Verdict
    sentence: str
    metrics: tuple[Measured, ...]
    not_worse: bool
    differences: Differences
    rows_needed: int | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Seen:
    """Rows that were left out, since a model had been fitted on them, or on their entity: counts of each model."""

    rows: int
    left_out: int
    by_model: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, repr=False)
class Compared:
    """A champion against one or more challengers on the same rows.

    `answers` has one for each challenger. `data` says which rows were used. `page` is the written page, where there
    is one.
    """

    champion: str
    answers: tuple[Answer, ...]
    scored: Scored
    seen: Seen
    data: str
    margin: float
    volume: float | None
    created: str
    page: Path | None = None

    @property
    def sentence(self) -> str:
        """The answer in words; of several challengers one sentence each."""
        return "\n".join(answer.sentence for answer in self.answers)
