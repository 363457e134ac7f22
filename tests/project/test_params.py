"""Text gets the types of the model; values sent to a notebook are read back equal."""

import datetime
import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any

import pytest
from params_examples import Carried, Estimator, Params, read
from pydantic import AfterValidator, Field

from pipeline_lib.errors import InputError
from pipeline_lib.project.params import params_from_values, params_to_json
from pipeline_lib.project.params_model import BaseParams

pytestmark = pytest.mark.core


def test_text_gets_the_types_of_the_model(tmp_path: Path) -> None:
    text = "# why\ntest_share: 0.2\nseed: 3\nlabel: 'null'\ncolumns:\n- a\n- '2'\nestimator:\n  alpha: 1e-3\n"
    params = read(tmp_path, text)
    assert params == Params(test_share=0.2, seed=3, label="null", columns=["a", "2"], estimator=Estimator(alpha=0.001))
    assert type(params.seed) is int


def test_values_of_a_notebook_are_checked_with_the_same_messages() -> None:
    assert params_from_values({"seed": "3", "estimator": {"alpha": 1}}, Params, "cell") == Params(
        seed=3, estimator=Estimator(alpha=1)
    )
    with pytest.raises(InputError) as caught:
        params_from_values({"seed": "x", "estimator": {"alfa": 1}, "test_share": math.nan}, Params, "cell 2")
    assert str(caught.value).split("\n") == [
        "cell 2: test_share: found nan, expected a finite number",
        "cell 2: seed: found 'x', expected a valid integer",
        "cell 2: estimator.alfa: unknown key, did you mean alpha? rename or remove it",
    ]


@pytest.mark.parametrize(
    "values",
    [
        {"whole": 2**80, "real": -0.0, "text": 'q"\\\n\u2028é😀', "flag": True},
        {"real": 5e-324, "either": 1.0, "pair": (1, "x"), "day": datetime.date(2020, 2, 29)},
        {"real": 0.1 + 0.2, "by_number": {2: 1, 1: 2}, "choice": "a", "inner": {"alpha": 1e22}},
        {"real": 1e308, "either": 2, "text": "null", "level": 1},
    ],
)
def test_values_sent_as_json_are_read_back_equal(values: dict[str, Any]) -> None:
    params = Carried(**values)
    sent = json.loads(json.dumps(params_to_json(params), allow_nan=False))
    assert repr(params_from_values(sent, Carried, "cell")) == repr(params)


@pytest.mark.parametrize(
    "value",
    [(1, 2), {1: 2}, datetime.date(2020, 1, 1), {"a": (1,)}, [b"x"], math.nan, "\ud800", object(), {1, 2}],
)
def test_values_that_json_would_change_are_refused_by_name(value: object) -> None:
    class Loose(BaseParams):
        fine: int = 1
        loose: Any = None

    with pytest.raises(InputError, match=r"^loose(\.a|\.0)?: found .*expected"):
        params_to_json(Loose(loose=value))
    assert params_to_json(Loose(loose={"a": [1, None, "x", 0.5, True]}))["fine"] == 1


@pytest.mark.parametrize("value", [1.0, 0.0])  # -0.0 equals 0.0, but is another number
def test_a_validator_that_changes_its_own_result_is_refused(value: float) -> None:
    class Negating(BaseParams):
        negated: Annotated[float, AfterValidator(lambda value: -value)] = 0.0

    with pytest.raises(InputError, match=r"^negated: found -"):
        params_to_json(Negating(negated=value))


def test_a_field_left_out_of_the_dump_is_refused() -> None:
    class Hidden(BaseParams):
        shown: int = 1
        hidden: int = Field(2, exclude=True)

    with pytest.raises(InputError, match="hidden"):
        params_to_json(Hidden(hidden=3))


def test_importing_parameters_does_not_import_strictyaml() -> None:
    code = "import sys, pipeline_lib.project.params; assert 'strictyaml' not in sys.modules; import strictyaml"
    subprocess.run([sys.executable, "-c", code], check=True)  # noqa: S603  our own code
