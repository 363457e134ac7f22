"""What the tests of compiling share: libraries with one thread, as their threads cost more than these few rows."""

from collections.abc import Iterator

import pytest
from threadpoolctl import threadpool_limits


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """The tests of another module have the threads that they are used to."""
    with threadpool_limits(1):
        yield
