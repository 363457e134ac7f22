"""The rows on which two models disagree most, and who is nearer there; sensitive values stay hidden."""

import json
from dataclasses import replace

import compared
import numpy as np

from pipeline_lib.comparison.disagreements import disagreements_of


def test_the_largest_gap_comes_first_with_who_is_nearer() -> None:
    scored = compared.regression(50)
    one, other = scored.champion, scored.challengers[0]
    predictions = other.predictions.copy()
    predictions[7] = one.predictions[7] + 1e6
    predictions[9] = scored.target[9]
    champion = one.predictions.copy()
    champion[9] = scored.target[9] - 1e5
    sides = (replace(one, predictions=champion), replace(other, predictions=predictions))
    found = disagreements_of(replace(scored, sides=sides))
    assert [row.row for row in found.largest[:2]] == [7, 9]
    assert [row.nearer for row in found.largest[:2]] == ["champion", "challenger"]
    assert found.largest[0].gap == 1e6
    assert found.differ == found.champion + found.challenger == 50


def test_labels_count_by_the_label_and_rank_by_the_probability() -> None:
    scored = compared.binary(400, labels=("no", "yes"))
    found = disagreements_of(scored)
    one, other = scored.champion, scored.challengers[0]
    unequal = one.predictions != other.predictions
    assert found.differ == int(unequal.sum())
    assert found.champion == int((unequal & (one.predictions == scored.target)).sum())
    assert found.champion + found.challenger == found.differ, "of two labels one is right"
    gaps = np.abs(one.probabilities[:, 1] - other.probabilities[:, 1])
    assert found.largest[0].row == int(gaps.argmax())
    assert "% for yes)" in found.largest[0].champion


def test_without_probabilities_only_rows_with_other_labels_are_shown() -> None:
    scored = compared.multiclass(60, probable=False)
    found = disagreements_of(scored, shown=1000)
    assert len(found.largest) == found.differ > 0
    assert {row.gap for row in found.largest} == {1.0}


def test_targets_of_other_size_count_alike() -> None:
    scored = compared.several_targets(100)
    one = scored.champion
    moved = one.predictions.copy()
    moved[3, 0] += 10.0  # ten standard deviations of a small target
    moved[4, 1] += 2e5  # two of a large one
    found = disagreements_of(replace(scored, sides=(one, replace(one, predictions=moved))))
    assert [row.row for row in found.largest] == [3, 4]


def test_identical_models_never_disagree() -> None:
    scored = compared.regression(50)
    found = disagreements_of(replace(scored, sides=(scored.champion, scored.champion)))
    assert (found.differ, found.champion, found.challenger, found.largest) == (0, 0, 0, ())


def test_sensitive_values_are_hidden_and_missing_ones_named() -> None:
    found = disagreements_of(compared.regression(40), shown=40)
    text = json.dumps(found.to_json())
    assert "Owner " not in text
    assert "female" not in text, "protected, but sensitive: of groups there are rates, of single rows nothing"
    values = dict(found.largest[0].values)
    assert values["owner"] == values["sex"] == "hidden"
    assert "missing" in {dict(row.values)["size"] for row in found.largest}
    assert found.hidden == ("owner", "sex")
