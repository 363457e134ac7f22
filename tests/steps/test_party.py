"""The size of a party, and amounts per head."""

import pandas as pd
from sales import NAN

from pipeline_lib.steps.party import PerHead


def test_a_passenger_without_relatives_is_a_party_of_one() -> None:
    frame = pd.DataFrame({"kids": [0, 2, 1], "parents": [0.0, 1.0, NAN], "fare": [8.0, 10.0, 3.0]})
    parties = PerHead(["kids", "parents"], shared=["fare"]).fit_transform(frame)
    assert parties["party"].fillna(-1).to_list() == [1.0, 4.0, -1.0]
    assert parties["fare_per_head"].fillna(-1).to_list() == [8.0, 2.5, -1.0]
