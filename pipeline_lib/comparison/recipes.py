"""Which recipe is better, as opposed to which fitted model: two sweeps over the same seeds.

A fitted model is one draw of its recipe: another seed gives other training rows and another model. Each seed is a pair
of runs on the same split. Training rows of different seeds overlap, so their scores are not independent; Nadeau and
Bengio's corrected resampled t allows for that.
"""

import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline_lib.comparison.as_text import p_text
from pipeline_lib.comparison.figures import alike
from pipeline_lib.comparison.resampled import ResampledDifference, corrected_resampled_t
from pipeline_lib.comparison.verdict import Verdict, verdict_by
from pipeline_lib.errors import InputError
from pipeline_lib.project.project import Project, find_project
from pipeline_lib.records.layout import METRICS, SWEEP, SWEEPS, TRAINING
from pipeline_lib.records.metric_direction import Direction, declared_metric, direction_of
from pipeline_lib.records.record import Record
from pipeline_lib.records.recorded_value import recorded_value
from pipeline_lib.system.files import read_json
from pipeline_lib.system.html_page import Markup, element, joined, table
from pipeline_lib.system.number_text import number_text

VALUE = "value"
_FEWEST = 5
"""Pairs below which the t distribution is too wide to say anything."""


@dataclass(frozen=True)
class Recipe:
    """A sweep: its members' records by the values that it varies, as text."""

    name: str
    members: Mapping[str, Record]


@dataclass(frozen=True, repr=False)
class RecipeComparison:
    """Two recipes over the same seeds; `difference` is challenger minus champion in `metric`."""

    champion: str
    challenger: str
    metric: str
    unit: str
    direction: Direction
    scores: tuple[tuple[str, float, float], ...]
    difference: ResampledDifference
    verdict: Verdict

    @property
    def sentence(self) -> str:
        """The answer in words."""
        words = {
            "better": f"The recipe {self.challenger} is better than {self.champion}",
            "worse": f"The recipe {self.challenger} is worse than {self.champion}",
            "no difference": f"No difference that matters between the recipes {self.challenger} and {self.champion}",
            "cannot tell": f"Cannot tell whether the recipe {self.challenger} is better than {self.champion}",
        }
        one = self.difference
        unit = f" {self.unit} a row" if self.unit else ""
        estimate, low, high = alike([one.estimate, one.low, one.high], sign=True)
        return (
            f"{words[self.verdict]}: {self.metric} {estimate}{unit} on average over {one.splits} splits (95 % interval "
            f"{low} to {high}; {one.test}, p {p_text(one.p)})."
        )

    def to_json(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "champion": self.champion,
            "challenger": self.challenger,
            "metric": self.metric,
            "unit": self.unit,
            "direction": self.direction,
            "verdict": self.verdict,
            "sentence": self.sentence,
            "scores": [list(each) for each in self.scores],
            **vars(self.difference),
        }

    def __repr__(self) -> str:
        lines = [f"{label}  {number_text(one)}  {number_text(two)}" for label, one, two in self.scores]
        return "\n".join([self.sentence, "", "split  champion  challenger", *lines])

    def _repr_html_(self) -> Markup:
        rows = [(label, number_text(one), number_text(two)) for label, one, two in self.scores]
        head = ("split", "champion", "challenger")
        return joined(element("p", self.sentence), table(head, rows, numbers=head[1:]))


def compare_recipes(
    champion: str | Path,
    challenger: str | Path,
    *,
    metric: str | None = None,
    margin: float = 0.0,
    project: Project | None = None,
) -> RecipeComparison:
    """Compare two sweeps over the same seeds: `pipeline-lib sweep params/houses.yml --grid seed=0..19`, and another.

    Each is the name of a sweep, or the path of its folder. `metric` is by default the business value where every
    member keeps one, else METRIC. Raises InputError for sweeps over other values, or whose pairs are of other rows.
    """
    project = project or find_project()
    if not 0 <= margin < float("inf"):
        raise InputError(f"--margin: found {margin}, expected a number from 0 on; correct it")
    one, two = (_recipe(each, project) for each in (champion, challenger))
    labels = _pairs(one, two)
    name, unit, direction = _metric(one, two, labels, metric, project)
    scores = tuple((label, _score(one.members[label], name), _score(two.members[label], name)) for label in labels)
    train, test = zip(*(_rows(one.members[label]) for label in labels), strict=True)
    difference = corrected_resampled_t(
        [score for _, score, _ in scores],
        [score for *_, score in scores],
        train_rows=round(statistics.mean(train)),
        test_rows=round(statistics.mean(test)),
    )
    verdict = verdict_by(difference, direction=direction, margin=margin)
    return RecipeComparison(one.name, two.name, name, unit, direction, scores, difference, verdict)


