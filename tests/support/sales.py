"""Two houses, and a step of each kind that makes something of them."""

import math
from typing import Any

import pandas as pd

from pipeline_lib.steps.clocks import BlockTime
from pipeline_lib.steps.labels import LabelScores
from pipeline_lib.steps.marks import MissingMarks
from pipeline_lib.steps.parts import TextParts
from pipeline_lib.steps.party import PerHead
from pipeline_lib.steps.to_date import YearToDate
from pipeline_lib.steps.waves import SeasonalWaves
from pipeline_lib.steps.years import ElapsedYears

NAN = math.nan
GRADES = {"Missing": 0, "TA": 3, "Gd": 4.5}


def sales() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "built": [1990, 2009],
            "garage": [NAN, 2207.0],
            "kitchen": pd.Series(["TA", "Gd"], index=[7, 3], dtype="str").array,
            "sold": [2010, 2008],
        },
        index=[7, 3],
    )


def elapsed(**changes: Any) -> ElapsedYears:
    return ElapsedYears(**{"columns": ["built", "garage"], "reference": "sold", **changes})


def scored(**changes: Any) -> LabelScores:
    return LabelScores(**{"scales": {"kitchen": GRADES}, **changes})


def unmarked(**changes: Any) -> MissingMarks:
    return MissingMarks(**{"texts": ["kitchen"], "numbers": [], "marks": ["TA"], **changes})


def parted(**changes: Any) -> TextParts:
    return TextParts(**{"parts": {"first": ["kitchen", "^([A-Z])"]}, **changes})


def per_head(**changes: Any) -> PerHead:
    return PerHead(**{"relatives": ["built", "garage"], "shared": ["sold"], **changes})


def waves(**changes: Any) -> SeasonalWaves:
    return SeasonalWaves(**{"variable": "sold", "period": 4.0, **changes})


def to_date(**changes: Any) -> YearToDate:
    """Of these rows each has a year of its own, so that none counts another."""
    return YearToDate(**{"variable": "built", "year": "sold", **changes})


def block(**changes: Any) -> BlockTime:
    return BlockTime(**{"arrival": "sold", "clock": "built", **changes})


STEPS = [elapsed, scored, unmarked, parted, per_head, waves, to_date, block]
