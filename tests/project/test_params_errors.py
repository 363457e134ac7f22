"""Every problem in parameters is named with its location, and with what was expected."""

from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from params_examples import Required, read, refusal
from pydantic import Discriminator, Field, Tag, field_validator, model_validator

from pipeline_lib.project.params_model import BaseParams

pytestmark = pytest.mark.core


def test_unknown_keys_are_named_with_the_nearest_known_one(tmp_path: Path) -> None:
    text = "# c\nseed: 1\ntest_shar: 0.2\nestimator:\n  alfa: 1\nlayers:\n- stepz: 1\nqqq: 1\n"
    lines = refusal(tmp_path, text)
    assert lines[0] == "params/p.yml:3: test_shar: unknown key, did you mean test_share? rename or remove it"
    assert lines[1] == "params/p.yml:5: estimator.alfa: unknown key, did you mean alpha? rename or remove it"
    assert lines[2] == "params/p.yml:7: layers.0.stepz: unknown key, did you mean steps? rename or remove it"
    assert lines[3].startswith("params/p.yml:8: qqq: unknown key, expected one of: test_share, seed,")


def test_missing_keys_name_the_file_or_the_line_of_their_group(tmp_path: Path) -> None:
    assert refusal(tmp_path, "# c\n\ninner:\n  one: 1\n", Required) == [
        "params/p.yml: share: missing key, expected a value; add it",
        "params/p.yml:3: inner.two: missing key, expected a value; add it",
    ]


@pytest.mark.parametrize(
    ("text", "found", "expected"),
    [
        ("test_share: 1.5", "found '1.5'", "expected a value less than 1"),
        ("test_share: nan", "found 'nan'", "expected a finite number"),
        ("test_share: inf", "found 'inf'", "expected a finite number"),
        ("test_share: -1e400", "found '-1e400'", "expected a finite number"),
        ("test_share:", "found ''", "expected a valid number"),
        ("test_share: null", "found null", "expected a valid number"),
        ("seed: 1.5", "found '1.5'", "expected a valid integer"),
        ("seed: " + "9" * 5000, "found '999", "a whole number of fewer digits"),
        ("columns: a", "found 'a'", "expected a list"),
        ("estimator: a", "found 'a'", "expected a group of keys"),
        ("estimator:\n- a", "found ['a']", "expected a group of keys"),
        ("label:\n  a: 1", "found a group of keys", "expected a valid string"),
    ],
)
def test_a_wrong_value_is_shown_with_what_was_expected(tmp_path: Path, text: str, found: str, expected: str) -> None:
    (line,) = refusal(tmp_path, text)
    assert line.startswith(f"params/p.yml:1: {text.split(':')[0]}: ")
    assert found in line
    assert expected in line
    assert len(line) < 200


def test_branches_of_a_union_are_one_problem(tmp_path: Path) -> None:
    class Either(BaseParams):
        limit: int | float | list[int] = 1

    assert refusal(tmp_path, "limit: x\n", Either) == [
        "params/p.yml:1: limit: found 'x', expected a valid integer or a valid number or a list"
    ]


class Straight(BaseParams):
    kind: Literal["lasso"] = "lasso"
    alpha: float


class Rule(BaseParams):
    kind: Literal["rule"]


def kind_of(values: Any) -> Any:
    return values.get("kind", "lasso") if isinstance(values, dict) else getattr(values, "kind", None)


class OneOf(BaseParams):
    estimator: Annotated[Annotated[Straight, Tag("lasso")] | Annotated[Rule, Tag("rule")], Discriminator(kind_of)]


class OneNamed(BaseParams):
    estimator: Straight | Rule = Field(discriminator="kind")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("estimator:\n  kind: tree\n", "2: estimator.kind: found 'tree', expected one of 'lasso', 'rule'"),
        ("estimator:\n  kind: rule\n  alpha: 1\n", "3: estimator.alpha: unknown key, expected one of: kind; rename"),
        ("estimator:\n  kind: lasso\n  alfa: 1\n  alpha: 1", "3: estimator.alfa: unknown key, did you mean alpha?"),
        ("estimator:\n  kind: lasso\n  alpha: x\n", "3: estimator.alpha: found 'x', expected a valid number"),
        ("estimator: x\n", "1: estimator: found 'x', expected a group of keys"),
    ],
)
def test_a_group_that_its_kind_chooses_is_checked_alone(tmp_path: Path, text: str, expected: str) -> None:
    for model in (OneOf, OneNamed):
        (line,) = refusal(tmp_path, text, model)
        assert line.startswith(f"params/p.yml:{expected}")
    assert read(tmp_path, "estimator:\n  alpha: 1\n", OneOf).estimator == Straight(alpha=1.0)  # no kind: its default


def test_errors_of_validators_have_the_same_form(tmp_path: Path) -> None:
    class Checked(BaseParams):
        low: int = 0
        high: int = 1

        @field_validator("low")
        @classmethod
        def _even(cls, value: int) -> int:
            if value % 2:
                raise ValueError("an even number")
            return value // (value - 4)

        @model_validator(mode="after")
        def _ordered(self) -> "Checked":
            if self.low > self.high:
                raise ValueError("low <= high")
            return self

    assert refusal(tmp_path, "# c\nlow: 3\n", Checked) == ["params/p.yml:2: low: found '3', expected an even number"]
    assert refusal(tmp_path, "# c\nlow: 6\nhigh: 1\n", Checked) == [
        "params/p.yml: found a group of keys, expected low <= high"
    ]
    (line,) = refusal(tmp_path, "# c\nlow: 4\n", Checked)
    assert "ZeroDivisionError" in line
    assert "correct the validator" in line
