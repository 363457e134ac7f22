"""A `Params` model with a value of every kind, and helpers to read a parameters file."""

import datetime
import enum
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import Field

from pipeline_lib.errors import InputError
from pipeline_lib.project.params import read_params
from pipeline_lib.project.params_model import BaseParams


class Estimator(BaseParams):
    alpha: float = 0.001
    steps: int = 3


class Params(BaseParams):
    test_share: float = Field(0.1, gt=0, lt=1)
    seed: int = 0
    label: str | None = None
    columns: list[str] = Field([])
    layers: list[Estimator] = Field([])
    estimator: Estimator = Estimator(steps=7)


class Required(BaseParams):
    share: float
    inner: "RequiredInner"


class RequiredInner(BaseParams):
    one: int
    two: int


class Level(enum.IntEnum):
    LOW = 1


class Carried(BaseParams):
    whole: int = 0
    real: float = 0.0
    flag: bool = False
    text: str = ""
    day: datetime.date | None = None
    pair: tuple[int, str] | None = None
    by_number: dict[int, float] = Field({})
    level: Level = Level.LOW
    either: int | float = 0
    choice: Literal["a", "b"] | None = None
    inner: Estimator = Estimator()


def read(folder: Path, text: str | bytes, model: type[BaseParams] = Params, *sets: str) -> Any:
    path = folder / "p.yml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_params(path, model, overrides=sets, shown="params/p.yml")


def refusal(folder: Path, text: str | bytes, model: type[BaseParams] = Params, *sets: str) -> list[str]:
    with pytest.raises(InputError) as caught:
        read(folder, text, model, *sets)
    return str(caught.value).split("\n")
