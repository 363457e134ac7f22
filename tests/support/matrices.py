"""Wide matrices of examples: the everyday tests take a few, the slow tests a sample, `make test-whole` the rest."""

from collections.abc import Iterable
from typing import Any

import pytest


def slow(*values: Any, id: str | None = None) -> Any:
    """A parameter that the slow tests alone take."""
    return pytest.param(*values, id=id, marks=pytest.mark.slow)


def sample(values: Iterable[Any], every: int, *, among: int = 0) -> list[Any]:
    """Parameters of which the everyday tests take the first `among` and then every so many; the slow tests the rest."""
    return [
        value if index < among or (index - among) % every == 0 else slow(value) for index, value in enumerate(values)
    ]


def slow_sample(values: Iterable[Any], every: int) -> list[Any]:
    """Parameters of a slow test: the gate takes the first and then every so many, `make test-whole` the rest."""
    return [value if index % every == 0 else whole(value) for index, value in enumerate(values)]


def whole(*values: Any) -> Any:
    """A parameter of a slow test that `make test-whole` alone takes."""
    return pytest.param(*values, marks=pytest.mark.whole)
