"""Plans written by hand for the project's own steps, to compare them with what is recorded of the same steps.

Each class is a step with a `plan`, which the compiler then uses in place of a recording.
"""

from typing import Any

import numpy as np

from pipeline_lib.steps.clocks import BlockTime
from pipeline_lib.steps.labels import LabelScores
from pipeline_lib.steps.marks import MissingMarks
from pipeline_lib.steps.moments import MOMENTS, PixelMoments
from pipeline_lib.steps.parts import TextParts
from pipeline_lib.steps.party import PerHead
from pipeline_lib.steps.strokes import PixelStrokes
from pipeline_lib.steps.waves import SeasonalWaves
from pipeline_lib.steps.years import ElapsedYears

Columns = dict[str, Any]


class PlannedYears(ElapsedYears):
    def plan(self, columns: Columns, build: Any) -> Columns:
        reference = build.number(columns[self.reference])
        for column in self.columns:
            age = reference - columns[column]
            columns[column] = build.where(age < 0.0, 0.0, age)
        return {name: value for name, value in columns.items() if name != self.reference or not self.drop_reference}


class PlannedLabels(LabelScores):
    def plan(self, columns: Columns, build: Any) -> Columns:
        for column, scale in self.scales.items():
            settings = {"mode": "refuse", "name": column, "where": "LabelScores"}
            columns[column] = build.lookup(columns[column], scale, "float64", **settings)
        return columns


class PlannedMarks(MissingMarks):
    def plan(self, columns: Columns, build: Any) -> Columns:
        for name in (*self.texts, *self.numbers):
            columns[name] = build.lookup(columns[name], dict.fromkeys(self.marks), "str", mode="keep")
        for name in self.numbers:
            columns[name] = build.parse_number(columns[name], name=name, where="MissingMarks")
        return columns


class PlannedParts(TextParts):
    def plan(self, columns: Columns, build: Any) -> Columns:
        parts = {
            part: build.extract(columns[column], pattern=pattern) for part, (column, pattern) in self.parts.items()
        }
        return {**columns, **parts}


class PlannedPerHead(PerHead):
    def plan(self, columns: Columns, build: Any) -> Columns:
        party = build.value(1.0)
        for column in self.relatives:
            party = party + columns[column]
        return {**columns, "party": party, **{f"{name}_per_head": columns[name] / party for name in self.shared}}


class PlannedMoments(PixelMoments):
    def plan(self, columns: Columns, build: Any) -> Columns:
        pixels = [build.number(value) for value in columns.values()]
        ink, x, y, xx, yy, xy = (build.dot(pixels, weights) for weights in self._weights().values())
        square, blank = ink * ink, ink.equals(0.0)
        spreads = ((ink * xx - x * x) / square, (ink * yy - y * y) / square, (ink * xy - x * y) / square)
        moments = zip(MOMENTS, (ink * 1.0, x / ink, y / ink, *spreads), strict=True)
        return {name: build.where(blank, 0.0, value) for name, value in moments}


class PlannedStrokes(PixelStrokes):
    def plan(self, columns: Columns, build: Any) -> Columns:
        slopes = build.affine(build.stack([*columns.values()]), matrix=self.slopes_, offset=None)
        strokes = build.affine(build.activation(slopes, kind="relu"), matrix=self.cells_, offset=None)
        return dict(zip(self._names(), build.items(strokes), strict=True))


class PlannedWaves(SeasonalWaves):
    def plan(self, columns: Columns, build: Any) -> Columns:
        position = build.number(columns[self.variable])
        rest = {name: value for name, value in columns.items() if name != self.variable or not self.drop_original}
        for k, turn in enumerate(self._turns(), start=1):
            rest[f"{self.variable}_sin_{k}"] = build.sin(position * turn)
            rest[f"{self.variable}_cos_{k}"] = build.cos(position * turn)
        return rest


class PlannedBlockTime(BlockTime):
    def plan(self, columns: Columns, build: Any) -> Columns:
        arrival, clock = (build.number(columns[name]) for name in (self.arrival, self.clock))
        apart = arrival - 40.0 * build.floor(arrival / 100.0) - clock
        return {**columns, "block": apart - 1440.0 * build.floor(apart / 1440.0)}


PLANNED: dict[type, type] = {kind.__mro__[1]: kind for kind in list(globals().values()) if "Planned" in str(kind)}
"""The class with a plan, by the class of the project."""


def with_plan(step: Any) -> Any:
    """A fitted step as the class that has a plan."""
    planned = object.__new__(PLANNED[type(step)])
    vars(planned).update(vars(step))
    return planned


def differing(left: Any, right: Any) -> int:
    """How many values of two arrays differ in a bit; equal missing values do not."""
    left, right = np.asarray(left, dtype=np.float64), np.asarray(right, dtype=np.float64)
    return int(np.count_nonzero(left.view(np.int64) != right.view(np.int64)))
