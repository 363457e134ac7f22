"""Steps that have both a plan by hand and a recording give the same bits."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hand_written_plans import PLANNED, differing, with_plan
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline

from pipeline_lib import compile_pipeline
from pipeline_lib.steps.clocks import BlockTime
from pipeline_lib.steps.labels import LabelScores
from pipeline_lib.steps.marks import MissingMarks
from pipeline_lib.steps.moments import PixelMoments
from pipeline_lib.steps.parts import TextParts
from pipeline_lib.steps.party import PerHead
from pipeline_lib.steps.strokes import PixelStrokes
from pipeline_lib.steps.waves import SeasonalWaves
from pipeline_lib.steps.years import ElapsedYears

ROWS = 60


class CountColumns(BaseEstimator):
    """An estimator of own code, so that what steps return is kept in the plan as it is."""

    def fit(self, X: Any, y: Any = None) -> "CountColumns":
        self.count_ = float(X.shape[1])
        return self

    def predict(self, X: Any) -> Any:
        return np.zeros(len(X)) + self.count_


def _numbers(**columns: Any) -> pd.DataFrame:
    return pd.DataFrame(columns)


def _draws() -> dict[str, tuple[Any, pd.DataFrame]]:
    random = np.random.RandomState(0)
    years = random.randint(1950, 2015, ROWS).astype(float)
    gaps = np.where(random.rand(ROWS) < 0.2, np.nan, years)
    words = np.array(["Po", "Fa", "TA", "Gd"])[random.randint(0, 4, ROWS)].tolist()
    cabins = pd.Series(["C85 C87", "E46", "", None, "G6", "F G73"] * 10, dtype="str")
    numbers = pd.Series(["1.5", "?", "-3", "2e3", None, "0.25"] * 10, dtype="str")
    pixels = pd.DataFrame(random.randint(0, 17, (ROWS, 64)), columns=[f"p{i}" for i in range(64)])
    pixels.iloc[0] = 0
    return {
        "years": (ElapsedYears(["built", "sold"], "seen"), _numbers(built=years, sold=gaps, seen=2000 + years % 11)),
        "labels": (LabelScores({"grade": {"Po": 0.0, "Fa": 1.5, "TA": 2.0, "Gd": 4.0}}), _numbers(grade=words)),
        "marks": (MissingMarks(["cabin"], ["fare"], ["?", ""]), _numbers(cabin=cabins, fare=numbers)),
        "parts": (
            TextParts({"deck": ("cabin", "([A-Z])[0-9]"), "room": ("cabin", "([0-9]+)")}),
            _numbers(cabin=cabins),
        ),
        "party": (PerHead(["siblings"], ["fare"]), _numbers(siblings=gaps % 4, fare=years / 7)),
        "moments": (PixelMoments(8), pixels),
        "strokes": (PixelStrokes(8), pixels),
        "waves": (SeasonalWaves("day", 365.25, 3), _numbers(day=gaps % 366, other=years)),
        "block": (BlockTime("arrival", "clock"), _numbers(arrival=gaps % 2400, clock=years % 1440)),
    }


EXAMPLES = _draws()


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_plan_by_hand_and_the_recording_give_the_same_bits(name: str) -> None:
    step, frame = EXAMPLES[name]
    fitted = Pipeline([("step", step), ("end", CountColumns())]).fit(frame)
    planned = Pipeline([("step", with_plan(fitted[0])), ("end", fitted[1])])
    recorded_model, planned_model = (compile_pipeline(each, like=frame) for each in (fitted, planned))
    assert hasattr(type(planned[0]), "plan")
    assert not hasattr(type(fitted[0]), "plan")
    for row in frame.to_dict("records"):
        clean = {key: None if value != value else value for key, value in row.items()}
        recorded, by_hand = (model.trace_row(clean)["step"] for model in (recorded_model, planned_model))
        assert list(recorded) == list(by_hand)
        for column, value in recorded.items():
            if isinstance(value, float):
                assert differing([value], [by_hand[column]]) == 0, (column, value, by_hand[column])
            else:
                assert value == by_hand[column]


def test_every_step_with_a_plan_by_hand_is_compared() -> None:
    assert {type(step) for step, _ in EXAMPLES.values()} == set(PLANNED)


def test_a_difference_of_one_bit_counts() -> None:
    assert differing([1.0, np.nan], [np.nextafter(1.0, 2.0), np.nan]) == 1