def _recipe(given: str | Path, project: Project) -> Recipe:
    path = Path(given)
    folder = path if (path / SWEEP).is_file() else project.runs / SWEEPS / str(given)
    content = read_json(folder / SWEEP) if "/" not in str(given) or path == folder else None
    if not isinstance(content, dict):
        known = sorted(each.parent.name for each in project.runs.glob(f"{SWEEPS}/*/{SWEEP}"))
        raise InputError(
            f"found no sweep {str(given)!r}, expected one of: {', '.join(known) or 'none'}; "
            "`pipeline-lib sweep params/NAME.yml --grid seed=0..19` makes one"
        )
    members = {}
    for member in content["members"]:
        if member["error"] is None and member["reference"]:
            label = " ".join(f"{key}={value}" for key, value in sorted(member["values"].items()))
            members[label] = Record(project.runs / member["reference"])
    gone = [record.reference for record in members.values() if not record.folder.is_dir()]
    if gone:
        raise InputError(f"{folder.name}: found {gone[0]} removed, expected every member's record; sweep again")
    return Recipe(folder.name, members)


def _pairs(one: Recipe, two: Recipe) -> list[str]:
    """The values that both sweeps have run with; each pair is on the same rows."""
    alone = sorted(set(one.members) ^ set(two.members))
    if alone or len(one.members) < _FEWEST:
        found = f"{alone[0]} in one of them only" if alone else f"{len(one.members)} pairs"
        raise InputError(
            f"{one.name} and {two.name}: found {found}, expected the same seeds in both, at least {_FEWEST}; sweep "
            "both with the same --grid seed=0..19"
        )
    for label in one.members:
        rows = [(sweep.members[label].manifest().get("hashes") or {}).get("raw_input") for sweep in (one, two)]
        if rows[0] != rows[1]:
            raise InputError(
                f"{one.name} and {two.name}: found other training or test rows at {label}, expected the same split "
                "from the same seed; let `split` depend on seed alone, and run both sweeps on the same data"
            )
    return sorted(one.members, key=lambda label: one.members[label].id)


def _metric(
    one: Recipe, two: Recipe, labels: list[str], metric: str | None, project: Project
) -> tuple[str, str, Direction]:
    records = [sweep.members[label] for sweep in (one, two) for label in labels]
    values = [recorded_value(record) for record in records]
    if metric in (None, VALUE) and all(value is not None for value in values):
        return VALUE, next(value.unit for value in values if value), "maximize"
    declared = declared_metric(project, records[0].pipeline)
    name = metric or (declared.name if declared else None)
    direction = declared.direction if declared and declared.name == name else direction_of(name or "")
    known = set.intersection(*(set(record.read_json(METRICS) or {}) for record in records))
    if name is None or name not in known or direction is None:
        raise InputError(
            f"found {name or 'no METRIC'}, expected a metric of every member with a known direction, one of: "
            f"{', '.join(sorted(each for each in known if direction_of(each)))}; name one with --metric"
        )
    return name, "", direction


def _score(record: Record, metric: str) -> float:
    if metric == VALUE:
        value = recorded_value(record)
        return value.mean if value else float("nan")
    return float(record.read_json(METRICS)[metric])


def _rows(record: Record) -> tuple[int, int]:
    """How many rows a run was fitted on, and tested on."""
    evidence = read_json(record.evidence / "evidence.json")
    return int(record.read_json(TRAINING)["rows"]), int(evidence["rows"])
