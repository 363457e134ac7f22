"""Every batch of these tests goes through the core, too."""

from collections.abc import Iterator

import pytest
from shadowed import shadowed


@pytest.fixture(autouse=True)
def _through_the_core() -> Iterator[None]:
    with shadowed():
        yield
