"""A model that cannot hold parameters is refused, each field with its reason."""

from typing import Annotated, Literal

import pytest
from params_examples import Carried, Estimator, Params, Required
from pydantic import BaseModel as PlainModel
from pydantic import Field, Secret, SecretBytes, SecretStr

from pipeline_lib.errors import InputError
from pipeline_lib.project.params_model import BaseParams, check_model

pytestmark = pytest.mark.core


def test_parameters_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Params().seed = 1


def test_a_good_model_is_returned() -> None:
    for model in (Params, Carried, Required, Estimator):
        assert check_model(model, "Params") is model


def test_models_that_cannot_hold_parameters_are_refused() -> None:
    class Open(PlainModel):
        a: int = 1

    class Inner(BaseParams):
        token: SecretStr | None = None

    class Bad(BaseParams, extra="ignore"):
        one: list[SecretStr] = Field([])
        two: dict[str, SecretBytes | None] = Field({})
        three: Inner = Inner()
        four: Annotated[Open | None, "x"] = None
        five: set[str] = Field(set())
        six: Literal[1, 2] = 1
        seven: int = Field(1, alias="Seven")
        eight: Secret[int] | None = None

    with pytest.raises(InputError) as caught:
        check_model(Bad, "houses: Params")
    lines = str(caught.value).split("\n")
    for name, part in {
        "Params: found extra='ignore'": "expected 'forbid'",
        "Params.one": "environment variable",
        "Params.two": "environment variable",
        "Params.three.token": "environment variable",
        "Params.four": "subclasses of pipeline_lib.BaseParams",
        "Params.five": "expected list or tuple",
        "Params.six": "IntEnum",
        "Params.seven": "alias",
        "Params.eight": "environment variable",
    }.items():
        assert [line for line in lines if line.startswith(f"houses: {name}") and part in line], (name, lines)
    assert len(lines) == 9
    for model in (Open, int, "Params"):
        with pytest.raises(InputError, match="expected a subclass of"):
            check_model(model, "houses: Params")  # type: ignore[arg-type]
